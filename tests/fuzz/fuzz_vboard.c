/* The virtual board's control protocol: any line gets a command or a sentence, any fault is safe. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "targets/virtual/command.h"
#include "targets/virtual/fault.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/options.h"
#include "tests/fuzz/fuzz.h"

static void try_load(const struct command *c)
{
    struct image_file file;
    struct err err = ERR_INIT;

    if (c->kind == COMMAND_LOAD && options_parse_load(c->words[1], &file, &err) < 0 &&
        err.text[0] == '\0')
        abort();
}

static void try_line(struct fault_set *faults, char *line)
{
    struct err err = ERR_INIT;
    struct command c;
    const int r = command_parse(line, &c, &err);

    if (r < 0 && err.text[0] == '\0')
        abort();
    if (r != 0)
        return;
    if (c.kind == COMMAND_FAULT && fault_arm(faults, c.words + 1, c.count - 1, &err) < 0 &&
        err.text[0] == '\0')
        abort();
    try_load(&c);
}

/* Push the bytes through whatever got armed, as the relay would. */
static void pass(struct fault_set *faults, const uint8_t *data, size_t size)
{
    AUTO_BUF out = {.limit = 1u << 16};
    struct fault_action action;

    for (int d = 0; d < 2; d++) {
        int stuck = 0; /* a fault may ask to hold the same byte back for ever */

        for (size_t at = 0; at < size && stuck < 100;) {
            const size_t used =
                fault_pass(faults, (enum fault_direction)d, data + at, size - at, &out);

            at += used;
            faults->stalled_until_ns[d] = 0; /* do not wait for it */
            if (fault_take_action(faults, &action) && fault_word(action.kind) == NULL)
                abort();
            stuck = used == 0 ? stuck + 1 : 0;
        }
    }
    fault_edge(faults);
    fault_tick(faults);
    buf_clear(&out);
    fault_list(faults, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault_set faults;
    struct lines lines;
    char *line;

    fault_set_init(&faults, 1);
    lines_init(&lines, COMMAND_LINE_MAX);
    for (size_t at = 0; at < size;) {
        const size_t piece = 1 + data[at] % 64u < size - at ? 1 + data[at] % 64u : size - at;

        lines_feed(&lines, (const char *)data + at, piece);
        at += piece;
        while ((line = lines_next(&lines)) != NULL)
            try_line(&faults, line);
    }
    pass(&faults, data, size);
    lines_release(&lines);
    return 0;
}
