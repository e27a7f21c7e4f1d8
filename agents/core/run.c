/* Models and windows: what the agent exists for. */
#include "agents/core/internal.h"

/* An engine's refusal goes out as 16 + its status. */
_Static_assert(WIRE_ERR_MODEL == 16 + (int)ENGINE_BAD_IMAGE, "error codes");
_Static_assert(WIRE_ERR_ARENA == 16 + (int)ENGINE_NO_SPACE, "error codes");
_Static_assert(WIRE_ERR_OPERATOR == 16 + (int)ENGINE_UNSUPPORTED, "error codes");
_Static_assert(WIRE_ERR_ENGINE == 16 + (int)ENGINE_FAILED, "error codes");

#define NO_RECORD   0xffffffffu
#define ARENA_PAINT 0xa5a5a5a5u

/* ---- the measured thing ---- */

/*
 * The one measured stretch: between the two readings lie only the loop and the inferences. With
 * n = 0 it measures its own overhead.
 */
static uint64_t window_ticks(uint32_t n, uint8_t *ret_status)
{
    const struct engine *engine = agent.engine;
    enum engine_status status = ENGINE_OK;
    uint64_t start = port_ticks();

    while (n-- != 0 && status == ENGINE_OK)
        status = engine->invoke(&agent.model);
    start = port_ticks() - start;
    *ret_status = (uint8_t)status;
    return start;
}

void run_start(void)
{
    struct port_timebase timebase = port_timebase();
    uint64_t first = port_ticks();
    uint32_t overhead = UINT32_MAX;
    uint8_t status;

    /* Does it move at all? A million readings are more than any counter's tick. */
    agent.timebase = WIRE_TIMEBASE_NONE;
    for (uint32_t i = 0; i < 1000000; i++) {
        if (port_ticks() != first) {
            agent.timebase = timebase.kind;
            break;
        }
    }
    agent.tick_hz = timebase.hz;
    /* The least of several: an interrupt may fall into one. */
    for (uint8_t i = 0; i < 16; i++) {
        uint32_t ticks = (uint32_t)window_ticks(0, &status);

        if (ticks < overhead)
            overhead = ticks;
    }
    agent.tick_overhead = overhead;
    for (uint8_t i = 0; i < AGENT_RECORDS; i++)
        agent.records[i].number = NO_RECORD;
}

/* ---- model ---- */

/* Of the loaded model, or the one that is being loaded. */
static struct port_region model_arena(void)
{
    struct port_region arena = port_arena();

#ifdef AGENT_SHARED_RAM
    uint32_t taken = (agent.model.image_size + 15) & ~(uint32_t)15;

    taken = taken < arena.size ? taken : arena.size;
    arena.base += taken;
    arena.size -= taken;
#endif
    return arena;
}

static uint32_t *arena_words(uint32_t *ret_count)
{
    struct port_region arena = model_arena();

    *ret_count = arena.size / 4;
    return (uint32_t *)(void *)arena.base;
}

static void paint_arena(void)
{
    uint32_t count;
    uint32_t *word = arena_words(&count);

    while (count-- != 0)
        *word++ = ARENA_PAINT;
}

uint32_t run_arena_touched(void)
{
    uint32_t count;
    const uint32_t *word = arena_words(&count);

    if (agent.engine == NULL)
        return 0;
    while (count != 0 && word[count - 1] == ARENA_PAINT)
        count--;
    return count * 4;
}

static void refuse(enum engine_status status)
{
    agent_fail((uint8_t)(16 + (int)status), agent.model.detail);
}

void run_on_load(const void *request)
{
    const struct wire_load *load = request;
    const struct engine *const *e = engines;
    struct port_region slot = port_slot();
    struct port_region arena;
    struct wire_loaded *loaded = &agent.answer.as.loaded;
    enum engine_status status;

    agent.engine = NULL;
    agent.incoming.open = false;
    for (uint8_t i = load->engine; i != 0 && *e != NULL; i--)
        e++;
    if (*e == NULL || load->size > slot.size) {
        agent_fail(WIRE_ERR_RANGE, slot.size);
        return;
    }
    agent_busy(load->size >> 5);
    agent.model.image_size = load->size;
    arena = model_arena();
    paint_arena();
    agent.model = (struct engine_model){
        .image = slot.base,
        .image_size = load->size,
        .arena = arena.base,
        .arena_size = arena.size,
        .options = load->options,
    };
    status = (*e)->load(&agent.model);
    if (status != ENGINE_OK) {
        refuse(status);
        return;
    }
    agent.engine = *e;
    loaded->arena_used = agent.model.arena_used;
    loaded->ops = agent.model.ops;
    loaded->inputs = agent.model.inputs;
    loaded->outputs = agent.model.outputs;
    agent_reply(WIRE_LOADED, sizeof(*loaded));
}

void run_on_tensor(const void *request)
{
    const struct wire_tensor *wanted = request;
    struct wire_tensor_info *info = &agent.answer.as.tensor_info;
    struct engine_tensor tensor = {NULL, 0, 0};

    if (agent.engine != NULL)
        tensor = agent.engine->tensor(&agent.model, wanted->output, wanted->index);
    if (tensor.size == 0) {
        agent_fail(WIRE_ERR_STATE, 0);
        return;
    }
    info->size = tensor.size;
    info->type = tensor.type;
    info->reserved[0] = info->reserved[1] = info->reserved[2] = 0;
    agent_reply(WIRE_TENSOR_INFO, sizeof(*info));
}

/* ---- windows ---- */

static void quiet(const struct wire_run *run)
{
    uint64_t start;

    if (run->gap_ticks == 0)
        return;
    if ((run->flags & WIRE_RUN_SLEEP) != 0) {
        port_sleep(run->gap_ticks);
        return;
    }
    start = port_ticks();
    while (port_ticks() - start < run->gap_ticks)
        ;
}

static uint32_t outputs_crc32(void)
{
    uint32_t crc = 0;

    for (uint8_t i = 0; i < agent.model.outputs; i++) {
        struct engine_tensor tensor = agent.engine->tensor(&agent.model, 1, i);

        crc = wire_crc32(crc, tensor.data, tensor.size);
    }
    return crc;
}

static uint8_t prepare(const struct wire_run *run)
{
    uint8_t status = ENGINE_OK;

    if ((run->flags & WIRE_RUN_RESET) != 0 && agent.engine->reset != NULL)
        status = (uint8_t)agent.engine->reset(&agent.model);
    if ((run->flags & WIRE_RUN_COLD) != 0)
        port_cold();
    return status;
}

/* One window: the link is silent from before the first gap to after the second. */
static void measure(const struct wire_run *run, struct wire_record_info *record)
{
    bool marker = (run->flags & WIRE_RUN_MARKER) != 0;

    record->ticks = 0;
    record->inferences = run->inferences;
    record->output_crc32 = 0;
    record->flags = run->flags;
    record->reserved = 0;
    record->status = prepare(run);
    if (record->status != ENGINE_OK)
        return;
    port_send_drain();
    port_link_silence(true);
    quiet(run);
    if ((run->flags & WIRE_RUN_STACK) != 0)
        (void)port_stack(true);
    if (marker)
        port_marker(true);
    record->ticks = window_ticks(run->inferences, &record->status);
    if (marker)
        port_marker(false);
    /* Before the link's interrupts, whose depth on top of ours is a matter of luck, come back. */
    if ((run->flags & WIRE_RUN_STACK) != 0)
        record->output_crc32 = port_stack(false).peak;
    quiet(run);
    port_link_silence(false);
    if ((run->flags & WIRE_RUN_DIGEST) != 0)
        record->output_crc32 = outputs_crc32();
}

/*
 * Each record goes out at once, which also renews the host's deadline, and stays in the ring
 * until overwritten, because it may be lost on the way.
 */
static void run_windows(const struct wire_run *run)
{
    struct wire_run_done *done = &agent.answer.as.run_done;
    uint32_t number = run->first_record;
    uint8_t status = ENGINE_OK;

    agent.incoming.open = false; /* the model may overwrite its input: nothing to resume */
    for (uint16_t i = 0; i < run->windows && status == ENGINE_OK; i++) {
        struct wire_record_info *record = &agent.records[number % AGENT_RECORDS];

        record->number = number;
        measure(run, record);
        status = record->status;
        agent_send(WIRE_RECORD_INFO, agent.answer.seq, record, sizeof(*record));
        number++;
    }
    done->next_record = number;
    done->status = status;
    done->armed = agent.armed;
    done->reserved = 0;
    agent_reply(WIRE_RUN_DONE, sizeof(*done));
}

void run_on_run(const void *request)
{
    agent.run = *(const struct wire_run *)request;
    if (agent.engine == NULL) {
        agent_fail(WIRE_ERR_STATE, 0);
        return;
    }
    if ((agent.run.flags & WIRE_RUN_ARMED) != 0) {
        struct wire_run nothing = {.first_record = agent.run.first_record};

        agent.armed = true;
        run_windows(&nothing);
        return;
    }
    agent_busy(0);
    run_windows(&agent.run);
}

void run_on_go(const void *request)
{
    (void)request;
    if (!agent.armed || agent.engine == NULL) {
        agent_fail(WIRE_ERR_STATE, 0);
        return;
    }
    agent.armed = false;
    agent_busy(0);
    run_windows(&agent.run);
}

void run_on_record(const void *request)
{
    uint32_t number = ((const struct wire_record *)request)->number;
    const struct wire_record_info *record = &agent.records[number % AGENT_RECORDS];

    if (record->number != number || number == NO_RECORD) {
        agent_fail(WIRE_ERR_GONE, number);
        return;
    }
    agent.answer.as.record_info = *record;
    agent_reply(WIRE_RECORD_INFO, sizeof(*record));
}

/* ---- profile: an extra pass, never a measured window ---- */

struct profile_pass {
    struct profile_answer *answer;
    uint64_t last;
};

static void profile_op(void *context, uint16_t op, uint16_t kind, uint32_t variant)
{
    uint64_t now = port_ticks();
    struct profile_pass *pass = context;
    struct wire_profile_info *info = &pass->answer->info;
    struct wire_profile_op *row = &pass->answer->ops[info->count];

    if (op >= info->first && info->count < AGENT_PROFILE_OPS) {
        row->ticks = now - pass->last;
        row->op = op;
        row->kind = kind;
        row->variant = variant;
        info->count++;
    }
    pass->last = port_ticks();
}

void run_on_profile(const void *request)
{
    struct profile_pass pass = {.answer = &agent.answer.as.profile_answer};
    uint16_t first = ((const struct wire_profile *)request)->first;
    enum engine_status status;

    if (agent.engine == NULL || first >= agent.model.ops) {
        agent_fail(WIRE_ERR_STATE, 0);
        return;
    }
    if (agent.engine->profile == NULL) {
        agent_fail(WIRE_ERR_UNSUPPORTED, 0);
        return;
    }
    agent.incoming.open = false;
    pass.answer->info = (struct wire_profile_info){.first = first};
    agent_busy(0);
    port_link_silence(true);
    pass.last = port_ticks();
    status = agent.engine->profile(&agent.model, profile_op, &pass);
    port_link_silence(false);
    if (status != ENGINE_OK) {
        refuse(status);
        return;
    }
    agent.answer.tail.data = pass.answer->ops;
    agent.answer.tail.n = (uint16_t)(pass.answer->info.count * sizeof(struct wire_profile_op));
    agent_reply(WIRE_PROFILE_INFO, sizeof(struct wire_profile_info));
}
