/* tests/unit/test_hpack_small.c - the decoder with a table of 16 entries.
 * Layer: test. Source: RFC 7541 4; nanorpc/config.h NRPC_HPACK_ENTRIES.
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_UNASKED
#define NRPC_HPACK_ENTRIES 16
/* Compiled here once more, instead of the library's. */
#include "../../nanorpc/hpack/nrpc_hpack.c"
#include "../../nanorpc/hpack/nrpc_hpack_table.c"
#include "../../nanorpc/hpack/nrpc_hpack_value.c"
#include "../../nanorpc/hpack/nrpc_hpack_keys.c"

#include "nanorpc/nanorpc.h"
#include "test.h"

static const struct nrpc_service greeter = {.path = "/Greeter/",
                                            .method_names = "\200SayHello\377"};
static const struct nrpc_service *const services[] = {&greeter};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 1};

/* Returns the number of fields, or -1. */
static int decode(struct nrpc_hpack *hpack, const void *block, size_t n)
{
    const uint8_t *at = test_guarded(block, n), *last = at + n;
    int count = 0, result;
    nrpc_hpack_begin(hpack);
    while ((result = nrpc_hpack_decode(hpack, &at, last)) > 0) {
        count++;
    }
    return result == 0 && nrpc_hpack_end(hpack) ? count : -1;
}

/* Inserts "a: x", 34 bytes. */
static void insert_letter(struct nrpc_hpack *hpack, uint8_t letter)
{
    uint8_t block[] = {0x40, 1, 'a', 1, letter};
    CHECK_EQ(decode(hpack, block, sizeof block), 1);
}

static void insert_path(struct nrpc_hpack *hpack)
{
    CHECK_EQ(decode(hpack, "\x44\x11/Greeter/SayHello", 19), 1);
}

static int index_of(struct nrpc_hpack *hpack, unsigned i)
{
    uint8_t block[] = {(uint8_t)(0x80 | (62 + i))};
    return decode(hpack, block, 1);
}

/* Before it has read our SETTINGS a client may use 4096 bytes, so over 16 entries. The oldest are
 * lost then; a reference to one of them must end the connection, and never mean another. */
static void lost_entries_are_errors(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    insert_path(&hpack);
    for (unsigned i = 0; i < 15; i++) {
        insert_letter(&hpack, (uint8_t)('a' + i));
    }
    CHECK_EQ(hpack.count, 16);
    CHECK_EQ(index_of(&hpack, 15), 1);
    CHECK_EQ(hpack.token, NRPC_T_PATH);
    CHECK_EQ(hpack.value, 0);
    insert_letter(&hpack, 'z');
    CHECK_EQ(hpack.count, 16);
    CHECK_EQ(hpack.used_bytes, 16 * 34);
    CHECK_EQ(index_of(&hpack, 15), 1);
    CHECK_EQ(hpack.token, NRPC_T_OTHER);
    CHECK_EQ(index_of(&hpack, 16), -1);
    CHECK_EQ(decode(&hpack, "\x7f\x10\x01x", 4), -1); /* its name: 62 + 17 */
}

/* Round the ring many times: the i-th newest is always the one that was inserted i before. */
static void ring_goes_round(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    for (unsigned i = 0; i < 100; i++) {
        test_context("insertion", (long)i);
        if (i % 5 == 0) {
            insert_path(&hpack);
        } else {
            insert_letter(&hpack, 'x');
        }
        for (unsigned k = 0; k < hpack.count; k++) {
            CHECK_EQ(index_of(&hpack, k), 1);
            CHECK_EQ(hpack.token, (i - k) % 5 == 0 ? NRPC_T_PATH : NRPC_T_OTHER);
            CHECK_EQ(hpack.bytes, (i - k) % 5 == 0 ? 5 + 17 + 32 : 34);
        }
        CHECK_EQ(index_of(&hpack, hpack.count), -1);
    }
}

/* A client that keeps to the 512 bytes of our SETTINGS never meets the ring's end. */
static void table_of_our_settings_fits_the_ring(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, "\x3f\xe1\x03", 3), 0); /* 512 */
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQ(decode(&hpack, "\x40\0\0", 3), 1); /* 32 bytes: the smallest entry */
        CHECK_EQ(hpack.count, i < 16 ? i + 1 : 16);
        CHECK_EQ(hpack.used_bytes, 32u * hpack.count);
    }
}

/* RFC 7541 6.3: over the limit is an error, once the client has said that it knows the limit. */
static void table_size_over_our_settings(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, "\x3f\xe2\x03", 3), 0); /* 513 */
    nrpc_hpack_acked(&hpack);
    CHECK_EQ(decode(&hpack, "\x3f\xe1\x03", 3), 0);
    CHECK_EQ(decode(&hpack, "\x3f\xe2\x03", 3), -1);
}

static void eviction_and_the_ring_together(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    for (unsigned i = 0; i < 30; i++) {
        insert_letter(&hpack, 'y');
    }
    CHECK_EQ(hpack.count, 16);
    CHECK_EQ(decode(&hpack, "\x3f\x45", 2), 0); /* 31 + 69 = 100 bytes */
    CHECK_EQ(hpack.count, 2);
    CHECK_EQ(hpack.used_bytes, 68);
    CHECK_EQ(index_of(&hpack, 1), 1);
    CHECK_EQ(index_of(&hpack, 2), -1);
    CHECK_EQ(decode(&hpack, "\x20", 1), 0);
    CHECK_EQ(hpack.count, 0);
    CHECK_EQ(index_of(&hpack, 0), -1);
    insert_letter(&hpack, 'y');
    CHECK_EQ(hpack.count, 0);
}

int main(void)
{
    RUN(lost_entries_are_errors);
    RUN(ring_goes_round);
    RUN(table_of_our_settings_fits_the_ring);
    RUN(table_size_over_our_settings);
    RUN(eviction_and_the_ring_together);
    return test_end();
}
