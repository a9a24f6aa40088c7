/* nanorpc/request.c - what a request's headers must be, and what is answered when they are not.
 * Layer: core. Source: RFC 9113 8; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "grpc.h"

enum seen {
    SEEN_METHOD = 1 << NRPC_T_METHOD,
    SEEN_PATH = 1 << NRPC_T_PATH,
    SEEN_SCHEME = 1 << NRPC_T_SCHEME,
    SEEN_AUTHORITY = 1 << NRPC_T_AUTHORITY,
    SEEN_PSEUDO = SEEN_METHOD | SEEN_PATH | SEEN_SCHEME | SEEN_AUTHORITY,
    SEEN_REGULAR = 0x10,
    MALFORMED = 0x20,
    TOO_LARGE = 0x40,
    NOT_POST = 0x80,
    GRPC_CONTENT = 0x100,
    ENCODED = 0x200 /* grpc-encoding names one that we lack */
};

void nrpc_request_begin(struct nrpc_request *request)
{
    request->content_length = UINT32_MAX;
    request->list_bytes = 0;
    request->path = NRPC_PATH_MALFORMED;
    request->seen = 0;
}

/* RFC 9113 8.3: each pseudo-header once, and all of them before the other fields. */
static unsigned pseudo_header(const struct nrpc_request *request, uint8_t token)
{
    unsigned bit = 1u << token;
    return request->seen & (bit | SEEN_REGULAR) ? MALFORMED : bit;
}

void nrpc_request_field(void *context, const struct nrpc_field *field)
{
    struct nrpc_request *request = context;
    unsigned seen = SEEN_REGULAR;
    switch (field->token) {
    case NRPC_T_METHOD: seen = pseudo_header(request, field->token) | (field->value ? NOT_POST : 0u); break;
    case NRPC_T_PATH:
        seen = pseudo_header(request, field->token);
        request->path = (uint16_t)field->value;
        break;
    case NRPC_T_SCHEME:
    case NRPC_T_AUTHORITY: seen = pseudo_header(request, field->token); break;
    case NRPC_T_CONTENT_LENGTH:
        if (request->content_length != UINT32_MAX && request->content_length != field->value) {
            seen |= MALFORMED;
        }
        request->content_length = field->value;
        break;
    case NRPC_T_CONTENT_TYPE: seen |= field->value ? 0u : GRPC_CONTENT; break;
    case NRPC_T_GRPC_ENCODING: seen |= field->value ? ENCODED : 0u; break;
    default: break;
    }
    if (field->malformed) {
        seen |= MALFORMED;
    }
    request->list_bytes += field->bytes;
    if (request->list_bytes > NRPC_HEADER_LIST_MAX) {
        request->list_bytes = NRPC_HEADER_LIST_MAX; /* no further: it must not wrap */
        seen |= TOO_LARGE;
    }
    request->seen |= (uint16_t)seen;
}

void nrpc_request_malformed(struct nrpc_request *request)
{
    request->seen |= MALFORMED;
}

/* Trailers of a request carry nothing that a server needs, but they end it. */
static void trailers(struct nrpc_conn *conn, struct nrpc_call *call)
{
    if ((conn->request.seen & (MALFORMED | SEEN_PSEUDO)) || !(conn->block_flags & NRPC_END_STREAM) ||
        (call->body_left != UINT32_MAX && call->body_left != 0)) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    call->flags |= NRPC_CALL_RX_END;
    nrpc_grpc_receive(call, NULL, 0);
}

/* WIRE: 431, 405, 415 in HTTP, the rest as gRPC statuses. Returns 1 when the call may go on. */
static int admit(struct nrpc_call *call, const struct nrpc_request *request)
{
    unsigned seen = request->seen;
    if (seen & TOO_LARGE) {
        nrpc_grpc_refuse_http(call, 431);
    } else if (seen & NOT_POST) {
        nrpc_grpc_refuse_http(call, 405);
    } else if (!(seen & GRPC_CONTENT)) {
        nrpc_grpc_refuse_http(call, 415);
    } else if (request->path == NRPC_PATH_UNKNOWN) {
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "unknown method");
    } else if (seen & ENCODED) {
        call->flags |= NRPC_CALL_ENCODINGS;
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "grpc-encoding not supported");
    } else {
        call->service = (uint8_t)(request->path >> 8);
        call->method = (uint8_t)request->path;
        return 1;
    }
    return 0;
}

void nrpc_request_end(struct nrpc_conn *conn)
{
    const struct nrpc_request *request = &conn->request;
    uint32_t id = conn->block_id;
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    int end = conn->block_flags & NRPC_END_STREAM;
    if (call) {
        if (!(call->flags & NRPC_CALL_OPEN)) {
            return; /* closed while its trailers were on their way */
        }
        trailers(conn, call);
        return;
    }
    int truncated = end && request->content_length != UINT32_MAX && request->content_length != 0;
    unsigned required = SEEN_METHOD | SEEN_PATH | SEEN_SCHEME;
    if ((request->seen & MALFORMED) || (request->seen & required) != required ||
        request->path == NRPC_PATH_MALFORMED || truncated) {
        nrpc_conn_reset(conn, id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    call = conn->flags & (NRPC_CONN_GOAWAY_DUE | NRPC_CONN_GOAWAY_SENT) ? NULL : nrpc_stream_open(conn, id);
    if (!call) {
        nrpc_conn_reset(conn, id, NRPC_H2_REFUSED_STREAM);
        return;
    }
    call->body_left = request->content_length;
    if (end) {
        call->flags |= NRPC_CALL_RX_END;
    }
    if (admit(call, request)) {
        nrpc_grpc_receive(call, NULL, 0); /* nothing yet, but a bidi handler may speak first */
    }
}
