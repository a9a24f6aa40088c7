/* boards/cortexm/cortexm.h - what every Cortex-M3 board shares: vectors, SysTick, interrupts, text.
 * Layer: board. Source: ARMv7-M Architecture Reference Manual (B3.2 to B3.4).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_CORTEXM_CORTEXM_H
#define BOARDS_CORTEXM_CORTEXM_H

#include <stddef.h>
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define CORTEXM_SYST_CSR REG(0xE000E010u)
#define CORTEXM_SYST_RVR REG(0xE000E014u)
#define CORTEXM_SYST_CVR REG(0xE000E018u)
#define CORTEXM_NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))
#define CORTEXM_SCB_CCR REG(0xE000ED14u)
#define CORTEXM_SCB_CFSR REG(0xE000ED28u)

/* Starts the millisecond clock. clock_hz: the processor's, 1 000 .. 16 777 000 000. */
void cortexm_clock_start(uint32_t clock_hz);

/* Lets interrupt `irq` (0..239) wake and interrupt the processor. */
static inline void cortexm_irq_enable(unsigned irq)
{
    CORTEXM_NVIC_ISER(irq) = (uint32_t)1 << (irq % 32u);
}

/* Between these two no interrupt runs, but one that is pending still ends cortexm_wait. */
static inline void cortexm_irq_off(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}
static inline void cortexm_irq_on(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}
static inline void cortexm_wait(void)
{
    __asm__ volatile("dsb\n\twfi" ::: "memory");
}

/* How many bytes of the stack have never been used, 0 when it was full at some time. */
size_t cortexm_stack_unused(void);

/* The board's part: one character on the console (waits for room; where the console is the link,
 * boards/serial.c has it); the six bytes of its Ethernet address, if it has one; and the link's
 * interrupt, which quiets its source: -DBOARD_IRQ in board.mk. */
void board_putc(char c);
const uint8_t *board_station(void);
void board_isr(void);

#endif
