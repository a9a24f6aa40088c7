/* tests/unit/test_decode_cost.c - what a byte of a header block costs: instructions, counted on the
 * emulated Cortex-M3, for which test_units.py lets an instruction take a nanosecond.
 * Layer: test. Source: Armv7-M ARM B3.3, SysTick. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "hpack_vectors.h"
#include "nanorpc/hpack/nrpc_hpack.h"
#include "nanorpc/nanorpc.h"
#include "test.h"
#include "tests/target/systick.h"

#ifdef __arm__

enum { MOST = 250, SKIPPED_MOST = 130, NAME_MOST = 90 };

static const struct nrpc_service greeter = {.path = "/helloworld.Greeter/",
                                            .method_names = "\200SayHello\210Again\200Test\377"};
static const struct nrpc_service *const services[] = {&greeter};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 1};

static uint8_t block[8192];
static unsigned n_block;
static uint32_t pending, n_pending;

static void put_code(unsigned symbol)
{
    for (unsigned i = hpack_huffman_codes[symbol].bits; i--;) {
        pending = pending << 1 | (hpack_huffman_codes[symbol].code >> i & 1);
        if (++n_pending == 8) {
            block[n_block++] = (uint8_t)pending;
            n_pending = 0;
        }
    }
}

/* A literal without indexing, of which only the value's bytes are many: `text` again and again, up
 * to about n bytes as it is sent. head: what comes before the value's length. */
static void put_field(const char *head, size_t n_head, const char *text, size_t n_text, unsigned n,
                      int is_huffman)
{
    memcpy(block + n_block, head, n_head);
    n_block += (unsigned)n_head;
    unsigned length = n_block, begin = n_block + (n < 127 ? 1 : 3);
    n_block = begin;
    n_pending = 0;
    for (size_t i = 0; n_block - begin < n; i = (i + 1) % n_text) {
        if (is_huffman) {
            put_code((uint8_t)text[i]);
        } else {
            block[n_block++] = (uint8_t)text[i];
        }
    }
    while (n_pending) {
        pending = pending << 1 | 1;
        n_pending = (n_pending + 1) % 8;
        if (!n_pending) {
            block[n_block++] = (uint8_t)pending;
        }
    }
    unsigned bytes = n_block - begin;
    block[length] = (uint8_t)((is_huffman ? 128u : 0u) | (n < 127 ? bytes : 127));
    if (n >= 127) {
        block[length + 1] = (uint8_t)(((bytes - 127) & 127) | 128);
        block[length + 2] = (uint8_t)((bytes - 127) >> 7);
    }
}

/* Instructions a byte; prints them. */
static uint32_t cost(const char *what)
{
    static struct nrpc_hpack hpack;
    const uint8_t *at = block, *end = block + n_block;
    nrpc_hpack_init(&hpack, &server);
    nrpc_hpack_begin(&hpack);
    uint32_t began = systick_now();
    int field;
    while ((field = nrpc_hpack_decode(&hpack, &at, end)) > 0) {
    }
    uint32_t each = systick_since(began) * SYSTICK_NS / n_block;
    CHECK_EQ(field, 0);
    CHECK(nrpc_hpack_end(&hpack));
    test_print(what);
    test_print(": ");
    test_print_number(each);
    test_print(" instructions a byte\n");
    n_block = 0;
    CHECK(each > 1); /* else nothing has been counted */
    CHECK(each <= MOST);
    return each;
}

#define OTHER "\0\1x"
#define FIELD(head, text, n, is_huffman) \
    put_field(head, sizeof head - 1, text, sizeof text - 1, n, is_huffman)

/* Values that nobody asked for, in codes of each length. */
static void skipped_values(void)
{
    static const struct {
        const char *what, *text;
        size_t n;
    } rows[] = {
        {"5 bits", "012aceiost", 10},
        {"6 bits", " %-./3456789=A_bdfghlmnpru", 26},
        {"7 bits", ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz", 32},
        {"8 bits", "&*,;XZ", 6},
        {"10 bits", "!\"()?", 5},
        {"11 to 15 bits", "'+|#>$@[]~^}<`{", 15},
        {"19 to 24 bits", "\\\xc3\xd0\x80\x82\x99\xa1\x81\x84\x01\x87\x89\xc5\xe7\x09\x8e", 16},
        {"26 to 30 bits", "\xc0\xc1\xcb\xcc\x02\x03\xf9\x16", 8},
        {"a token", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0", 64},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_context(rows[i].what, (long)i);
        put_field(OTHER, sizeof OTHER - 1, rows[i].text, rows[i].n, 4000, 1);
        CHECK(cost(rows[i].what) <= SKIPPED_MOST);
    }
    FIELD(OTHER, "any", 4000, 0);
    CHECK(cost("as it is") <= SKIPPED_MOST / 8);
}

/* Values that are looked at. */
static void values(void)
{
    for (unsigned i = 0; i < 100; i++) {
        FIELD("\4", "/helloworld.Greeter/SayHello", 20, 1);
        FIELD("\4", "/helloworld.Greeter/SayHelloAgain", 23, 1);
    }
    cost("paths");
    for (unsigned i = 0; i < 100; i++) {
        FIELD("\4", "/helloworld.Greeter/SayHello", 28, 0);
        FIELD("\4", "/helloworld.Greeter/SayHelloAgain", 33, 0);
    }
    cost("paths as they are");
    FIELD("\4", "/helloworld.Greeter/x", 4000, 1);
    cost("a path that there is not");
    FIELD("\017\20", "application/grpc", 4000, 1);
    cost("content-type");
    FIELD("\0\14grpc-timeout", "1", 4000, 1);
    cost("grpc-timeout");
    FIELD("\017\15", "1", 4000, 1);
    cost("content-length");
}

/* Names, known ones and others. */
static void names(void)
{
    put_field("\0", 1, "x-no-such-name", 14, 4000, 1);
    block[n_block++] = 0;
    cost("a name");
    for (unsigned i = 0; i < 100; i++) {
        memcpy(block + n_block, "\0\4abcd\0", 7);
        n_block += 7;
    }
    CHECK(cost("short names") <= NAME_MOST); /* that none of ours begins like */
    for (unsigned i = 0; i < 100; i++) {
        memcpy(block + n_block, "\0\24grpc-accept-encoding\1x", 24);
        n_block += 24;
    }
    cost("long names");
}

int main(void)
{
    RUN(skipped_values);
    RUN(values);
    RUN(names);
    return test_end();
}

#else
int main(void) /* nothing is counted here */
{
    return test_end();
}
#endif
