/* nanorpc/compression.h - which messages of a call are compressed: for handlers, and for those who
 * call.
 * Layer: core, public; with NRPC_COMPRESSION. Source: gRPC "Compression"; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_COMPRESSION_H
#define NANORPC_COMPRESSION_H

#include "nanorpc/call.h"
#include "nanorpc/hpack/nrpc_encoding.h"

#if NRPC_COMPRESSION
NRPC_BEGIN_C

/* 1: messages that the call sends from now on go out compressed, where the peer takes gzip or
 * deflate and they become smaller so; 0: they go out as they are, as at first. One with a streamed
 * field is made whole in its block for that, as soon as it is sent (a client's request: before
 * NAME_start returns); it goes out as it is where it does not fit there, or where its producer has
 * to wait, which is asked again at once then. Other messages of a method that is sent streamed
 * fields go out as they are. Returns 0; NRPC_E_STATE: the peer takes neither, or the headers have
 * left and did not say so: the first 1 must come before the first message. */
int nrpc_call_compress(struct nrpc_call *call, int on);

/* 1: the message that was delivered last, as a rule the one at hand, had come compressed. */
int nrpc_call_message_compressed(const struct nrpc_call *call);

NRPC_END_C
#endif

#endif
