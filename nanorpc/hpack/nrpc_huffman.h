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

/* The bits of a byte as the next function takes them: from the highest on, each turned over, and a
 * 1 behind them. */
static inline uint32_t nrpc_huffman_bits(uint8_t byte)
{
    return (uint32_t)(byte ^ 0xffu) << 24 | 1u << 23;
}

/* The prefixes of 0, 1, 2, 3.. bits that are no whole code. In the order of the bits they come
 * after all codes of that length. The symbols by the length of their code, then by value; the last,
 * 256, is left out. */
extern const uint8_t nrpc_huffman_inner[31], nrpc_huffman_symbols[256];

/* Takes bits up to a symbol's end. Returns the symbol, 0..255; NRPC_HUFFMAN_MORE: all are used; or
 * NRPC_HUFFMAN_EOS for the end-of-string symbol, which must not occur. Inline for its one caller:
 * bits and state stay in registers. */
static inline int nrpc_huffman_next(struct nrpc_huffman *state, uint32_t *bits)
{
    enum { SHORTEST = 5 }; /* code: so many bits are taken at once where a symbol begins */
    unsigned from_last = state->from_last, length = state->length;
    uint32_t left = *bits;
    int symbol = NRPC_HUFFMAN_MORE;
    while (left != 1u << 31) {
        unsigned step = length == 0 && left << SHORTEST ? SHORTEST : 1;
        from_last = from_last << step | left >> (32 - step); /* at most 45: no more than 23 are
                                                                inner */
        left <<= step;
        length += step;
        if (from_last >= nrpc_huffman_inner[length]) {
            unsigned place = 0u - from_last; /* and all that was inner before it */
            while (length) {
                place += nrpc_huffman_inner[--length];
            }
            symbol = place == NRPC_HUFFMAN_EOS ? (int)NRPC_HUFFMAN_EOS
                                               : nrpc_huffman_symbols[place];
            from_last = 0;
            break;
        }
    }
    *bits = left;
    state->from_last = (uint8_t)from_last;
    state->length = (uint8_t)length;
    return symbol;
}

/* 1 when the string may end here: fewer than 8 bits, all ones, follow its last symbol. */
static inline int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->from_last;
}

NRPC_END_C

#endif
