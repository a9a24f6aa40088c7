/* nanorpc/http2/nrpc_frame.h - HTTP/2 frame headers and the numbers of the protocol. Pure.
 * Layer: core. Source: RFC 9113 4.1, 6, 7.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_FRAME_H
#define NANORPC_FRAME_H

#include <stdint.h>
#include <string.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NRPC_BIG_ENDIAN(value) __builtin_bswap32(value)
#else
#define NRPC_BIG_ENDIAN(value) (value)
#endif

enum { NRPC_FRAME_HEADER_BYTES = 9, NRPC_FRAME_MAX = 16384 };
#define NRPC_WINDOW_INITIAL 65535

enum nrpc_frame_type {
    NRPC_DATA = 0,
    NRPC_HEADERS = 1,
    NRPC_PRIORITY = 2,
    NRPC_RST_STREAM = 3,
    NRPC_SETTINGS = 4,
    NRPC_PUSH_PROMISE = 5,
    NRPC_PING = 6,
    NRPC_GOAWAY = 7,
    NRPC_WINDOW_UPDATE = 8,
    NRPC_CONTINUATION = 9
};

enum nrpc_frame_flag {
    NRPC_END_STREAM = 0x01,
    NRPC_ACK = 0x01,
    NRPC_END_HEADERS = 0x04,
    NRPC_PADDED = 0x08,
    NRPC_HAS_PRIORITY = 0x20
};

enum nrpc_setting {
    NRPC_HEADER_TABLE_SIZE = 1,
    NRPC_ENABLE_PUSH = 2,
    NRPC_MAX_CONCURRENT_STREAMS = 3,
    NRPC_INITIAL_WINDOW_SIZE = 4,
    NRPC_MAX_FRAME_SIZE = 5,
    NRPC_MAX_HEADER_LIST_SIZE = 6
};

/* HTTP/2 error codes, RFC 9113 7. */
enum nrpc_h2_error {
    NRPC_H2_NO_ERROR = 0,
    NRPC_H2_PROTOCOL_ERROR = 1,
    NRPC_H2_INTERNAL_ERROR = 2,
    NRPC_H2_FLOW_CONTROL_ERROR = 3,
    NRPC_H2_STREAM_CLOSED = 5,
    NRPC_H2_FRAME_SIZE_ERROR = 6,
    NRPC_H2_REFUSED_STREAM = 7,
    NRPC_H2_CANCEL = 8,
    NRPC_H2_COMPRESSION_ERROR = 9,
    NRPC_H2_ENHANCE_YOUR_CALM = 11
};

struct nrpc_frame {
    uint32_t length; /* of the payload, 0..2^24-1 */
    uint32_t id;     /* stream, 0..2^31-1 */
    uint8_t type, flags;
};

/* Writes 9 bytes at p and returns where the payload goes. type_flags: NRPC_TYPE_FLAGS(..). */
#define NRPC_TYPE_FLAGS(type, flags) ((unsigned)(type) << 8 | (unsigned)(flags))
uint8_t *nrpc_frame_write(uint8_t *p, uint32_t length, unsigned type_flags, uint32_t id);

/* Big-endian numbers, anywhere in memory; a load or store and a byte reversal where the processor
 * has those. put32 returns p + 4. */
static inline uint32_t nrpc_get32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return NRPC_BIG_ENDIAN(value);
}

static inline uint8_t *nrpc_put32(uint8_t *p, uint32_t value)
{
    value = NRPC_BIG_ENDIAN(value);
    memcpy(p, &value, sizeof value);
    return p + sizeof value;
}

/* Reads the 9 bytes at p; the reserved bit is ignored. */
static inline void nrpc_frame_read(struct nrpc_frame *frame, const uint8_t *p)
{
    frame->length = nrpc_get32(p) >> 8;
    frame->type = p[3];
    frame->flags = p[4];
    frame->id = nrpc_get32(p + 5) & 0x7fffffffu;
}

NRPC_END_C

#endif
