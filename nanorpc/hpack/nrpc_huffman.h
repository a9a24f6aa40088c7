/* nanorpc/hpack/nrpc_huffman.h - the Huffman code of HPACK, decoded as it arrives. Pure.
 * Layer: core. Source: RFC 7541 5.2 and appendix B.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HUFFMAN_H
#define NANORPC_HUFFMAN_H

#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

/* The state within one string; all zero at its start. */
struct nrpc_huffman {
    uint8_t from_last; /* how many prefixes of this length come after the bits since the last symbol
                        */
    uint8_t length;    /* of these bits, 0..29 */
};

enum { NRPC_HUFFMAN_MORE = -1, NRPC_HUFFMAN_EOS = 256 };

/* Takes the next bit, 0 or any other value for 1. Returns the symbol that it completes, 0..255;
 * NRPC_HUFFMAN_MORE; or NRPC_HUFFMAN_EOS for the end-of-string symbol, which must not occur. */
int nrpc_huffman_bit(struct nrpc_huffman *state, unsigned bit);

/* 1 when the string may end here: fewer than 8 bits, all ones, follow its last symbol. */
static inline int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->from_last;
}

NRPC_END_C

#endif
