/* boards/cortexm/cortexm.h - what every Cortex-M has: SysTick, interrupts, faults.
 * Layer: board. Source: Armv6-M, ARMv7-M (B3.2 to B3.4), Armv8-M Architecture Reference Manuals.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_CORTEXM_CORTEXM_H
#define BOARDS_CORTEXM_CORTEXM_H

#include "../cpu.h"

#define CORTEXM_SYST_CSR REG(0xE000E010u)
#define CORTEXM_SYST_RVR REG(0xE000E014u)
#define CORTEXM_SYST_CVR REG(0xE000E018u)
#define CORTEXM_NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))
#define CORTEXM_NVIC_IPR(irq) (*(volatile uint8_t *)(uintptr_t)(0xE000E400u + (irq)))
/* Not on Armv6-M and on Armv8-M baseline, but for what they do anyway. */
#define CORTEXM_SCB_CCR REG(0xE000ED14u)
#define CORTEXM_SCB_CFSR REG(0xE000ED28u)

/* Starts the millisecond clock by SysTick. clock_hz: the processor's, 1 000 .. 16 777 000 000. */
void cortexm_clock_start(uint32_t clock_hz);

/* The board's, with -DBOARD_CLOCK_IRQ=number: quiets its timer, which comes each millisecond.
 * Returns how many have passed, 1 or more when it is late. */
uint32_t board_clock_isr(void);

#endif
