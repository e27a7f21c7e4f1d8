/* `tinyrig mute`: silence for known troubles, with an end. */
#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/store/store.h"

struct mute_arguments {
    struct common_options common;
    const char *reason;
    uint64_t for_ns;
    bool lift;
    bool all;
};

static const struct option options[] = {
    {"reason", 'r', OPTION_STRING, "TEXT", "why, for those who read the reports (required)",
     offsetof(struct mute_arguments, reason)},
    {"for", 0, OPTION_DURATION, "TIME", "how long, such as 3d (default: 14d)",
     offsetof(struct mute_arguments, for_ns)},
    {"delete", 'D', OPTION_FLAG, NULL, "end the mute of these patterns now",
     offsetof(struct mute_arguments, lift)},
    {"all", 'a', OPTION_FLAG, NULL, "list those that ran out, too",
     offsetof(struct mute_arguments, all)},
    OPTION_DB,
    {.name = NULL},
};

#define DAY_NS (24ull * 3600 * 1000000000)

enum {
    DAYS_DEFAULT = 14,
    DAYS_MAX = 366
};

static int list_mutes(struct store *s, uint64_t after_ns, struct arena *arena, struct err *err)
{
    const uint64_t now = clock_realtime_ns();
    const struct mute *list;
    size_t count;

    if (store_mutes(s, after_ns, arena, &list, &count, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF line = BUF_INIT;
        char until[21];

        clock_format_utc(list[i].expires_ns, until);
        text_escape(&line, list[i].key, strlen(list[i].key));
        buf_puts(&line, "  ");
        text_escape(&line, list[i].metric, strlen(list[i].metric));
        buf_printf(&line, "  %s %s  ", list[i].expires_ns > now ? "until" : "ended", until);
        text_escape(&line, list[i].reason, strlen(list[i].reason));
        (void)puts(buf_text(&line));
    }
    return 0;
}

static int add_mute(const struct mute_arguments *a, struct store *s, const char *key,
                    const char *metric, struct err *err)
{
    const uint64_t for_ns = a->for_ns != 0 ? a->for_ns : DAYS_DEFAULT * DAY_NS;
    struct mute m = {.key = key, .metric = metric, .reason = a->reason};

    if (a->reason == NULL)
        return err_set(err, ERR_USAGE, "mute: --reason is needed: others will ask");
    if (for_ns > DAYS_MAX * DAY_NS)
        return err_set(err, ERR_USAGE, "--for: at most %dd: what is muted for good is forgotten",
                       DAYS_MAX);
    m.set_ns = clock_realtime_ns();
    m.expires_ns = m.set_ns + for_ns;
    return store_mute(s, &m, err);
}

static int mute_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct mute_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    const char *metric = argc > 1 ? argv[1] : "*";

    if (context_init(&c, &a->common, err) < 0 ||
        store_open(c.database, argc > 0 ? STORE_WRITE : STORE_READ, &s, err) < 0)
        return (int)err->code;
    if (argc == 0)
        return list_mutes(s, a->all ? 0 : clock_realtime_ns(), &c.arena, err);
    if (a->lift)
        return store_unmute(s, argv[0], metric, err);
    return add_mute(a, s, argv[0], metric, err);
}

const struct verb verb_mute = {
    .name = "mute",
    .arguments = "[CASE [METRIC]]",
    .summary = "silence a known trouble for a while, or list what is silent",
    .details = "CASE and METRIC are patterns ('kws/virt-*', 'latency*'; METRIC: '*' by default). "
               "What is muted is\nmeasured, stored and shown as muted; the gate does not count it. "
               "Every mute ends by itself.",
    .options = options,
    .arguments_max = 2,
    .run = mute_run,
};
