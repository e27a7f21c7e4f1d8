/*
 * What the messages are called and how long they must be: for traces, error texts and length
 * checks on the host. Not linked into firmware.
 */
#ifndef AGENTS_WIRE_NAMES_H
#define AGENTS_WIRE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_info {
    const char *name;
    uint8_t type;
    uint8_t size; /* of the fields */
    bool tail;    /* further bytes may follow */
    bool from_host;
};

/* NULL for a type that is not in the list. */
const struct wire_info *wire_info_find(uint8_t type);

/* All of them, in the order of messages.h. */
const struct wire_info *wire_info_list(size_t *ret_count);

/* Is a message of n bytes (fields and tail) long enough and not too long for its type? */
bool wire_info_fits(const struct wire_info *info, size_t n);

const char *wire_error_text(unsigned code);    /* "unknown error" when out of range */
const char *wire_timebase_name(unsigned kind); /* "unknown" when out of range */
const char *wire_reset_name(unsigned cause);   /* "unknown" when out of range */

#endif
