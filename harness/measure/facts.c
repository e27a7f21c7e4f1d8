/* Provenance of an attempt, read from the build and the board, never typed. */
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
    if (b->voltage_uv != 0 && emit_fact(&a->out, err, "voltage.uv", "%u", b->voltage_uv) < 0)
        return (int)err->code;
    return 0;
}

static int file_fact(struct attempt *a, const char *key, const char *path, struct err *err)
{
    AUTO_BUF data = BUF_INIT;
    char digest[65];

    if (path == NULL)
        return 0;
    if (file_read(path, (size_t)256 << 20, &data, err) < 0)
        return (int)err->code;
    sha256_hex(buf_text(&data), data.len, digest);
    return emit_fact(&a->out, err, key, "%s", digest);
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
    if (!attempt_computes(a))
        return 0;
    sha256_hex(buf_text(&a->image), a->image.len, digest);
    if (emit_fact(&a->out, err, "model.image_sha256", "%s", digest) < 0)
        return (int)err->code;
    return file_fact(a, "model.sha256", a->c->model->path, err);
}
