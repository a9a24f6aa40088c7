/* nanorpc/client/nrpc_client.c - the client's role on a connection: requests out, responses in, and
 * what a call's end means, or whether it is tried again.
 * Layer: core. Source: gRPC over HTTP2; gRPC "HTTP to gRPC Status Code Mapping"; RFC 9113 6.8, 8.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include "nanorpc/client/nrpc_invoke.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/http2/nrpc_transmit.h"

enum { H2_INADEQUATE_SECURITY = 12 };

/* --- What the end of a call is called ----------------------------------------------------- */

#define MEANS(http, status) (uint16_t)((http) << 5 | (status))
static const uint16_t http_statuses[] = {MEANS(200, NRPC_OK),
                                         MEANS(400, NRPC_INTERNAL),
                                         MEANS(431, NRPC_INTERNAL),
                                         MEANS(401, NRPC_UNAUTHENTICATED),
                                         MEANS(403, NRPC_PERMISSION_DENIED),
                                         MEANS(404, NRPC_UNIMPLEMENTED),
                                         MEANS(429, NRPC_UNAVAILABLE),
                                         MEANS(502, NRPC_UNAVAILABLE),
                                         MEANS(503, NRPC_UNAVAILABLE),
                                         MEANS(504, NRPC_UNAVAILABLE)};

static enum nrpc_status status_of_http(unsigned http)
{
    for (unsigned i = 0; i < sizeof http_statuses / sizeof http_statuses[0]; i++) {
        if (http_statuses[i] >> 5 == http) {
            return (enum nrpc_status)(http_statuses[i] & 31);
        }
    }
    return NRPC_UNKNOWN;
}

/* What a server calls cancelled when the call's time is up. It counts with a clock of its own,
 * which may be a little faster than ours: so "up" is a moment earlier here. (grpc-java asks the
 * clock as well, of resets and of trailers; some servers say CANCELLED in these.) */
static enum nrpc_status status_of_cancel(const struct nrpc_call *call)
{
    return nrpc_call_time_left_ms(call) <= call->timeout_ms / 16 + 32 ? NRPC_DEADLINE_EXCEEDED
                                                                      : NRPC_CANCELLED;
}

static enum nrpc_status status_of_reset(const struct nrpc_call *call, uint32_t code)
{
    switch (code) {
    case NRPC_H2_REFUSED_STREAM: return NRPC_UNAVAILABLE;
    case NRPC_H2_CANCEL: return status_of_cancel(call);
    case NRPC_H2_ENHANCE_YOUR_CALM: return NRPC_RESOURCE_EXHAUSTED;
    case H2_INADEQUATE_SECURITY: return NRPC_PERMISSION_DENIED;
    default: return NRPC_INTERNAL;
    }
}

/* --- Responses ---------------------------------------------------------------------------- */

/* All has come. A status that is no good makes a single reply void; those of a stream are delivered
 * first. */
static void trailers(struct nrpc_call *call, unsigned status)
{
    status = status == NRPC_CANCELLED ? status_of_cancel(call) : status;
    call->trailers = (uint8_t)(1 + status);
    call->flags &= (uint16_t)~(NRPC_CALL_TX | NRPC_CALL_PRODUCING); /* it is of no use any more */
    call->tx_length = 0;
    if (status && (!(call->method->kind & NRPC_CLIENT_STREAM) || (call->flags & NRPC_CALL_TAKING) ||
                   call->rx_drop)) {
        call->flags &= (uint16_t)~NRPC_CALL_TAKING;
        call->rx_have = 0;
    }
    nrpc_up_data(call, NULL, 0);
}

/* What headers that are not malformed say of a call in which nothing else has gone wrong. */
static enum nrpc_status verdict(const struct nrpc_call *call, const struct nrpc_fields *response,
                                int first)
{
    if (response->list_bytes > NRPC_HEADER_LIST_MAX || response->fault) {
        return NRPC_RESOURCE_EXHAUSTED;
    }
    if (first && !(response->seen & NRPC_FIELD(GRPC_STATUS))) {
        enum nrpc_status status = status_of_http(response->http_status);
        return status || ((response->seen & ~response->odd) & NRPC_FIELD(CONTENT_TYPE))
                   ? status
                   : NRPC_UNKNOWN;
    }
    return (call->flags & NRPC_CALL_RX_END) && call->body_left + 1 > 1
               ? NRPC_INTERNAL
               : NRPC_OK; /* RFC 9113 8.1.1 */
}

static void headers(struct nrpc_conn *conn)
{
    const struct nrpc_fields *response = &conn->fields;
    struct nrpc_call *call = nrpc_stream_find(conn, conn->frame.id);
    unsigned end = conn->block_flags & NRPC_END_STREAM;
    if (!call || !(call->flags & NRPC_CALL_OPEN)) {
        nrpc_conn_glitch(conn); /* given up while they were on their way */
        return;
    }
    unsigned first = !(call->client & NRPC_CLIENT_ANSWERED);
    unsigned interim = first && response->http_status - 100u < 100;
    if (nrpc_fields_are_malformed(response) ||
        (response->seen & NRPC_PSEUDO_FIELDS) != first * NRPC_FIELD(STATUS) ||
        (end ? interim : !first)) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    if (interim) {
        nrpc_conn_glitch(conn);
        return;
    }
    call->flags |= (uint16_t)(end * NRPC_CALL_RX_END);
    if (first) {
        call->client |= NRPC_CLIENT_ANSWERED;
        call->body_left = response->content_length;
    }
    enum nrpc_status status = verdict(call, response, (int)first);
    if (NRPC_COMPRESSION && first && !status && !nrpc_compression_takes(call, response)) {
        status = NRPC_INTERNAL;
    }
    if (status) {
        nrpc_call_finish(call, status, "not a gRPC response");
    } else if (end) {
        if (!(call->flags & NRPC_CALL_FINISHED)) { /* else it has its own message already */
            call->message_length = response->message_length;
        }
        trailers(call, response->grpc_status);
    } else if (call->events->headers && !(call->flags & NRPC_CALL_FINISHED)) {
        call->events->headers(nrpc_call_out(call));
    }
}

enum nrpc_status nrpc_client_message(struct nrpc_call *call, const void *reply, void *unused)
{
    NRPC_CALL_IN(call);
    const struct nrpc_client_method *method = (const struct nrpc_client_method *)call->method;
    unsigned streams = method->method.kind & NRPC_CLIENT_STREAM, status = call->trailers - 1u;
    (void)unused;
    if (!reply) { /* the response has come to its end, and what there was has been delivered */
        const char *text = NULL;
        if ((status | streams) == NRPC_OK && !(call->flags & NRPC_CALL_REQUESTED)) {
            status = NRPC_INTERNAL;
            text = "no reply";
        }
        nrpc_call_finish(call, (enum nrpc_status)status, text); /* none that has come: UNKNOWN */
        return NRPC_PENDING;
    }
    if (!streams && status != NRPC_OK) { /* all has come, so this as well */
        return NRPC_PENDING;
    }
    status = method->got(nrpc_call_out(call), reply, call->events);
    /* The end of a single one follows at once. */
    return (status | streams) ? (enum nrpc_status)status : NRPC_PENDING;
}

/* --- The stream is over, and no trailers have come ---------------------------------------- */

/* May the request be sent again? Only while the server has made nothing of it, and we have all of
 * it. */
static int may_retry(const struct nrpc_call *call)
{
    return !(call->client & (NRPC_CLIENT_RETRIED | NRPC_CLIENT_MORE | NRPC_CLIENT_ANSWERED));
}

void nrpc_client_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    NRPC_CALL_IN(call);
    uint32_t code = nrpc_call_conn(call)->reset_code;
    if (call->flags & NRPC_CALL_OPEN) { /* nrpc_grpc_fail: its turn resets the stream */
        nrpc_client_tell(call, why, NULL);
    } else if (call->trailers) { /* its owner does not take it yet */
        call->flags |= NRPC_CALL_OPEN | NRPC_CALL_HELD | NRPC_CALL_REQUESTED;
        nrpc_stream_opened(call);
        call->id = 0;
    } else if (why == NRPC_UNAVAILABLE && !call->id) {
        nrpc_client_put_back(call);
    } else if (why == NRPC_UNAVAILABLE) {
        nrpc_client_tell(call, why, "connection lost");
    } else if (code == NRPC_H2_REFUSED_STREAM && may_retry(call)) {
        call->client |= NRPC_CLIENT_RETRIED;
        nrpc_client_put_back(call);
    } else {
        nrpc_client_tell(call, status_of_reset(call, code), "stream reset");
    }
}

/* --- A call's turn to send ---------------------------------------------------------------- */

/* What they have waited for may have come. */
static void queue_all(struct nrpc_conn *conn)
{
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            nrpc_stream_queue(&conn->calls[i]);
        }
    }
}

/* May another stream be opened? */
static int may_open(const struct nrpc_conn *conn)
{
    uint32_t active = 0;
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        unsigned flags = conn->calls[i].flags;
        active += flags / NRPC_CALL_HEADERS & flags & NRPC_CALL_OPEN; /* both of them */
    }
    return (conn->flags & (NRPC_CONN_GREETED | NRPC_CONN_DRAIN | NRPC_CONN_LEAVES)) ==
               NRPC_CONN_GREETED &&
           active < UINT32_MAX - conn->streams_refused;
}

/* This link takes no more calls. */
static void leave(struct nrpc_conn *conn)
{
    if (!(conn->flags & NRPC_CONN_LEAVES)) {
        conn->flags |= NRPC_CONN_LEAVES;
        conn->drained = (uint16_t)(conn->now_ms >> NRPC_TICK_SHIFT);
    }
}

static void open_stream(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out)
{
    conn->last_id = call->id = (conn->last_id + 1) | 1; /* 1, 3, 5, ... */
    if (call->id >> 30) {                               /* before there are no more */
        leave(conn);
    }
    call->send_window = (int32_t)conn->peer_initial_window;
    nrpc_transmit_headers(call, out, nrpc_invoke_headers(call, out->at + NRPC_FRAME_HEADER_BYTES),
                          0);
}

/* The call is over; RFC 9113 8.1: so is its stream. */
static enum nrpc_turn close_stream(struct nrpc_conn *conn, struct nrpc_call *call,
                                   struct nrpc_out *out)
{
    int received = call->flags & NRPC_CALL_RX_END;
    if (call->id && !(received && (call->client & NRPC_CLIENT_END_SENT))) {
        nrpc_transmit_number(out, NRPC_RST_STREAM, call->id,
                             received ? NRPC_H2_NO_ERROR : NRPC_H2_CANCEL);
    }
    call->body_left = UINT32_MAX; /* what is on its way is not looked at */
    nrpc_conn_forgive(conn, NRPC_GLITCH);
    nrpc_stream_close(call, NRPC_OK);
    queue_all(conn);
    nrpc_client_tell(call, (enum nrpc_status)call->status, NULL);
    return NRPC_TURN_MORE; /* of another call, which may have waited for this one */
}

static enum nrpc_turn put_requests(struct nrpc_conn *conn, struct nrpc_call *call,
                                   struct nrpc_out *out)
{
    const unsigned more = NRPC_CALL_TX | NRPC_CALL_PRODUCING;
    if (!(call->flags & NRPC_CALL_TX)) {
        if (!(call->flags & more) &&
            (call->client & (NRPC_CLIENT_CLOSED | NRPC_CLIENT_END_SENT)) == NRPC_CLIENT_CLOSED) {
            call->client |= NRPC_CLIENT_END_SENT;
            out->at = nrpc_frame_write(out->at, 0, NRPC_TYPE_FLAGS(NRPC_DATA, NRPC_END_STREAM),
                                       call->id);
        }
        return NRPC_TURN_IDLE;
    }
    uint8_t *frame = out->at;
    enum nrpc_turn turn = nrpc_transmit_data(conn, call, out);
    if (!(call->flags & more)) {
        if (call->client & NRPC_CLIENT_CLOSED) {
            call->client |= NRPC_CLIENT_END_SENT;
            frame[4] = NRPC_END_STREAM; /* its flags */
        } else if (call->events->writable) {
            call->events->writable(nrpc_call_out(call));
        }
    }
    return turn;
}

static enum nrpc_turn turn(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out)
{
    nrpc_grpc_advance(call);
    if (call->flags & NRPC_CALL_FINISHED) {
        return close_stream(conn, call, out);
    }
    if (!(call->flags & NRPC_CALL_HEADERS)) {
        if ((call->flags & NRPC_CALL_RX_END) || !may_open(conn)) {
            return NRPC_TURN_IDLE;
        }
        open_stream(conn, call, out);
        return NRPC_TURN_MORE;
    }
    nrpc_transmit_window(conn, call, out);
    return put_requests(conn, call, out);
}

/* --- GOAWAY ------------------------------------------------------------------------------- */

enum { TOO_MANY_PINGS_BYTES = 14 };
#define KEEPALIVE_MAX_MS 7200000

/* What the next link owes to this one's end. In good order, after it has taken a call of ours: no
 * wait (each such link costs a call, so this is no hot loop). For "too_many_pings" (gRPC A8): half
 * as many of them. Its debug data is known by its length. */
static void note_for_the_next(struct nrpc_conn *conn, uint32_t last_id, uint32_t code)
{
    struct nrpc_dial *dial = conn->dial;
    if (code == NRPC_H2_NO_ERROR && last_id && conn->last_id) {
        dial->held = dial->failures = 0;
    }
    if (NRPC_KEEPALIVE_MS && code == NRPC_H2_ENHANCE_YOUR_CALM &&
        conn->frame.length == TOO_MANY_PINGS_BYTES &&
        (uint32_t)NRPC_KEEPALIVE_MS << dial->calmed < KEEPALIVE_MAX_MS) {
        dial->calmed++;
    }
}

static void goaway(struct nrpc_conn *conn, uint32_t last_id, uint32_t code)
{
    note_for_the_next(conn, last_id, code);
    leave(conn);
    nrpc_conn_glitch(conn);
    for (unsigned i = 0; (i = nrpc_stream_from(conn, i)) < NRPC_MAX_STREAMS; i++) {
        struct nrpc_call *call = &conn->calls[i];
        if ((call->flags & NRPC_CALL_OPEN) && call->id > last_id) {
            conn->reset_code = NRPC_H2_REFUSED_STREAM;
            nrpc_stream_close(call, NRPC_CANCELLED);
        }
    }
}

const struct nrpc_role nrpc_client_role = {
    .headers = headers,
    .turn = turn,
    .goaway = goaway,
};

#endif
