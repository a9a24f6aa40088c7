/* boards/freertos/start.c - FreeRTOS under a board: its start, its hooks, the clock, the interrupt.
 * Layer: board. Source: FreeRTOS kernel V11 "Hook functions", "Interrupt priorities".
 * SPDX-License-Identifier: Apache-2.0 */
#include "FreeRTOS.h"
#include "board.h"
#include "cortexm/cortexm.h"
#include "lwip/sys.h"
#include "rtos.h"
#include "task.h"

static TaskHandle_t network; /* who waits for the link's interrupt */

/* --- Start ----------------------------------------------------------------------------------- */

static void run_main(void *unused)
{
    (void)unused;
    (void)BOARD_MAIN();
    board_panic("main returned");
}

void rtos_start(void)
{
    (void)sys_thread_new("main", run_main, NULL, MAIN_STACK_BYTES, MAIN_PRIO);
    vTaskStartScheduler();
    board_panic("the kernel does not start");
}

/* SysTick is the kernel's, and has started with it. */
void cortexm_clock_start(uint32_t clock_hz)
{
    configASSERT(clock_hz == BOARD_CLOCK_HZ);
}

uint32_t board_now_ms(void)
{
    return xTaskGetTickCount();
}

void *rtos_self(void)
{
    return xPortIsInsideInterrupt() == pdTRUE ? NULL : xTaskGetCurrentTaskHandle();
}

/* --- The link's interrupt -------------------------------------------------------------------- */

void rtos_isr(void)
{
    BaseType_t higher_woken = pdFALSE;
    board_isr();
    if (network != NULL) {
        vTaskNotifyGiveFromISR(network, &higher_woken);
    }
    portYIELD_FROM_ISR(higher_woken);
}

void rtos_wait_for_isr(uint32_t most_ms)
{
    if (network == NULL) {
        network = xTaskGetCurrentTaskHandle();
#ifdef configMAX_SYSCALL_INTERRUPT_PRIORITY
        CORTEXM_NVIC_IPR(BOARD_IRQ) = configMAX_SYSCALL_INTERRUPT_PRIORITY;
#endif
        cpu_irq_enable(BOARD_IRQ);
    }
    (void)ulTaskNotifyTake(pdTRUE, most_ms);
}

/* --- Hooks ----------------------------------------------------------------------------------- */

#if configUSE_IDLE_HOOK
void vApplicationIdleHook(void)
{
    cpu_wait(); /* for the next tick, or a frame */
}
#endif

#if configUSE_TICK_HOOK
void vApplicationTickHook(void)
{
    portYIELD_FROM_ISR(app_tick());
}
#endif

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
    (void)task;
    board_print("nanorpc: task ");
    board_print(name);
    board_print(": ");
    board_panic("stack overflow, make its stack larger");
}

void rtos_wrong(const char *what)
{
    board_print("nanorpc: FreeRTOS: ");
    board_print(what);
    board_print(": ");
    board_panic("the kernel was used wrongly");
}
