/*
 * SHA-256 (FIPS 180-4): names content in the store (models, suites, firmware). hash_mix() only tells
 * bytes apart quickly, before they are compared, and differs from machine to machine.
 */
#ifndef HARNESS_BASE_HASH_H
#define HARNESS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *data, size_t n);
void sha256_final(struct sha256 *h, uint8_t digest[static 32]);

/* Lower-case hex of the digest of data into text[65]. */
void sha256_hex(const void *data, size_t n, char text[static 65]);
void hex_encode(const void *data, size_t n, char *text); /* text holds 2n+1 */

uint64_t hash_mix(const void *data, size_t n);

#endif
