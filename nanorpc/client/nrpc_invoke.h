/* nanorpc/client/nrpc_invoke.h - the inside of clients: what client.c, channel.c and invoke.c know
 * of each other. Layer: core. Source: gRPC over HTTP2 "Requests".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_INVOKE_H
#define NANORPC_INVOKE_H

#include "nanorpc/client.h"
#include "nanorpc/http2/nrpc_role.h"

/* struct nrpc_call.client. NRPC_CALL_HEADERS and call->id say whether the request has left on this
 * link. */
enum nrpc_client_flag {
    NRPC_CLIENT_STARTED = 0x01,  /* the deadline is known to the call */
    NRPC_CLIENT_WAITS = 0x02,    /* wait-for-ready */
    NRPC_CLIENT_WROTE = 0x04,    /* a request message was written; the block has it until MORE */
    NRPC_CLIENT_MORE = 0x08,     /* another one was written */
    NRPC_CLIENT_END_SENT = 0x20, /* END_STREAM has left */
    NRPC_CLIENT_ANSWERED = 0x40, /* the response's headers have come */
    NRPC_CLIENT_RETRIED = 0x80,
    NRPC_CLIENT_OWED = 0x100,   /* `done` has not been told */
    NRPC_CLIENT_CLOSED = 0x400, /* no request is written any more */
    NRPC_CLIENT_STATUS = 0x800  /* times 1 + the status that the trailers have brought; 0: they have
                                   not come */
};

/* Tells the call's `done`, unless it was told. text: NULL: the call's own message, as it stands on
 * the wire. Last of all where the slot is free already: a new call may take it. */
void nrpc_client_tell(struct nrpc_call *call, enum nrpc_status status, const char *text);

/* As nrpc_call_time_left_ms; the first time, the call's clock begins. */
uint32_t nrpc_client_time_left_ms(struct nrpc_call *call);

/* The call as it was before anything of it had left; it is open. */
void nrpc_client_put_back(struct nrpc_call *call);

/* The header block of a call's request, at most NRPC_TRANSMIT_MIN - 30 bytes, at p; returns its
 * end. */
uint8_t *nrpc_invoke_headers(struct nrpc_call *call, uint8_t *p);

#endif
