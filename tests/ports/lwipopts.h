/* tests/ports/lwipopts.h - lwIP with a loopback interface and a clock that the test moves.
 * Layer: test.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PORTS_LWIPOPTS_H
#define TESTS_PORTS_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_TCP 1
#define LWIP_UDP 1
#define LWIP_DNS 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_TCP_KEEPALIVE 1
#define TCP_SND_QUEUELEN 8
#define TCP_LISTEN_BACKLOG 0
#define LWIP_STATS 0
#define MEM_LIBC_MALLOC 1
#define MEM_ALIGNMENT 8
#define MEMP_MEM_MALLOC 1
#define LWIP_RAND() ((u32_t)rand())

#endif
