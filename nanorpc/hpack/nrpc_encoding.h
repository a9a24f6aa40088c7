/* nanorpc/hpack/nrpc_encoding.h - how a message can be compressed, as headers name it.
 * Layer: core, public; include nanorpc/compression.h. Source: gRPC "Compression".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_ENCODING_H
#define NANORPC_ENCODING_H

/* Values of grpc-encoding; and, together, sets of them, as in grpc-accept-encoding. */
enum nrpc_encoding {
    NRPC_ENCODING_DEFLATE = 0x01, /* RFC 1950 around RFC 1951 */
    NRPC_ENCODING_GZIP = 0x02,    /* RFC 1952 around RFC 1951 */
    NRPC_ENCODING_IDENTITY = 0x04,
    NRPC_ENCODING_OTHER = 0x80 /* any that is not supported */
};

#endif
