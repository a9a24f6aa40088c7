/* nanorpc/client_typed.c - typed calls of clients: requests encoded, replies decoded, by nanopb.
 * Layer: core. Source: nanopb's pb_decode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#if NRPC_CLIENT
#include <pb_decode.h>

#include "grpc.h"
#include "invoke.h"
#include "streamed.h"

enum nrpc_status nrpc_client_typed_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    void *reply = NULL;
    if (data) {
        pb_istream_t stream = pb_istream_from_buffer(data, n);
        reply = nrpc_call_conn(call)->server->request;
        if (!pb_decode(&stream, call->method->request, reply)) {
            nrpc_grpc_fail(call, NRPC_INTERNAL, "reply malformed");
            return NRPC_INTERNAL;
        }
    }
    return nrpc_client_message(call, reply);
}

const struct nrpc_codec nrpc_client_typed = {
    .message = nrpc_client_typed_message,
    .send = nrpc_typed_send,
};

#endif
