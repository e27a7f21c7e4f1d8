/* y_labels.csv from anyone: what parses stays inside its folder, what does not names its line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/load/label_lines.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct label_lines found = {.lines = NULL};
    struct err err = ERR_INIT;

    if (label_lines_parse((const char *)data, size, "f.csv", &arena, &found, &err) < 0) {
        if (err.code != ERR_CONFIG || strncmp(err.text, "f.csv:", 6) != 0 || found.count != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct label_line *line = &found.lines[i];
        if (line->name[0] == '\0' || line->name[0] == '/' || strstr(line->name, "..") != NULL ||
            strchr(line->name, '\n') != NULL || !isfinite(line->label))
            abort();
    }
    return 0;
}
