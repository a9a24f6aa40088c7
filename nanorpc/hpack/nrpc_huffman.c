/* nanorpc/hpack/nrpc_huffman.c - HPACK's Huffman code is canonical: how long each symbol's code is,
 * that is the whole table.
 * Layer: core. Source: RFC 7541 appendix B.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_huffman.h"

/* The prefixes of 0, 1, 2, 3.. bits that are no whole code. In the order of the bits they come
 * after all codes of that length. */
static const uint8_t inner[31] = {1, 2, 4, 8,  16, 22, 18, 4,  2,  4,  3,  3,  4, 2, 2, 1,
                                  2, 4, 8, 13, 18, 23, 20, 11, 10, 16, 17, 15, 1, 2, 0};
enum { SHORTEST = 5 }; /* code */

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

int nrpc_huffman_next(struct nrpc_huffman *state, uint32_t *bits)
{
    unsigned from_last = state->from_last, length = state->length, codes = state->codes;
    uint32_t left = *bits;
    int symbol = NRPC_HUFFMAN_MORE;
    while (symbol < 0 && left != 1u << 31) {
        unsigned step = length == 0 && left << SHORTEST ? SHORTEST : 1;
        from_last = from_last << step | left >> (32 - step); /* at most 45: no more than 23 are
                                                                inner */
        left <<= step;
        codes += (unsigned)inner[length] << step;
        length += step;
        codes -= inner[length];
        if (from_last >= inner[length]) {
            codes -= from_last - inner[length] + 1;
            symbol = codes == NRPC_HUFFMAN_EOS ? NRPC_HUFFMAN_EOS : symbols[codes];
            from_last = length = codes = 0;
        }
    }
    *bits = left;
    state->from_last = (uint8_t)from_last;
    state->length = (uint8_t)length;
    state->codes = (uint8_t)codes;
    return symbol;
}
