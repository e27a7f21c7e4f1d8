/*
 * How long the model compiler takes: every model of the folders given (and of TINYRIG_EXTRA_MODELS),
 * for a core with each set of kernels; the slowest set counts. Bar: 100 ms a model.
 * usage: bench_compile FOLDER...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/nn/nn.h"

enum {
    BAR_MS = 100,
    ROUNDS = 3,
    DEPTH_MAX = 4
};

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The best of some rounds; negative when the compiler refuses the model. */
static double compile_ms(const struct buf *file, uint32_t variants, struct err *err)
{
    const struct nn_target target = {.variants = variants};
    double best = -1;

    for (int i = 0; i < ROUNDS; i++) {
        AUTO_BUF image = BUF_INIT;
        const double start = now_ms();

        if (nn_compile(buf_text(file), file->len, &target, &image, NULL, err) < 0)
            return -1;
        const double took = now_ms() - start;
        best = best < 0 || took < best ? took : best;
    }
    return best;
}

static bool bench_model(const char *path)
{
    static const uint32_t sets[] = {1u << KERNEL_REF, 1u << KERNEL_REF | 1u << KERNEL_TUNED,
                                    1u << KERNEL_REF | 1u << KERNEL_TUNED | 1u << KERNEL_ARMV7EM,
                                    NN_ALL_VARIANTS};
    AUTO_BUF file = BUF_INIT;
    struct err err = ERR_INIT;
    double worst = 0;

    if (file_read(path, (size_t)64 << 20, &file, &err) < 0) {
        printf("%s\n", err.text);
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        const double ms = compile_ms(&file, sets[i], &err);

        if (ms < 0 && sets[i] == NN_ALL_VARIANTS) {
            printf("%s: %s\n", path, err.text);
            return err.code == ERR_UNSUPPORTED; /* said, and in no time */
        }
        err_clear(&err);
        worst = ms > worst ? ms : worst;
    }
    printf("%8.2f ms  %8zu B  %s%s\n", worst, file.len, path, worst < BAR_MS ? "" : "  !");
    return worst < BAR_MS;
}

static bool is_model(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && strcmp(dot, ".tflite") == 0;
}

static bool bench_folder(const char *path, int depth, size_t *count)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, NULL, alphasort);
    bool good = true;

    for (int i = 0; i < n; i++) {
        char child[4096];

        snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
        if (is_model(entries[i]->d_name)) {
            (*count)++;
            good = bench_model(child) && good;
        } else if (entries[i]->d_name[0] != '.' && depth < DEPTH_MAX) {
            good = bench_folder(child, depth + 1, count) && good;
        }
        free(entries[i]);
    }
    free(entries);
    return good;
}

int main(int argc, char **argv)
{
    const char *extra = getenv("TINYRIG_EXTRA_MODELS");
    size_t count = 0;
    bool good = true;

    for (int i = 1; i < argc; i++)
        good = bench_folder(argv[i], 0, &count) && good;
    if (extra != NULL)
        good = bench_folder(extra, 0, &count) && good;
    printf("%zu models, %s\n", count, good && count ? "each under 100 ms" : "bar missed: !");
    return good && count ? 0 : 1;
}
