/* nanorpc/server/nrpc_request.c - what a request's headers must be, and what is answered when they
 * are not. Layer: core. Source: RFC 9113 8; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/server/nrpc_request.h"

#include "nanorpc/compression.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/grpc/nrpc_metadata.h"
#include "nanorpc/http2/nrpc_role.h"

/* Sets of tokens. */
enum {
    METHOD = 1 << NRPC_T_METHOD,
    PATH = 1 << NRPC_T_PATH,
    SCHEME = 1 << NRPC_T_SCHEME,
#if NRPC_CLIENT
    STATUS = 1 << NRPC_T_STATUS,
    GRPC_STATUS = 1 << NRPC_T_GRPC_STATUS,
#else
    STATUS = 0,
    GRPC_STATUS = 0,
#endif
    PSEUDO = METHOD | PATH | SCHEME | STATUS | 1 << NRPC_T_AUTHORITY,
    CONTENT_LENGTH = 1 << NRPC_T_CONTENT_LENGTH,
    CONTENT_TYPE = 1 << NRPC_T_CONTENT_TYPE,
    GRPC_ENCODING = 1 << NRPC_T_GRPC_ENCODING,
    GRPC_TIMEOUT = 1 << NRPC_T_GRPC_TIMEOUT,
    BAD = 1 << NRPC_T_BAD
};

void nrpc_request_begin(struct nrpc_conn *conn)
{
    struct nrpc_request *request = &conn->request;
#if NRPC_METADATA_BYTES
    struct nrpc_call *call = nrpc_stream_find(conn, conn->block_id);
    if (nrpc_role_calls(conn)) {
        conn->vacant = call && (call->flags & NRPC_CALL_OPEN) ? call : NULL;
    } else {
        conn->vacant = call ? NULL : nrpc_stream_vacant(conn);
        if (conn->vacant) {
            conn->vacant->metadata_used = 0;
        }
    }
#endif
    request->content_length = request->timeout_ms = UINT32_MAX;
    request->fault = NRPC_OK;
    request->list_bytes = 0;
    request->seen = request->odd = 0;
#if NRPC_COMPRESSION
    request->encoding = request->accepted = 0;
#endif
}

void nrpc_request_malformed(struct nrpc_request *request)
{
    request->odd |= BAD;
}

static void note_fault(struct nrpc_request *request, uint8_t fault)
{
    request->fault = fault > request->fault ? fault : request->fault;
}

/* The value of a key. Returns what its name is to the rest of the request. */
static unsigned key_field(struct nrpc_conn *conn, const struct nrpc_hpack *field)
{
#if NRPC_METADATA_BYTES
#if NRPC_FAST
    conn->request.odd |= NRPC_HAS_KEYS;
#endif
    if (conn->vacant) {
        note_fault(&conn->request, nrpc_metadata_take(conn->vacant, field));
    }
#else
    (void)conn;
    (void)field;
#endif
    return NRPC_T_OTHER;
}

void nrpc_request_field(struct nrpc_conn *conn, const struct nrpc_hpack *field)
{
    struct nrpc_request *request = &conn->request;
    unsigned bit = 1u << (field->token >= NRPC_T_KEY ? key_field(conn, field) : field->token);
    unsigned not_before = bit & PSEUDO ? bit | ~(unsigned)PSEUDO : bit & CONTENT_LENGTH;
    if (field->bad || (request->seen & not_before)) { /* RFC 9113 8.3 */
        nrpc_request_malformed(request);
    }
    request->seen |= bit;
    request->odd |= field->value ? bit : 0;
    if (bit & (PATH | STATUS)) {
        request->path = (uint16_t)field->value;
    } else if (bit == CONTENT_LENGTH) {
        request->content_length = field->value;
    } else if (bit & (GRPC_TIMEOUT | GRPC_STATUS)) {
        request->timeout_ms = field->value;
        if (field->value == UINT32_MAX) {
            note_fault(request, NRPC_INTERNAL);
        }
    }
#if NRPC_COMPRESSION
    if (bit == GRPC_ENCODING) {
        request->encoding |= (uint8_t)field->value;
    } else if (field->token == NRPC_T_GRPC_ACCEPT_ENCODING) {
        request->accepted |= (uint8_t)field->value;
    }
#endif
    request->list_bytes += field->bytes;
}

/* Trailers of a request carry nothing that a server needs, but they end it. */
static void trailers(struct nrpc_conn *conn, struct nrpc_call *call)
{
    if (((conn->request.seen | conn->request.odd) & (BAD | PSEUDO)) ||
        !(conn->block_flags & NRPC_END_STREAM) || call->body_left + 1 > 1) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    call->flags |= NRPC_CALL_RX_END;
    if (call->flags & NRPC_CALL_OPEN) {
        nrpc_grpc_receive(call, NULL, 0);
    }
}

/* Asks the interceptors. Returns 1 when the call may go on. */
static int intercept(const struct nrpc_server *server, struct nrpc_call *call)
{
    for (unsigned i = 0; i < server->n_interceptors; i++) {
        enum nrpc_status (*begin)(struct nrpc_call *) = server->interceptors[i].begin;
        enum nrpc_status status = begin ? begin(call) : NRPC_OK;
        if (status != NRPC_OK) {
            nrpc_call_finish(call, status, NULL);
            return 0;
        }
    }
    return 1;
}

/* Whether its messages may come in that encoding. */
static int knows_encoding(struct nrpc_call *call, const struct nrpc_request *request)
{
#if NRPC_COMPRESSION
    return nrpc_compression_begin(call, request->encoding, request->accepted);
#else
    (void)call;
    return !(request->odd & GRPC_ENCODING);
#endif
}

/* WIRE: 431, 405, 415 in HTTP, the rest as gRPC statuses. Returns 1 when the call may go on. */
static int admit(struct nrpc_conn *conn, struct nrpc_call *call)
{
    const struct nrpc_request *request = &conn->request;
    unsigned odd = request->odd;
    if (request->list_bytes > NRPC_HEADER_LIST_MAX) {
        nrpc_grpc_refuse_http(call, "431\r\n");
    } else if (odd & METHOD) {
        nrpc_grpc_refuse_http(call, "405\r\n");
    } else if (!(request->seen & CONTENT_TYPE) || (odd & CONTENT_TYPE)) {
        nrpc_grpc_refuse_http(call, "415\r\n");
    } else if (request->path == NRPC_PATH_UNKNOWN) {
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "unknown method");
    } else if (!knows_encoding(call, request)) {
        call->flags |= NRPC_CALL_ENCODINGS;
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "unknown grpc-encoding");
    } else if (request->fault) {
        nrpc_call_finish(call, (enum nrpc_status)request->fault, "bad metadata");
    } else {
        call->method = &conn->server->services[request->path >> 8]->methods[request->path & 0xff];
        call->timeout_ms = request->timeout_ms;
        conn->flags |= call->timeout_ms != NRPC_NO_DEADLINE ? NRPC_CONN_TIMER : 0;
        return intercept(conn->server, call);
    }
    return 0;
}

/* The slot for the request that has come, or NULL: it is refused, and the client may try it again.
 */
static struct nrpc_call *vacant(struct nrpc_conn *conn)
{
    if (conn->flags & NRPC_CONN_GOAWAY) {
        return NULL;
    }
#if NRPC_METADATA_BYTES
    if (conn->request.fault == NRPC_FAULT_LOST) {
        /* No table from here on, RFC 7541 4.2: what our ring is too small for, the client sends in
         * full. */
        uint8_t *p = nrpc_conn_control(conn, 6, NRPC_TYPE_FLAGS(NRPC_SETTINGS, 0), 0);
        nrpc_put32(nrpc_put32(p, (uint32_t)NRPC_HEADER_TABLE_SIZE << 16) - 2, 0);
        return NULL;
    }
    return conn->vacant;
#else
    return nrpc_stream_vacant(conn);
#endif
}

void nrpc_request_end(struct nrpc_conn *conn)
{
    const struct nrpc_request *request = &conn->request;
    uint32_t id = conn->frame.id; /* HEADERS or CONTINUATION */
    struct nrpc_call *call = nrpc_stream_find(conn, id);
    int end = conn->block_flags & NRPC_END_STREAM;
    if (call) {
        if (!(call->flags & NRPC_CALL_RX_END)) { /* else it has just been reset */
            trailers(conn, call);
        }
        return;
    }
    conn->last_id = id; /* only now: until here nrpc_stream_find need not search to see that it is
                           new */
    unsigned pseudo = request->seen & (METHOD | PATH | SCHEME | STATUS);
    if (pseudo != (METHOD | PATH | SCHEME) || (request->odd & BAD) ||
        (end && request->content_length + 1 > 1)) { /* RFC 9113 8.1.1 */
        nrpc_conn_reset(conn, id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    call = vacant(conn);
    if (!call) {
        nrpc_conn_reset(conn, id, NRPC_H2_REFUSED_STREAM);
        return;
    }
    nrpc_stream_open(call, id);
    call->body_left = request->content_length;
    if (end) {
        call->flags |= NRPC_CALL_RX_END;
    }
    if (!admit(conn, call)) {
        return;
    }
    if (call->method->kind & NRPC_CLIENT_STREAM) {
        call->flags |= NRPC_CALL_REQUESTED; /* the handler may speak first, or say that it is not
                                               there */
    } else if (!end) {
        return;
    }
    nrpc_grpc_receive(call, NULL, 0);
}
