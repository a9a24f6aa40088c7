/* ports/posix/nrpc_posix.h - servers on Linux: TCP over epoll, one thread, tables of fixed size.
 * Layer: port. Source: epoll(7), tcp(7); nanorpc/conn.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_POSIX_H
#define NRPC_POSIX_H

#include <stdint.h>

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Usage:
 *     if (nrpc_posix_listen(&server, "localhost", 50051)) { puts(nrpc_posix_error()); exit(1); }
 *     for (;;) nrpc_posix_poll(1000);
 *
 * What happens when:
 *   all connections taken     one without a call gives way, nrpc_admission.h, with GOAWAY and
 *                             FIN, or RST where that cannot leave at once. Where none does,
 *                             peers wait for NRPC_POSIX_ACCEPT_MS, then RST; when
 *                             NRPC_POSIX_WAITING do, RST at once to the one whose address has
 *                             most. The kernel's queue (SOMAXCONN) has those that come between
 *                             two polls, and drops SYNs beyond
 *   out of file descriptors   RST at once, with a descriptor that is kept in reserve for it
 *   send buffer full          what was made is kept, nothing more is made; once the core needs an
 *                             answer sent first, reading stops too, and TCP holds the peer back
 *   no buffer is free         for what one link may have to keep: it goes on in steps so small,
 * with a system call more each, that there is nothing to keep; a connection of which TCP then takes
 * less than it said is lost. So peers that do not read, and have all buffers, stop nobody else peer
 * half-closes (FIN)    the same as a close: what it sent before is served, and replies that are
 * ready are sent as far as the send buffer takes them; calls that are still open are cancelled
 *   connection reset          open calls are cancelled
 *   peer vanishes             noticed after NRPC_POSIX_KEEPALIVE_MS and three probes, or
 *                             NRPC_POSIX_USER_TIMEOUT_MS after something was sent
 *   core ends a connection    its last bytes are sent, then FIN; the peer has NRPC_POSIX_LINGER_MS
 *                             to close, and what it still sends is discarded
 * SIGPIPE is never raised. No function of this file is reentrant, except nrpc_posix_wake. */

/* Connections of all servers together, those that linger included. 1..1000000. RAM: 84 bytes each.
 * Each needs an open file: see nrpc_posix_warning. */
#ifndef NRPC_POSIX_LINKS
#define NRPC_POSIX_LINKS 1024
#endif

/* Bytes that are read, and written, with one system call at most. Bytes, 2048..1048576. And how
 * many buffers of this size there are for bytes that wait, of all links together: one for those
 * that TCP does not take, one for those that the core does not. Count, 0..1000000.
 * RAM: two buffers for the port; of the others only those that were ever in use at once. */
#ifndef NRPC_POSIX_BUFFER_BYTES
#define NRPC_POSIX_BUFFER_BYTES 65536
#endif
#ifndef NRPC_POSIX_BUFFERS
#define NRPC_POSIX_BUFFERS 256
#endif

/* Listening sockets: a name such as "localhost" may need two. RAM: 16 bytes each. */
#ifndef NRPC_POSIX_LISTENERS
#define NRPC_POSIX_LISTENERS 8
#endif

/* How long nrpc_posix_poll, after it has served somebody, looks for the next bytes before it
 * sleeps. Costs processor time while calls follow one another more closely than this, and next to
 * none otherwise. Microseconds, 0 (always sleep at once) to 10000. */
#ifndef NRPC_POSIX_SPIN_US
#define NRPC_POSIX_SPIN_US 200
#endif

/* How long a connection that we have ended waits for its peer's FIN. Milliseconds. */
#ifndef NRPC_POSIX_LINGER_MS
#define NRPC_POSIX_LINGER_MS 1000
#endif

/* How long a peer beyond the limit may wait before it is refused, and how many may. Milliseconds;
 * with less than NRPC_YIELD_MS and half a second peers are refused that could have been served.
 * Count, 1..64: with 2 or more no address can take all. RAM: 32 bytes each, and a descriptor. */
#ifndef NRPC_POSIX_ACCEPT_MS
#define NRPC_POSIX_ACCEPT_MS (NRPC_YIELD_MS + 1000)
#endif
#ifndef NRPC_POSIX_WAITING
#define NRPC_POSIX_WAITING 8
#endif

/* A peer that has vanished: idle time before it is probed, every 10 s; and how long what we have
 * sent, or probes, may stay unanswered before the connection is lost (TCP_USER_TIMEOUT). For links
 * that we dial, too. Milliseconds, 1000..7200000; 10000..3600000. */
#ifndef NRPC_POSIX_KEEPALIVE_MS
#define NRPC_POSIX_KEEPALIVE_MS 60000
#endif
#ifndef NRPC_POSIX_USER_TIMEOUT_MS
#define NRPC_POSIX_USER_TIMEOUT_MS 40000
#endif

/* Listens. server: kept until nrpc_posix_close. address: a name or number, borrowed for the call;
 * "localhost" is both 127.0.0.1 and ::1 where the machine has them, NULL all of the machine's
 * addresses, IPv6 and IPv4. port: 0 takes a free one, see nrpc_posix_port. May be called for
 * several ports and servers. Where the process may not open as many files as there are connections,
 * its limit is raised as far as it may be (RLIMIT_NOFILE, soft to hard). Returns 0; NRPC_E_LIMIT:
 * more connections or listeners than NRPC_POSIX_LINKS or _LISTENERS; NRPC_E_LINK: nrpc_posix_error
 * says why. */
int nrpc_posix_listen(const struct nrpc_server *server, const char *address, uint16_t port);

/* The port that the last nrpc_posix_listen took; 0: none. */
uint16_t nrpc_posix_port(void);

/* Why the last function failed, as one line of text without a newline; valid until the next call
 * of a function of this file. "" when none has. */
const char *nrpc_posix_error(void);

/* What is to be told to who starts the program, as one line of text: that it may not open as many
 * files as all its servers have connections, so that later clients would be refused; and what to
 * do. "": nothing. After the last nrpc_posix_listen. */
const char *nrpc_posix_warning(void);

/* Serves: sends what handlers have made since the last call, waits at most timeout_ms for
 * something to happen (negative: no limit of its own), and handles it. Handlers run inside. It may
 * return early with nothing done; call it again. Returns how many connections had something to do,
 * or NRPC_E_LINK: epoll itself failed. */
int nrpc_posix_poll(int timeout_ms);

/* Makes nrpc_posix_poll return soon. The only function here that other threads and signal
 * handlers may call. */
void nrpc_posix_wake(void);

/* Begins a clean end: accepts and dials no more, tells every peer (GOAWAY); open calls may finish.
 * Go on polling until nrpc_posix_stats()->open is 0, for as long as you have patience. */
void nrpc_posix_shutdown(void);

/* Ends everything at once: cancels open calls, closes all sockets. Listening may begin anew. */
void nrpc_posix_close(void);

/* Counted since the program began. */
struct nrpc_posix_stats {
    uint64_t accepted, refused, dialled; /* connections */
    uint64_t received_bytes, sent_bytes;
    uint32_t open;    /* connections now, those that linger included */
    uint32_t buffers; /* in use now */
};
const struct nrpc_posix_stats *nrpc_posix_stats(void);

NRPC_END_C

#endif
