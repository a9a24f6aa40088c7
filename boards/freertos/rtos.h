/* boards/freertos/rtos.h - between FreeRTOS and the files that start a board or tell about its
 * tasks. Layer: board. Source: FreeRTOS kernel V11.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_FREERTOS_RTOS_H
#define BOARDS_FREERTOS_RTOS_H

#include <stddef.h>
#include <stdint.h>

/* For startup.c. In the place of main: starts the kernel, and main as its first task. */
void rtos_start(void);

/* The kernel's own exceptions, and the link's interrupt: board_isr, and the network's task runs. */
void rtos_svcall(void);
void rtos_pendsv(void);
void rtos_systick(void);
void rtos_isr(void);

/* For net.c, in the one task that polls the network: waits for the link's interrupt, or most_ms. */
void rtos_wait_for_isr(uint32_t most_ms);

/* What tells one task from another; NULL in an interrupt, and before the kernel runs. */
void *rtos_self(void);

/* 1: an application has something to do in the interrupt of each tick, and defines app_tick.
 * Returns 1: it is time to look which task is next. */
#ifndef APP_TICKS
#define APP_TICKS 0
#endif
int app_tick(void);

/* The stacks of tasks, in bytes, the kernel's idle task not among them; last that of interrupts,
 * "isr". Returns 1, or 0: there is no stack of that number. */
struct rtos_stack {
    const char *name;
    size_t bytes, unused; /* unused: never touched so far */
};
int rtos_stack(unsigned number, struct rtos_stack *stack);

/* How many of lwIP's semaphores, mailboxes and mutexes are in use; sys_arch.c. */
unsigned rtos_objects(void);

#endif
