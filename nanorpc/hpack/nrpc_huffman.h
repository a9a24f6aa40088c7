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
    uint8_t codes;     /* how many there are of up to that length */
};

enum { NRPC_HUFFMAN_MORE = -1, NRPC_HUFFMAN_EOS = 256 };

/* The bits of a byte as the next function takes them: from the highest on, each turned over, and a
 * 1 behind them. */
static inline uint32_t nrpc_huffman_bits(uint8_t byte)
{
    return (uint32_t)(byte ^ 0xffu) << 24 | 1u << 23;
}

/* Takes bits up to a symbol's end. Returns the symbol, 0..255; NRPC_HUFFMAN_MORE: all are used; or
 * NRPC_HUFFMAN_EOS for the end-of-string symbol, which must not occur. */
int nrpc_huffman_next(struct nrpc_huffman *state, uint32_t *bits);

/* 1 when the string may end here: fewer than 8 bits, all ones, follow its last symbol. */
static inline int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->from_last;
}

NRPC_END_C

#endif
