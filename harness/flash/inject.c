/*
 * The agent into RAM over a debug probe, and started there: no flash is written and no code of the
 * chip is needed. One image serves all chips of a core (agents/core/PORTING.md): it is moved to
 * where the board file's RAM begins, and told by data where its slot and its arena lie and how
 * fast the core runs.
 *
 *   RAM   image | stack | data | arena ................ | slot (the last quarter, if not said)
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/file.h"
#include "harness/elf/image.h"
#include "harness/flash/internal.h"
#include "harness/openocd/probe.h"

enum {
    LOAD_MS = 30000,
    ALIGNMENT = 16,
};

/* As agents/ports/common/layout.h has it. */
struct layout {
    uint32_t slot, slot_end, arena, arena_end, clock_hz;
};

struct placed {
    struct elf_image image;
    uint32_t delta;
    uint32_t stack;
};

static int need_symbol(const struct elf_image *image, const char *name, uint32_t *ret,
                       struct err *err)
{
    if (elf_image_symbol(image, name, ret, NULL))
        return 0;
    (void)err_set(err, ERR_CONFIG, "%s: no symbol %s: not an image to inject", image->path, name);
    return err_hint(err, "images to inject are called inject-cm4f and so on");
}

/* Where everything goes in this board's RAM. */
static int divide(const struct board *b, uint32_t image_end, struct layout *ret, struct err *err)
{
    const uint64_t ram_end = b->ram.base + b->ram.size;
    const uint64_t slot = b->slot.region.base / ALIGNMENT * ALIGNMENT;
    const uint64_t slot_end = b->slot.region.base + b->slot.region.size;
    const uint64_t arena = ((uint64_t)image_end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    /* A slot elsewhere (flash, another RAM) leaves this one to the arena. */
    const bool in_ram = slot < ram_end && slot_end > b->ram.base;

    *ret = (struct layout){(uint32_t)slot, (uint32_t)slot_end, (uint32_t)arena,
                           (uint32_t)(in_ram ? slot : ram_end), b->clock_hz};
    if (arena + 1024 > ret->arena_end || slot_end > UINT32_MAX)
        return err_set(err, ERR_CONFIG,
                       "RAM of %llu bytes at 0x%llx has no room for the agent (%llu bytes)",
                       (unsigned long long)b->ram.size, (unsigned long long)b->ram.base,
                       (unsigned long long)(image_end - b->ram.base));
    return 0;
}

static int place(const struct flash_job *job, struct arena *arena, struct placed *p,
                 struct err *err)
{
    const struct board *b = job->board;
    struct layout layout;
    uint32_t base = 0;
    uint32_t end = 0;
    uint32_t at = 0;

    if (job->firmware == NULL || job->firmware[0] == '\0')
        return err_set(err, ERR_CONFIG, "no firmware to inject: 'agent' is missing");
    if (elf_image_read(job->firmware, arena, &p->image, err) < 0 ||
        need_symbol(&p->image, "port_image_start", &base, err) < 0 ||
        need_symbol(&p->image, "port_bss_limit", &end, err) < 0 ||
        need_symbol(&p->image, "port_stack_top", &p->stack, err) < 0 ||
        need_symbol(&p->image, "port_layout", &at, err) < 0)
        return (int)err->code;
    p->delta = (uint32_t)b->ram.base - base;
    p->stack += p->delta;
    if (elf_image_move(&p->image, p->delta, err) < 0 || divide(b, end + p->delta, &layout, err) < 0)
        return (int)err->code;
    if (!elf_image_patch(&p->image, at + p->delta, &layout, sizeof(layout)))
        return err_set(err, ERR_CONFIG, "%s: port_layout is not in the image", job->firmware);
    return 0;
}

static int load_segment(const struct flash_job *job, const struct elf_segment *s, struct err *err)
{
    AUTO_BUF name = BUF_INIT;
    char path[1024];
    int r;

    if (snprintf(path, sizeof(path), "%s/%s.part", job->run_dir, job->board->name) >=
        (int)sizeof(path))
        return err_set(err, ERR_CONFIG, "path of the image too long");
    if (file_write_atomic(path, s->bytes, s->size, err) < 0 ||
        openocd_quote_file(&name, path, err) < 0)
        return (int)err->code;
    r = openocd_command(job->openocd, LOAD_MS, NULL, err, "load_image %s 0x%x bin", buf_text(&name),
                        s->address);
    if (r == 0 && job->board->flashing.verify)
        r = openocd_command(job->openocd, LOAD_MS, NULL, err, "verify_image %s 0x%x bin",
                            buf_text(&name), s->address);
    (void)unlink(path);
    return r;
}

/* Thumb state, no exception, interrupts as start-up wants them; then off it goes. */
static int start(const struct flash_job *job, const struct placed *p, struct err *err)
{
    if (openocd_command(job->openocd, LOAD_MS, NULL, err,
                        "set_reg {sp 0x%x pc 0x%x xPSR 0x01000000}; resume", p->stack,
                        p->image.entry & ~1u) < 0)
        return (int)err->code;
    return 0;
}

static int inject(const struct flash_job *job, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct placed p = {.delta = 0};

    if (place(job, &arena, &p, err) < 0)
        return (int)err->code;
    flash_step(job, "reset", 0);
    if (probe_reset_halt(job->openocd, err) < 0)
        return (int)err->code;
    /* A checksum by the core would need a work area, and that may lie where the image goes. */
    if (openocd_command(job->openocd, LOAD_MS, NULL, err,
                        "[target current] configure -work-area-size 0") < 0)
        return (int)err->code;
    flash_step(job, "inject", p.image.size);
    for (size_t i = 0; i < p.image.segment_count; i++) {
        if (load_segment(job, &p.image.segments[i], err) < 0)
            return err_in(err, "%s into RAM at 0x%x", job->firmware, p.image.segments[i].address);
    }
    flash_step(job, "start", p.image.size);
    return start(job, &p, err);
}

static int moved(const struct flash_job *job, uint32_t *ret_delta, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct placed p = {.delta = 0};

    if (place(job, &arena, &p, err) < 0)
        return (int)err->code;
    *ret_delta = p.delta;
    return 0;
}

const struct flash_ops flash_inject = {
    .name = "inject",
    .help = "a debug probe loads it into RAM and starts it there",
    .needs_probe = true,
    .program = inject,
    .restart = inject,
    .write = flash_openocd_write,
    .moved = moved,
};
