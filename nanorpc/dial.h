/* nanorpc/dial.h - a link that we open ourselves: when to try, and what the link becomes.
 * Layer: core; for ports. Source: gRPC "Connection Backoff Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_DIAL_H
#define NANORPC_DIAL_H

#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

struct nrpc_conn;
struct nrpc_dial;

/* From the beginning of an attempt to that of the next: NRPC_BACKOFF_MIN_MS at least, and 1.6 times
 * longer after each failure, up to NRPC_BACKOFF_MAX_MS; each is spread by +-20 %, at random. So a
 * link that was up for longer than that is dialled again at once; and so is one on which the server
 * has taken calls and then said GOAWAY(NO_ERROR). Milliseconds, 10..100000000. */
#ifndef NRPC_BACKOFF_MIN_MS
#define NRPC_BACKOFF_MIN_MS 1000
#endif
#ifndef NRPC_BACKOFF_MAX_MS
#define NRPC_BACKOFF_MAX_MS 120000
#endif

/* For ports: how long an attempt waits for a name, and for each address. Milliseconds. */
#ifndef NRPC_DIAL_TIMEOUT_MS
#define NRPC_DIAL_TIMEOUT_MS 20000
#endif
#define NRPC_SAME_DIAL_(is) is(NRPC_BACKOFF_MIN_MS) is(NRPC_BACKOFF_MAX_MS) is(NRPC_DIAL_TIMEOUT_MS)
#ifdef NRPC_SAME_DIAL_TOLD_HERE
NRPC_SAME_TELL(NRPC_SAME_DIAL_);
#else
NRPC_SAME_ASK(NRPC_SAME_DIAL_);
#endif

/* A port opens links like this. `dial` is all that it knows of them:
 *
 *   wait = nrpc_dial_wait_ms(dial, now)      0: dial now; else ask again after so long at most, and
 *                                            after anything that the application may have done
 *                                            (each poll)
 *   conn = nrpc_dial_linked(dial, now)       TCP is up: drive conn as any other (conn.h); NULL: no
 *                                            memory for it now, close the link: a failure has been
 *                                            noted
 *   nrpc_dial_failed(dial)                   no name, no route, refused, timed out, given up
 *   nrpc_conn_lost(conn)                     as ever, when the link is gone: conn->dial is how the
 *                                            dial finds out, the next time that it is asked
 *
 * To stop for good: close the link, if there is one; nrpc_dial_stop; and ask no more. Nothing here
 * locks: one context, as for conn.h. */

/* What becomes of a link, and what is asked when it may be wanted. In flash. */
struct nrpc_dial_role {
    /* TCP is up. Returns the connection, or NULL: there is no memory for it. */
    struct nrpc_conn *(*linked)(struct nrpc_dial *dial, uint32_t now_ms);
    /* An attempt has failed, or a link was lost before the peer's SETTINGS had come; calls that do
     * not wait may be told. State NRPC_DIAL_STOPPED: all are. NULL: nobody is. */
    void (*failed)(struct nrpc_dial *dial);
    /* 1: a link is wanted now. Asked by each nrpc_dial_wait_ms, link or no link, so that a role's
     * own timers run in it; *wait_ms, at first 1000, may be lowered. NULL: always wanted. */
    int (*wanted)(struct nrpc_dial *dial, uint32_t now_ms, uint32_t *wait_ms);
};

enum nrpc_dial_state {
    NRPC_DIAL_WAITING,  /* for its time, or until it is wanted */
    NRPC_DIAL_DIALLING, /* the port tries */
    NRPC_DIAL_LINKED,   /* conn is up */
    NRPC_DIAL_STOPPED   /* while nrpc_dial_stop tells the role */
};

struct nrpc_dial { /* zero but for role at first; the port's context only */
    const struct nrpc_dial_role *role;
    struct nrpc_conn *conn; /* while linked */
    uint32_t next_ms;       /* no attempt before; only while `held` */
    uint32_t random;        /* state of the spread; 0: seeded from the clock */
    uint8_t state;          /* enum nrpc_dial_state */
    uint8_t held;           /* next_ms has not passed yet */
    uint8_t failures;       /* attempts in a row, this one included, without SETTINGS; saturating */
    uint8_t calmed; /* the server has found NRPC_KEEPALIVE_MS too short: it is doubled so often */
    uint16_t asked; /* how often nrpc_dial_wait_ms was called, for wait.h; wraps */
};

/* 0: dial now, and the state is NRPC_DIAL_DIALLING from here on; otherwise the milliseconds after
 * which to ask again at the latest, 1..1000: also while an attempt runs or the link is up. */
uint32_t nrpc_dial_wait_ms(struct nrpc_dial *dial, uint32_t now_ms);

/* TCP is up. Returns the connection to drive, its first bytes ready to be transmitted; NULL: no
 * memory for it, counted as a failure; the port closes the link. The failures are forgotten once
 * the peer's SETTINGS have come, not before: a port that accepts and closes is none. (Or, on a
 * reverse link where no client has come yet, once it has lasted as long as the next attempt would
 * have waited.) */
struct nrpc_conn *nrpc_dial_linked(struct nrpc_dial *dial, uint32_t now_ms);

/* The attempt came to nothing. */
void nrpc_dial_failed(struct nrpc_dial *dial);

/* The port has closed the link, and dials no more: calls that wait for a link end, however patient
 * they are, since no clock would end them. */
void nrpc_dial_stop(struct nrpc_dial *dial);

/* --- Reverse calls: we open the link, and serve on it ------------------------------------------
 */

struct nrpc_server;

/* A server that dials out, to a relay where clients are (host-sim/relay.py). It may wait there for
 * its first client for as long as it takes. One link serves one client; for more of them define
 * several:
 *     NRPC_REVERSE_DEFINE(uplink, server);
 *     nrpc_lwip_dial(&uplink.dial, "relay.example.org", 50052);
 * or
 *     struct nrpc_reverse uplinks[2] = {NRPC_REVERSE(server), NRPC_REVERSE(server)}; */
struct nrpc_reverse {
    struct nrpc_dial dial; /* first */
    const struct nrpc_server *server;
};
extern const struct nrpc_dial_role nrpc_reverse_role;
#define NRPC_REVERSE(its_server) {.dial = {.role = &nrpc_reverse_role}, .server = &its_server}
#define NRPC_REVERSE_DEFINE(name, its_server) struct nrpc_reverse name = NRPC_REVERSE(its_server)

NRPC_END_C

#endif
