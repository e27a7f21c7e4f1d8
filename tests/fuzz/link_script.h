/*
 * Inputs for the fuzzers of the link: either raw bytes, or a script of messages that get a right
 * header and CRC, because nothing else comes past the frame decoder.
 *
 *   byte 0: 0 raw bytes follow; else messages follow, each: type, n (bit 7: see below), n bytes
 *
 * A corpus file is text: one message a line, "NAME hex..." ('!' before the name sets bit 7).
 */
#ifndef TESTS_FUZZ_LINK_SCRIPT_H
#define TESTS_FUZZ_LINK_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script {
    const uint8_t *at;
    size_t left;
};

struct script_message {
    uint8_t type;
    bool flag;
    uint8_t size;
    uint8_t bytes[127];
};

/* False at the end. The message is a copy that the caller may change. */
bool script_next(struct script *s, struct script_message *ret);

#endif
