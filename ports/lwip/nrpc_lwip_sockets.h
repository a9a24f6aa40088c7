/* ports/lwip/nrpc_lwip_sockets.h - a server on lwIP's sockets API: an RTOS, NO_SYS=0, one thread.
 * Layer: port. Source: lwIP 2.2 "sockets API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_SOCKETS_H
#define NRPC_LWIP_SOCKETS_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* What lwipopts.h must say; nrpc_lwip_sockets.c refuses to be compiled otherwise:
 *   LWIP_SOCKET 1, LWIP_SOCKET_POLL 1
 *   LWIP_SO_LINGER 1    so that a peer can be refused with RST
 *   MEMP_NUM_NETCONN    NRPC_LWIP_SOCKETS_CONNECTIONS + NRPC_LWIP_SOCKETS_WAITING + 2 or more: the
 *                       listener, and a refusal; and one for each dial (nrpc_lwip_sockets_dial.h)
 *                       while it tries
 * What helps: LWIP_TCP_KEEPALIVE 1 (a client that has vanished is noticed after
 * NRPC_LWIP_SOCKETS_KEEPALIVE_MS and three probes; without it, after two hours).
 *
 * What happens when:
 *   a client beyond the limit connects    a link that only waits for its client to close gives way,
 *                                         else a connection without a call, nrpc_admission.h, with
 *                                         GOAWAY and FIN, or RST where that cannot leave at once.
 *                                         Where none does, clients wait for
 *                                         NRPC_LWIP_SOCKETS_ACCEPT_MS, then RST; when
 *                                         NRPC_LWIP_SOCKETS_WAITING do, RST at once to the one
 *                                         whose address has most
 *   clients come faster than poll runs    lwIP keeps DEFAULT_ACCEPTMBOX_SIZE of them (with
 *                                         TCP_LISTEN_BACKLOG: 4), the others get RST from it (their
 *                                         SYNs are dropped)
 *   the client ends its side (FIN)        it has gone: open calls are cancelled, the link closes
 *   RST, or lwIP gives up                 open calls are cancelled (NRPC_UNAVAILABLE)
 *   lwIP takes a part of what we send     the rest waits in the link's buffer, nothing more is
 *                                         made, and receiving stops once the core needs an answer
 *                                         sent first; then TCP's window holds the client back
 *   lwIP has no memory                    the same; it is tried again when lwIP says so, or after
 *                                         NRPC_LWIP_SOCKETS_RETRY_MS
 *   the connection ends from our side     its bytes are sent, which tell the client so, and what
 *                                         still comes is ignored until its FIN, but for
 *                                         NRPC_LWIP_SOCKETS_CLOSE_MS at most; then our FIN, or RST
 *                                         when not all bytes could be sent
 * No socket blocks the thread, but for one case of lwIP's own: a close for whose FIN there is no
 * memory, which waits for up to LWIP_TCP_CLOSE_TIMEOUT_MS_DEFAULT. Not one of lwIP's err_t or errno
 * values leaves the port. */

/* Links, accepted and dialled: connections and those just closing. Count, 1..65535. Not more than
 * server.n_conns are ever in use beside those closing. RAM: 2 * NRPC_LWIP_SOCKETS_BUFFER_BYTES + 32
 * each. */
#ifndef NRPC_LWIP_SOCKETS_CONNECTIONS
#define NRPC_LWIP_SOCKETS_CONNECTIONS 2
#endif

/* What a link receives, and sends, at a time. Bytes, NRPC_LINK_MIN..65535. RAM: twice a link. */
#ifndef NRPC_LWIP_SOCKETS_BUFFER_BYTES
#define NRPC_LWIP_SOCKETS_BUFFER_BYTES 536
#endif

/* How long a client may take to read that the connection has ended, and to end its side; what it
 * sends after that is answered with RST. Milliseconds, 100..60000. */
#ifndef NRPC_LWIP_SOCKETS_CLOSE_MS
#define NRPC_LWIP_SOCKETS_CLOSE_MS 1000
#endif

/* How long a client beyond the limit may wait before it is refused, and how many may. Milliseconds;
 * with less than NRPC_YIELD_MS and half a second clients are refused that could have been served.
 * Count, 1..16: with 2 or more no address can take all. RAM: 20 bytes each, and a socket. */
#ifndef NRPC_LWIP_SOCKETS_ACCEPT_MS
#define NRPC_LWIP_SOCKETS_ACCEPT_MS (NRPC_YIELD_MS + 1000)
#endif
#ifndef NRPC_LWIP_SOCKETS_WAITING
#define NRPC_LWIP_SOCKETS_WAITING 2
#endif

/* When to send again without a sign from lwIP that it has room. Milliseconds, 1..1000. */
#ifndef NRPC_LWIP_SOCKETS_RETRY_MS
#define NRPC_LWIP_SOCKETS_RETRY_MS 100
#endif

/* Idle time before a client is probed. Milliseconds, 1000..7200000. */
#ifndef NRPC_LWIP_SOCKETS_KEEPALIVE_MS
#define NRPC_LWIP_SOCKETS_KEEPALIVE_MS 60000
#endif

/* All of the following after tcpip_init has called back, and serve and poll from one thread of
 * lwIP's (sys_thread_new). Handlers run in it; only there may the nrpc_call_ functions be used. */

/* Serves `port` (1..65535) of every IPv4 address, for ever; with a server that listens already it
 * just goes on. server: kept. Returns only when it cannot, with every connection lost and closed:
 * NRPC_E_LIMIT: no socket left (MEMP_NUM_NETCONN), the server has more connections than
 * NRPC_LWIP_SOCKETS_CONNECTIONS, or another server is being served; NRPC_E_LINK:
 * the port is taken, or lwIP has stopped. */
int nrpc_lwip_sockets_serve(const struct nrpc_server *server, uint16_t port);

/* The same in two steps, for who must know when clients may come, or has something else to do in
 * the thread: listen once, from any thread; then poll in a loop, or serve. Poll does what there is
 * to do, waiting for it at most `most_ms` (0..1000), and returns 0; errors as above. It may return
 * early. What the application sends between two polls leaves with the second. In a handler or an
 * event it does nothing and returns NRPC_E_STATE. Other tasks: nrpc_lwip_sockets_tasks.h. */
int nrpc_lwip_sockets_listen(const struct nrpc_server *server, uint16_t port);
int nrpc_lwip_sockets_poll(uint32_t most_ms);

NRPC_END_C

#endif
