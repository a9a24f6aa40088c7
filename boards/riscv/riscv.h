/* boards/riscv/riscv.h - what RV32 chips with SiFive's CLINT and PLIC have: a timer, interrupts.
 * Layer: board. Source: RISC-V Privileged Architecture; PLIC specification 1.0; FE310-G002 manual.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_RISCV_RISCV_H
#define BOARDS_RISCV_RISCV_H

#include "../cpu.h"

/* Where hart 0 has them; board.mk may say another place. */
#ifndef RISCV_CLINT_AT
#define RISCV_CLINT_AT 0x02000000u
#endif
#ifndef RISCV_PLIC_AT
#define RISCV_PLIC_AT 0x0C000000u
#endif
#define RISCV_MTIME REG(RISCV_CLINT_AT + 0xBFF8u) /* the lower half */

/* A CSR's instruction: an extension of its own to later assemblers, unknown to older compilers. */
#define RISCV_CSR(instruction) \
    ".option push\n\t.option arch, +zicsr\n\t" instruction "\n\t.option pop\n\t"
#define RISCV_CSR_WRITE(name, value) \
    __asm__ volatile(RISCV_CSR("csrw " #name ", %0")::"r"(value) : "memory")

/* Starts the millisecond clock. timer_hz: the rate of mtime, 1 000 .. 4 000 000 000. */
void riscv_clock_start(uint32_t timer_hz);

#endif
