/* nanorpc/grpc/nrpc_message.c - typed calls over the raw ones, by nanopb.
 * Layer: core. Source: nanopb's pb_decode.h and pb_encode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "nanorpc/grpc/nrpc_typed.h"
#include "nanorpc/streamed.h"

enum { NEVER = 255 }; /* no answer of a handler */

int nrpc_typed_send(struct nrpc_call *call, const void *reply)
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

int nrpc_call_send(struct nrpc_call *call, const void *reply)
{
    NRPC_CALL_IN(call);
    return call->method->codec->send(call, reply);
}

int nrpc_call_reply(struct nrpc_call *call, const void *reply)
{
    int error = nrpc_call_send(call, reply);
    return error ? error : nrpc_call_finish(call, NRPC_OK, NULL);
}

/* Asks the handler; `due` is the answer that leaves a reply in *reply, to be sent unless the
 * handler has sent something itself. */
static enum nrpc_status ask(struct nrpc_call *call, const void *request, unsigned due)
{
    const struct nrpc_method *method = call->method;
    void *reply = memset(nrpc_call_conn(call)->server->reply, 0, method->reply_bytes);
    enum nrpc_status status = due == NRPC_MORE
                                  ? method->next(nrpc_call_out(call), reply)
                                  : method->handler(nrpc_call_out(call), request, reply);
    if (status == due && !call->tx_length && nrpc_call_send(call, reply) == NRPC_E_TOO_BIG) {
        status = nrpc_typed_refuse_reply(call, reply);
    }
    return status;
}

enum nrpc_status nrpc_typed_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    const struct nrpc_method *method = call->method;
    void *request = NULL;
    if (data) {
        pb_istream_t stream = pb_istream_from_buffer(data, n);
        request = nrpc_call_conn(call)->server->request;
        memset(request, 0, method->request_zeros); /* what nanopb would do field by field */
        if (!pb_decode_ex(&stream, method->request, request,
                          method->request_zeros ? PB_DECODE_NOINIT : 0)) {
            return nrpc_typed_refuse(call, data, n);
        }
    }
    /* a reply is due for the one request, or for the end of many */
    return ask(call, request,
               method->kind == (data ? NRPC_UNARY : NRPC_CLIENT_STREAM) ? NRPC_OK : NEVER);
}

enum nrpc_status nrpc_typed_next(struct nrpc_call *call)
{
    return ask(call, NULL, NRPC_MORE);
}

const struct nrpc_codec nrpc_typed_whole = {
    .message = nrpc_typed_message,
    .next = nrpc_typed_next,
    .send = nrpc_typed_send,
};

const struct nrpc_codec nrpc_typed = {
    .message = nrpc_typed_message,
    .next = nrpc_typed_next,
    .send = nrpc_typed_send,
#if NRPC_SHRINK
    .shrink = nrpc_typed_shrink,
#endif
};
