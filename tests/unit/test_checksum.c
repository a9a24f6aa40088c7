/* tests/unit/test_checksum.c - boards/net/checksum.c: every alignment and length, and all
 * carries.
 * Layer: test. Source: RFC 1071 1, 3. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "boards/net/checksum.c"
#include "test.h"

enum { ALIGNMENTS = 4, SHORT = 64, LONGEST = 1536 };

static uint8_t bytes[ALIGNMENTS + LONGEST];

/* As RFC 1071 1 has it: 16 bits at a time, the higher byte first; what is left with a zero. */
static uint16_t by_half_words(const uint8_t *at, unsigned n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static uint16_t found(unsigned from, unsigned n)
{
    const uint8_t *at = test_guarded(bytes + from, n);
    uint16_t sum = net_checksum(at, (int)n);
    uint8_t in_memory[2];
    memcpy(in_memory, &sum, sizeof sum);
    CHECK_EQ(net_checksum(bytes + from, (int)n), sum);
    return (uint16_t)(in_memory[0] << 8 | in_memory[1]);
}

static void check_all(void)
{
    for (unsigned from = 0; from < ALIGNMENTS; from++) {
        for (unsigned n = 0; n <= SHORT; n++) {
            test_context("from, bytes", (long)(from << 16 | n));
            CHECK_EQ(found(from, n), by_half_words(bytes + from, n));
        }
        for (unsigned n = LONGEST - 4; n <= LONGEST; n++) {
            test_context("from, bytes", (long)(from << 16 | n));
            CHECK_EQ(found(from, n), by_half_words(bytes + from, n));
        }
    }
}

/* RFC 1071 3 */
static void the_example(void)
{
    const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    memcpy(bytes, example, sizeof example);
    CHECK_EQ(found(0, sizeof example), 0xddf2);
}

static void all_sorts_of_bytes(void)
{
    uint32_t x = 1;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        x = x * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(x >> 16);
    }
    check_all();
}

/* Each word carries. */
static void all_ones(void)
{
    memset(bytes, 0xff, sizeof bytes);
    check_all();
    bytes[2] = 0xfe;
    check_all();
}

static void zeros(void)
{
    memset(bytes, 0, sizeof bytes);
    check_all();
}

int main(void)
{
    RUN(the_example);
    RUN(all_sorts_of_bytes);
    RUN(all_ones);
    RUN(zeros);
    return test_end();
}
