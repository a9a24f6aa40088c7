/* nanorpc/server/nrpc_server.c - a connection's life: accepted, its calls' deadlines and its own
 * timers, shut down, lost.
 * Layer: core. Source: RFC 9113 3.4, 5.4, 6.8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/server.h"

#include <string.h>

#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/http2/nrpc_role.h"

/* Our part of the connection preface, RFC 9113 3.4. */
static void put_settings(struct nrpc_conn *conn)
{
    static const uint8_t settings[] = {
#if NRPC_HPACK_ENTRIES != 128
        0, NRPC_HEADER_TABLE_SIZE,      0,
        0, NRPC_HPACK_TABLE_BYTES >> 8, NRPC_HPACK_TABLE_BYTES & 0xff,
#endif
        0, NRPC_MAX_CONCURRENT_STREAMS, 0,
        0, NRPC_MAX_STREAMS >> 8,       NRPC_MAX_STREAMS & 0xff,
        0, NRPC_INITIAL_WINDOW_SIZE};
    uint8_t *p = nrpc_conn_control(conn, (uint32_t)sizeof settings + 4,
                                   NRPC_TYPE_FLAGS(NRPC_SETTINGS, 0), 0);
    memcpy(p, settings, sizeof settings);
    nrpc_put32(p + sizeof settings, conn->server->rx_bytes);
}

#if NRPC_MANY_CONNECTIONS
/* The first one that is free, for the memory of few to be used; n_conns: there is none. */
static size_t vacant(const struct nrpc_server *server)
{
    uint32_t *full = server->taken, words = (server->n_conns + 31) / 32;
    const uint32_t *bits = full + 1;
    while (*full < words && bits[*full] == UINT32_MAX) {
        ++*full;
    }
    size_t i = 32 * (size_t)*full + (*full < words ? (unsigned)__builtin_ctzl(~bits[*full]) : 0u);
    return i < server->n_conns ? i : server->n_conns;
}

static void take(const struct nrpc_conn *conn, int taken)
{
    size_t i = (size_t)(conn - conn->server->conns), word = i / 32;
    uint32_t *full = conn->server->taken, *bits = full + 1, bit = (uint32_t)1 << i % 32;
    bits[word] = taken ? bits[word] | bit : bits[word] & ~bit;
    if (!taken && word < *full) {
        *full = (uint32_t)word;
    }
}
#else
static size_t vacant(const struct nrpc_server *server)
{
    size_t i = 0;
    while (i < server->n_conns && (server->conns[i].flags & NRPC_CONN_OPEN)) {
        i++;
    }
    return i;
}
#define take(conn, taken) ((void)0)
#endif

struct nrpc_conn *nrpc_server_accept(const struct nrpc_server *server, uint32_t now_ms)
{
    size_t i = vacant(server);
    struct nrpc_conn *conn = &server->conns[i];
    if (i == server->n_conns) {
        return NULL;
    }
    /* The calls are as nrpc_conn_lost has left them. */
    memset(conn, 0, offsetof(struct nrpc_conn, calls));
    nrpc_conn_gaps(conn, 1);
    conn->server = server;
    conn->blocks = server->blocks + (server->rx_bytes + server->tx_bytes + NRPC_METADATA_BYTES) *
                                        i * NRPC_MAX_STREAMS;
    conn->now_ms = now_ms;
    conn->since = conn->refilled = conn->heard = conn->idle = conn->born =
        (uint16_t)(now_ms >> NRPC_TICK_SHIFT);
    conn->send_window = conn->recv_window = NRPC_WINDOW_INITIAL;
    conn->peer_initial_window = NRPC_WINDOW_INITIAL;
#if NRPC_FAST
    conn->last = &conn->first;
#endif
    conn->flags = NRPC_CONN_OPEN;
    take(conn, 1);
    nrpc_hpack_init(&conn->hpack, server);
    put_settings(conn);
    return conn;
}

#if NRPC_CLIENT
const struct nrpc_role nrpc_server_role = {
    .headers = nrpc_up_request,
    .turn = nrpc_up_response,
    .stalls = NRPC_SERVER_STALLS,
};
#endif

void nrpc_conn_lost(struct nrpc_conn *conn)
{
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            nrpc_stream_close(&conn->calls[i], NRPC_UNAVAILABLE);
        }
        conn->calls[i].id = 0;
#if NRPC_FAST
        conn->calls[i].flags &= (uint16_t)~NRPC_CALL_QUEUED;
#endif
    }
    if (conn->flags) {
        take(conn, 0);
    }
    conn->flags = 0;
    nrpc_conn_gaps(conn, 0);
}

void nrpc_conn_shutdown(struct nrpc_conn *conn)
{
    if (!(conn->flags & NRPC_CONN_DRAIN)) {
        conn->flags |= NRPC_CONN_DRAIN;
        conn->drained = (uint16_t)(conn->now_ms >> NRPC_TICK_SHIFT);
    }
}

/* As a shutdown whose time is over. */
void nrpc_conn_yield(struct nrpc_conn *conn, uint32_t now_ms)
{
    conn->flags |= NRPC_CONN_DRAIN | NRPC_CONN_WARNED | NRPC_CONN_READ;
    conn->drained = (uint16_t)(((now_ms - NRPC_DRAIN_MS) >> NRPC_TICK_SHIFT) - 1);
    nrpc_conn_tick(conn, now_ms);
}

/* The flags of all calls; those that are not open have none of the flags asked for here. */
static unsigned calls(const struct nrpc_conn *conn)
{
    unsigned flags = 0;
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        flags |= conn->calls[i].flags;
    }
    return flags;
}

int nrpc_conn_timer_set(const struct nrpc_conn *conn)
{
    return (conn->flags & NRPC_CONN_TIMER) != 0;
}

int nrpc_conn_closing(const struct nrpc_conn *conn)
{
    int over = (conn->flags & NRPC_CONN_DEAD) ||
               ((conn->flags & NRPC_CONN_GOAWAY) && !(calls(conn) & NRPC_CALL_OPEN));
    return over && !conn->control_bytes;
}

static int is_over(uint16_t now, uint16_t since, uint32_t ms)
{
    return (uint16_t)(now - since) > ms >> NRPC_TICK_SHIFT;
}

static void watch_progress(struct nrpc_conn *conn, uint16_t now)
{
    uint32_t flags = conn->flags;
    int sending = conn->control_bytes || (calls(conn) & nrpc_role_stalls(conn));
    int reading = conn->phase != NRPC_PHASE_HEAD || conn->have || conn->block_id ||
                  (flags & (NRPC_CONN_GREETED | NRPC_CONN_PINGED)) != NRPC_CONN_GREETED;
    uint32_t progress = sending ? NRPC_CONN_TX_PROGRESS : NRPC_CONN_RX_PROGRESS;
    if (!(sending || reading) || (flags & progress)) {
        conn->since = now;
    }
    conn->flags = flags &
                  ~(unsigned)(NRPC_CONN_RX_PROGRESS | NRPC_CONN_TX_PROGRESS | NRPC_CONN_TIMER);
    if (is_over(now, conn->since, NRPC_STALL_TIMEOUT_MS)) {
        conn->flags |= NRPC_CONN_DEAD; /* without GOAWAY: such a peer would not read it */
        conn->control_bytes = 0;
    }
}

/* Is the peer to be asked whether it is there? A client's link keeps to what gRPC's servers allow:
 * no PINGs while there is no call. */
static int is_silent(const struct nrpc_conn *conn, uint16_t now)
{
    uint32_t ms = NRPC_KEEPALIVE_MS;
#if NRPC_CLIENT
    ms <<= conn->calmed;
#endif
    return ms && is_over(now, conn->heard, ms) && (!nrpc_role_calls(conn) || conn->idle == now);
}

/* Age, idleness, keepalive. Returns whether the time to drain is over. */
static int watch_life(struct nrpc_conn *conn, uint16_t now)
{
    if (calls(conn) & (nrpc_role_calls(conn) ? NRPC_CALL_OPEN : NRPC_CALL_ENGAGED)) {
        conn->idle = now;
    }
    if (!is_silent(conn, now)) {
        conn->flags &= ~(unsigned)NRPC_CONN_PINGED;
    } else if (!(conn->flags & NRPC_CONN_PINGED) && !conn->control_bytes &&
               conn->phase <= NRPC_PHASE_HEAD) { /* within a frame it keeps us waiting as it is */
        conn->flags |= NRPC_CONN_PINGED;         /* .. and from here on */
        nrpc_conn_ping(conn, 0);
    }
    if (!(conn->flags & NRPC_CONN_DRAIN)) {
        if ((NRPC_MAX_AGE_MS && is_over(now, conn->born, NRPC_MAX_AGE_MS)) ||
            (NRPC_MAX_IDLE_MS && is_over(now, conn->idle, NRPC_MAX_IDLE_MS))) {
            nrpc_conn_shutdown(conn);
        }
        return 0;
    }
    if (is_over(now, conn->drained, NRPC_WARN_MS)) {
        conn->flags |= NRPC_CONN_READ;
    }
    return is_over(now, conn->drained, NRPC_DRAIN_MS);
}

/* The request has not come whole in time. */
static int is_late(const struct nrpc_conn *conn, const struct nrpc_call *call)
{
    return NRPC_REQUEST_TIMEOUT_MS && !nrpc_role_calls(conn) &&
           !(call->flags & (NRPC_CALL_ENGAGED | NRPC_CALL_RX_END)) &&
           conn->now_ms - call->begun_ms > NRPC_REQUEST_TIMEOUT_MS;
}

/* Ends the calls whose time is up. Returns the milliseconds to the next deadline, 1..1000. */
static uint32_t watch_calls(struct nrpc_conn *conn, uint16_t now, int drained)
{
    uint32_t next = conn->flags & NRPC_CONN_RESTS ? 1 << NRPC_TICK_SHIFT : 1000;
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if ((call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) == NRPC_CALL_OPEN) {
            uint32_t left = nrpc_call_time_left_ms(call);
            const char *words = is_late(conn, call) ? "request incomplete" : NULL;
            enum nrpc_status why = left ? NRPC_UNAVAILABLE : NRPC_DEADLINE_EXCEEDED;
            if ((conn->flags & NRPC_CONN_HELD) && call->id == conn->frame.id) {
                conn->since = now; /* its handler does not take what has come: that is no stall */
                if (is_over(now, conn->heard, NRPC_HOLD_TIMEOUT_MS)) {
                    why = NRPC_RESOURCE_EXHAUSTED; /* what it waits for may stand behind that */
                    left = 0;
                }
            }
            if (!left || drained || words) {
                if (!call->tx_sent) { /* too late for what has not begun to leave */
                    call->tx_length = 0;
                    call->flags &= (uint16_t)~NRPC_CALL_TX;
                }
                nrpc_grpc_fail(call, why, words);
            } else if (left < next) {
                next = left;
            }
        }
    }
    return next;
}

uint32_t nrpc_conn_tick(struct nrpc_conn *conn, uint32_t now_ms)
{
    uint16_t now = (uint16_t)(now_ms >> NRPC_TICK_SHIFT);
    conn->now_ms = now_ms;
    nrpc_conn_rested(conn, now);
    watch_progress(conn, now);
    if ((uint16_t)(now - conn->refilled) >= 1024 >> NRPC_TICK_SHIFT) {
        conn->refilled = now;
        nrpc_conn_forgive(conn, NRPC_GLITCHES_PER_SECOND * NRPC_GLITCH);
        if (conn->pings) {
            conn->pings--;
        }
    }
    return watch_calls(conn, now, watch_life(conn, now));
}

#if NRPC_MANY_CONNECTIONS
/* What is left of a time of ms that has begun at `since`, in ms. ms 0: it never ends. */
static uint32_t left_of(uint16_t now, uint16_t since, uint32_t ms)
{
    uint32_t all = ms >> NRPC_TICK_SHIFT, gone = (uint16_t)(now - since);
    return !ms ? UINT32_MAX : gone < all ? (all - gone) << NRPC_TICK_SHIFT : 0;
}

#define IDLE_MAX_MS 3600000 /* times here have 16 bits */
uint32_t nrpc_conn_idle_ms(const struct nrpc_conn *conn)
{
    const unsigned busy = ~(unsigned)(NRPC_CONN_OPEN | NRPC_CONN_ACKED | NRPC_CONN_GREETED);
    uint16_t now = (uint16_t)(conn->now_ms >> NRPC_TICK_SHIFT);
    uint32_t ms = IDLE_MAX_MS;
    uint32_t ends[] = {left_of(now, conn->born, NRPC_MAX_AGE_MS),
                       left_of(now, conn->idle, NRPC_MAX_IDLE_MS),
                       left_of(now, conn->heard, NRPC_KEEPALIVE_MS)};
    if ((conn->flags & busy) || !(conn->flags & NRPC_CONN_GREETED) || conn->control_bytes ||
        conn->phase != NRPC_PHASE_HEAD || conn->have || conn->block_id || conn->glitches ||
        conn->pings || (calls(conn) & NRPC_CALL_OPEN)) {
        return 0;
    }
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        ms = ends[i] < ms ? ends[i] : ms;
    }
    return ms;
}
#endif
