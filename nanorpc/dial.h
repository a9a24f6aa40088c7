/* nanorpc/dial.h - a link that we open ourselves: when to try, and what the link becomes.
 * Layer: core; for ports. Source: gRPC "Connection Backoff Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_DIAL_H
#define NANORPC_DIAL_H

#include <stdint.h>

struct nrpc_conn;
struct nrpc_dial;

/* Waits between two attempts. Milliseconds. The first wait is NRPC_BACKOFF_MIN_MS, each further
 * one 1.6 times the last, up to NRPC_BACKOFF_MAX_MS; each is then spread by +-20 %, at random. */
#ifndef NRPC_BACKOFF_MIN_MS
#define NRPC_BACKOFF_MIN_MS 1000
#endif
#ifndef NRPC_BACKOFF_MAX_MS
#define NRPC_BACKOFF_MAX_MS 120000
#endif

/* A port opens links like this. `dial` is all that it knows of them:
 *
 *   wait = nrpc_dial_wait_ms(dial, now)      0: dial now; else ask again after so long at most, or when told
 *   conn = nrpc_dial_linked(dial, now)       TCP is up: drive conn as any other (conn.h); NULL: no memory
 *                                            for it now, close the link: a failure has been noted
 *   nrpc_dial_failed(dial, now)              no name, no route, refused, timed out
 *   nrpc_conn_lost(conn)                     as ever, when the link is gone; the dial waits and goes on by itself
 *
 * Nothing here locks: one context, as for conn.h. */

/* What becomes of a link, and what is asked when it may be wanted. In flash. */
struct nrpc_dial_role {
    /* TCP is up. Returns the connection, or NULL: there is no memory for it. */
    struct nrpc_conn *(*linked)(struct nrpc_dial *dial, uint32_t now_ms);
    /* An attempt has failed; calls that do not wait may be told. NULL: nobody is. */
    void (*failed)(struct nrpc_dial *dial);
    /* 1: a link is wanted now. NULL: always. */
    int (*wanted)(const struct nrpc_dial *dial);
};

enum nrpc_dial_state {
    NRPC_DIAL_WAITING, /* until next_ms, or until it is wanted */
    NRPC_DIAL_DIALLING, /* the port tries */
    NRPC_DIAL_LINKED    /* conn is up */
};

struct nrpc_dial { /* zero but for role at first; the port's context only */
    const struct nrpc_dial_role *role;
    struct nrpc_conn *conn; /* while linked */
    uint32_t next_ms;       /* no attempt before; only while `failures` is not 0 */
    uint32_t random;        /* state of the spread; 0: seeded from the clock */
    uint8_t state;          /* enum nrpc_dial_state */
    uint8_t failures;       /* attempts in a row, saturating */
};

/* 0: dial now, and the state is NRPC_DIAL_DIALLING from here on; otherwise the milliseconds after which
 * to ask again at the latest, 1..1000: also while an attempt runs or the link is up. */
uint32_t nrpc_dial_wait_ms(struct nrpc_dial *dial, uint32_t now_ms);

/* TCP is up. Returns the connection to drive, its first bytes ready to be transmitted; NULL: no memory for
 * it, counted as a failure; the port closes the link. The failures are forgotten once the peer's SETTINGS
 * have come, not before: a port that accepts and closes is none. */
struct nrpc_conn *nrpc_dial_linked(struct nrpc_dial *dial, uint32_t now_ms);

/* The attempt came to nothing. */
void nrpc_dial_failed(struct nrpc_dial *dial, uint32_t now_ms);

/* --- Reverse calls: we open the link, and serve on it ------------------------------------------ */

struct nrpc_server;

/* A server that dials out, to a relay where clients are. Defines `struct nrpc_reverse name`:
 *     NRPC_REVERSE_DEFINE(uplink, server);  nrpc_lwip_dial(&uplink.dial, "relay.example.org", 50052); */
struct nrpc_reverse {
    struct nrpc_dial dial; /* first */
    const struct nrpc_server *server;
};
extern const struct nrpc_dial_role nrpc_reverse_role;
#define NRPC_REVERSE_DEFINE(name, its_server) \
    struct nrpc_reverse name = {.dial = {.role = &nrpc_reverse_role}, .server = &its_server}

#endif
