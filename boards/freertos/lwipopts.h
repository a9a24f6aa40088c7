/* boards/freertos/lwipopts.h - lwIP on an RTOS: that of boards/net, with tasks and sockets.
 * Layer: board. What ports/lwip needs of it: see nrpc_lwip_sockets.h and its like.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_FREERTOS_LWIPOPTS_H
#define BOARDS_FREERTOS_LWIPOPTS_H

#ifndef NRPC_LWIP_SOCKETS_CONNECTIONS
#define NRPC_LWIP_SOCKETS_CONNECTIONS 2
#endif
#ifndef NRPC_LWIP_SOCKETS_WAITING
#define NRPC_LWIP_SOCKETS_WAITING 2
#endif
#define NRPC_LWIP_CONNECTIONS NRPC_LWIP_SOCKETS_CONNECTIONS
#include "../net/lwipopts.h"

/* What an application has beside main's task: tasks, semaphores, mailboxes of lwip/sys.h. */
#ifndef APP_TASKS
#define APP_TASKS 0
#endif
#ifndef APP_SEMS
#define APP_SEMS 0
#endif
#ifndef APP_MBOXES
#define APP_MBOXES 0
#endif
/* Links that it dials. */
#ifndef APP_DIALS
#define APP_DIALS 0
#endif

/* --- Tasks: bytes of their stacks, and who comes first ---------------------------------------- */
#define MAIN_PRIO 2
#define TCPIP_THREAD_PRIO 3
#define NET_PRIO 4
#ifndef MAIN_STACK_BYTES
#define MAIN_STACK_BYTES 2048
#endif
#ifndef TCPIP_THREAD_STACKSIZE
#define TCPIP_THREAD_STACKSIZE 1024
#endif
#ifndef NET_STACK_BYTES
#define NET_STACK_BYTES 512
#endif
#ifndef APP_STACKS_BYTES
#define APP_STACKS_BYTES 0 /* of all its tasks together */
#endif
#define SYS_STACKS_BYTES \
    (MAIN_STACK_BYTES + TCPIP_THREAD_STACKSIZE + NET_STACK_BYTES + APP_STACKS_BYTES)
#define TCPIP_THREAD_NAME "lwip"

#undef NO_SYS
#define NO_SYS 0
#undef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT 1
#define LWIP_TCPIP_CORE_LOCKING 1

/* --- Sockets --------------------------------------------------------------------------------- */
#undef LWIP_NETCONN
#define LWIP_NETCONN 1
#undef LWIP_SOCKET
#define LWIP_SOCKET 1
#define LWIP_SOCKET_POLL 1
#define LWIP_SOCKET_SELECT 0
#define LWIP_COMPAT_SOCKETS 0
#define LWIP_SO_LINGER 1
void *rtos_self(void);
#define NRPC_LWIP_SOCKETS_SELF() rtos_self()

/* The kernel keeps one for each task. picolibc's is thread-local, which nothing here sets up. */
#define LWIP_PROVIDE_ERRNO 1
extern int FreeRTOS_errno;
#define errno FreeRTOS_errno

/* --- Memory, all static ---------------------------------------------------------------------- */
#define SYS_MBOX_SIZE 16 /* the largest of these */
#define TCPIP_MBOX_SIZE 16
#define DEFAULT_TCP_RECVMBOX_SIZE 8
#define DEFAULT_ACCEPTMBOX_SIZE 4
#define DEFAULT_UDP_RECVMBOX_SIZE 4
#define MEMP_NUM_NETCONN (NRPC_LWIP_SOCKETS_CONNECTIONS + NRPC_LWIP_SOCKETS_WAITING + 2 + APP_DIALS)
#define MEMP_NUM_NETBUF 1
#define MEMP_NUM_TCPIP_MSG_API 2
#define MEMP_NUM_TCPIP_MSG_INPKT 8

/* What is sent is copied, and what was received waits until the task takes it. */
#undef MEM_SIZE
#define MEM_SIZE ((NRPC_LWIP_SOCKETS_CONNECTIONS + 1) * (TCP_SND_BUF + TCP_SND_QUEUELEN * 48) + 512)
#undef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE (NRPC_LWIP_SOCKETS_CONNECTIONS * 4 + 4)
#undef MEMP_NUM_TCP_PCB
#define MEMP_NUM_TCP_PCB (MEMP_NUM_NETCONN + 2) /* TIME_WAIT */

#endif
