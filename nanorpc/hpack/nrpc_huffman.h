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
    uint16_t place;    /* how many inner prefixes are shorter */
};

enum { NRPC_HUFFMAN_MORE = -1, NRPC_HUFFMAN_EOS = 256 };

/* How many prefixes of 0, 1, 2, 3.. bits are inner ones: no whole code. In the order of the bits
 * those of a length come after all codes of that length. The symbols by the length of their code,
 * then by value; the last, NRPC_HUFFMAN_EOS, is left out. */
extern const uint8_t nrpc_huffman_inner[31], nrpc_huffman_symbols[256];

/* The bits of the next bytes as nrpc_huffman_next takes them: from the highest on, each turned
 * over, and a 1 behind them. Moves *at behind those bytes: three, or what there is before `end`. */
static inline uint32_t nrpc_huffman_bits(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t bits = ~(uint32_t)1; /* turned over with the others, the 1 is shifted out at last */
    unsigned left = 31;
    do {
        bits = bits << 8 | *p++;
        left -= 8;
    } while (p != end && left >= 8);
    *at = p;
    return ~(bits << 1) << left;
}

/* Takes bits up to a symbol's end. Returns the symbol, 0..255; NRPC_HUFFMAN_MORE: all are used; or
 * NRPC_HUFFMAN_EOS for the end-of-string symbol, which must not occur. Inline for its one caller:
 * bits and state stay in registers. */
static inline int nrpc_huffman_next(struct nrpc_huffman *state, uint32_t *bits)
{
    enum { SHORTEST = 5 }; /* code: so many bits are taken at once where a symbol begins */
    unsigned from_last = state->from_last, length = state->length, place = state->place;
    uint32_t left = *bits;
    int symbol = NRPC_HUFFMAN_MORE;
    for (;;) {
        if (length == 0 && left << SHORTEST) {
            from_last = (unsigned)(left >> (32 - SHORTEST));
            left <<= SHORTEST;
            length = SHORTEST;
            place = (1 << SHORTEST) - 1;
        } else if (left << 1) {
            from_last = from_last << 1 | (unsigned)(left >> 31); /* at most 45: 23 are inner */
            left <<= 1;
            place += nrpc_huffman_inner[length++];
        } else {
            break;
        }
        if (from_last >= nrpc_huffman_inner[length]) {
            place -= from_last;
            symbol = place == NRPC_HUFFMAN_EOS ? (int)place : nrpc_huffman_symbols[place];
            from_last = length = place = 0;
            break;
        }
    }
    *bits = left;
    state->from_last = (uint8_t)from_last;
    state->length = (uint8_t)length;
    state->place = (uint16_t)place;
    return symbol;
}

/* 1 when the string may end here: fewer than 8 bits, all ones, follow its last symbol. */
static inline int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->from_last;
}

NRPC_END_C

#endif
