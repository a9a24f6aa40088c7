/* boards/rp2/rp2.h - between the files of the boards that have an RP2040 or an RP2350.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_RP2_RP2_H
#define BOARDS_RP2_RP2_H

/* 1: an RP2040; 0: an RP2350. */
#ifndef PICO_RP2040
#define PICO_RP2040 0
#endif

/* Starts the millisecond clock, and paints the stack for cpu_stack_unused. From board_init; the
 * Pico SDK has set up clocks and memory before main. */
void rp2_start(void);

#endif
