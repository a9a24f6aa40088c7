/* nanorpc/client/nrpc_channel.c - calls begun, kept until there is a link, and given up; what a
 * channel does with its links. Layer: core. Source: gRPC "Wait for Ready", "Connectivity
 * Semantics"; RFC 9113 3.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include <string.h>

#include "nanorpc/compression.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/client/nrpc_invoke.h"

/* --- A call, as its owner sees it --------------------------------------------------------- */

const struct nrpc_events *nrpc_call_events(const struct nrpc_call *call)
{
    return call->events;
}

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

struct nrpc_call *nrpc_client_start(struct nrpc_channel *channel,
                                    const struct nrpc_client_method *method,
                                    const struct nrpc_call_options *options, const void *request,
                                    const struct nrpc_events *events)
{
    struct nrpc_call *call = nrpc_stream_vacant(prepare(channel));
    if (!call || (call->client & NRPC_CLIENT_OWED) /* see wanted */ ||
        strlen(method->path) + strlen(channel->authority) > NRPC_AUTHORITY_AND_PATH_MAX) {
        return NULL;
    }
    nrpc_stream_open(call, 0);
    call->method = &method->method;
    call->send_window = 0;
#if NRPC_METADATA_BYTES
    call->metadata_used = 0;
#endif
#if NRPC_COMPRESSION
    nrpc_compression_offer(call, options ? options->compress : 0);
#endif
    call->events = events;
    call->begun_ms = NRPC_NO_DEADLINE; /* the timeout, until it is begun */
    call->client = NRPC_CLIENT_OWED;
    if (options && options->timeout_ms) {
        call->begun_ms = options->timeout_ms;
    }
    if (options && options->wait_for_ready) {
        call->client |= NRPC_CLIENT_WAITS;
    }
    if (request && (nrpc_client_write(call, request) || nrpc_call_close_writes(call))) {
        call->flags &= NRPC_CALL_QUEUED;
        call->client = 0;
        return NULL;
    }
    nrpc_stream_queue(call);
    return call;
}

int nrpc_client_write(struct nrpc_call *call, const void *request)
{
    if (call->client >= NRPC_CLIENT_CLOSED) { /* all has come: nobody takes it any more */
        return NRPC_E_STATE;
    }
    int error = nrpc_call_send(call, request);
    if (!error) {
        call->client |= call->client & NRPC_CLIENT_WROTE ? NRPC_CLIENT_MORE : NRPC_CLIENT_WROTE;
    }
    return error;
}

int nrpc_call_close_writes(struct nrpc_call *call)
{
    if ((call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) != NRPC_CALL_OPEN ||
        (call->client & NRPC_CLIENT_CLOSED)) {
        return NRPC_E_STATE;
    }
    call->client |= NRPC_CLIENT_CLOSED;
    nrpc_stream_queue(call);
    return 0;
}

void nrpc_client_put_back(struct nrpc_call *call)
{
    call->flags = (call->flags & NRPC_CALL_QUEUED) | NRPC_CALL_OPEN;
    call->id = 0;
    call->send_window = 0;
    call->recv_window = (int32_t)nrpc_call_conn(call)->server->rx_bytes;
    call->rx_have = 0;
    call->tx_sent = call->tx_length = 0;
    call->client &= (uint16_t)~NRPC_CLIENT_END_SENT;
    if (call->client & NRPC_CLIENT_WROTE) {
        call->flags |= NRPC_CALL_TX;
        call->tx_length = (nrpc_block_size)(NRPC_PREFIX_BYTES + nrpc_get32(nrpc_call_tx(call) + 1));
#if NRPC_PIECES
        if (call->method->codec->produce) {
            (void)call->method->codec->produce(call, NULL, 0);
        }
#endif
    }
    nrpc_stream_queue(call);
}

/* --- Links -------------------------------------------------------------------------------- */

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
    conn->control_bytes = NRPC_CONTROL_MAX;
    memcpy(conn->control, nrpc_conn_preface, sizeof nrpc_conn_preface);
    nrpc_put32(conn->control + NRPC_OPENING_BYTES, endpoint->rx_bytes);
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

static void failed(struct nrpc_dial *dial)
{
    struct nrpc_conn *conn = ((struct nrpc_channel *)dial)->endpoint->conns;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if ((call->flags & (NRPC_CALL_OPEN | NRPC_CALL_RX_END)) == NRPC_CALL_OPEN &&
            !(call->client & NRPC_CLIENT_WAITS)) {
            nrpc_grpc_fail(call, NRPC_UNAVAILABLE, "no connection");
        }
    }
}

uint32_t nrpc_client_time_left_ms(struct nrpc_call *call)
{
    if (!(call->client & NRPC_CLIENT_STARTED)) {
        call->client |= NRPC_CLIENT_STARTED;
        call->timeout_ms = call->begun_ms;
        call->begun_ms = nrpc_call_conn(call)->now_ms;
    }
    return nrpc_call_time_left_ms(call);
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
    if (is_linked && (conn->flags & (NRPC_CONN_LEAVES | NRPC_CONN_DRAIN)) &&
        !(found & NRPC_CALL_HEADERS)) {
        conn->flags |= NRPC_CONN_DEAD; /* the next link is for those that wait */
    }
    *wait_ms = wait;
    return found & 1;
}

const struct nrpc_dial_role nrpc_channel_dial = {
    .linked = linked, .failed = failed, .wanted = wanted};

#endif
