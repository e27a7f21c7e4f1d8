/*
 * make_db FILE BOARDS STEP...: a database with one synthetic run for each STEP, which is
 * SCALE[:BUILD]; 'f' before it makes some cases fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/store/store.h"
#include "tests/support/synthetic.h"

static int make_run(struct synthetic *lab, struct store *s, const char *step, unsigned number,
                    struct err *err)
{
    char id[37];
    const char *build = strchr(step, ':');

    lab->failures = step[0] == 'f';
    lab->scale = strtod(step + lab->failures, NULL);
    lab->build = build != NULL ? build + 1 : "7f3a91c4";
    lab->now_ns += 1000000000000;
    synthetic_run_id(number, id);
    return synthetic_run(lab, id, store_sink(s), err);
}

int main(int argc, char **argv)
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct err err = ERR_INIT;
    struct synthetic lab;
    int r;

    if (argc < 4)
        return 2;
    synthetic_init(&lab, 2, (unsigned)strtoul(argv[2], NULL, 10), 1);
    r = store_open(argv[1], STORE_WRITE, &s, &err);
    for (int i = 3; r == 0 && i < argc; i++)
        r = make_run(&lab, s, argv[i], (unsigned)i - 2, &err);
    if (r != 0)
        (void)fprintf(stderr, "make_db: %s\n", err.text);
    synthetic_release(&lab);
    return r != 0;
}
