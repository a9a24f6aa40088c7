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

/* How many prefixes that are no whole code are shorter than 0, 1, 2, 3.. bits; 0 stands for 256. In
 * the order of the bits those of a length come after all codes of that length. The symbols by the
 * length of their code, then by value; the last, 256, is left out. */
extern const uint8_t nrpc_huffman_shorter[32], nrpc_huffman_symbols[256];

/* Takes bits up to a symbol's end. Returns the symbol, 0..255; NRPC_HUFFMAN_MORE: all are used; or
 * NRPC_HUFFMAN_EOS for the end-of-string symbol, which must not occur. Inline for its one caller:
 * bits and state stay in registers. */
static inline int nrpc_huffman_next(struct nrpc_huffman *state, uint32_t *bits)
{
    enum {
        SHORTEST = 5,
        LONGEST = 30
    }; /* code: so many bits are taken at once where a symbol begins */
    unsigned from_last = state->from_last, length = state->length;
    uint32_t left = *bits;
    int symbol = NRPC_HUFFMAN_MORE;
    while (left != 1u << 31) {
        if (length == 0 && left << SHORTEST) {
            from_last = left >> (32 - SHORTEST);
            left <<= SHORTEST;
            length = SHORTEST;
        } else {
            from_last = from_last << 1 | left >> 31; /* at most 45: no more than 23 are inner */
            left <<= 1;
            length++;
        }
        uint8_t place = nrpc_huffman_shorter[length];
        if (from_last >= (uint8_t)(nrpc_huffman_shorter[length + 1] - place)) {
            place = (uint8_t)(place - from_last);
            symbol = !place && length == LONGEST ? (int)NRPC_HUFFMAN_EOS
                                                 : nrpc_huffman_symbols[place];
            from_last = length = 0;
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
