/* boards/net/checksum.c - the Internet checksum, by words and without lwIP's unrolled loops.
 * Layer: board. Source: RFC 1071; ARMv7-M Architecture Reference Manual A3.2.1 (alignment).
 * SPDX-License-Identifier: Apache-2.0 */
#include "arch/cc.h"

#include <string.h>

/* lwIP's own routine for few bytes of flash goes by half words, 5 instructions each. Its
 * LWIP_CHKSUM_ALGORITHM 3 takes 100 bytes more, and for the short frames of a call no less time.
 * Carries wait in the upper word. */
uint16_t net_checksum(const void *data, int n)
{
    const uint8_t *at = data, *end = at + n;
    uint64_t sum;
    uint32_t word = 0;
    uint16_t half = 0;
    if (n & 1) { /* goes with a zero behind it, whatever the order of a number's bytes */
        memcpy(&half, --end, 1);
    }
    if (n & 2) {
        end -= sizeof half;
        memcpy(&word, end, sizeof half);
    }
    for (sum = (uint64_t)half + word; at != end; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        sum += word;
    }
    word = (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16 & 0xffff) + (uint32_t)(sum >> 32);
    word = (word & 0xffff) + (word >> 16);
    return (uint16_t)(word + (word >> 16));
}
