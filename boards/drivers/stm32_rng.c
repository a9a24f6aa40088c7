/* boards/drivers/stm32_rng.c - board_entropy from the random number generator of STM32 F2, F4, F7.
 * Layer: board. Source: ST RM0090, RM0410: "RNG"; NIST SP 800-90B 4.4.1 (repetition count test).
 * SPDX-License-Identifier: Apache-2.0 */
#include "stm32.h"

#include "../board.h"

#define RNG_CR REG(0x50060800u)
#define RNG_SR REG(0x50060804u)
#define RNG_DR REG(0x50060808u)
#define AHB2_RNG (1u << 6)
#define CR_ON (1u << 2)
#define SR_READY (1u << 0)
#define SR_FAULTS 0x66u /* CECS, SECS: clock or seed is bad now; CEIS, SEIS: it was */

/* A word comes each 40 clocks of 48 MHz. */
#define WAIT_READS 10000u

/* The next word. 0: there is none that may be used. */
static int next_word(uint32_t *word)
{
    for (uint32_t i = 0; i < WAIT_READS; i++) {
        uint32_t state = RNG_SR;
        if ((state & SR_FAULTS) != 0) {
            return 0;
        }
        if ((state & SR_READY) != 0) {
            *word = RNG_DR;
            return 1;
        }
    }
    return 0;
}

/* On, from a fresh seed; its first word is only what the second is compared with, as ST says. */
static int start(uint32_t *last)
{
    STM32_RCC_AHB2ENR |= AHB2_RNG;
    (void)STM32_RCC_AHB2ENR;
    RNG_CR = 0;
    RNG_SR = 0; /* forgets earlier faults */
    RNG_CR = CR_ON;
    return next_word(last);
}

int board_entropy(void *buf, size_t n)
{
    uint8_t *out = buf;
    uint32_t last = 0, word = 0;
    int good = start(&last);
    for (size_t i = 0; good && i < n; i++) {
        if (i % sizeof word == 0) {
            good = next_word(&word) && word != last && word != 0;
            last = word;
        }
        out[i] = (uint8_t)(word >> (8 * (i % sizeof word)));
    }
    RNG_CR = 0;
    return good ? 1 : board_test_entropy(buf, n);
}
