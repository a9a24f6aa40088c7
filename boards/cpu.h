/* boards/cpu.h - between the files that all bare-metal boards share, a processor, and a board.
 * Layer: board. The cpu_ functions are those of boards/cortexm/ and its like, the others a board's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_CPU_H
#define BOARDS_CPU_H

#include <stddef.h>
#include <stdint.h>

/* The 32-bit register at an address; tests of drivers have a model's in its place. */
#ifndef REG
#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#endif

/* boards/main.c's main. Another name where the vendor's start-up calls main, which then has an RTOS
 * to start: -DBOARD_MAIN= in board.mk. */
#ifndef BOARD_MAIN
#define BOARD_MAIN main
#endif
int BOARD_MAIN(void);

/* --- The processor's ------------------------------------------------------------------------- */

/* Lets interrupt `irq`, a number of the processor's own counting, wake and interrupt it. */
void cpu_irq_enable(unsigned irq);

/* Between these two no interrupt runs, but one that is pending still ends cpu_wait. */
void cpu_irq_off(void);
void cpu_irq_on(void);

/* Sleeps until an interrupt is pending; it runs when interrupts are on, or, where the processor
 * cannot sleep otherwise (AVR), within. */
void cpu_wait(void);

/* How many bytes of the stack have never been used, 0 when it was full at some time. */
size_t cpu_stack_unused(void);

/* --- The board's ----------------------------------------------------------------------------- */

/* Writes one character on the console, waits for room; where the console is the link,
 * boards/serial.c has it. */
void board_putc(char c);

/* The six bytes of its Ethernet address; boards/serial.c has it where there is no network. */
const uint8_t *board_station(void);

/* boards/test_seed.c's: as board_entropy, NOT SECURE; returns 0. For a board whose source fails. */
int board_test_entropy(void *buf, size_t n);

/* The link's interrupt (the Ethernet controller's, or the UART's), which quiets its source:
 * -DBOARD_IRQ in board.mk is its number. */
void board_isr(void);

#endif
