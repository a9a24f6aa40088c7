/* nanorpc/compression.h - which messages of a call are compressed: for handlers, and for the core.
 * Layer: core, public in its first part; with NRPC_COMPRESSION. Source: gRPC "Compression"; gRPC
 * over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_COMPRESSION_H
#define NANORPC_COMPRESSION_H

#include "nanorpc/grpc/nrpc_compress.h"
#include "nanorpc/nanorpc.h"

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

/* --- The rest is the core's own ----------------------------------------------------------- */

/* call->compression. In both roles: "theirs" is what comes in, "ours" what goes out. */
enum nrpc_compression_flag {
    NRPC_COMPRESSION_THEIRS = 0x03,     /* enum nrpc_encoding: of their messages; 0: identity */
    NRPC_COMPRESSION_SEEN = 0x04,       /* their last message was compressed */
    NRPC_COMPRESSION_ON = 0x08,         /* our messages from now on are to be compressed */
    NRPC_COMPRESSION_ANNOUNCED = 0x10,  /* our headers say, or are to say, grpc-encoding */
    NRPC_COMPRESSION_ACCEPTED_SHIFT = 5 /* then a set of enum nrpc_encoding: what they take */
};

#if NRPC_COMPRESSION
/* Of a call that we begin: our requests are compressed so, enum nrpc_encoding, or, 0, they are not.
 */
void nrpc_compression_offer(struct nrpc_call *call, unsigned encoding);

/* What their headers say: sets of enum nrpc_encoding, empty when they say nothing. Returns 0 when
 * it cannot be had: there is no such encoding. */
int nrpc_compression_begin(struct nrpc_call *call, unsigned encoding, unsigned accepted);

/* The encoding that our headers have to announce, or 0 for none. */
unsigned nrpc_compression_announced(const struct nrpc_call *call);

/* Whether a message with this flag may come; and how long it may be, in bytes on the wire without
 * its prefix. */
int nrpc_compression_allows(const struct nrpc_call *call, uint8_t flag);
uint32_t nrpc_compression_limit(const struct nrpc_call *call, uint8_t flag);

/* A message is complete: *n bytes at data. Returns what it says: data, or, if the flag is set, the
 * scratch that all calls share, with *n bytes. NULL: the call has been finished instead. */
const uint8_t *nrpc_compression_inflate(struct nrpc_call *call, uint8_t flag, const uint8_t *data,
                                        uint32_t *n);

/* Compresses the *n bytes at `message`, in the transmit block, where the call wants it. Returns the
 * message's flag, 0 or 1, and what it takes in *n. */
uint8_t nrpc_compression_deflate(struct nrpc_call *call, uint8_t *message, uint32_t *n);
/* The same where only `room` bytes from message on may be written to; as what codecs with pieces
 * have there stays. */
uint8_t nrpc_compression_deflate_within(struct nrpc_call *call, uint8_t *message, uint32_t *n,
                                        size_t room);
#else
#define nrpc_compression_allows(call, flag) (!(flag))
#define nrpc_compression_limit(call, flag) \
    (nrpc_call_conn(call)->server->rx_bytes - NRPC_PREFIX_BYTES)
#define nrpc_compression_inflate(call, flag, data, n) (data)
#define nrpc_compression_deflate(call, message, n) 0
#endif

#endif
