/* nanorpc/grpc/nrpc_compress.h - messages in gRPC's two compressed forms: gzip, and zlib, which
 * gRPC calls deflate. Pure.
 * Layer: core; used with NRPC_COMPRESSION. Source: RFC 1950, 1951, 1952; gRPC "Compression".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_COMPRESS_H
#define NANORPC_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/hpack/nrpc_encoding.h"

enum nrpc_inflate_error {
    NRPC_INFLATE_BAD = -1,  /* not such data, cut short, followed by more, or its checksum is wrong
                             */
    NRPC_INFLATE_LARGE = -2 /* it gives more than `room` bytes */
};

/* Decompresses n bytes into `out`, which is the window too: what it needs beside is 1 KB of stack.
 * data, out: borrowed, apart from each other. encoding: deflate or gzip. n, room: 0..2^30. Returns
 * how many bytes it gave, 0..room, or an error; then `out` may hold a part. Never writes beyond
 * room. */
int32_t nrpc_inflate(enum nrpc_encoding encoding, const uint8_t *data, size_t n, uint8_t *out,
                     size_t room);

/* Compresses the n bytes at the beginning of block in place. room: bytes of the block, n..2^30;
 * with fewer than n + 20 hardly anything works, more helps. Needs 700 bytes of stack. Returns how
 * many bytes stand at the beginning of block now, fewer than n; or 0: it would not become smaller,
 * not within this room, and block is as it was. */
size_t nrpc_deflate(enum nrpc_encoding encoding, uint8_t *block, size_t n, size_t room);

/* CRC-32 of gzip or Adler-32 of zlib, over n bytes. */
uint32_t nrpc_compress_check(enum nrpc_encoding encoding, const uint8_t *data, size_t n);

#endif
