/* nanorpc/http2/nrpc_frame.c - HTTP/2 frame headers.
 * Layer: core. Source: RFC 9113 4.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_frame.h"

uint8_t *nrpc_frame_write(uint8_t *p, uint32_t length, unsigned type_flags, uint32_t id)
{
    nrpc_put32(p, length << 8 | type_flags >> 8);
    p[4] = (uint8_t)type_flags;
    return nrpc_put32(p + 5, id);
}
