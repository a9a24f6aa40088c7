/* nanorpc/client/nrpc_dial.c - when to open a link: waits that grow with each failure, and what is
 * known of the last one.
 * Layer: core. Source: gRPC "Connection Backoff Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_DIAL_TOLD_HERE
#include "nanorpc/dial.h"

#include "nanorpc/http2/nrpc_conn.h"

NRPC_STATIC_ASSERT(NRPC_BACKOFF_MIN_MS >= 10 && NRPC_BACKOFF_MIN_MS <= NRPC_BACKOFF_MAX_MS &&
                       NRPC_BACKOFF_MAX_MS <= 100000000,
                   "NRPC_BACKOFF_MIN_MS: 10..NRPC_BACKOFF_MAX_MS..100000000");

enum { ASK_MS = 1000 };

/* Marsaglia's xorshift. Devices that boot together must not dial together for ever: so the seed is
 * when, and which dial, it was; who has better, writes it to dial->random. */
static uint32_t random_below(struct nrpc_dial *dial, uint32_t limit, uint32_t now_ms)
{
    uint32_t x = dial->random ? dial->random : (now_ms ^ (uint32_t)(uintptr_t)dial) | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    dial->random = x;
    return x % limit;
}

/* An attempt begins, the next one is at least so far away. */
static void begin(struct nrpc_dial *dial, uint32_t now_ms)
{
    uint32_t wait = NRPC_BACKOFF_MIN_MS;
    for (unsigned i = 0; i < dial->failures && wait <= NRPC_BACKOFF_MAX_MS; i++) {
        wait = wait * 8 / 5;
    }
    if (wait > NRPC_BACKOFF_MAX_MS) {
        wait = NRPC_BACKOFF_MAX_MS;
    }
    uint32_t spread = wait / 5;
    dial->next_ms = now_ms + wait - spread + random_below(dial, 2 * spread + 1, now_ms);
    dial->held = 1;
    dial->failures = (uint8_t)(dial->failures + (dial->failures < UINT8_MAX));
    dial->state = NRPC_DIAL_DIALLING;
}

/* Looks at the link that is up. Once it is lost its nrpc_conn may be another's already. */
static void look(struct nrpc_dial *dial)
{
    struct nrpc_conn *conn = dial->conn;
    if (conn->dial != dial || !(conn->flags & NRPC_CONN_OPEN)) {
        dial->conn = NULL;
        dial->state = NRPC_DIAL_WAITING;
        if (dial->failures) {
            nrpc_dial_failed(dial);
        }
        return;
    }
    if (conn->flags & NRPC_CONN_GREETED) {
        dial->failures = 0;
    }
}

uint32_t nrpc_dial_wait_ms(struct nrpc_dial *dial, uint32_t now_ms)
{
    uint32_t left = dial->next_ms - now_ms;
    dial->asked++;
    if (left - 1 >= INT32_MAX) { /* none, or negative: from here on it would come true again in 24
                                    days */
        dial->held = 0;
    }
    if (dial->state == NRPC_DIAL_LINKED) {
        look(dial);
    }
    uint32_t wait = ASK_MS;
    int wanted = !dial->role->wanted || dial->role->wanted(dial, now_ms, &wait);
    if (dial->state != NRPC_DIAL_WAITING || !wanted) {
        return wait;
    }
    if (dial->held) {
        return left < wait ? left : wait;
    }
    begin(dial, now_ms);
    return 0;
}

struct nrpc_conn *nrpc_dial_linked(struct nrpc_dial *dial, uint32_t now_ms)
{
    struct nrpc_conn *conn = dial->role->linked(dial, now_ms);
    if (!conn) {
        nrpc_dial_failed(dial);
        return NULL;
    }
    conn->dial = dial;
    dial->conn = conn;
    dial->state = NRPC_DIAL_LINKED;
    return conn;
}

void nrpc_dial_failed(struct nrpc_dial *dial)
{
    dial->conn = NULL;
    dial->state = NRPC_DIAL_WAITING;
    if (dial->role->failed) {
        dial->role->failed(dial);
    }
}

void nrpc_dial_stop(struct nrpc_dial *dial)
{
    dial->conn = NULL;
    dial->state = NRPC_DIAL_STOPPED;
    if (dial->role->failed) {
        dial->role->failed(dial);
    }
    dial->state = NRPC_DIAL_WAITING;
}

/* --- Reverse calls ------------------------------------------------------------------------ */

static struct nrpc_conn *reverse_linked(struct nrpc_dial *dial, uint32_t now_ms)
{
    return nrpc_server_accept(((struct nrpc_reverse *)dial)->server, now_ms);
}

/* Always; and no client has to come soon. */
static int reverse_wanted(struct nrpc_dial *dial, uint32_t now_ms, uint32_t *wait_ms)
{
    struct nrpc_conn *conn = dial->conn;
    (void)now_ms;
    (void)wait_ms;
    if (conn && conn->phase == NRPC_PHASE_PREFACE && !conn->have) {
        conn->flags |= NRPC_CONN_RX_PROGRESS; /* so nobody stalls */
        if (!dial->held) {
            dial->failures = 0;
        }
    }
    return 1;
}

const struct nrpc_dial_role nrpc_reverse_role = {.linked = reverse_linked,
                                                 .wanted = reverse_wanted};
