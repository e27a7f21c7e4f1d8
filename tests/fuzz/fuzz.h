/*
 * Fuzz targets. Each defines LLVMFuzzerTestOneInput(), so that clang's -fsanitize=fuzzer can drive
 * it, and is linked with fuzz_main.c otherwise: a plain mutator with a seed, for compilers without
 * libFuzzer and for runs that must come out the same everywhere.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may define this to turn a corpus file into an input before it is mutated. */
struct buf;
__attribute__((weak)) void fuzz_prepare(struct buf *file);

#endif
