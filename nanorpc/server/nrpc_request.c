/* nanorpc/server/nrpc_request.c - what a request's headers must be, and what is answered when they
 * are not.
 * Layer: core. Source: RFC 9113 8; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/http2/nrpc_role.h"

/* What each request has. */
#define NEEDED (NRPC_FIELD(METHOD) | NRPC_FIELD(PATH) | NRPC_FIELD(SCHEME))

/* Trailers of a request carry nothing that a server needs, but they end it. */
static void trailers(struct nrpc_conn *conn, struct nrpc_call *call)
{
    if (nrpc_fields_are_malformed(&conn->fields) || (conn->fields.seen & NRPC_PSEUDO_FIELDS) ||
        !(conn->block_flags & NRPC_END_STREAM) || call->body_left + 1 > 1) {
        nrpc_conn_reset(conn, call->id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    call->flags |= NRPC_CALL_RX_END;
    if (call->flags & NRPC_CALL_OPEN) {
        nrpc_up_data(call, NULL, 0);
    }
}

/* Asks the interceptors. Returns 1 when the call may go on. */
static int intercept(const struct nrpc_server *server, struct nrpc_call *call)
{
    for (unsigned i = 0; i < server->n_interceptors; i++) {
        enum nrpc_status (*begin)(struct nrpc_call *) = server->interceptors[i].begin;
        enum nrpc_status status = begin ? begin(nrpc_call_out(call)) : NRPC_OK;
        if (status != NRPC_OK) {
            nrpc_call_finish(call, status, NULL);
            return 0;
        }
    }
    return 1;
}

/* WIRE: 431, 405, 415 in HTTP, the rest as gRPC statuses. Returns 1 when the call may go on. */
static int admit(struct nrpc_conn *conn, struct nrpc_call *call)
{
    const struct nrpc_fields *request = &conn->fields;
    if (request->list_bytes > NRPC_HEADER_LIST_MAX) {
        nrpc_grpc_refuse_http(call, "431\r\n");
    } else if (request->odd & NRPC_FIELD(METHOD)) {
        nrpc_grpc_refuse_http(call, "405\r\n");
    } else if (!(request->seen & ~request->odd & NRPC_FIELD(CONTENT_TYPE))) {
        nrpc_grpc_refuse_http(call, "415\r\n");
    } else if (request->path == NRPC_PATH_UNKNOWN) {
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "unknown method");
    } else if (!nrpc_compression_takes(call, request)) {
        call->flags |= NRPC_CALL_ENCODINGS;
        nrpc_call_finish(call, NRPC_UNIMPLEMENTED, "unknown grpc-encoding");
    } else if (request->fault) {
        nrpc_call_finish(call, (enum nrpc_status)request->fault, "bad metadata");
    } else {
        call->method = &conn->server->services[request->path >> 8]->methods[request->path & 0xff];
        nrpc_compression_accept(call, request);
        call->timeout_ms = request->timeout_ms;
        conn->flags |= call->timeout_ms != NRPC_NO_DEADLINE ? NRPC_CONN_TIMER : 0;
        return intercept(conn->server, call);
    }
    return 0;
}

/* No table from here on, RFC 7541 4.2: what our ring is too small for, the client sends in full. */
static void end_table(struct nrpc_conn *conn)
{
    uint8_t *p = nrpc_conn_control(conn, 6, NRPC_TYPE_FLAGS(NRPC_SETTINGS, 0), 0);
    nrpc_put32(nrpc_put32(p, (uint32_t)NRPC_HEADER_TABLE_SIZE << 16) - 2, 0);
}

/* Without a slot, without what it refers to, or too late: the client may try it again. */
static int is_refused(struct nrpc_conn *conn)
{
    if (conn->flags & NRPC_CONN_GOAWAY) {
        return 1;
    }
    if (NRPC_METADATA_BYTES && conn->fields.fault == NRPC_FAULT_LOST) {
        end_table(conn);
        return 1;
    }
    return !conn->block_call;
}

void nrpc_up_request(struct nrpc_conn *conn)
{
    const struct nrpc_fields *fields = &conn->fields;
    uint32_t id = conn->frame.id; /* HEADERS or CONTINUATION */
    struct nrpc_call *call = (NRPC_FAST || NRPC_MANY_STREAMS) && conn->block_call
                                 ? NULL
                                 : nrpc_stream_find(conn, id);
    int end = conn->block_flags & NRPC_END_STREAM;
    if (call) {
        if (!(call->flags & NRPC_CALL_RX_END)) { /* else it has just been reset */
            trailers(conn, call);
        }
        return;
    }
    if ((fields->seen & (NEEDED | NRPC_FIELD(STATUS))) != NEEDED ||
        nrpc_fields_are_malformed(fields) ||
        (end && fields->content_length + 1 > 1)) { /* RFC 9113 8.1.1 */
        nrpc_conn_reset(conn, id, NRPC_H2_PROTOCOL_ERROR);
        return;
    }
    if (is_refused(conn)) {
        nrpc_conn_reset(conn, id, NRPC_H2_REFUSED_STREAM);
        return;
    }
    call = conn->block_call;
    nrpc_stream_open(call, id);
    call->body_left = fields->content_length;
    if (end) {
        call->flags |= NRPC_CALL_RX_END;
    }
    if (!admit(conn, call)) {
        return;
    }
    if (call->method->kind & NRPC_CLIENT_STREAM) {
        call->flags |= NRPC_CALL_REQUESTED; /* the handler may speak first, or not be there */
    } else if (!end) {
        return;
    }
    nrpc_up_data(call, NULL, 0);
}
