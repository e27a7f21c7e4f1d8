/* Provenance of an attempt, read from the build and the board, never typed. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/measure/internal.h"

static const char *timebase_name(uint8_t kind)
{
    switch (kind) {
#define X(NAME, value, text)                                                                       \
    case value:                                                                                    \
        return text;
        WIRE_TIMEBASES(X)
#undef X
    default:
        return "unknown";
    }
}

static int board_facts(struct attempt *a, struct err *err)
{
    const struct board *b = a->c->board;
    const struct wire_hello *hello = client_hello(session_client(a->session));
    char build_id[17];
    char uid[25];

    hex_encode(hello->build_id, sizeof(hello->build_id), build_id);
    hex_encode(hello->chip_uid, sizeof(hello->chip_uid), uid);
    if (emit_fact(&a->out, err, "board.name", "%s", b->name) < 0 ||
        emit_fact(&a->out, err, "board.type", "%s", b->type) < 0 ||
        emit_fact(&a->out, err, "board.uid", "%s", uid) < 0 ||
        emit_fact(&a->out, err, "board.realm", "%s", realm_name(b->realm)) < 0 ||
        emit_fact(&a->out, err, "firmware.build_id", "%s", build_id) < 0 ||
        emit_fact(&a->out, err, "clock.hz", "%u", hello->clock_hz) < 0 ||
        emit_fact(&a->out, err, "timebase.kind", "%s", timebase_name(hello->timebase)) < 0 ||
        emit_fact(&a->out, err, "timebase.hz", "%u", hello->tick_hz) < 0 ||
        emit_fact(&a->out, err, "timebase.unit", "%s", unit_name(a->timebase.unit)) < 0)
        return (int)err->code;
    if (b->cpu != NULL && emit_fact(&a->out, err, "board.cpu", "%s", b->cpu) < 0)
        return (int)err->code;
    if (b->part != NULL && emit_fact(&a->out, err, "board.part", "%s", b->part) < 0)
        return (int)err->code;
    if (a->c->energy == NULL && b->voltage_uv != 0 &&
        emit_fact(&a->out, err, "voltage.uv", "%u", b->voltage_uv) < 0)
        return (int)err->code;
    return 0;
}

/* A file that has been looked at, and what it held: unchanged, it is not read again per case. */
struct known_file {
    char path[1024];
    struct stat seen;
    char digest[65];
};

static bool is_known(const struct known_file *k, const char *path, const struct stat *now)
{
    return strcmp(k->path, path) == 0 && k->seen.st_dev == now->st_dev &&
           k->seen.st_ino == now->st_ino && k->seen.st_size == now->st_size &&
           k->seen.st_mtim.tv_sec == now->st_mtim.tv_sec &&
           k->seen.st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static int look_at(struct known_file *k, const char *path, struct err *err)
{
    AUTO_BUF data = BUF_INIT;
    struct stat now = {.st_size = 0};

    if (stat(path, &now) == 0 && is_known(k, path, &now))
        return 0;
    k->path[0] = '\0';
    if (file_read(path, (size_t)256 << 20, &data, err) < 0)
        return (int)err->code;
    sha256_hex(buf_text(&data), data.len, k->digest);
    if (snprintf(k->path, sizeof(k->path), "%s", path) >= (int)sizeof(k->path))
        k->path[0] = '\0';
    k->seen = now;
    return 0;
}

static int file_fact(struct attempt *a, const char *key, const char *path, struct err *err)
{
    static struct known_file firmware, model; /* of this worker's board */
    struct known_file *k = strcmp(key, "firmware.sha256") == 0 ? &firmware : &model;

    if (path == NULL)
        return 0;
    if (look_at(k, path, err) < 0)
        return (int)err->code;
    return emit_fact(&a->out, err, key, "%s", k->digest);
}

/* "armv7em 9, ref 4": how many steps each variant of the kernels runs. */
static int kernels_fact(struct attempt *a, struct err *err)
{
    uint32_t counts[KERNEL_VARIANT_COUNT] = {0};
    const char *names[KERNEL_VARIANT_COUNT] = {NULL};
    AUTO_BUF text = BUF_INIT;

    if (!a->has_report)
        return 0;
    for (size_t i = 0; i < a->report.step_count; i++) {
        counts[a->report.steps[i].variant]++;
        names[a->report.steps[i].variant] = a->report.steps[i].variant_name;
    }
    for (size_t v = KERNEL_VARIANT_COUNT; v-- > 0;) {
        if (counts[v] > 0)
            buf_printf(&text, "%s%s %u", text.len > 0 ? ", " : "", names[v], counts[v]);
    }
    return emit_fact(&a->out, err, "engine.kernels", "%s", buf_text(&text));
}

/* "integer", "float32", or both, when tensors change their type on the way. */
static int arithmetic_fact(struct attempt *a, struct err *err)
{
    unsigned real = 0, whole = 0;

    if (!a->has_report)
        return 0;
    for (size_t i = 0; i < a->report.step_count; i++) {
        const bool is_real = nn_step_is_float(&a->report.steps[i]);

        real += is_real;
        whole += !is_real && a->report.steps[i].macs > 0;
    }
    if (a->c->model->tolerance > 0 &&
        emit_fact(&a->out, err, "model.tolerance", "%g", a->c->model->tolerance) < 0)
        return (int)err->code;
    return emit_fact(&a->out, err, "model.arithmetic", "%s",
                     real == 0    ? "integer"
                     : whole == 0 ? "float32"
                                  : "float32 and integer");
}

int attempt_facts(struct attempt *a, struct err *err)
{
    struct client_engine engine;
    char digest[65];

    if (board_facts(a, err) < 0 ||
        client_engine(session_client(a->session), a->engine, &engine, err) < 0 ||
        emit_fact(&a->out, err, "engine.name", "%s", engine.name) < 0 ||
        emit_fact(&a->out, err, "engine.version", "%u", engine.version) < 0 ||
        emit_fact(&a->out, err, "harness.version", "%s", TINYRIG_VERSION) < 0 ||
        file_fact(a, "firmware.sha256", session_firmware(a->session), err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < a->options->fact_count; i++) {
        if (emit_fact(&a->out, err, a->options->facts[i].key, "%s", a->options->facts[i].value) < 0)
            return (int)err->code;
    }
    if (!attempt_computes(a))
        return 0;
    if (kernels_fact(a, err) < 0 || arithmetic_fact(a, err) < 0)
        return (int)err->code;
    sha256_hex(buf_text(&a->image), a->image.len, digest);
    if (emit_fact(&a->out, err, "model.image_sha256", "%s", digest) < 0)
        return (int)err->code;
    return file_fact(a, "model.sha256", a->c->model->path, err);
}
