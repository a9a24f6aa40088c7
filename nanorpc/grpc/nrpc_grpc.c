/* nanorpc/grpc/nrpc_grpc.c - from bytes of a stream to messages and back, and how a call ends.
 * Layer: core. Source: gRPC over HTTP2; gRPC "Status codes and their use".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_grpc.h"

#include <string.h>

#include "nanorpc/codec.h"
#include "nanorpc/http2/nrpc_role.h"

static unsigned kind_of(const struct nrpc_call *call)
{
    return call->method->kind;
}

/* --- The call, as the application sees it ------------------------------------------------- */

union nrpc_user *nrpc_call_user(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return &call->user;
}

const struct nrpc_method *nrpc_call_method(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return call->method;
}

int nrpc_call_half_closed(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return (call->flags & NRPC_CALL_HALF_CLOSED) != 0;
}

uint32_t nrpc_call_age_ms(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return call->flags & NRPC_CALL_NEW ? 0 : nrpc_call_conn(call)->now_ms - call->begun_ms;
}

uint32_t nrpc_call_time_left_ms(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    uint32_t timeout = call->timeout_ms, age = nrpc_call_age_ms(call);
    return timeout == NRPC_NO_DEADLINE ? timeout : age < timeout ? timeout - age : 0;
}

static int has_finished(const struct nrpc_call *call)
{
    return (call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) != NRPC_CALL_OPEN;
}

__attribute__((weak)) void nrpc_no_status(struct nrpc_call *call, int value)
{
    (void)call;
    (void)value;
}

int nrpc_call_finish(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    NRPC_CALL_IN(call);
    if (has_finished(call)) {
        return NRPC_E_STATE;
    }
    if (message) {
        call->message_length = (uint8_t)nrpc_respond_percent(nrpc_call_message(call),
                                                             NRPC_STATUS_MESSAGE_MAX, message);
    }
    if ((unsigned)status > NRPC_UNAUTHENTICATED) {
        /* Where enums are short (Cortex-M) an E_AGAIN has become 255. */
        nrpc_no_status(nrpc_call_out(call), sizeof status == 1 ? (int8_t)status : (int)status);
        status = NRPC_UNKNOWN;
    }
    call->status = (uint8_t)status;
    call->flags |= !status && (call->flags & NRPC_CALL_PRODUCING) ? NRPC_CALL_ENDING
                                                                  : NRPC_CALL_FINISHED;
    nrpc_stream_queue(call);
    return 0;
}

enum nrpc_status nrpc_call_fail(struct nrpc_call *call, enum nrpc_status status,
                                const char *message)
{
    nrpc_call_finish(call, status, message);
    return status;
}

int nrpc_call_wake(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    if (has_finished(call)) {
        return NRPC_E_STATE;
    }
    unsigned flags = call->flags & ~(unsigned)(NRPC_CALL_HELD | NRPC_CALL_ASLEEP);
    flags |= flags & NRPC_CALL_PRODUCING ? NRPC_CALL_TX : 0u;
    call->flags = (uint16_t)flags;
    nrpc_stream_queue(call);
    return 0;
}

uint8_t *nrpc_call_reserve(struct nrpc_call *call, size_t *room)
{
    NRPC_CALL_IN(call);
    if (has_finished(call) || call->tx_length) {
        return NULL;
    }
    *room = (size_t)nrpc_call_conn(call)->server->tx_bytes - NRPC_STATUS_MESSAGE_MAX -
            NRPC_PREFIX_BYTES;
    return nrpc_call_tx(call) + NRPC_PREFIX_BYTES;
}

void nrpc_call_commit(struct nrpc_call *call, size_t n)
{
    NRPC_CALL_IN(call);
    uint8_t *tx = nrpc_call_tx(call);
    uint32_t length = (uint32_t)n;
    tx[0] = nrpc_compression_deflate(call, tx + NRPC_PREFIX_BYTES, &length);
    nrpc_put32(tx + 1, length);
    call->tx_length = (nrpc_block_size)(length + NRPC_PREFIX_BYTES);
    call->tx_sent = 0;
    call->flags |= NRPC_CALL_TX;
    nrpc_stream_queue(call);
}

void nrpc_grpc_refuse_http(struct nrpc_call *call, const char *status)
{
    memcpy(nrpc_call_tx(call), status, NRPC_HTTP_BODY_BYTES);
    call->tx_length = NRPC_HTTP_BODY_BYTES;
    call->flags |= NRPC_CALL_FINISHED | NRPC_CALL_HTTP | NRPC_CALL_TX;
    nrpc_stream_queue(call);
}

/* --- Delivery ----------------------------------------------------------------------------- */

#if NRPC_REFUSALS
int nrpc_grpc_refuse(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    /* other statuses are no message's fault */
    if (!has_finished(call) && (status == NRPC_INTERNAL || status == NRPC_RESOURCE_EXHAUSTED)) {
        nrpc_refused(nrpc_call_out(call), status, message);
    }
    return nrpc_call_finish(call, status, message);
}
#endif

void nrpc_grpc_fail(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    if (nrpc_grpc_refuse(call, status, message) == 0) {
        call->method->cancelled(nrpc_call_out(call), status);
    }
}

/* What the handler's answer to a message, or to the half-close, means. last: a reply is due. */
static void settle(struct nrpc_call *call, enum nrpc_status status, int last)
{
    call->flags &= (uint16_t)~NRPC_CALL_ASLEEP;
    if (status == NRPC_OK) {
        if (last && !(kind_of(call) & NRPC_SERVER_STREAM)) {
            nrpc_call_finish(call, call->flags & NRPC_CALL_TX ? NRPC_OK : NRPC_INTERNAL, NULL);
        }
    } else if (status == NRPC_PENDING) {
        call->flags |= (uint16_t)(last ? NRPC_CALL_ASLEEP : NRPC_CALL_HELD);
    } else {
        nrpc_call_finish(call, status, NULL);
    }
}

/* A whole message, without its prefix. */
static void deliver_message(struct nrpc_call *call, const uint8_t *message, uint32_t length)
{
    call->flags |= NRPC_CALL_REQUESTED;
    enum nrpc_status status = call->method->codec->message(call, message, (size_t)length);
    settle(call, status, !(kind_of(call) & NRPC_CLIENT_STREAM));
}

#if NRPC_PIECES
void nrpc_grpc_deliver(struct nrpc_call *call, const uint8_t *message, uint32_t length)
{
    deliver_message(call, message, length);
}
#endif

int nrpc_grpc_inflate(struct nrpc_call *call, uint8_t flag, const uint8_t **data, uint32_t *n)
{
    enum nrpc_status status = nrpc_compression_inflate(call, flag, data, n);
    if (status != NRPC_OK) {
        nrpc_grpc_fail(call, status,
                       status == NRPC_INTERNAL ? "message does not inflate" : "message too large");
    }
    return status == NRPC_OK;
}

/* Delivers the message that begins at data. Returns the bytes that it took; 0 when it is not all
 * there, or when the call has been finished instead. */
static uint32_t deliver(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    int streams = kind_of(call) & NRPC_CLIENT_STREAM;
#if NRPC_PIECES
    if (call->method->codec->take) {
        return call->method->codec->take(call, data, n);
    }
#endif
    if (n < NRPC_PREFIX_BYTES) {
        return 0;
    }
    uint32_t length = nrpc_get32(data + 1);
    if (!nrpc_compression_allows(call, data[0])) {
        nrpc_grpc_fail(call, NRPC_INTERNAL, "no grpc-encoding");
        return 0;
    }
    if (length > nrpc_compression_limit(call, data[0]) &&
        (!NRPC_SHRINK || data[0] || !call->method->codec->shrink)) {
        nrpc_grpc_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
        return 0;
    }
    uint32_t have = n - NRPC_PREFIX_BYTES, bytes = length + NRPC_PREFIX_BYTES;
    if (have < length || (!streams && !(call->flags & NRPC_CALL_RX_END))) {
        return 0; /* a single request is delivered once it is known to be the only one */
    }
    if (!streams && have > length) {
        nrpc_grpc_fail(call, NRPC_INTERNAL, "not one message");
        return 0;
    }
    const uint8_t *message = data + NRPC_PREFIX_BYTES;
    if (!nrpc_grpc_inflate(call, data[0], &message, &length)) {
        return 0;
    }
    deliver_message(call, message, length);
    return bytes;
}

/* The block is full, and what it has is less than a message: the codec takes out what need not be
 * there. That costs work in proportion to the block. Once a message it is free; after that, what
 * frees less than a quarter of the block is a glitch: else bytes of a message could be made to cost
 * as much each. */
static void shrink(struct nrpc_call *call)
{
    struct nrpc_conn *conn = nrpc_call_conn(call);
    uint8_t *message = nrpc_call_rx(call) + NRPC_PREFIX_BYTES;
    uint32_t n = call->rx_have - (uint32_t)NRPC_PREFIX_BYTES;
    uint32_t again = call->rx_drop;
    if (!NRPC_SHRINK || nrpc_call_rx_free(call) || again > 1 || nrpc_grpc_is_busy(call) ||
        !call->method->codec->shrink || n >= nrpc_get32(message - 4)) {
        return;
    }
    call->rx_drop = 1;
    uint32_t less = n - call->method->codec->shrink(call, message, n);
    call->rx_have = (nrpc_block_size)(call->rx_have - less);
    uint32_t few = conn->server->rx_bytes / 4;
    if (again && (int32_t)less <= (int32_t)few && call->rx_drop <= few) {
        nrpc_conn_glitch(conn);
    }
    if (!nrpc_call_rx_free(call) || (conn->flags & NRPC_CONN_DEAD)) {
        nrpc_grpc_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
    }
}

/* Delivers from the receive block while that is possible. */
static void deliver_kept(struct nrpc_call *call)
{
    uint8_t *rx = nrpc_call_rx(call);
    uint32_t at = 0, used;
    while ((!NRPC_SHRINK || call->rx_drop <= 1) && !nrpc_grpc_is_busy(call) &&
           (used = deliver(call, rx + at, call->rx_have - at)) > 0) {
        at += used;
        call->rx_drop = 0;
    }
    call->rx_have = (nrpc_block_size)(call->rx_have - at);
    memmove(rx, rx + at, call->rx_have);
    shrink(call);
}

/* Puts the next bytes into the receive block. Returns how many there was room for. */
static uint32_t keep(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    uint32_t drop = NRPC_SHRINK && call->rx_drop > 1 ? call->rx_drop - 1 : 0;
    uint32_t room = drop ? drop : nrpc_call_rx_free(call);
    n = n < room ? n : room;
    if (drop) {
        call->rx_drop -= n;
    } else {
        memcpy(nrpc_call_rx(call) + call->rx_have, data, (size_t)n);
        call->rx_have = (nrpc_block_size)(call->rx_have + n);
    }
    return n;
}

static void deliver_half_close(struct nrpc_call *call)
{
    if ((call->flags & (NRPC_CALL_BUSY | NRPC_CALL_RX_END | NRPC_CALL_HALF_CLOSED)) !=
        NRPC_CALL_RX_END) {
        return;
    }
    call->flags |= NRPC_CALL_HALF_CLOSED;
    if (call->rx_have || (call->flags & NRPC_CALL_TAKING)) {
        nrpc_grpc_fail(call, NRPC_INTERNAL, "message cut short");
    } else if (kind_of(call) & (NRPC_CLIENT_STREAM | NRPC_CALLER)) {
        settle(call, call->method->codec->message(call, NULL, 0), 1);
    } else if (!(call->flags & NRPC_CALL_REQUESTED)) {
        nrpc_grpc_fail(call, NRPC_INTERNAL, "not one message");
    }
}

static void pull(struct nrpc_call *call)
{
    const unsigned all = NRPC_CALL_REQUESTED | NRPC_CALL_FINISHED | NRPC_CALL_ASLEEP | NRPC_CALL_TX;
    if (!(kind_of(call) & NRPC_SERVER_STREAM) && !call->method->next) {
        return;
    }
    if ((call->flags & all) != NRPC_CALL_REQUESTED) {
        return;
    }
    enum nrpc_status status = call->method->codec->next(call);
    if (status == NRPC_PENDING) {
        call->flags |= NRPC_CALL_ASLEEP;
    } else if (status != NRPC_MORE) {
        nrpc_call_finish(call, status, NULL);
    } else if (!(call->flags & NRPC_CALL_TX)) {
        nrpc_call_finish(call, NRPC_INTERNAL, NULL);
    }
}

void nrpc_grpc_advance(struct nrpc_call *call)
{
    if (call->flags & NRPC_CALL_FINISHED) {
        return;
    }
    deliver_kept(call);
    deliver_half_close(call);
    pull(call);
}

uint32_t nrpc_up_data(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    while (n && !(call->flags & NRPC_CALL_FINISHED)) {
        uint32_t used = 0;
        if (!call->rx_have && !nrpc_grpc_is_busy(call)) {
            used = deliver(call, data, n); /* in place, without a copy */
        }
        if (!used && !(call->flags & NRPC_CALL_FINISHED)) {
            used = keep(call, data, n);
            deliver_kept(call);
            if (!used && !nrpc_call_rx_free(call)) {
                if (nrpc_grpc_is_busy(call)) {
                    return n; /* it waits until the handler may be called again */
                }
                nrpc_grpc_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
            }
        }
        data += used;
        n -= used;
    }
    nrpc_grpc_advance(call);
    nrpc_stream_queue(call); /* the window may have to be opened again */
    return 0;
}
