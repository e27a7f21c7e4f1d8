#include "harness/cli/baseline.h"

#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/csv_read.h"
#include "harness/cli/select.h"

static bool ends_in(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);

    return n > m && strcmp(name + n - m, ending) == 0;
}

/* 0, 1 when the file is not there. */
static int read_file(const char *name, struct arena *arena, struct dataset *ret, struct err *err)
{
    AUTO(store_close_auto) struct store *other = NULL;

    if (access(name, F_OK) != 0)
        return 1;
    if (ends_in(name, ".csv"))
        return csv_read(name, arena, ret, err);
    if (store_open(name, STORE_READ, &other, err) < 0)
        return (int)err->code;
    return select_cases(other, "all", arena, ret, err);
}

static int read_last_good(struct store *s, const struct dataset *candidate, struct arena *arena,
                          struct dataset *ret, struct err *err)
{
    const struct store_selection what = {.pool = BASELINE_LAST_GOOD,
                                         .suite = candidate->runs[0].suite,
                                         .until_ns = candidate->runs[0].started_ns,
                                         .parts = DATA_FACTS | DATA_WINDOWS};

    if (store_query(s, &what, arena, ret, err) < 0)
        return (int)err->code;
    return ret->case_count == 0;
}

int baseline_read(struct store *s, const char *name, const struct dataset *candidate,
                  struct arena *arena, struct dataset *ret, struct err *err)
{
    int r;

    if (ends_in(name, ".db") || ends_in(name, ".csv"))
        return read_file(name, arena, ret, err);
    if (strcmp(name, BASELINE_LAST_GOOD) == 0)
        return read_last_good(s, candidate, arena, ret, err);
    r = select_cases(s, name, arena, ret, err);
    if (r == ERR_USAGE && strchr(name, '=') == NULL) {
        err_clear(err);
        return 1;
    }
    return r;
}

int baseline_tolerance(const char *text, double *ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    char *copy;
    char *percent;

    if (text == NULL)
        return 0;
    copy = arena_strdup(&arena, text);
    percent = strchr(copy, '%');
    if (percent != NULL && percent[1] == '\0') {
        while (percent > copy && percent[-1] == ' ')
            percent--;
        *percent = '\0';
    }
    if (!text_to_double(copy, ret) || !(*ret >= 0))
        return err_set(err, ERR_USAGE, "--tolerance: expected a share such as 1%%, got '%s'", text);
    *ret /= percent != NULL ? 100 : 1;
    return 0;
}
