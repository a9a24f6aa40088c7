/* nanorpc/huffman.h - the Huffman code of HPACK, decoded as it arrives. Pure.
 * Layer: core. Source: RFC 7541 5.2 and appendix B.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HUFFMAN_H
#define NANORPC_HUFFMAN_H

#include <stdint.h>

/* The state within one string; all zero at its start. */
struct nrpc_huffman {
    uint16_t base;   /* symbols whose codes are shorter than the bits seen */
    uint8_t rem;     /* the bits seen, less the first code of their length */
    uint8_t length;  /* bits seen since the last symbol, 0..29 */
    uint8_t zeros;   /* of them, whether one was 0: then they are no padding */
};

/* Takes one byte of the string. Writes the symbols that it completes to out[0..1] and returns how
 * many (0..2), or -1 for the end-of-string symbol, which must not occur. */
int nrpc_huffman_byte(struct nrpc_huffman *state, uint8_t byte, uint8_t out[2]);

/* 1 when the string may end here: fewer than 8 bits, all ones, follow its last symbol. */
int nrpc_huffman_end(const struct nrpc_huffman *state);

#endif
