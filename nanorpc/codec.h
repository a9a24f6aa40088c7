/* nanorpc/codec.h - how a method's messages become bytes; for methods that do without nanopb.
 * Layer: core, public; nanorpc.h includes it. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_CODEC_H
#define NANORPC_CODEC_H

#include "nanorpc/call.h"

NRPC_BEGIN_C

/* How a method's messages become bytes. The generated methods use nrpc_typed, over nanopb; a
 * method may bring its own and then sees encoded messages. The functions return what the
 * handlers of call.h return. */
struct nrpc_codec {
    /* One whole request message (data: borrowed for the call), or the half-close: data NULL. */
    enum nrpc_status (*message)(struct nrpc_call *call, const uint8_t *data, size_t n);
    /* NRPC_MORE: a message was given to nrpc_call_commit. */
    enum nrpc_status (*next)(struct nrpc_call *call);
    /* Encodes a reply for nrpc_call_send, and returns what that returns. */
    int (*send)(struct nrpc_call *call, const void *reply);
    /* The first n bytes of a message, as many as there is room for; its length stands in the four
     * bytes before. Makes of them as few as can be that mean the same, with a length that suits,
     * and in call->rx_drop, from 1, how many of the next bytes are to be dropped. It may use
     * NRPC_RX_SLACK bytes more. Returns how many there are now. NULL: such a message is too large.
     */
    uint32_t (*shrink)(struct nrpc_call *call, uint8_t *message, uint32_t n);
#if NRPC_PIECES
    /* For messages that are larger than their block, see streamed.h; NULL: there are none. */
    uint32_t (*take)(struct nrpc_call *call, const uint8_t *data, uint32_t n);
    uint32_t (*produce)(struct nrpc_call *call, uint8_t *buf, uint32_t room); /* buf NULL: from the
                                                                                 beginning again */
#endif
};
extern const struct nrpc_codec nrpc_typed;
extern const struct nrpc_codec nrpc_typed_whole; /* without .shrink */

/* For codecs: where to put an encoded reply of up to *room bytes, or NULL when NRPC_E_AGAIN or
 * NRPC_E_STATE would be the answer; then how many bytes it took (0..room; may be 0). */
uint8_t *nrpc_call_reserve(struct nrpc_call *call, size_t *room);
void nrpc_call_commit(struct nrpc_call *call, size_t n);

NRPC_END_C

#endif
