/* tests/target/systick.h - counts on an emulated Cortex-M3: with QEMU's -icount shift=0 an
 * instruction takes a nanosecond.
 * Layer: tests. Source: ARMv7-M Architecture Reference Manual B3.3.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_SYSTICK_H
#define TESTS_TARGET_SYSTICK_H

#include <stdint.h>

/* A tick is 40 ns on an MPS2: 25 MHz. */
enum { SYSTICK_MAX = 0xffffff, SYSTICK_NS = 40 };

/* The counter, which counts down; it is started when it is first asked. 0 on the host. */
static inline uint32_t systick_now(void)
{
#ifdef __arm__
    volatile uint32_t *systick = (volatile uint32_t *)0xE000E010U;
    if (!(systick[0] & 1)) {
        systick[1] = SYSTICK_MAX;
        systick[2] = 0;
        systick[0] = 5; /* on, with the processor's clock */
    }
    return systick[2];
#else
    return 0;
#endif
}

/* The ticks since `began`, 16.7 million (0.67 s) at most. */
static inline uint32_t systick_since(uint32_t began)
{
    return (began - systick_now()) & SYSTICK_MAX;
}

#endif
