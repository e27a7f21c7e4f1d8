/*
 * What a board's flash holds while its power is off: QEMU forgets, so it lives here, and in a file
 * when the user named one. The file is only ever replaced whole.
 */
#ifndef TARGETS_VIRTUAL_PROBE_STORE_H
#define TARGETS_VIRTUAL_PROBE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/err.h"
#include "targets/virtual/probe/vm.h"

struct store {
    uint32_t base;
    uint32_t size;
    uint8_t empty;    /* what an erased byte reads as */
    uint8_t *bytes;   /* size of them */
    uint8_t *scratch; /* same */
    const char *path; /* NULL: no file */
    bool unsaved;
};

/* Erased, or with the content of the file, if there is one already. Returns 1 in that case. */
int store_open(struct store *s, uint32_t base, uint32_t size, uint8_t empty, const char *path,
               struct err *err) MUST_CHECK;
void store_erase(struct store *s);

/* Put the segments of a 32-bit ELF file where a programmer would. ERR_USAGE: they do not fit. */
int store_put_elf(struct store *s, const char *path, struct err *err) MUST_CHECK;

/* Take over what the machine's memory holds now. False when it cannot be read. */
bool store_take(struct store *s, struct vm *vm);

/* Replace the file if anything changed. */
int store_save(struct store *s, struct err *err) MUST_CHECK;
void store_close(struct store *s);

#endif
