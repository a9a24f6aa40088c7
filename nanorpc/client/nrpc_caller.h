/* nanorpc/client/nrpc_caller.h - a call that we make: how far it is, what its owner is told.
 * Layer: core. Source: gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CALLER_H
#define NANORPC_CALLER_H

#include "nanorpc/client.h"
#include "nanorpc/http2/nrpc_conn.h"

/* struct nrpc_call.client. NRPC_CALL_HEADERS and call->id say whether the request has left on this
 * link. */
enum nrpc_client_flag {
    NRPC_CLIENT_WAITS = 0x01,    /* wait-for-ready */
    NRPC_CLIENT_WROTE = 0x02,    /* a request message was written; the block has it until MORE */
    NRPC_CLIENT_MORE = 0x04,     /* another one was written */
    NRPC_CLIENT_CLOSED = 0x08,   /* no request is written any more */
    NRPC_CLIENT_END_SENT = 0x10, /* END_STREAM has left */
    NRPC_CLIENT_ANSWERED = 0x20, /* the response's headers have come */
    NRPC_CLIENT_RETRIED = 0x40,
    NRPC_CLIENT_OWED = 0x80 /* `done` has not been told */
};

/* Tells the call's `done`, unless it was told. text: NULL: the call's own message, as it stands on
 * the wire. Last of all where the slot is free already: a new call may take it. */
void nrpc_client_tell(struct nrpc_call *call, enum nrpc_status status, const char *text);

/* An open call of a channel whose timers nobody runs (any more): UNAVAILABLE. nrpc_channel.c. */
void nrpc_client_abandon(struct nrpc_call *call);

/* As nrpc_call_time_left_ms; the first time, the call's clock begins. */
uint32_t nrpc_client_time_left_ms(struct nrpc_call *call);

/* The call as it was before anything of it had left; it is open. */
void nrpc_client_put_back(struct nrpc_call *call);

#endif
