/* tests/generator/scalars.c - decodes a message of test_generator_scalars.py, and encodes it again.
 * Layer: tests. In, again and again: its length (2 bytes) and it; out the same, 0xffff where it
 * does
 * not decode or encode. SPDX-License-Identifier: Apache-2.0 */
#include <pb_decode.h>
#include <pb_encode.h>
#include <stdio.h>

#include "all.pb.h"

int main(void)
{
    static uint8_t bytes[4096];
    uint16_t n;
    while (fread(&n, sizeof n, 1, stdin) == 1 && fread(bytes, 1, n, stdin) == n) {
        All message = All_init_zero;
        pb_istream_t in = pb_istream_from_buffer(bytes, n);
        pb_ostream_t out = pb_ostream_from_buffer(bytes, sizeof bytes);
        int is_good = pb_decode(&in, All_fields, &message) && pb_encode(&out, All_fields, &message);
        n = is_good ? (uint16_t)out.bytes_written : UINT16_MAX;
        fwrite(&n, sizeof n, 1, stdout);
        fwrite(bytes, 1, is_good ? n : 0, stdout);
        fflush(stdout);
    }
    return 0;
}
