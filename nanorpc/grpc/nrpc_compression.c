/* nanorpc/grpc/nrpc_compression.c - inflates what a peer has compressed, compresses what it takes
 * so; where a call asks for it.
 * Layer: core; used with NRPC_COMPRESSION. Source: gRPC "Compression".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_compression.h"

#include "nanorpc/codec.h"
#include "nanorpc/grpc/nrpc_compress.h"

#if NRPC_COMPRESSION

enum { BOTH = NRPC_ENCODING_DEFLATE | NRPC_ENCODING_GZIP };

/* An encoding that they take, or 0. gzip is preferred: some peers have taken deflate for what is
 * inside it. */
static unsigned ours(const struct nrpc_call *call)
{
    unsigned accepted = call->compression >> NRPC_COMPRESSION_ACCEPTED_SHIFT;
    return accepted & NRPC_ENCODING_GZIP ? NRPC_ENCODING_GZIP : accepted & NRPC_ENCODING_DEFLATE;
}

int nrpc_compression_takes(struct nrpc_call *call, const struct nrpc_fields *theirs)
{
    unsigned known = theirs->encoding & (BOTH | NRPC_ENCODING_IDENTITY);
    call->compression = (uint8_t)(call->compression | (theirs->encoding & BOTH));
    return known == theirs->encoding && !(known & (known - 1)); /* one of them at most */
}

void nrpc_compression_accept(struct nrpc_call *call, const struct nrpc_fields *theirs)
{
    call->compression |= (uint8_t)((theirs->accepted & BOTH) << NRPC_COMPRESSION_ACCEPTED_SHIFT);
}

void nrpc_compression_offer(struct nrpc_call *call, unsigned encoding)
{
    if (encoding) {
        call->compression = (uint8_t)(encoding << NRPC_COMPRESSION_ACCEPTED_SHIFT |
                                      NRPC_COMPRESSION_ANNOUNCED | NRPC_COMPRESSION_ON);
    }
}

int nrpc_call_compress(struct nrpc_call *call, int on)
{
    NRPC_CALL_IN(call);
    unsigned flags = call->compression & ~(unsigned)NRPC_COMPRESSION_ON;
    if (on) {
        if (!(flags & NRPC_COMPRESSION_ANNOUNCED) &&
            ((call->flags & NRPC_CALL_HEADERS) || !ours(call))) {
            return NRPC_E_STATE;
        }
        flags |= NRPC_COMPRESSION_ANNOUNCED | NRPC_COMPRESSION_ON;
    }
    call->compression = (uint8_t)flags;
    return 0;
}

int nrpc_call_message_compressed(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return (call->compression & NRPC_COMPRESSION_SEEN) != 0;
}

unsigned nrpc_compression_announced(const struct nrpc_call *call)
{
    return call->compression & NRPC_COMPRESSION_ANNOUNCED ? ours(call) : 0;
}

int nrpc_compression_allows(const struct nrpc_call *call, uint8_t flag)
{
    return !flag || (flag == 1 && (call->compression & NRPC_COMPRESSION_THEIRS));
}

uint32_t nrpc_compression_limit(const struct nrpc_call *call, uint8_t flag)
{
    const struct nrpc_server *server = nrpc_call_conn(call)->server;
    return flag ? server->rx_bytes / NRPC_RX_BLOCKS - NRPC_PREFIX_BYTES : server->request_bytes;
}

enum nrpc_status nrpc_compression_inflate(struct nrpc_call *call, uint8_t flag,
                                          const uint8_t **data, uint32_t *n)
{
    const struct nrpc_server *server = nrpc_call_conn(call)->server;
    enum nrpc_encoding theirs = (enum nrpc_encoding)(call->compression & NRPC_COMPRESSION_THEIRS);
    call->compression &= (uint8_t)~NRPC_COMPRESSION_SEEN;
    if (!flag) {
        return NRPC_OK;
    }
    call->compression |= NRPC_COMPRESSION_SEEN;
    int32_t size = nrpc_inflate(theirs, *data, (size_t)*n, server->inflated,
                                (size_t)server->request_bytes);
    if (size < 0) {
        return size == NRPC_INFLATE_BAD ? NRPC_INTERNAL : NRPC_RESOURCE_EXHAUSTED;
    }
    *n = (uint32_t)size;
    *data = server->inflated;
    return NRPC_OK;
}

uint8_t nrpc_compression_deflate_within(struct nrpc_call *call, uint8_t *message, uint32_t *n,
                                        size_t room)
{
    size_t size = call->compression & NRPC_COMPRESSION_ON
                      ? nrpc_deflate((enum nrpc_encoding)ours(call), message, (size_t)*n, room)
                      : 0;
    *n = size ? (uint32_t)size : *n;
    return size > 0;
}

uint8_t nrpc_compression_deflate(struct nrpc_call *call, uint8_t *message, uint32_t *n)
{
#if NRPC_PIECES
    if (call->method->codec->take || call->method->codec->produce) {
        return 0; /* see nrpc_streamed.c, which has a state at the block's end */
    }
#endif
    return nrpc_compression_deflate_within(call, message, n,
                                           (size_t)nrpc_call_conn(call)->server->tx_bytes -
                                               NRPC_STATUS_MESSAGE_MAX - NRPC_PREFIX_BYTES);
}

#endif
