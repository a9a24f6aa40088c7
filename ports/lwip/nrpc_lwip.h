/* ports/lwip/nrpc_lwip.h - a server on lwIP's raw API: bare metal, NO_SYS=1, one context.
 * Layer: port. Source: lwIP 2.2 "raw API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_H
#define NRPC_LWIP_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* What lwipopts.h must say; nrpc_lwip.c refuses to be compiled otherwise:
 *   LWIP_TCP 1, LWIP_CALLBACK_API 1
 *   TCP_SND_QUEUELEN  4 or more: pbufs, two for each segment on its way
 *   MEMP_NUM_TCP_PCB  NRPC_LWIP_CONNECTIONS + NRPC_LWIP_WAITING + 1 or more: a refusal needs one
 *                     for a moment, and so does each dial (nrpc_lwip_dial.h) while it tries
 *   MEMP_NUM_TCP_SEG, MEMP_NUM_PBUF  NRPC_LWIP_CONNECTIONS * TCP_SND_QUEUELEN / 2 or more, so
 *                     that no connection waits for what another holds
 *   LWIP_WND_SCALE 0  a link keeps up to TCP_WND bytes that it cannot use yet
 * What helps: TCP_OVERSIZE 0 (nothing is copied into pbufs); LWIP_TCP_KEEPALIVE 1 (a client that
 * has vanished is noticed after NRPC_LWIP_KEEPALIVE_MS and three probes; without it, after two
 * hours).
 *
 * What happens when:
 *   a client beyond the limit connects    a connection without a call gives way, nrpc_admission.h:
 *                                         GOAWAY and FIN, or RST where that is not answered within
 *                                         NRPC_LWIP_YIELDING_MS. Where none does, clients wait for
 *                                         NRPC_LWIP_ACCEPT_MS, then RST; when NRPC_LWIP_WAITING do,
 *                                         RST at once to the one whose address has most
 *   more of them than lwIP has pcbs       SYNs are dropped, and come again after a second or more.
 *                                         lwIP has no queue before nrpc_lwip_poll's, so
 *                                         TCP_LISTEN_BACKLOG may be 0
 *   the client ends its side (FIN)        it has gone: open calls are cancelled, the link closes
 *   RST, or lwIP gives up                 open calls are cancelled (NRPC_UNAVAILABLE)
 *   TCP's send buffer, segments or memory are used up
 *                                         bytes wait in the link's own ring; the rest is not made
 *                                         until there is room, and receiving pauses if it must
 *   a client sends and does not read      what an answer must precede is kept, TCP_WND bytes at
 *                                         most: the client's window stays closed by as much
 *   the connection ends from our side     its bytes are sent, then FIN, then what still comes is
 *                                         ignored until the client's FIN, or RST after
 *                                         NRPC_LWIP_CLOSE_MS
 * Not one of lwIP's err_t values leaves the port. */

/* Links, over all servers and dials: connections and those just closing. Count, 1..255.
 * RAM: NRPC_LWIP_SEND_BYTES + TCP_WND + 28 each. */
#ifndef NRPC_LWIP_CONNECTIONS
#define NRPC_LWIP_CONNECTIONS 2
#endif

/* A link's bytes on their way, kept until the client's TCP has them. Bytes, 2 * NRPC_LINK_MIN
 * .. 65535. RAM: as many a link. */
#ifndef NRPC_LWIP_SEND_BYTES
#define NRPC_LWIP_SEND_BYTES 1024
#endif

/* How long a client beyond the limit may wait before it is refused, and how many may. Milliseconds;
 * with less than NRPC_YIELD_MS and half a second clients are refused that could have been served.
 * Count, 1..16: with 2 or more no address can take all. RAM: 20 bytes each, and a pcb. */
#ifndef NRPC_LWIP_ACCEPT_MS
#define NRPC_LWIP_ACCEPT_MS (NRPC_YIELD_MS + 1000)
#endif
#ifndef NRPC_LWIP_WAITING
#define NRPC_LWIP_WAITING 2
#endif

/* How long a client that gives way may take to end its side while another waits. Milliseconds,
 * 0..5000. */
#ifndef NRPC_LWIP_YIELDING_MS
#define NRPC_LWIP_YIELDING_MS 250
#endif

/* How long a closing link waits for its client. Milliseconds, 100..60000. */
#ifndef NRPC_LWIP_CLOSE_MS
#define NRPC_LWIP_CLOSE_MS 5000
#endif

/* Idle time before a client is probed. Milliseconds, 1000..7200000. */
#ifndef NRPC_LWIP_KEEPALIVE_MS
#define NRPC_LWIP_KEEPALIVE_MS 60000
#endif

/* Listens on `port` (1..65535) of every address. server: kept for ever. After lwip_init. Returns 0;
 * NRPC_E_LIMIT: the server has more connections than NRPC_LWIP_CONNECTIONS, or no pcb is left
 * (MEMP_NUM_TCP_PCB_LISTEN); NRPC_E_LINK: the port is taken. The servers' connections together
 * should not be more than NRPC_LWIP_CONNECTIONS. */
int nrpc_lwip_listen(const struct nrpc_server *server, uint16_t port);

/* Timers, and what handlers have queued since: from the loop that also runs lwIP's input and
 * sys_check_timeouts, never from one of its callbacks. now_ms: sys_now()'s clock. Returns the
 * milliseconds after which to call again at the latest, 1..1000; and whenever lwIP has had input,
 * which may have brought a call with a deadline. */
uint32_t nrpc_lwip_poll(uint32_t now_ms);

NRPC_END_C

#endif
