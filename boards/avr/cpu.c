/* boards/avr/cpu.c - what boards/cpu.h asks of a processor, for AVR: interrupts, sleep, the stack.
 * Layer: board. Source: AVR Instruction Set Manual; avr-libc's start-up, which is this one's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../cpu.h"

#include <avr/io.h>

enum { STACK_PAINT = 0xC5 };

/* The linker's: where the variables end, and the stack's first byte. */
extern uint8_t _end[], __stack[];

/* Before main, and before any variable is written; no stack is in use yet. */
__attribute__((naked, used, section(".init1"))) static void paint_stack(void)
{
    __asm__ volatile("ldi r30, lo8(_end)\n\t"
                     "ldi r31, hi8(_end)\n\t"
                     "ldi r24, %0\n\t"
                     "ldi r25, hi8(__stack)\n\t"
                     "1: st Z+, r24\n\t"
                     "cpi r30, lo8(__stack)\n\t"
                     "cpc r31, r25\n\t"
                     "brlo 1b\n\t" ::"M"(STACK_PAINT));
}

size_t cpu_stack_unused(void)
{
    const volatile uint8_t *at = _end;
    while ((uintptr_t)at < (uintptr_t)__stack && *at == STACK_PAINT) {
        at++;
    }
    return (uintptr_t)at - (uintptr_t)_end;
}

void cpu_irq_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

void cpu_irq_on(void)
{
    __asm__ volatile("sei" ::: "memory");
}

/* It cannot sleep with interrupts off and be woken: so the one that wakes it runs here. None runs
 * between the two instructions. */
void cpu_wait(void)
{
    SMCR = 1 << SE; /* idle: the UART and the timer go on */
    __asm__ volatile("sei\n\tsleep\n\tcli" ::: "memory");
}
