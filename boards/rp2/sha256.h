/* boards/rp2/sha256.h - SHA-256, for entropy.c alone: images without TLS have no other.
 * Layer: board. Source: FIPS 180-4.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_RP2_SHA256_H
#define BOARDS_RP2_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

struct sha256 {
    uint32_t state[8];
    uint32_t bytes; /* so far; less than 2^29 */
    uint8_t block[SHA256_BLOCK_BYTES];
};

void sha256_start(struct sha256 *hash);

/* data: borrowed for the call. */
void sha256_add(struct sha256 *hash, const void *data, size_t n);

/* Writes the digest; the hash must be started anew then. */
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

#endif
