/* ports/lwip/nrpc_lwip_sockets_tasks.h - other tasks beside the one that serves: wake, enter,
 * leave. Layer: port. Source: lwIP 2.2 "sockets API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_SOCKETS_TASKS_H
#define NRPC_LWIP_SOCKETS_TASKS_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Without this file one thread alone touches calls. With it there is a lock, which the thread that
 * serves has at all times but while it waits for lwIP in nrpc_lwip_sockets_poll. Then another task
 * may enter, and whatever that has done goes out at once, not when poll would have ended by itself.
 * Two ways to push into a stream from another task:
 *
 *     put it into a queue of the RTOS; nrpc_lwip_sockets_wake();     the serving thread takes it
 *                                                                    out after poll, and sends it
 *     nrpc_lwip_sockets_enter(); call = nrpc_call_of(ref); if (call) NAME_send(call, &message);
 *     nrpc_lwip_sockets_leave();
 *
 * The first keeps what has not left yet, and never waits; it works from interrupts too. With the
 * second the task waits for handlers that run, and NRPC_E_AGAIN is its own business.
 *
 * Blocking calls (wait.h) from any number of tasks:
 *
 *     channel.poll = nrpc_lwip_sockets_wait;
 *     channel.threads = &nrpc_lwip_sockets_threads;
 *
 * What lwipopts.h must say, beside what nrpc_lwip_sockets.h asks for:
 *     NRPC_LWIP_SOCKETS_SELF()   a pointer that only the task that runs has, the same each time,
 *                                such as xTaskGetCurrentTaskHandle(); NULL in an interrupt
 *     MEMP_NUM_TCPIP_MSG_INPKT   one more
 * A task that waits in a blocking call has a semaphore of lwIP's layer over the RTOS meanwhile. */

/* Lets other tasks in, from now on. Once, in the thread that serves, before it polls or between two
 * polls. Returns 0; NRPC_E_LIMIT: no mutex, no socket (where it does not listen yet), no message;
 * then everything stays as without it. */
int nrpc_lwip_sockets_share(void);

/* nrpc_lwip_sockets_poll returns at once, or the next one does; several wakes may be one. From any
 * task but lwIP's own; never fails. Before nrpc_lwip_sockets_share: the first poll after it does.
 */
void nrpc_lwip_sockets_wake(void);

/* The same from an interrupt that may use the RTOS; lwIP's own thread passes it on. Returns 0; 1:
 * it is time for the RTOS to look which task is next (portYIELD_FROM_ISR); NRPC_E_AGAIN: lwIP's
 * queue is full (TCPIP_MBOX_SIZE), poll ends when it would have ended anyway. */
int nrpc_lwip_sockets_wake_from_isr(void);

/* Waits until nobody else touches a call; then the caller may, until it leaves: the nrpc_call_
 * functions, NAME_send, NAME_reply, NAME_start. Nests. Do not wait for anything between the two.
 * From any task but lwIP's own, also in handlers. Returns 0; NRPC_E_STATE, nothing may be touched:
 * in an interrupt, or before nrpc_lwip_sockets_share. */
int nrpc_lwip_sockets_enter(void);
void nrpc_lwip_sockets_leave(void);

/* For channel.poll, and channel.threads. The thread that serves polls in it, others wait until that
 * has. */
void nrpc_lwip_sockets_wait(uint32_t most_ms);
extern const struct nrpc_threads nrpc_lwip_sockets_threads;

NRPC_END_C

#endif
