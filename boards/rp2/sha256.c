/* boards/rp2/sha256.c - SHA-256, small rather than fast.
 * Layer: board. Source: FIPS 180-4, sections 4.1.2, 5.3.3 and 6.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

#include <string.h>

/* 4.2.2 */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32u - bits);
}

static uint32_t word_of(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* 6.2.2; the message schedule is kept in a ring of 16 words. */
static void compress(struct sha256 *hash)
{
    uint32_t w[16], v[8];
    memcpy(v, hash->state, sizeof v);
    for (unsigned t = 0; t < 64; t++) {
        uint32_t word;
        if (t < 16) {
            word = word_of(hash->block + 4u * t);
        } else {
            uint32_t a = w[(t + 1) % 16], b = w[(t + 14) % 16];
            word = w[t % 16] + w[(t + 9) % 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        w[t % 16] = word;
        uint32_t t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[t] + word;
        uint32_t t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++) {
        hash->state[i] += v[i];
    }
}

void sha256_start(struct sha256 *hash)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->bytes = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t n)
{
    const uint8_t *from = data;
    for (; n > 0; n--) {
        hash->block[hash->bytes++ % SHA256_BLOCK_BYTES] = *from++;
        if (hash->bytes % SHA256_BLOCK_BYTES == 0) {
            compress(hash);
        }
    }
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
    const uint64_t bits = (uint64_t)hash->bytes * 8u;
    uint8_t end = 0x80;
    do {
        sha256_add(hash, &end, 1);
        end = 0;
    } while (hash->bytes % SHA256_BLOCK_BYTES != SHA256_BLOCK_BYTES - 8);
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        end = (uint8_t)(bits >> (shift - 8));
        sha256_add(hash, &end, 1);
    }
    for (unsigned i = 0; i < SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}
