/* Models, windows and profiles. */
#include <string.h>

#include "harness/client/link.h"

enum {
    LOAD_MS = 30000
};

int client_load(struct client *c, unsigned engine, size_t image_size, uint32_t options,
                struct wire_loaded *ret, struct err *err)
{
    const struct wire_load load = {
        .size = (uint32_t)image_size, .options = options, .engine = (uint8_t)engine};
    const struct client_request request = {.type = WIRE_LOAD,
                                           .answer = WIRE_LOADED,
                                           .fields = &load,
                                           .busy_ms = 10 * c->options.answer_ms};
    struct client_frame frame = {.type = 0};

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    memcpy(ret, frame.message, sizeof(*ret));
    return 0;
}

int client_tensor(struct client *c, bool output, unsigned index, struct wire_tensor_info *ret,
                  struct err *err)
{
    const struct wire_tensor tensor = {.output = output, .index = (uint8_t)index};

    return client_ask(c, WIRE_TENSOR, &tensor, WIRE_TENSOR_INFO, ret, err);
}

/* ---- windows ---- */

/* The records of one RUN as they come in. */
struct gather {
    uint32_t first;
    uint32_t windows;
    struct wire_record_info *records;
};

/* A record not seen yet has this number, which no window gets. */
#define MISSING UINT32_MAX

static void take_record(struct gather *g, const struct wire_record_info *record)
{
    uint32_t at = record->number - g->first;

    if (at < g->windows)
        g->records[at] = *record;
}

static bool on_record(void *context, const struct client_frame *frame)
{
    struct gather *g = context;
    const struct wire_record_info *record = frame->message;

    if (frame->type != WIRE_RECORD_INFO)
        return false;
    take_record(g, record);
    return record->number - g->first == g->windows - 1 || record->status != 0;
}

static int fetch_missing(struct client *c, struct gather *g, uint32_t done, struct err *err)
{
    for (uint32_t i = 0; i < done; i++) {
        const struct wire_record wanted = {.number = g->first + i};
        struct wire_record_info record;

        if (g->records[i].number == wanted.number)
            continue;
        if (client_ask(c, WIRE_RECORD, &wanted, WIRE_RECORD_INFO, &record, err) < 0)
            return (int)err->code;
        if (record.number != wanted.number)
            return err_set(err, ERR_PROTOCOL, "RECORD: number %lu instead of %lu",
                           (unsigned long)record.number, (unsigned long)wanted.number);
        take_record(g, &record);
    }
    return 0;
}

static struct wire_run run_fields(const struct client *c, const struct client_run *run)
{
    return (struct wire_run){
        .first_record = c->next_record,
        .inferences = run->inferences,
        .gap_ticks = run->gap_ticks,
        .windows = (uint16_t)run->windows,
        .flags = run->flags,
    };
}

/* RUN or GO, and everything it yields. */
static int perform(struct client *c, uint8_t type, const void *fields, const struct client_run *run,
                   struct wire_record_info *records, struct err *err)
{
    struct gather g = {c->next_record, run->windows, records};
    const struct client_request request = {
        .type = type,
        .answer = WIRE_RUN_DONE,
        .fields = fields,
        .busy_ms = run->window_ms,
        .limit_ms = (run->windows + 2) * run->window_ms + 10 * c->options.answer_ms,
        .quiet = true,
        .other = on_record,
        .context = &g,
    };
    struct wire_run_done done;
    struct client_frame frame = {.type = 0};
    uint32_t count;

    for (uint32_t i = 0; i < run->windows; i++)
        records[i].number = MISSING;
    c->next_record += run->windows;
    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    memcpy(&done, frame.message, sizeof(done));
    count = done.next_record - g.first;
    if (count > run->windows || (count < run->windows && done.status == 0))
        return err_set(err, ERR_PROTOCOL, "RUN: %lu windows instead of %lu", (unsigned long)count,
                       (unsigned long)run->windows);
    if (fetch_missing(c, &g, count, err) < 0)
        return (int)err->code;
    if (done.status != 0)
        return err_set(err, ERR_AGENT, "the engine failed in window %lu of %lu (status %u)",
                       (unsigned long)count, (unsigned long)run->windows, done.status);
    return 0;
}

/* At most what the agent keeps, so that every record can be asked for again. */
int client_run(struct client *c, const struct client_run *run, struct wire_record_info *records,
               struct err *err)
{
    struct client_run part = *run;
    uint32_t done = 0;

    while (done < run->windows) {
        struct wire_run fields;

        part.windows = run->windows - done;
        if (part.windows > c->hello.records)
            part.windows = c->hello.records;
        fields = run_fields(c, &part);
        if (perform(c, WIRE_RUN, &fields, &part, records + done, err) < 0)
            return (int)err->code;
        done += part.windows;
    }
    return 0;
}

int client_arm(struct client *c, const struct client_run *run, struct err *err)
{
    struct wire_run fields = run_fields(c, run);
    struct wire_run_done done;

    if (run->windows == 0 || run->windows > c->hello.records)
        return err_set(err, ERR_CONFIG, "%lu windows in an armed run: the agent keeps %u",
                       (unsigned long)run->windows, c->hello.records);
    fields.flags |= WIRE_RUN_ARMED;
    if (client_ask(c, WIRE_RUN, &fields, WIRE_RUN_DONE, &done, err) < 0)
        return (int)err->code;
    if (done.armed != 1)
        return err_set(err, ERR_PROTOCOL, "RUN: not armed");
    return 0;
}

int client_go(struct client *c, const struct client_run *run, struct wire_record_info *records,
              struct err *err)
{
    const struct wire_go go = {0};

    return perform(c, WIRE_GO, &go, run, records, err);
}

/* ---- profile ---- */

/* One pass: the operators from `first` on, as many as one answer holds. */
static int profile_pass(struct client *c, unsigned first, unsigned ops, unsigned pass_ms,
                        struct wire_profile_op *rows, struct err *err)
{
    const struct wire_profile fields = {.first = (uint16_t)first};
    const struct client_request request = {.type = WIRE_PROFILE,
                                           .answer = WIRE_PROFILE_INFO,
                                           .fields = &fields,
                                           .busy_ms = pass_ms,
                                           .quiet = true};
    const struct wire_profile_info *info;
    struct client_frame frame = {.type = 0};

    if (client_request(c, &request, &frame, err) < 0)
        return (int)err->code;
    info = frame.message;
    if (info->first != first || info->count == 0 || info->count > ops - first ||
        frame.tail_size != info->count * sizeof(*rows))
        return err_set(err, ERR_PROTOCOL, "PROFILE: %u operators in %zu bytes", info->count,
                       frame.tail_size);
    memcpy(rows + first, frame.tail, frame.tail_size);
    return info->count;
}

int client_profile(struct client *c, unsigned ops, unsigned pass_ms, struct wire_profile_op *rows,
                   struct err *err)
{
    for (unsigned first = 0; first < ops;) {
        int count = profile_pass(c, first, ops, pass_ms, rows, err);

        if (count < 0)
            return count;
        first += (unsigned)count;
    }
    return 0;
}
