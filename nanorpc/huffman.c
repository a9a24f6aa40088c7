/* nanorpc/huffman.c - HPACK's Huffman code is canonical: how long each symbol's code is, that is the
 * whole table, and most neighbours have codes of the same length.
 * Layer: core. Source: RFC 7541 appendix B. SPDX-License-Identifier: Apache-2.0 */
#include "huffman.h"

#include <string.h>

/* The prefixes of 1, 2, 3.. bits that are no whole code. In the order of the bits they come after
 * all codes of that length. */
static const uint8_t inner[30] = {
    2, 4, 8, 16, 22, 18, 4, 2, 4, 3, 3, 4, 2, 2, 1, 2, 4, 8, 13, 18, 23, 20, 11, 10, 16, 17, 15, 1,
    2, 0};

/* The length of each symbol's code, from 256 down to 0: 8 * length + (symbols in a row - 1). */
#define R(length, n) (8 * length + n - 1)
static const uint8_t runs[] = {
    R(30, 1), R(26, 1), R(27, 5), R(28, 1), R(27, 5), R(26, 2), R(27, 1), R(26, 1), R(23, 1), R(26,
    1), R(24, 2), R(25, 2), R(22, 2), R(23, 1), R(21, 2), R(22, 1), R(21, 1), R(20, 1), R(24, 1),
    R(20, 1), R(27, 3), R(28, 1), R(26, 2), R(21, 2), R(24, 1), R(27, 1), R(26, 1), R(27, 2), R(26,
    1), R(21, 1), R(19, 1), R(25, 1), R(24, 1), R(26, 1), R(27, 2), R(26, 3), R(25, 1), R(22, 1),
    R(23, 1), R(22, 1), R(19, 1), R(20, 1), R(26, 2), R(23, 1), R(22, 2), R(23, 1), R(22, 3), R(20,
    1), R(23, 2), R(22, 1), R(23, 1), R(21, 1), R(22, 1), R(21, 2), R(23, 2), R(22, 1), R(21, 1),
    R(24, 1), R(22, 2), R(23, 1), R(21, 1), R(23, 2), R(22, 2), R(20, 1), R(21, 1), R(22, 1), R(24,
    1), R(23, 2), R(22, 1), R(23, 1), R(22, 1), R(21, 1), R(23, 4), R(24, 1), R(23, 1), R(22, 1),
    R(24, 2), R(23, 1), R(24, 1), R(23, 5), R(22, 1), R(23, 1), R(22, 3), R(20, 2), R(22, 1), R(20,
    1), R(28, 1), R(13, 1), R(14, 1), R(11, 1), R(15, 1), R(7, 5), R(6, 1), R(5, 2), R(6, 1), R(7,
    1), R(6, 1), R(5, 1), R(6, 3), R(7, 2), R(5, 1), R(6, 3), R(5, 1), R(6, 1), R(5, 1), R(6, 1),
    R(5, 1), R(15, 1), R(6, 1), R(14, 1), R(13, 1), R(19, 1), R(13, 1), R(8, 1), R(7, 1), R(8, 1),
    R(7, 8), R(7, 8), R(7, 6), R(6, 1), R(13, 1), R(10, 1), R(12, 1), R(6, 1), R(15, 1), R(8, 1),
    R(7, 1), R(6, 7), R(5, 3), R(6, 3), R(8, 1), R(11, 1), R(8, 1), R(10, 2), R(11, 1), R(8, 1),
    R(6, 1), R(13, 1), R(12, 1), R(10, 2), R(6, 1), R(28, 8), R(28, 1), R(30, 1), R(28, 8), R(30,
    1), R(28, 2), R(30, 1), R(24, 1), R(28, 7), R(23, 1), R(13, 1)};

/* The symbol whose code has this length, and after which come so many others of that length. */
static unsigned symbol_at(unsigned length, unsigned from_last)
{
    unsigned symbol = NRPC_HUFFMAN_EOS;
    for (const uint8_t *run = runs;; run++) {
        unsigned n = (*run & 7u) + 1;
        if (*run >> 3 == length) {
            if (from_last < n) {
                return symbol - from_last;
            }
            from_last -= n;
        }
        symbol -= n;
    }
}

int nrpc_huffman_bit(struct nrpc_huffman *state, unsigned bit)
{
    unsigned from_last = state->from_last * 2u + !bit; /* at most 45: no more than 23 are inner */
    unsigned length = state->length;
    unsigned more = inner[length++];
    state->from_last = (uint8_t)from_last;
    state->length = (uint8_t)length;
    if (from_last < more) {
        return NRPC_HUFFMAN_MORE;
    }
    memset(state, 0, sizeof *state);
    return (int)symbol_at(length, from_last - more);
}

int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->from_last;
}
