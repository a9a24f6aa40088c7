/* boards/riscv/startup.c - reset, traps, the millisecond clock, interrupts of hart 0, machine mode.
 * Layer: board. Source: RISC-V Privileged Architecture (3.1, 3.2.1); PLIC specification 1.0.
 * SPDX-License-Identifier: Apache-2.0 */
#include "riscv.h"

#include "../board.h"

#ifndef BOARD_IRQ
#error "board.mk must say -DBOARD_IRQ=number: the PLIC's, of the Ethernet controller or of the UART"
#endif

/* Bytes of the stack, a multiple of 16; an application that needs more says so with -D. */
#ifndef BOARD_STACK_BYTES
#define BOARD_STACK_BYTES 2048
#endif
#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)
__asm__(
    ".pushsection .stack,\"aw\",@nobits\n\t.space " TEXT_OF(BOARD_STACK_BYTES) "\n\t.popsection");

#define STACK_PAINT 0x5AC3A53Cu

#define MTIMECMP_LOW REG(RISCV_CLINT_AT + 0x4000u)
#define MTIMECMP_HIGH REG(RISCV_CLINT_AT + 0x4004u)
#define MTIME_HIGH REG(RISCV_CLINT_AT + 0xBFFCu)
#define PLIC_PRIORITY(irq) REG(RISCV_PLIC_AT + 4u * (irq))
#define PLIC_ENABLE(irq) REG(RISCV_PLIC_AT + 0x2000u + 4u * ((irq) / 32u))
#define PLIC_THRESHOLD REG(RISCV_PLIC_AT + 0x200000u)
#define PLIC_CLAIM REG(RISCV_PLIC_AT + 0x200004u)

#define MSTATUS_MIE "8"
#define MIE_TIMER (1u << 7)
#define MIE_EXTERNAL (1u << 11)
#define CAUSE_TIMER 0x80000007u
#define CAUSE_EXTERNAL 0x8000000Bu

/* link.ld's. Compared as numbers: to C these are unrelated objects. */
extern uint32_t ld_stack_bottom[], ld_stack_top[];
extern uint32_t ld_data_load[], ld_data[], ld_data_end[], ld_bss[], ld_bss_end[];

int main(void);

static volatile uint32_t clock_ms;
/* Of mtime: the next millisecond, and what a millisecond has, in thousandths, of which `rest` wait.
 */
static uint64_t next;
static uint32_t timer_rate, rest;

static uint64_t mtime(void)
{
    uint32_t high, low;
    do {
        high = MTIME_HIGH;
        low = RISCV_MTIME;
    } while (high != MTIME_HIGH);
    return (uint64_t)high << 32 | low;
}

/* The two halves are two writes: never does it stand before the old time meanwhile. */
static void set_next(void)
{
    rest += timer_rate % 1000u;
    next += timer_rate / 1000u + rest / 1000u;
    rest %= 1000u;
    MTIMECMP_HIGH = 0xFFFFFFFFu;
    MTIMECMP_LOW = (uint32_t)next;
    MTIMECMP_HIGH = (uint32_t)(next >> 32);
}

void riscv_clock_start(uint32_t timer_hz)
{
    timer_rate = timer_hz;
    next = mtime();
    set_next();
    __asm__ volatile(RISCV_CSR("csrs mie, %0")::"r"(MIE_TIMER) : "memory");
}

uint32_t board_now_ms(void)
{
    return clock_ms;
}

void cpu_irq_enable(unsigned irq)
{
    PLIC_PRIORITY(irq) = 1;
    PLIC_THRESHOLD = 0;
    PLIC_ENABLE(irq) |= (uint32_t)1 << (irq % 32u);
    __asm__ volatile(RISCV_CSR("csrs mie, %0")::"r"(MIE_EXTERNAL) : "memory");
}

void cpu_irq_off(void)
{
    __asm__ volatile(RISCV_CSR("csrci mstatus, " MSTATUS_MIE)::: "memory");
}

void cpu_irq_on(void)
{
    __asm__ volatile(RISCV_CSR("csrsi mstatus, " MSTATUS_MIE)::: "memory");
}

/* An interrupt that is pending and enabled in mie ends it, whatever mstatus says. */
void cpu_wait(void)
{
    __asm__ volatile("fence\n\twfi" ::: "memory");
}

/* Behind startup_trap: one of our two, as nothing else is enabled. */
__attribute__((interrupt("machine"), used)) void startup_interrupt(void)
{
    uint32_t cause, irq;
    __asm__ volatile(RISCV_CSR("csrr %0, mcause") : "=r"(cause));
    if (cause == CAUSE_TIMER) {
        clock_ms = clock_ms + 1;
        set_next(); /* at once again when it has come late */
    } else if (cause == CAUSE_EXTERNAL && (irq = PLIC_CLAIM) != 0) {
        board_isr();
        PLIC_CLAIM = irq;
    }
}

/* Called from startup_trap, on a fresh stack. */
__attribute__((used)) void startup_fault_report(uint32_t cause)
{
    char text[] = "fault, mcause 0x0";
    if (ld_stack_bottom[0] != STACK_PAINT) {
        board_panic("stack overflow, make BOARD_STACK_BYTES larger");
    }
    text[sizeof text - 2] = "0123456789abcdef"[cause & 15u];
    board_panic(text);
}

/* mtvec. The stack lies at RAM's lower end, so running out of it faults; a report needs another. */
__attribute__((naked, used, aligned(4))) static void startup_trap(void)
{
    __asm__ volatile(RISCV_CSR("csrw mscratch, t0\n\t"
                               "csrr t0, mcause\n\t"
                               "bgez t0, 1f\n\t"
                               "csrr t0, mscratch\n\t"
                               "j startup_interrupt\n"
                               "1:\tmv a0, t0\n\t"
                               "la sp, ld_stack_top\n\t"
                               "j startup_fault_report"));
}

size_t cpu_stack_unused(void)
{
    const uint32_t *at = ld_stack_bottom;
    while ((uintptr_t)at < (uintptr_t)ld_stack_top && *at == STACK_PAINT) {
        at++;
    }
    return (size_t)(at - ld_stack_bottom) * sizeof *at;
}

__attribute__((noreturn, used)) void startup_c(void)
{
    uintptr_t stack_in_use = (uintptr_t)__builtin_frame_address(0) - 64u;
    for (uint32_t *to = ld_stack_bottom; (uintptr_t)to < stack_in_use;) {
        *to++ = STACK_PAINT;
    }
    const uint32_t *from = ld_data_load;
    for (uint32_t *to = ld_data; (uintptr_t)to < (uintptr_t)ld_data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = ld_bss; (uintptr_t)to < (uintptr_t)ld_bss_end;) {
        *to++ = 0;
    }
    RISCV_CSR_WRITE(mie, 0);
    RISCV_CSR_WRITE(mtvec, (uintptr_t)startup_trap);
    (void)main();
    board_panic("main returned");
}

/* Where the processor begins: the boot ROM's jump goes to the start of flash. */
__attribute__((naked, used, section(".vectors"))) void startup_reset(void)
{
    __asm__ volatile(".option push\n\t"
                     ".option norelax\n\t"
                     "la gp, __global_pointer$\n\t"
                     ".option pop\n\t"
                     "la sp, ld_stack_top\n\t"
                     "j startup_c");
}
