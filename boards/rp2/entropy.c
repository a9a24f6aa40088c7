/* boards/rp2/entropy.c - board_entropy of RP2040 and RP2350: sampled oscillators, tested, hashed.
 * Layer: board. Source: RP2040 data sheet 2.17.5, RP2350 data sheet 12.12; NIST SP 800-90B 4.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../board.h"
#include "../cpu.h"
#include "hardware/timer.h"
#include "pico/unique_id.h"
#include "rp2.h"
#include "sha256.h"
#if PICO_RP2040
#include "hardware/structs/rosc.h"
#else
#include "hardware/structs/trng.h"
#endif

/* What it is worth. The RP2350 has a true random number generator: a source for keys, as far as its
 * maker's word and the tests below go. The RP2040 has one bit of a ring oscillator, of which its
 * data sheet says that it "does not meet the requirements of randomness for security systems
 * because it can be compromised". Nobody here has measured either. So board_entropy answers 0 on an
 * RP2040, "not fit for keys", unless whoever builds the image accepts that: -DBOARD_TRUSTS_ROSC=1.
 * An emulator's oscillator stands still, which the tests find, whatever was accepted. */
#ifndef BOARD_TRUSTS_ROSC
#define BOARD_TRUSTS_ROSC 0
#endif
#define IS_SOURCE_FIT (!PICO_RP2040 || BOARD_TRUSTS_ROSC)

/* An eighth of a bit is assumed in each bit sampled: 4096 of them hold the 256 bits of a hash
 * twice. The tests' cutoffs follow from that, for one false alarm in 2^20. */
#define SAMPLES_WORDS 128
#define REPETITION_CUTOFF 161 /* 4.4.1: 1 + 20 / (1/8) */
#define PROPORTION_WINDOW 1024
#define PROPORTION_CUTOFF 979 /* 4.4.2: 1 + critbinom(1024, 2^(-1/8), 1 - 2^-20) */

struct health {
    unsigned last, repeated; /* a bit, and how often it came in a row */
    unsigned first, seen, same;
};

#if PICO_RP2040
/* A bit each 2 us and more: a dozen periods of an oscillator whose jitter is small in one. */
static uint32_t sample_word(void)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 32; i++) {
        busy_wait_us_32(2);
        word = word << 1 | (rosc_hw->randombit & 1u);
    }
    return word;
}
#else
/* Raw samples of its oscillator, a bit each 255 cycles: its own tests would only hide what the
 * tests here look for. Three milliseconds for 192 bits at 150 MHz; never ready: zeros, which fail.
 */
static uint32_t sample_word(void)
{
    static unsigned left;
    if (left == 0) {
        trng_hw->trng_debug_control = UINT32_MAX;
        trng_hw->sample_cnt1 = 255;
        trng_hw->rnd_source_enable = 1;
        trng_hw->rng_icr = UINT32_MAX;
        for (unsigned i = 0; trng_hw->trng_busy != 0; i++) {
            if (i == 1000000) {
                return 0;
            }
        }
        left = sizeof trng_hw->ehr_data / sizeof trng_hw->ehr_data[0];
    }
    return trng_hw->ehr_data[--left];
}
#endif

/* Repetition count and adaptive proportion. Returns 0 when the source has failed. */
static int is_healthy(struct health *health, unsigned bit)
{
    health->repeated = health->repeated != 0 && bit == health->last ? health->repeated + 1 : 1;
    health->last = bit;
    if (health->seen == 0) {
        health->first = bit;
        health->same = 0;
    }
    health->same += bit == health->first;
    health->seen = (health->seen + 1) % PROPORTION_WINDOW;
    return health->repeated < REPETITION_CUTOFF && health->same < PROPORTION_CUTOFF;
}

/* Adds samples to the hash. Returns 1 when all of them were healthy. */
static int sample(struct sha256 *hash)
{
    struct health health = {0};
    for (unsigned i = 0; i < SAMPLES_WORDS; i++) {
        uint32_t word = sample_word();
        sha256_add(hash, &word, sizeof word);
        for (unsigned bit = 0; bit < 32; bit++) {
            if (!is_healthy(&health, word >> bit & 1u)) {
                return 0;
            }
        }
    }
    return 1;
}

/* Without a source numbers still differ: between boards, by the flash's number, and in time. */
int board_entropy(void *buf, size_t n)
{
    static uint8_t kept[SHA256_BYTES]; /* of the draw before */
    uint8_t *out = buf;
    int is_fit = IS_SOURCE_FIT;
    while (n > 0) {
        struct sha256 hash;
        uint8_t block[SHA256_BYTES];
        pico_unique_board_id_t id;
        uint64_t now_us = time_us_64();
        size_t part = n < sizeof block ? n : sizeof block;
        sha256_start(&hash);
        pico_get_unique_board_id(&id);
        sha256_add(&hash, &id, sizeof id);
        sha256_add(&hash, &now_us, sizeof now_us);
        sha256_add(&hash, kept, sizeof kept);
        is_fit = sample(&hash) && is_fit;
        sha256_end(&hash, block);
        memcpy(out, block, part);
        sha256_start(&hash); /* so that what is kept says nothing of what was given */
        sha256_add(&hash, block, sizeof block);
        sha256_add(&hash, "kept", 4);
        sha256_end(&hash, kept);
        out += part;
        n -= part;
    }
    return is_fit;
}
