/* nanorpc/grpc/nrpc_compression.h - the compression of a call's messages; nothing of it without
 * NRPC_COMPRESSION.
 * Layer: core. Source: gRPC "Compression"; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_GRPC_COMPRESSION_H
#define NANORPC_GRPC_COMPRESSION_H

#include "nanorpc/compression.h"
#include "nanorpc/http2/nrpc_conn.h"

/* Before each message: a flag, which says whether it is compressed, and its length. */
enum { NRPC_PREFIX_BYTES = 5 };

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

/* Of a call whose headers have come: notes how its messages are compressed. Returns 0 when they
 * cannot be had: there is no such encoding. */
int nrpc_compression_takes(struct nrpc_call *call, const struct nrpc_fields *theirs);

/* Of a request: notes what its client takes. */
void nrpc_compression_accept(struct nrpc_call *call, const struct nrpc_fields *theirs);

/* The encoding that our headers have to announce, or 0 for none. */
unsigned nrpc_compression_announced(const struct nrpc_call *call);

/* Whether a message with this flag may come; and how long it may be, in bytes on the wire without
 * its prefix. */
int nrpc_compression_allows(const struct nrpc_call *call, uint8_t flag);
uint32_t nrpc_compression_limit(const struct nrpc_call *call, uint8_t flag);

/* A message is complete: *n bytes at *data. If the flag is set they become those of the scratch
 * that all calls share. Returns NRPC_OK; NRPC_INTERNAL: it does not inflate;
 * NRPC_RESOURCE_EXHAUSTED: to more than the largest message. */
enum nrpc_status nrpc_compression_inflate(struct nrpc_call *call, uint8_t flag,
                                          const uint8_t **data, uint32_t *n);

/* Compresses the *n bytes at `message`, in the transmit block, where the call wants it. Returns the
 * message's flag, 0 or 1, and what it takes in *n. */
uint8_t nrpc_compression_deflate(struct nrpc_call *call, uint8_t *message, uint32_t *n);
/* The same where only `room` bytes from message on may be written to; as what codecs with pieces
 * have there stays. */
uint8_t nrpc_compression_deflate_within(struct nrpc_call *call, uint8_t *message, uint32_t *n,
                                        size_t room);
#else
static inline int nrpc_compression_takes(struct nrpc_call *call, const struct nrpc_fields *theirs)
{
    (void)call;
    return !(theirs->odd & NRPC_FIELD(GRPC_ENCODING));
}
static inline void nrpc_compression_accept(struct nrpc_call *call, const struct nrpc_fields *theirs)
{
    (void)call;
    (void)theirs;
}
static inline void nrpc_compression_offer(struct nrpc_call *call, unsigned encoding)
{
    (void)call;
    (void)encoding;
}
static inline unsigned nrpc_compression_announced(const struct nrpc_call *call)
{
    (void)call;
    return 0;
}
static inline int nrpc_compression_allows(const struct nrpc_call *call, uint8_t flag)
{
    (void)call;
    return !flag;
}
static inline uint32_t nrpc_compression_limit(const struct nrpc_call *call, uint8_t flag)
{
    (void)flag;
    return nrpc_call_conn(call)->server->rx_bytes / NRPC_RX_BLOCKS - NRPC_PREFIX_BYTES;
}
static inline enum nrpc_status nrpc_compression_inflate(struct nrpc_call *call, uint8_t flag,
                                                        const uint8_t **data, uint32_t *n)
{
    (void)call;
    (void)flag;
    (void)data;
    (void)n;
    return NRPC_OK;
}
static inline uint8_t nrpc_compression_deflate(struct nrpc_call *call, uint8_t *message,
                                               uint32_t *n)
{
    (void)call;
    (void)message;
    (void)n;
    return 0;
}
#endif

#endif
