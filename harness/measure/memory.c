/* Flash and RAM: what the firmware file says, and what the agent says of itself at run time. */
#include <string.h>
#include <unistd.h>

#include "harness/elf/footprint.h"
#include "harness/measure/internal.h"

static int emit_bytes(struct attempt *a, const char *name, double bytes, struct err *err)
{
    return emit_metric(&a->out, &(struct figure){.name = name, .value = bytes, .unit = UNIT_BYTES},
                       err);
}

/* The same agent with the null engine: what of the figures is the harness's own. */
static const char *null_firmware(const char *path, struct arena *arena)
{
    const size_t n = strlen(path);
    const char *null_path;

    if (n < 4 || strcmp(path + n - 4, ".elf") != 0)
        return NULL;
    null_path = arena_printf(arena, "%.*s-null.elf", (int)(n - 4), path);
    return access(null_path, R_OK) == 0 ? null_path : NULL;
}

static int emit_harness(struct attempt *a, const char *path, struct arena *arena, struct err *err)
{
    struct footprint f;

    if (path == NULL)
        return 0;
    if (footprint_read(path, arena, &f, err) < 0 ||
        emit_bytes(a, "flash.harness", (double)footprint_flash(&f.total), err) < 0)
        return (int)err->code;
    return emit_bytes(a, "ram.harness", (double)footprint_ram(&f.total), err);
}

static int emit_firmware(struct attempt *a, const struct footprint *f, struct err *err)
{
    const struct footprint_bytes kernels = footprint_of(f, "libkernels");
    const double model = (double)(attempt_computes(a) ? a->image.len : 0);

    if (emit_bytes(a, "flash", (double)footprint_flash(&f->total) + model, err) < 0 ||
        emit_bytes(a, "flash.code", (double)(f->total.code - kernels.code), err) < 0 ||
        emit_bytes(a, "flash.kernels", (double)kernels.code, err) < 0 ||
        emit_bytes(a, "flash.constants", (double)(f->total.constants + f->total.data), err) < 0 ||
        emit_bytes(a, "ram.data", (double)f->total.data, err) < 0)
        return (int)err->code;
    return emit_bytes(a, "ram.bss", (double)f->total.bss, err);
}

static int emit_image(struct attempt *a, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *path = session_firmware(a->session);
    struct footprint f;
    const char *compiler;
    const char *flags;

    /* The posix agent is a program of this host: its size says nothing about a chip. */
    if (path == NULL || strcmp(path + strlen(path) - 4, ".elf") != 0)
        return 0;
    if (footprint_read(path, &arena, &f, err) < 0 || emit_firmware(a, &f, err) < 0)
        return (int)err->code;
    compiler = footprint_note_value(&f, "compiler", &arena);
    flags = footprint_note_value(&f, "fast_flags", &arena);
    if (compiler != NULL && emit_fact(&a->out, err, "compiler.version", "%s", compiler) < 0)
        return (int)err->code;
    if (flags != NULL && emit_fact(&a->out, err, "compiler.flags", "%s", flags) < 0)
        return (int)err->code;
    return emit_harness(a, null_firmware(path, &arena), &arena, err);
}

/*
 * The peak since reset has the link's interrupts in it, on top of whatever they interrupted: it
 * differs between equal runs. Inside a window the link is silent, and the depth that of the model.
 */
static int stack_of_inference(struct attempt *a, uint32_t *peak, struct err *err)
{
    const struct client_run run = {.inferences = 1,
                                   .windows = 1,
                                   .flags = WIRE_RUN_STACK,
                                   .window_ms = attempt_allowance_ms(a, 1)};
    struct wire_record_info record;

    if (client_run(session_client(a->session), &run, &record, err) < 0)
        return (int)err->code;
    if (record.output_crc32 != 0) /* else the port does not know, or an agent from before */
        *peak = record.output_crc32;
    return 0;
}

int attempt_memory(struct attempt *a, struct err *err)
{
    const double arena = a->loaded.arena_used;
    struct wire_stats_info stats;

    if (client_stats(session_client(a->session), false, &stats, err) < 0 ||
        stack_of_inference(a, &stats.stack_peak, err) < 0 || emit_image(a, err) < 0 ||
        emit_bytes(a, "flash.model", (double)a->image.len, err) < 0 ||
        emit_bytes(a, "ram.arena", arena, err) < 0 ||
        emit_bytes(a, "ram.arena_touched", stats.arena_touched, err) < 0 ||
        emit_bytes(a, "ram.stack", stats.stack_peak, err) < 0 ||
        emit_bytes(a, "ram", (double)stats.static_ram + stats.stack_peak + arena, err) < 0)
        return (int)err->code;
    if (!a->has_report)
        return 0;
    return emit_metric(
        &a->out,
        &(struct figure){.name = "macs", .value = (double)a->report.macs, .unit = UNIT_COUNT}, err);
}
