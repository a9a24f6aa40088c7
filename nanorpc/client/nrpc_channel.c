/* nanorpc/client/nrpc_channel.c - calls begun, kept until there is a link, and given up; what a
 * channel does with its links.
 * Layer: core. Source: gRPC "Wait for Ready", "Connectivity Semantics"; RFC 9113 3.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include <string.h>

#include "nanorpc/client/nrpc_caller.h"
#include "nanorpc/grpc/nrpc_grpc.h"

/* --- A call, as its owner sees it --------------------------------------------------------- */

/* What calls need of a connection that is not up yet, and has perhaps never been. */
static struct nrpc_conn *prepare(struct nrpc_channel *channel)
{
    struct nrpc_conn *conn = channel->endpoint->conns;
    conn->server = channel->endpoint;
    conn->blocks = channel->endpoint->blocks;
    conn->dial = &channel->dial;
#if NRPC_FAST
    if (!conn->last) {
        conn->last = &conn->first;
    }
#endif
    return conn;
}

static void take_options(struct nrpc_call *call, const struct nrpc_call_options *options)
{
    if (options->timeout_ms) {
        call->timeout_ms = options->timeout_ms;
    }
    if (options->wait_for_ready) {
        call->client |= NRPC_CLIENT_WAITS;
    }
#if NRPC_COMPRESSION
    nrpc_compression_offer(call, options->compress);
#endif
}

struct nrpc_call *nrpc_client_start(struct nrpc_channel *channel,
                                    const struct nrpc_client_method *method,
                                    const struct nrpc_call_options *options, const void *request,
                                    const struct nrpc_events *events)
{
    struct nrpc_call *call = nrpc_stream_vacant(prepare(channel));
    channel->error = 0;
    if (!call || (call->client & NRPC_CLIENT_OWED) /* see wanted */) {
        channel->error = NRPC_E_LIMIT;
    } else if (strlen(method->path) + strlen(channel->authority) > NRPC_AUTHORITY_AND_PATH_MAX) {
        channel->error = NRPC_E_PATH;
    }
    if (channel->error) {
        return NULL;
    }
    nrpc_stream_open(call, 0);
    call->method = &method->method;
    call->send_window = 0;
    call->events = events;
    call->client = NRPC_CLIENT_OWED;
    call->trailers = 0;
    call->flags |= NRPC_CALL_NEW;
    if (options) {
        take_options(call, options);
    }
    if (request && ((channel->error = nrpc_client_write(call, request)) != 0 ||
                    nrpc_call_close_writes(call))) {
        call->flags &= NRPC_CALL_QUEUED;
        call->client = 0;
        return NULL;
    }
    nrpc_stream_queue(call);
    return nrpc_call_out(call);
}

int nrpc_client_write(struct nrpc_call *call, const void *request)
{
    NRPC_CALL_IN(call);
    /* Once all has come, nobody takes it any more. */
    if ((call->client & NRPC_CLIENT_CLOSED) || call->trailers) {
        return NRPC_E_STATE;
    }
    int error = nrpc_call_send(call, request);
    if (!error) {
        unsigned wrote = call->client & NRPC_CLIENT_WROTE ? NRPC_CLIENT_MORE : NRPC_CLIENT_WROTE;
        call->client = (uint8_t)(call->client | wrote);
    }
    return error;
}

int nrpc_call_close_writes(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    if ((call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) != NRPC_CALL_OPEN ||
        (call->client & NRPC_CLIENT_CLOSED)) {
        return NRPC_E_STATE;
    }
    call->client |= NRPC_CLIENT_CLOSED;
    nrpc_stream_queue(call);
    return 0;
}

/* --- Links -------------------------------------------------------------------------------- */

/* A client's SETTINGS, up to the value of the last one, its window. No HPACK table for responses:
 * it would keep no texts, and messages and metadata are texts. The server knows that before it
 * sends any. No pushes. */
static const uint8_t settings[] = {0,
                                   0,
                                   18,
                                   NRPC_SETTINGS,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   NRPC_HEADER_TABLE_SIZE,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   NRPC_ENABLE_PUSH,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   NRPC_INITIAL_WINDOW_SIZE};
NRPC_STATIC_ASSERT(NRPC_PREFACE_BYTES + sizeof settings + 4 == NRPC_CONTROL_MAX, "settings");

static struct nrpc_conn *linked(struct nrpc_dial *dial, uint32_t now_ms)
{
    const struct nrpc_server *endpoint = ((struct nrpc_channel *)dial)->endpoint;
    struct nrpc_conn *conn = nrpc_server_accept(endpoint, now_ms);
    if (!conn) {
        return NULL;
    }
    conn->flags = NRPC_CONN_OPEN | NRPC_CONN_CALLS;
    conn->phase = NRPC_PHASE_HEAD;
    conn->need = NRPC_FRAME_HEADER_BYTES;
    conn->hpack.max_bytes = 0; /* as the opening says */
    conn->calmed = dial->calmed;
    conn->control_bytes = NRPC_CONTROL_MAX;
    uint8_t *p = (uint8_t *)memcpy(conn->control, nrpc_conn_preface, NRPC_PREFACE_BYTES);
    memcpy(p + NRPC_PREFACE_BYTES, settings, sizeof settings);
    nrpc_put32(p + NRPC_CONTROL_MAX - 4, endpoint->rx_bytes);
#if NRPC_FAST
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) { /* the queue has been emptied */
        conn->calls[i].flags &= (uint16_t)~NRPC_CALL_QUEUED;
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            nrpc_stream_queue(&conn->calls[i]);
        }
    }
#endif
    return conn;
}

void nrpc_client_abandon(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    nrpc_grpc_fail(call, NRPC_UNAVAILABLE, "no port dials this channel");
    if (!(nrpc_call_conn(call)->flags & NRPC_CONN_OPEN)) { /* else its turn comes */
        nrpc_stream_close(call, NRPC_OK);
    }
}

static void failed(struct nrpc_dial *dial)
{
    struct nrpc_conn *conn = ((struct nrpc_channel *)dial)->endpoint->conns;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if ((call->flags & (NRPC_CALL_OPEN | NRPC_CALL_RX_END)) != NRPC_CALL_OPEN) {
            continue;
        }
        if (dial->state == NRPC_DIAL_STOPPED) {
            nrpc_client_abandon(call);
        } else if (!(call->client & NRPC_CLIENT_WAITS)) {
            nrpc_grpc_fail(call, NRPC_UNAVAILABLE, "no connection");
        }
    }
}

/* An open call's time; without a link, what its turn would do. Returns the milliseconds that it has
 * left. */
static uint32_t watch(struct nrpc_call *call, int is_linked)
{
    uint32_t left = nrpc_client_time_left_ms(call);
    if (!left) {
        nrpc_grpc_fail(call, NRPC_DEADLINE_EXCEEDED, NULL);
    }
    if (!is_linked) {
        nrpc_grpc_advance(call);
        if (call->flags & NRPC_CALL_FINISHED) {
            nrpc_stream_close(call, NRPC_OK);
        }
    }
    return left - 1; /* of a call that has ended: for ever */
}

/* The link takes no new calls, and its last one is over; or those that wait for the next link have
 * waited long enough: a call without end must not keep them. */
static int is_done(const struct nrpc_conn *conn, unsigned found)
{
    uint16_t now = (uint16_t)(conn->now_ms >> NRPC_TICK_SHIFT);
    return (conn->flags & (NRPC_CONN_LEAVES | NRPC_CONN_DRAIN)) &&
           (!(found & NRPC_CALL_HEADERS) ||
            ((found & 1) && (uint16_t)(now - conn->drained) > NRPC_DRAIN_MS >> NRPC_TICK_SHIFT));
}

/* Asked again and again, link or no link: the channel's timer. */
static int wanted(struct nrpc_dial *dial, uint32_t now_ms, uint32_t *wait_ms)
{
    struct nrpc_conn *conn = ((struct nrpc_channel *)dial)->endpoint->conns;
    int is_linked = (conn->flags & NRPC_CONN_OPEN) != 0;
    unsigned found = 0; /* 1: a call wants a link; NRPC_CALL_HEADERS: one has left on this one */
    uint32_t wait = *wait_ms;
    conn->now_ms = now_ms;
    if (dial->state == NRPC_DIAL_WAITING && dial->held && dial->failures) {
        failed(dial); /* calls that began after the attempt did */
    }
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if (call->flags & NRPC_CALL_OPEN) {
            uint32_t left = watch(call, is_linked);
            wait = left < wait ? left + 1 : wait;
        }
        /* It has finished, and its turn has not come, or its stream was gone before. */
        if ((call->client & NRPC_CLIENT_OWED) &&
            (call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) != NRPC_CALL_OPEN) {
            nrpc_client_tell(call, (enum nrpc_status)call->status, NULL);
        }
        if (call->flags & NRPC_CALL_OPEN) {
            found |= call->flags & (NRPC_CALL_HEADERS | NRPC_CALL_RX_END)
                         ? call->flags & NRPC_CALL_HEADERS
                         : 1u;
            nrpc_stream_queue(call);
        }
    }
    if (is_linked && is_done(conn, found)) {
        conn->flags |= NRPC_CONN_DEAD; /* the next link is for those that wait */
    }
    *wait_ms = wait;
    return found & 1;
}

const struct nrpc_dial_role nrpc_channel_dial = {
    .linked = linked, .failed = failed, .wanted = wanted};

#endif
