/* boards/drivers/stellaris.h - the clock of TI's Stellaris chips, which their boards share.
 * Layer: board. Source: TI LM3S811 (SPMS150) and LM3S6965 (SPMS128) data sheets, system control.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_DRIVERS_STELLARIS_H
#define BOARDS_DRIVERS_STELLARIS_H

#include <stdint.h>

/* The board's crystal, as RCC has it. */
enum stellaris_crystal { STELLARIS_6MHZ = 0xb, STELLARIS_8MHZ = 0xe };

/* The processor at 50 MHz: from the PLL, at 200 MHz, / 4. */
void stellaris_clock_start(enum stellaris_crystal crystal);

/* Some cycles for each of the loops. */
void stellaris_spin(uint32_t loops);

#endif
