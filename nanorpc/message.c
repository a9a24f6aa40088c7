/* nanorpc/message.c - typed calls over the raw ones; the only file that knows nanopb.
 * Layer: core. Source: nanopb's pb_decode.h and pb_encode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "grpc.h"

static void *empty_reply(struct nrpc_call *call)
{
    return memset(nrpc_call_conn(call)->server->reply, 0, call->method->reply_bytes);
}

int nrpc_call_send(struct nrpc_call *call, const void *reply)
{
    size_t room;
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (!at) {
        return call->tx_length ? NRPC_E_AGAIN : NRPC_E_STATE;
    }
    pb_ostream_t stream = pb_ostream_from_buffer(at, room);
    if (!pb_encode(&stream, call->method->reply, reply)) {
        return NRPC_E_TOO_BIG;
    }
    nrpc_call_commit(call, stream.bytes_written);
    return 0;
}

int nrpc_call_reply(struct nrpc_call *call, const void *reply)
{
    int error = nrpc_call_send(call, reply);
    return error ? error : nrpc_call_finish(call, NRPC_OK, NULL);
}

/* A handler that sent something itself has left *reply alone. */
static enum nrpc_status send_reply(struct nrpc_call *call, const void *reply, enum nrpc_status status)
{
    if (call->tx_length || nrpc_call_send(call, reply) != NRPC_E_TOO_BIG) {
        return status;
    }
    return nrpc_call_fail(call, NRPC_INTERNAL, "reply too large");
}

static enum nrpc_status typed_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    const struct nrpc_method *method = call->method;
    void *request = NULL;
    if (data) {
        pb_istream_t stream = pb_istream_from_buffer(data, n);
        request = nrpc_call_conn(call)->server->request;
        if (!pb_decode(&stream, method->request, request)) {
            nrpc_grpc_fail(call, NRPC_INTERNAL, "request malformed");
            return NRPC_INTERNAL;
        }
    }
    void *reply = empty_reply(call);
    enum nrpc_status status = method->handler(call, request, reply);
    int replies = method->kind == NRPC_UNARY || (method->kind == NRPC_CLIENT_STREAM && !data);
    return status == NRPC_OK && replies ? send_reply(call, reply, status) : status;
}

static enum nrpc_status typed_next(struct nrpc_call *call)
{
    void *reply = empty_reply(call);
    enum nrpc_status status = call->method->next(call, reply);
    return status == NRPC_MORE ? send_reply(call, reply, status) : status;
}

const struct nrpc_codec nrpc_typed = {
    .message = typed_message,
    .next = typed_next,
};
