/* nanorpc/huffman.c - HPACK's Huffman code is canonical: symbols in the order of their codes' length,
 * and how many codes each length has, are the whole table.
 * Layer: core. Source: RFC 7541 appendix B. SPDX-License-Identifier: Apache-2.0 */
#include "huffman.h"

#include <string.h>

enum { END_OF_STRING = 256 };

/* How many codes are 1, 2, 3.. bits long. */
static const uint8_t codes_of_length[30] = {0, 0, 0, 0, 10, 26, 32, 6,  0,  5,  3, 2,  6,  2,  3,
                                            0, 0, 0, 3, 8,  13, 26, 29, 12, 4,  15, 19, 29, 0, 4};

/* The symbols by the length of their code, then by value; the last, 256, is left out. */
static const uint8_t symbols[256] = {
    48,  49,  50,  97,  99,  101, 105, 111, 115, 116, 32,  37,  45,  46,  47,  51,  52,  53,  54,
    55,  56,  57,  61,  65,  95,  98,  100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58,  66,
    67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,  84,  85,
    86,  87,  89,  106, 107, 113, 118, 119, 120, 121, 122, 38,  42,  44,  59,  88,  90,  33,  34,
    40,  41,  63,  39,  43,  124, 35,  62,  0,   36,  64,  91,  93,  126, 94,  125, 60,  96,  123,
    92,  195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209,
    216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173,
    178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1,   135, 137, 138, 139, 140, 141,
    143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191,
    197, 231, 239, 9,   142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237, 199, 207, 234, 235,
    192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212,
    214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2,   3,   4,   5,
    6,   7,   8,   11,  12,  14,  15,  16,  17,  18,  19,  20,  21,  23,  24,  25,  26,  27,  28,
    29,  30,  31,  127, 220, 249, 10,  13,  22};

/* rem stays below 46 for every prefix of the code: it fits its byte with room to spare. */
int nrpc_huffman_bit(struct nrpc_huffman *state, unsigned bit)
{
    unsigned codes = codes_of_length[state->length++];
    unsigned rem = state->rem * 2u + (bit != 0);
    unsigned symbol = state->base + rem;
    if (!bit) {
        state->zeros = 1;
    }
    if (rem >= codes) {
        state->rem = (uint8_t)(rem - codes);
        state->base = (uint16_t)(state->base + codes);
        return NRPC_HUFFMAN_MORE;
    }
    memset(state, 0, sizeof *state);
    return symbol == END_OF_STRING ? NRPC_HUFFMAN_EOS : symbols[symbol];
}

int nrpc_huffman_end(const struct nrpc_huffman *state)
{
    return state->length < 8 && !state->zeros;
}
