/*
 * usage: fuzz_NAME ITERATIONS SEED FILE...
 * Mutates the files (the corpus) and feeds each result to the target. On a crash the environment
 * variable TINYRIG_FUZZ_KEEP names a file that holds the input being tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "tests/fuzz/fuzz.h"

#define MAX_CORPUS 256
#define MAX_INPUT  (1u << 20)

static uint32_t state;

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return n ? state % n : 0;
}

static const uint32_t interesting[] = {0,          1,          2,          0x7f,       0x80,
                                       0xff,       0x7fff,     0x8000,     0xffff,     0x7fffffff,
                                       0x80000000, 0xffffffff, 0xfffffffe, 0x00010000, 0x40000000};

/* Most of a model is weights, where little can go wrong: half of all changes go to the ends. */
static size_t place(size_t size)
{
    switch (below(4)) {
    case 0:
        return below((uint32_t)(size < 2048 ? size : 2048));
    case 1:
        return size - 1 - below((uint32_t)(size < 8192 ? size : 8192));
    default:
        return below((uint32_t)size);
    }
}

static void mutate_once(uint8_t *data, size_t *size)
{
    size_t at = place(*size);
    uint32_t value = interesting[below(sizeof interesting / sizeof *interesting)];

    switch (below(8)) {
    case 0:
        data[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        data[at] = (uint8_t)below(256);
        break;
    case 2:
        data[at] = (uint8_t)(data[at] + below(9) - 4);
        break;
    case 3:
        if (at + 2 <= *size)
            memcpy(data + at, &value, 2);
        break;
    case 4:
    case 5:
        at &= ~(size_t)3;
        if (at + 4 <= *size)
            memcpy(data + at, &value, 4);
        break;
    case 6: { /* one word over another */
        size_t from = place(*size) & ~(size_t)3;
        at &= ~(size_t)3;
        if (from + 4 <= *size && at + 4 <= *size)
            memmove(data + at, data + from, 4);
        break;
    }
    default:
        if (below(16) == 0)
            *size = 1 + at;
    }
}

static void keep(const uint8_t *data, size_t size)
{
    const char *path = getenv("TINYRIG_FUZZ_KEEP");
    FILE *f = path ? fopen(path, "wb") : NULL;

    if (!f)
        return;
    fwrite(data, 1, size, f);
    fclose(f);
}

int main(int argc, char **argv)
{
    struct buf corpus[MAX_CORPUS];
    size_t count = 0;
    struct err err = ERR_INIT;

    if (argc < 4 || argc - 3 > MAX_CORPUS)
        return 2;
    unsigned long iterations = strtoul(argv[1], NULL, 10);
    state = (uint32_t)strtoul(argv[2], NULL, 10) * 2654435761u | 1;
    for (int i = 3; i < argc; i++) {
        corpus[count] = (struct buf)BUF_INIT;
        if (file_read(argv[i], MAX_INPUT, &corpus[count], &err) < 0 || !corpus[count].len) {
            fprintf(stderr, "%s\n", err.text);
            return 2;
        }
        if (fuzz_prepare)
            fuzz_prepare(&corpus[count]);
        LLVMFuzzerTestOneInput((uint8_t *)corpus[count].data, corpus[count].len);
        count++;
    }
    for (unsigned long n = 0; n < iterations; n++) {
        const struct buf *seed = &corpus[below((uint32_t)count)];
        size_t size = seed->len;
        uint8_t *data = malloc(size); /* exact, so that a read past the end is seen */
        if (!data)
            abort();
        memcpy(data, seed->data, size);
        for (uint32_t k = 1 + below(12); k > 0 && size > 8; k--)
            mutate_once(data, &size);
        uint8_t *input = realloc(data, size);
        if (!input)
            abort();
        keep(input, size);
        LLVMFuzzerTestOneInput(input, size);
        free(input);
    }
    for (size_t i = 0; i < count; i++)
        buf_release(&corpus[i]);
    printf("%lu inputs\n", iterations);
    return 0;
}
