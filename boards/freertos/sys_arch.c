/* boards/freertos/sys_arch.c - lwIP's layer over FreeRTOS, without a heap: all comes from arrays.
 * Layer: board. Source: lwIP 2.2 "sys_arch"; FreeRTOS kernel V11 "Static memory".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "FreeRTOS.h"
#include "board.h"
#include "cpu.h"
#include "lwip/sys.h"
#include "queue.h"
#include "rtos.h"
#include "semphr.h"
#include "task.h"

/* How many of each: what lwIP has by lwipopts.h, and what an application has by APP_. A socket has
 * a semaphore and a mailbox; a task that waits for lwIP, or in a blocking call, a semaphore; lwIP
 * has two mutexes, its heap's and its core's, and nrpc_lwip_sockets_tasks.c one. */
enum {
    TASKS = 3 + APP_TASKS, /* main, lwIP's, the network's */
    SEMS = MEMP_NUM_NETCONN + TASKS + APP_SEMS,
    MBOXES = MEMP_NUM_NETCONN + 1 + APP_MBOXES,
    MUTEXES = 3,
};

struct sys_sem {
    StaticSemaphore_t memory; /* first: where the kernel's handle points */
    uint8_t is_used;
};

struct sys_mutex {
    StaticSemaphore_t memory;
    uint8_t is_used;
};

struct sys_mbox {
    StaticQueue_t memory;
    uint8_t is_used;
    void *slots[SYS_MBOX_SIZE];
};

struct sys_task {
    StaticTask_t memory;
    const char *name;
    StackType_t *stack;
    size_t bytes;
};

static struct sys_sem sems[SEMS];
static struct sys_mutex mutexes[MUTEXES];
static struct sys_mbox mboxes[MBOXES];
static struct sys_task all_tasks[TASKS];
static unsigned n_tasks;
/* Handed out from below; no task ends. The kernel wants 8 bytes. */
static union {
    StackType_t words[SYS_STACKS_BYTES / sizeof(StackType_t)];
    uint64_t aligned;
} stacks;
static size_t stacks_used;

unsigned rtos_objects(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SEMS; i++) {
        n += sems[i].is_used;
    }
    for (unsigned i = 0; i < MBOXES; i++) {
        n += mboxes[i].is_used;
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        n += mutexes[i].is_used;
    }
    return n;
}

/* Takes the first that is free. array: of n elements with is_used. found: NULL where none is. */
#define TAKE(array, n, found)                                   \
    do {                                                        \
        taskENTER_CRITICAL();                                   \
        (found) = NULL;                                         \
        for (unsigned i = 0; i < (n) && (found) == NULL; i++) { \
            (found) = (array)[i].is_used ? NULL : &(array)[i];  \
        }                                                       \
        if ((found) != NULL) {                                  \
            (found)->is_used = 1;                               \
        }                                                       \
        taskEXIT_CRITICAL();                                    \
    } while (0)

/* lwIP's 0 is for ever, which is the kernel's largest number. A tick is a millisecond. */
static TickType_t ticks(u32_t ms)
{
    return ms == 0 ? portMAX_DELAY : ms;
}

void sys_init(void)
{
}

/* --- Semaphores ------------------------------------------------------------------------------ */

static SemaphoreHandle_t of_sem(const sys_sem_t *sem)
{
    return (SemaphoreHandle_t) & (*sem)->memory;
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
    TAKE(sems, SEMS, *sem);
    if (*sem == NULL) {
        return ERR_MEM;
    }
    (void)xSemaphoreCreateBinaryStatic(&(*sem)->memory);
    if (count != 0) {
        (void)xSemaphoreGive(of_sem(sem));
    }
    return ERR_OK;
}

void sys_sem_signal(sys_sem_t *sem)
{
    (void)xSemaphoreGive(of_sem(sem));
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout_ms)
{
    TickType_t began = xTaskGetTickCount();
    return xSemaphoreTake(of_sem(sem), ticks(timeout_ms)) == pdTRUE ? xTaskGetTickCount() - began
                                                                    : SYS_ARCH_TIMEOUT;
}

void sys_sem_free(sys_sem_t *sem)
{
    vSemaphoreDelete(of_sem(sem));
    (*sem)->is_used = 0;
}

/* --- Mutexes: with the inheritance of priorities ---------------------------------------------- */

static SemaphoreHandle_t of_mutex(const sys_mutex_t *mutex)
{
    return (SemaphoreHandle_t) & (*mutex)->memory;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    TAKE(mutexes, MUTEXES, *mutex);
    if (*mutex == NULL) {
        return ERR_MEM;
    }
    (void)xSemaphoreCreateMutexStatic(&(*mutex)->memory);
    return ERR_OK;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
    (void)xSemaphoreTake(of_mutex(mutex), portMAX_DELAY);
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
    (void)xSemaphoreGive(of_mutex(mutex));
}

void sys_mutex_free(sys_mutex_t *mutex)
{
    vSemaphoreDelete(of_mutex(mutex));
    (*mutex)->is_used = 0;
}

/* --- Mailboxes ------------------------------------------------------------------------------- */

static QueueHandle_t of_mbox(const sys_mbox_t *mbox)
{
    return (QueueHandle_t) & (*mbox)->memory;
}

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    *mbox = NULL;
    if (size <= SYS_MBOX_SIZE) {
        TAKE(mboxes, MBOXES, *mbox);
    }
    if (*mbox == NULL) {
        return ERR_MEM;
    }
    (void)xQueueCreateStatic((UBaseType_t)(size > 0 ? size : SYS_MBOX_SIZE), sizeof(void *),
                             (uint8_t *)(*mbox)->slots, &(*mbox)->memory);
    return ERR_OK;
}

void sys_mbox_post(sys_mbox_t *mbox, void *message)
{
    (void)xQueueSendToBack(of_mbox(mbox), &message, portMAX_DELAY);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message)
{
    return xQueueSendToBack(of_mbox(mbox), &message, 0) == pdTRUE ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message)
{
    BaseType_t higher_woken = pdFALSE;
    if (xQueueSendToBackFromISR(of_mbox(mbox), &message, &higher_woken) != pdTRUE) {
        return ERR_MEM;
    }
    return higher_woken == pdTRUE ? ERR_NEED_SCHED : ERR_OK;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t timeout_ms)
{
    TickType_t began = xTaskGetTickCount();
    void *unwanted;
    if (xQueueReceive(of_mbox(mbox), message == NULL ? &unwanted : message, ticks(timeout_ms)) !=
        pdTRUE) {
        return SYS_ARCH_TIMEOUT;
    }
    return xTaskGetTickCount() - began;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **message)
{
    void *unwanted;
    return xQueueReceive(of_mbox(mbox), message == NULL ? &unwanted : message, 0) == pdTRUE
               ? 0
               : SYS_MBOX_EMPTY;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
    vQueueDelete(of_mbox(mbox));
    (*mbox)->is_used = 0;
}

/* --- Tasks ----------------------------------------------------------------------------------- */

/* bytes: of its stack. prio: 0, the idle task's, .. configMAX_PRIORITIES - 1. */
sys_thread_t sys_thread_new(const char *name, lwip_thread_fn thread, void *arg, int bytes, int prio)
{
    size_t words = ((size_t)bytes + 7) / 8 * 8 / sizeof(StackType_t);
    struct sys_task *task = &all_tasks[n_tasks];
    if (n_tasks == TASKS) {
        board_panic("too many tasks, make APP_TASKS larger");
    }
    if (words > sizeof stacks.words / sizeof stacks.words[0] - stacks_used) {
        board_panic("no memory for a task's stack, make SYS_STACKS_BYTES larger");
    }
    task->name = name;
    task->stack = &stacks.words[stacks_used];
    task->bytes = words * sizeof(StackType_t);
    stacks_used += words;
    n_tasks++;
    (void)xTaskCreateStatic(thread, name, words, arg, (UBaseType_t)prio, task->stack,
                            &task->memory);
    return task;
}

int rtos_stack(unsigned number, struct rtos_stack *stack)
{
    if (number == n_tasks) {
        *stack = (struct rtos_stack){
            .name = "isr", .bytes = BOARD_STACK_BYTES, .unused = cpu_stack_unused()};
        return 1;
    }
    if (number > n_tasks) {
        return 0;
    }
    const struct sys_task *task = &all_tasks[number];
    *stack = (struct rtos_stack){
        .name = task->name,
        .bytes = task->bytes,
        .unused = uxTaskGetStackHighWaterMark((TaskHandle_t)(uintptr_t)&task->memory) *
                  sizeof(StackType_t)};
    return 1;
}

/* --- Protection ------------------------------------------------------------------------------ */

sys_prot_t sys_arch_protect(void)
{
    taskENTER_CRITICAL();
    return 0;
}

void sys_arch_unprotect(sys_prot_t before)
{
    (void)before;
    taskEXIT_CRITICAL();
}
