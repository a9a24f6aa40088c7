/* boards/cortexm/startup.c - vectors, reset, faults, the millisecond clock, interrupts.
 * Layer: board. Source: Armv6-M, ARMv7-M (B1.5), Armv8-M Architecture Reference Manuals.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cortexm.h"

#include "../board.h"

#ifndef BOARD_IRQ
#error "board.mk must say -DBOARD_IRQ=number: that of the Ethernet controller, or of the UART"
#endif

/* The clock's interrupt: SysTick's, which has the number -1; or that of a timer, where a chip has
 * no SysTick, and the board has board_clock_isr. */
#ifndef BOARD_CLOCK_IRQ
#define BOARD_CLOCK_IRQ -1
#endif
#define LAST_IRQ (BOARD_IRQ > BOARD_CLOCK_IRQ ? BOARD_IRQ : BOARD_CLOCK_IRQ)

/* Bytes of the stack, a multiple of 8; an application that needs more says so with -D, as those
 * with TLS do. */
#ifndef BOARD_STACK_BYTES
#define BOARD_STACK_BYTES 2048
#endif
#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)
__asm__(
    ".pushsection .stack,\"aw\",%nobits\n\t.space " TEXT_OF(BOARD_STACK_BYTES) "\n\t.popsection");

#define STACK_PAINT 0x5AC3A53Cu

/* Armv6-M (Cortex-M0, M0+) and Armv8-M baseline say no more of a fault than that it was one. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define HAS_CFSR 0
#else
#define HAS_CFSR 1
#endif
/* CFSR: the stack had left RAM when the processor was to save its registers there; Armv8-M: it went
 * below MSPLIM. */
#define STACK_LEFT ((1u << 12) | (1u << 20))

/* link.ld's. Compared as numbers: to C these are unrelated objects. */
extern uint32_t ld_stack_bottom[], ld_stack_top[];
extern uint32_t ld_data_load[], ld_data[], ld_data_end[], ld_bss[], ld_bss_end[];

int main(void);

#if BOARD_RTOS /* of which rtos.h tells: it has the clock, and runs main in a task */
#include "rtos.h"
#define STARTUP_MAIN rtos_start
#define STARTUP_SVCALL rtos_svcall
#define STARTUP_PENDSV rtos_pendsv
#define STARTUP_SYSTICK rtos_systick
#define STARTUP_ISR rtos_isr
#else
#define STARTUP_MAIN (void)main
#define STARTUP_SVCALL startup_fault
#define STARTUP_PENDSV startup_fault
#define STARTUP_SYSTICK clock_isr
#define STARTUP_ISR board_isr

static volatile uint32_t clock_ms;

void cortexm_clock_start(uint32_t clock_hz)
{
    CORTEXM_SYST_RVR = clock_hz / 1000u - 1u;
    CORTEXM_SYST_CVR = 0;
    CORTEXM_SYST_CSR = 7; /* processor clock, interrupt, on */
}

uint32_t board_now_ms(void)
{
    return clock_ms;
}

static void clock_isr(void)
{
#if BOARD_CLOCK_IRQ >= 0
    clock_ms = clock_ms + board_clock_isr();
#else
    clock_ms = clock_ms + 1;
#endif
}
#endif

void cpu_irq_enable(unsigned irq)
{
    CORTEXM_NVIC_ISER(irq) = (uint32_t)1 << (irq % 32u);
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

/* Called from startup_fault, on a fresh stack. */
__attribute__((used)) void startup_fault_report(void)
{
    char text[] = "fault, CFSR 0x00000000";
    uint32_t cfsr = HAS_CFSR ? CORTEXM_SCB_CFSR : 0;
    if ((cfsr & STACK_LEFT) != 0 || ld_stack_bottom[0] != STACK_PAINT) {
        board_panic("stack overflow, make BOARD_STACK_BYTES larger");
    }
    for (size_t at = sizeof text - 2; cfsr != 0; cfsr >>= 4) {
        text[at--] = "0123456789abcdef"[cfsr & 15u];
    }
    board_panic(HAS_CFSR ? text : "fault");
}

/* The stack lies at RAM's lower end, so running out of it faults; a report needs another. */
__attribute__((naked, used)) static void startup_fault(void)
{
    __asm__ volatile("ldr r0, =ld_stack_top\n\t"
                     "msr msp, r0\n\t"
                     "bl startup_fault_report\n\t" /* not b, which reaches 2 KB on Armv6-M */
                     ".ltorg");
}

size_t cpu_stack_unused(void)
{
    const uint32_t *at = ld_stack_bottom;
    while ((uintptr_t)at < (uintptr_t)ld_stack_top && *at == STACK_PAINT) {
        at++;
    }
    return (size_t)(at - ld_stack_bottom) * sizeof *at;
}

/* What an architecture has beyond Armv6-M. */
static void start_core(void)
{
#if HAS_CFSR
    CORTEXM_SCB_CCR |= 0x200u | 0x10u; /* 8-byte aligned exception frames; division by 0 faults */
#endif
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
    __asm__ volatile("msr msplim, %0" ::"r"(ld_stack_bottom)); /* RAM may go on below it */
#endif
}

__attribute__((noreturn, used)) void startup_reset(void)
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
    start_core();
    STARTUP_MAIN();
    board_panic("main returned");
}

/* Vectors that stay 0 belong to interrupts that nothing enables. */
union startup_vector {
    uint32_t *stack;
    void (*handler)(void);
};
extern const union startup_vector startup_vectors[16 + LAST_IRQ + 1];
__attribute__((section(".vectors"), used))
const union startup_vector startup_vectors[16 + LAST_IRQ + 1] = {
    [0] = {.stack = ld_stack_top},
    [1] = {.handler = startup_reset},
    [2] = {.handler = startup_fault}, /* NMI */
    [3] = {.handler = startup_fault}, /* HardFault; the three below escalate to it */
    [4] = {.handler = startup_fault},
    [5] = {.handler = startup_fault},
    [6] = {.handler = startup_fault},
    [11] = {.handler = STARTUP_SVCALL},
    [12] = {.handler = startup_fault},
    [14] = {.handler = STARTUP_PENDSV},
    [16 + BOARD_CLOCK_IRQ] = {.handler = STARTUP_SYSTICK},
    [16 + BOARD_IRQ] = {.handler = STARTUP_ISR},
};
