/* Tables that others edited: whatever parses can be read to its end, and again after its copy. */
#include <stdlib.h>
#include <string.h>

#include "harness/cli/csv_read.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct dataset d;
    volatile size_t sum = 0;

    if (csv_parse("fuzz.csv", (const char *)data, size, &arena, &d, &err) < 0) {
        if (err.code == 0 || err.text[0] == '\0')
            abort(); /* a refusal says why */
        return 0;
    }
    for (size_t i = 0; i < d.case_count; i++) {
        const struct data_case *c = &d.cases[i];

        sum = sum + strlen(c->key) + strlen(c->board) + strlen(c->engine) + strlen(c->parameters);
        if (dataset_run(&d, c->run_id) == NULL)
            abort(); /* a case belongs to a run */
        for (size_t m = 0; m < c->metric_count; m++)
            sum = sum + strlen(c->metrics[m].name) + (c->metrics[m].value > 0);
    }
    return 0;
}
