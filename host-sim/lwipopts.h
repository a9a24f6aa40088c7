/* host-sim/lwipopts.h - lwIP for the simulated device: both APIs, memory from the host's heap.
 * Layer: board. What ports/lwip needs of it: see nrpc_lwip.h and nrpc_lwip_sockets.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_LWIPOPTS_H
#define HOST_SIM_LWIPOPTS_H

/* One build serves `--api raw` and `--api sockets`. The raw one starts no thread: it calls
 * lwip_init, gives frames to ethernet_input and runs sys_check_timeouts from one loop, which is the
 * code and the order of the boards with NO_SYS 1. What NO_SYS 0 adds to lwIP's core is locks that
 * nobody contends for. The sockets one is lwIP's tcpip thread and its own Unix threads layer. */
#define NO_SYS 0
#define SYS_LIGHTWEIGHT_PROT 1
#define LWIP_TCPIP_CORE_LOCKING 1
/* Of the Unix threads layer; content when there is no thread of lwIP's. */
void sys_check_core_locking(void);
#define LWIP_ASSERT_CORE_LOCKED() sys_check_core_locking()

#define LWIP_NETCONN 1
#define LWIP_SOCKET 1
#define LWIP_SOCKET_POLL 1
#define LWIP_SOCKET_SELECT 0
#define LWIP_COMPAT_SOCKETS 0 /* the host's own sockets keep their names */
#define LWIP_SO_LINGER 1
void *sim_self(void);
#define NRPC_LWIP_SOCKETS_SELF() sim_self()
#define MEMP_NUM_NETCONN (NRPC_LWIP_SOCKETS_CONNECTIONS + NRPC_LWIP_SOCKETS_DIALS + 8)
#define TCPIP_MBOX_SIZE 64
#define DEFAULT_TCP_RECVMBOX_SIZE 64
#define DEFAULT_ACCEPTMBOX_SIZE 16

/* --- Protocols ---------------------------------------------------------------------------- */
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_TCP 1
#define LWIP_UDP 1
#define LWIP_RAW 0
#define LWIP_DHCP 0
#define LWIP_DNS 1
extern unsigned short sim_dns_port; /* for --dns */
#define DNS_SERVER_PORT sim_dns_port
#define LWIP_ACD 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_SINGLE_NETIF 1

/* --- TCP ---------------------------------------------------------------------------------- */
#define TCP_MSS 1460
#define TCP_WND (8 * TCP_MSS)
#define TCP_SND_BUF (8 * TCP_MSS)
#define TCP_SND_QUEUELEN 32
#define TCP_QUEUE_OOSEQ 1      /* late and lost frames are this board's business */
#define LWIP_TCP_RTO_TIME 1000 /* RFC 6298 2.1 */
#define LWIP_TCP_KEEPALIVE 1
#define TCP_MSL 5000UL

/* The summary tells how many connections came. */
#define LWIP_STATS 1
#define MIB2_STATS 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define ICMP_STATS 0
#define TCP_STATS 0
#define MEM_STATS 0
#define MEMP_STATS 0
#define SYS_STATS 0

/* --- Memory: each block from malloc, where the sanitizer watches its borders ---------------- */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define MEMP_NUM_TCP_PCB (NRPC_LWIP_CONNECTIONS + NRPC_LWIP_DIALS + 8)

#endif
