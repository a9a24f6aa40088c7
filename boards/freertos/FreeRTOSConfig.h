/* boards/freertos/FreeRTOSConfig.h - the kernel as the boards have it: static memory, one core.
 * Layer: board. Source: FreeRTOS kernel V11 "Customisation".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_FREERTOS_FREERTOSCONFIG_H
#define BOARDS_FREERTOS_FREERTOSCONFIG_H

#ifndef BOARD_CLOCK_HZ
#error "board.mk must say -DBOARD_CLOCK_HZ=number: the processor's, which SysTick counts"
#endif

/* 1: no tick while every task waits; see docs/rtos.md. */
#ifndef BOARD_TICKLESS
#define BOARD_TICKLESS 0
#endif

/* --- Memory: every task, queue and mutex is given its own ------------------------------------ */
#define configSUPPORT_STATIC_ALLOCATION 1
#define configSUPPORT_DYNAMIC_ALLOCATION 0
#define configKERNEL_PROVIDED_STATIC_MEMORY 1 /* the idle task's */
#define configMINIMAL_STACK_SIZE 96           /* words; the idle task's */

/* --- Time ------------------------------------------------------------------------------------ */
#define configCPU_CLOCK_HZ BOARD_CLOCK_HZ
#define configTICK_RATE_HZ 1000 /* board_now_ms and lwIP count ticks */
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configUSE_TICKLESS_IDLE BOARD_TICKLESS
#define configUSE_TICK_HOOK APP_TICKS
#define configUSE_IDLE_HOOK (!BOARD_TICKLESS) /* sleeps until the next tick */
#define configUSE_TIMERS 0

/* --- Tasks ----------------------------------------------------------------------------------- */
#define configUSE_PREEMPTION 1
#define configUSE_TIME_SLICING 1
#define configMAX_PRIORITIES 6
#define configMAX_TASK_NAME_LEN 8
#define configUSE_MUTEXES 1
#define configUSE_COUNTING_SEMAPHORES 0
#define configUSE_TASK_NOTIFICATIONS 1
#define configUSE_POSIX_ERRNO 1 /* lwIP's errno: one a task, lwipopts.h */
#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskSuspend 1 /* waiting for ever */
#define INCLUDE_xTaskGetCurrentTaskHandle 1
#define INCLUDE_uxTaskGetStackHighWaterMark 1

/* --- Interrupts ------------------------------------------------------------------------------ */
#define configCHECK_HANDLER_INSTALLATION 0 /* the vector table names them by rtos.h */
#if defined(__ARM_ARCH_6M__) /* all are off in a critical section, so each may use the kernel */
#define configENABLE_MPU 0
#define SVC_Handler rtos_svcall
#define PendSV_Handler rtos_pendsv
#define SysTick_Handler rtos_systick
#else
/* The three highest bits alone, which every Cortex-M3 and above has. The link's interrupt has
 * configMAX_SYSCALL_INTERRUPT_PRIORITY, so it may use the kernel. */
#define configKERNEL_INTERRUPT_PRIORITY 0xE0
#define configMAX_SYSCALL_INTERRUPT_PRIORITY 0xA0
#define vPortSVCHandler rtos_svcall
#define xPortPendSVHandler rtos_pendsv
#define xPortSysTickHandler rtos_systick
#endif

/* --- What is wrong ends the program with words ------------------------------------------------ */
#define configCHECK_FOR_STACK_OVERFLOW 2
void rtos_wrong(const char *what) __attribute__((noreturn));
#define configASSERT(condition)     \
    do {                            \
        if (!(condition)) {         \
            rtos_wrong(#condition); \
        }                           \
    } while (0)

#endif
