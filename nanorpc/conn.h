/* nanorpc/conn.h - one HTTP/2 connection: bytes in, bytes out, time as an argument.
 * Layer: core; for ports. Source: RFC 9113.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CONN_H
#define NANORPC_CONN_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

struct nrpc_conn;

/* A port drives a connection like this, and does nothing else with it:
 *
 *   conn = nrpc_server_accept(server, now)          a peer has connected
 *   used = nrpc_conn_receive(conn, data, n, now)    bytes came; keep what was not used
 *   n = nrpc_conn_transmit(conn, buf, room)         after each receive, each tick, and whenever the
 *                                                   transport has room again: until it gives 0, or
 *                                                   others' turn has come; then go on soon
 *   if what receive left over is still there: receive it again when transmit made progress, and
 *                                                   with each tick
 *   if (nrpc_conn_closing(conn)) close the link once the transmitted bytes are out
 *   next = nrpc_conn_tick(conn, now)                after at most `next` ms
 *   nrpc_conn_lost(conn)                            always, once the link is gone or closed
 *
 * One context at a time: nothing here locks. Handlers run inside receive, transmit and lost. */

/* Consumes received bytes, all at once where it can; data is borrowed for the call.
 * now_ms: the clock given to nrpc_server_accept. Returns how many bytes were used, 0..n. Fewer than
 * n: an answer must be transmitted first, or the call that they are for has no place for them,
 * which a handler may change at any time; give the rest again after nrpc_conn_transmit made
 * progress, and after each nrpc_conn_tick. Until then take no more from the peer. After the
 * connection has ended everything is used and ignored. */
size_t nrpc_conn_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms);

/* Writes the next bytes to send into buf: whole frames, made on demand. Bytes that were given must
 * be sent, in order. room: bytes; with NRPC_TRANSMIT_MIN or more it always makes progress when
 * there is anything to send. Returns the bytes written; 0: nothing to send, or too little room. */
size_t nrpc_conn_transmit(struct nrpc_conn *conn, void *buf, size_t room);

/* Checks the timers. Returns the milliseconds after which to call again, 1..1000. */
uint32_t nrpc_conn_tick(struct nrpc_conn *conn, uint32_t now_ms);

/* 1: since the last nrpc_conn_tick a call has come with a deadline, which may be sooner than what
 * that returned: call it again now. To be asked after nrpc_conn_receive. */
int nrpc_conn_timer_set(const struct nrpc_conn *conn);

/* 1: the connection has ended and all its bytes have been handed out; send them and close. */
int nrpc_conn_closing(const struct nrpc_conn *conn);

/* The link is gone: cancels every open call (NRPC_UNAVAILABLE) and frees the connection for
 * nrpc_server_accept. */
void nrpc_conn_lost(struct nrpc_conn *conn);

/* Ends the connection gracefully: GOAWAY(2^31-1) and PING; once that is answered, or after
 * NRPC_WARN_MS, GOAWAY with the last call that was taken; closing when the open calls have
 * finished. What is still open after NRPC_DRAIN_MS ends with UNAVAILABLE. */
void nrpc_conn_shutdown(struct nrpc_conn *conn);

/* The same at once: GOAWAY with the last call that was taken, UNAVAILABLE for those still open, and
 * closing as soon as that is transmitted. */
void nrpc_conn_yield(struct nrpc_conn *conn, uint32_t now_ms);

#if NRPC_MANY_CONNECTIONS
/* For ports with more connections than they can ask all the time. */

/* Defined by a port that wants to hear of it: a call of this connection may have something to
 * transmit. Applications act on any call at any time, and so do other connections' handlers; what
 * nrpc_conn_receive and nrpc_conn_tick do themselves is told as well. It must do no more than note
 * it. conn->link is the port's own for this: 0 in a new connection. */
void nrpc_conn_stirred(struct nrpc_conn *conn);

/* Asked after nrpc_conn_tick: the milliseconds for which the connection needs no further one, if
 * nothing happens to it until then; before it is given anything it must be ticked, and then as ever
 * again. 0: something is going on. */
uint32_t nrpc_conn_idle_ms(const struct nrpc_conn *conn);
#endif

NRPC_END_C

#endif
