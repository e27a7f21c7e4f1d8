/* Flash and RAM: what the agent says of itself at run time. */
#include "harness/measure/internal.h"

static int emit_bytes(struct attempt *a, const char *name, double bytes, struct err *err)
{
    return emit_metric(&a->out, &(struct figure){.name = name, .value = bytes, .unit = UNIT_BYTES},
                       err);
}

int attempt_memory(struct attempt *a, struct err *err)
{
    struct wire_stats_info stats;
    uint32_t arena;

    if (client_stats(session_client(a->session), false, &stats, err) < 0)
        return (int)err->code;
    arena = a->loaded.arena_used;
    if (emit_bytes(a, "flash.model", (double)a->image.len, err) < 0 ||
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
