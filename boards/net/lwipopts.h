/* boards/net/lwipopts.h - lwIP in tens of kilobytes of RAM: IPv4, ICMP, TCP; its own heap.
 * Layer: board. What ports/lwip needs of it: see nrpc_lwip.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_NET_LWIPOPTS_H
#define BOARDS_NET_LWIPOPTS_H

/* Calls come over this many connections at once (the server's number). */
#ifndef NRPC_LWIP_CONNECTIONS
#define NRPC_LWIP_CONNECTIONS 2
#endif

/* 1: the address comes by DHCP (4 KB more flash); 0: BOARD_IP, BOARD_NETMASK, BOARD_GATEWAY. */
#ifndef BOARD_DHCP
#define BOARD_DHCP 0
#endif

/* 1: names can be looked up (3.4 KB more flash, 300 bytes of RAM), for applications that dial. The
 * server is DHCP's, or BOARD_DNS_SERVER. Names are shorter than 64 characters. */
#ifndef BOARD_DNS
#define BOARD_DNS 0
#endif

/* 1: the board gives its only neighbour an address by DHCP (1.5 KB more flash): USB. */
#ifndef BOARD_DHCP_SERVER
#define BOARD_DHCP_SERVER 0
#endif

/* --- One thread, no operating system, no sockets ------------------------------------------ */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* the interrupts never call lwIP */
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_STATS 0
#define LWIP_NOASSERT 1

/* --- Protocols ---------------------------------------------------------------------------- */
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_TCP 1
#define LWIP_RAW 0
#define LWIP_DHCP BOARD_DHCP
#define LWIP_UDP (BOARD_DHCP || BOARD_DNS || BOARD_DHCP_SERVER)
#if BOARD_DHCP_SERVER
#define LWIP_IP_ACCEPT_UDP_PORT(port) ((port) == PP_NTOHS(67)) /* from who has no address yet */
#endif
#define LWIP_DNS BOARD_DNS
#define DNS_TABLE_SIZE 2
#define DNS_MAX_NAME_LENGTH 64
#define DNS_MAX_SERVERS 1
#define LWIP_IGMP 0
#define LWIP_ACD 0
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define IP_REASSEMBLY 0 /* TCP sends what fits, and discovers no path MTU */
#define IP_FRAG 0
#define IP_OPTIONS_ALLOWED 1
#define ARP_TABLE_SIZE 4
#define ARP_QUEUEING 0 /* one packet waits for an answer; TCP sends lost ones again */
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define LWIP_SINGLE_NETIF 1
#define LWIP_CHECKSUM_ON_COPY 0

/* Both MACs want frames that begin two bytes before a word: the IP header is then aligned. */
#define ETH_PAD_SIZE 2
#define MEM_ALIGNMENT 4

/* --- TCP ---------------------------------------------------------------------------------- */
/* The least that every IPv4 path carries: a frame is then 590 bytes and lies in one buffer, so a
 * message is decoded where it arrived. */
#ifndef TCP_MSS
#define TCP_MSS 536
#endif
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 16 /* pbufs: two for a segment */
#define TCP_QUEUE_OOSEQ 0   /* would hold buffers that the other connection needs */
#define TCP_OVERSIZE 0      /* ports/lwip sends from its own memory */
#define LWIP_TCP_SACK_OUT 0
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_WND_SCALE 0
#define LWIP_TCP_KEEPALIVE 1
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_RTO_TIME 1000 /* ms before the first measurement, RFC 6298 2 */
#define TCP_MSL 5000UL         /* ms; a pcb is worth more here than an old segment's last minute */
#define TCP_MAXRTX 8           /* about 40 s without an acknowledgement end a connection */
#define TCP_SYNMAXRTX 4

/* Initial sequence numbers are keyed (RFC 6528): see net.c. */
#define LWIP_HOOK_FILENAME "lwip_hooks.h"
#define LWIP_HOOK_TCP_ISN net_tcp_isn

/* Ports that are listened on. */
#ifndef BOARD_LISTENERS
#define BOARD_LISTENERS 1
#endif

/* --- Memory, all static ------------------------------------------------------------------- */
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_SIZE (NRPC_LWIP_CONNECTIONS * (TCP_SND_QUEUELEN / 2) * 96 + 512)
#define MEMP_NUM_TCP_PCB (NRPC_LWIP_CONNECTIONS + 3) /* who waits, refusals, dials, TIME_WAIT */
#define MEMP_NUM_TCP_PCB_LISTEN BOARD_LISTENERS
#define MEMP_NUM_TCP_SEG (NRPC_LWIP_CONNECTIONS * (TCP_SND_QUEUELEN / 2) + 2)
#define MEMP_NUM_PBUF (NRPC_LWIP_CONNECTIONS * (TCP_SND_QUEUELEN / 2))
#define MEMP_NUM_UDP_PCB (BOARD_DHCP + BOARD_DHCP_SERVER + DNS_TABLE_SIZE * BOARD_DNS)
#define MEMP_NUM_RAW_PCB 0
#define MEMP_NUM_REASSDATA 0
#define MEMP_NUM_FRAG_PBUF 0

/* A frame a buffer. ports/lwip keeps none, so these only receive; the MAC's FIFO holds more. */
#define PBUF_POOL_BUFSIZE (((TCP_MSS + 40 + 14 + ETH_PAD_SIZE) + 3) & ~3)
#define PBUF_POOL_SIZE 4

#endif
