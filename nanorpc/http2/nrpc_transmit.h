/* nanorpc/http2/nrpc_transmit.h - a call's frames, for the turns of both roles.
 * Layer: core. Source: RFC 9113 6.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_TRANSMIT_H
#define NANORPC_TRANSMIT_H

#include "nanorpc/http2/nrpc_role.h"

/* Each of these writes a frame, or none. There must be room for it, which whoever takes a turn sees
 * to: NRPC_TRANSMIT_MIN bytes hold all that is not DATA. */

/* Bytes that are free. */
static inline size_t nrpc_transmit_room(const struct nrpc_out *out)
{
    return (size_t)(out->end - out->at);
}

/* A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. type: enum nrpc_frame_type. */
void nrpc_transmit_number(struct nrpc_out *out, unsigned type, uint32_t id, uint32_t value);

/* Memory that messages have left is given back to the peer as window. */
void nrpc_transmit_window(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out);

/* HEADERS. The block stands already where it goes, after the frame's header, up to block_end. */
void nrpc_transmit_headers(struct nrpc_call *call, struct nrpc_out *out, uint8_t *block_end,
                           unsigned flags);

/* DATA: as much of the message as windows, frame size and room allow; of one that is larger than
 * its block, what the codec makes of it. NRPC_TURN_IDLE: no window. */
enum nrpc_turn nrpc_transmit_data(struct nrpc_conn *conn, struct nrpc_call *call,
                                  struct nrpc_out *out);

#endif
