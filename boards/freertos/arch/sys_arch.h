/* boards/freertos/arch/sys_arch.h - lwIP's semaphores, mailboxes, mutexes and threads on FreeRTOS.
 * Layer: board. Source: lwIP 2.2 "sys_arch".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_FREERTOS_ARCH_SYS_ARCH_H
#define BOARDS_FREERTOS_ARCH_SYS_ARCH_H

#include <stdint.h>

/* All are places in static arrays of sys_arch.c; NULL: none. */
typedef struct sys_sem *sys_sem_t;
typedef struct sys_mutex *sys_mutex_t;
typedef struct sys_mbox *sys_mbox_t;
typedef struct sys_task *sys_thread_t;
typedef uint32_t sys_prot_t;

/* Beside lwIP's errors: posted, and a task is ready that comes before the one that runs. */
#define ERR_NEED_SCHED 1

#define sys_sem_valid_val(sem) ((sem) != NULL)
#define sys_sem_valid(sem) (*(sem) != NULL)
#define sys_sem_set_invalid(sem) (*(sem) = NULL)
#define sys_mutex_valid(mutex) (*(mutex) != NULL)
#define sys_mutex_set_invalid(mutex) (*(mutex) = NULL)
#define sys_mbox_valid_val(mbox) ((mbox) != NULL)
#define sys_mbox_valid(mbox) (*(mbox) != NULL)
#define sys_mbox_set_invalid(mbox) (*(mbox) = NULL)

#endif
