/* boards/rp2/cpu.c - RP2040 and RP2350 on the Pico SDK's start-up: interrupts, the millisecond
 * clock, faults. Layer: board. Source: Pico SDK 2.1.1; ARMv6-M and ARMv8-M reference manuals.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../cpu.h"

#include "../board.h"
#include "hardware/clocks.h"
#include "hardware/irq.h"
#include "hardware/structs/systick.h"
#include "rp2.h"
#if BOARD_RTOS
#include "../cortexm/cortexm.h"
#include "rtos.h"
#endif

#define STACK_PAINT 0x5AC3A53Cu
#define SYSTICK_ON 7u /* processor clock, interrupt, on */

/* The Pico SDK's memmap_default.ld's. */
extern uint32_t __StackBottom[], __StackTop[];

static void paint_stack(void)
{
    uintptr_t in_use = (uintptr_t)__builtin_frame_address(0) - 64u;
    /* The lowest 32 bytes are the guard that the Pico SDK has set up. */
    for (uint32_t *to = __StackBottom + 8; (uintptr_t)to < in_use;) {
        *to++ = STACK_PAINT;
    }
}

#if BOARD_RTOS /* of which rtos.h tells: it has the clock, and another stack for each task */
int main(void)
{
    paint_stack();
    rtos_start();
    return 0;
}

void rp2_start(void)
{
    cortexm_clock_start(clock_get_hz(clk_sys));
}
#else
static volatile uint32_t clock_ms;

void rp2_start(void)
{
    paint_stack();
    systick_hw->rvr = clock_get_hz(clk_sys) / 1000u - 1u;
    systick_hw->cvr = 0;
    systick_hw->csr = SYSTICK_ON;
}

uint32_t board_now_ms(void)
{
    return clock_ms;
}

/* crt0's name for it. */
void isr_systick(void)
{
    clock_ms = clock_ms + 1;
}
#endif

void cpu_irq_enable(unsigned irq)
{
    irq_set_enabled(irq, true);
}

void cpu_irq_off(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}

void cpu_irq_on(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}

void cpu_wait(void)
{
    __asm__ volatile("dsb\n\twfi" ::: "memory");
}

size_t cpu_stack_unused(void)
{
    const uint32_t *at = __StackBottom + 8;
    while ((uintptr_t)at < (uintptr_t)__StackTop && *at == STACK_PAINT) {
        at++;
    }
    return (size_t)(at - __StackBottom - 8) * sizeof *at;
}

/* crt0's name for it. Text needs a stack that is whole: if it was the stack that overflowed, the
 * processor has locked up before it comes here. */
void isr_hardfault(void)
{
    board_panic("fault");
}

/* What the SDK and TinyUSB call when something cannot be, in the place of the SDK's own, which have
 * printf. */
__attribute__((noreturn, used)) void panic(const char *text, ...)
{
    board_panic(text == NULL ? "the Pico SDK" : text);
}

__attribute__((noreturn, used)) void panic_unsupported(void)
{
    board_panic("the Pico SDK: not supported");
}

/* Where crt0 goes when main returns. */
__attribute__((noreturn, used)) void exit(int status)
{
    (void)status;
    board_panic("main returned");
}

/* These boards have no calendar. */
uint64_t board_unix_s(void)
{
    return 0;
}
