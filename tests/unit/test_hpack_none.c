/* tests/unit/test_hpack_none.c - the decoder without a dynamic table.
 * Layer: test. Source: RFC 7541 4; nanorpc/config.h NRPC_HPACK_ENTRIES.
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_UNASKED
#define NRPC_HPACK_ENTRIES 0
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

/* A client that has not read our SETTINGS inserts; the fields count, the entries are lost. */
static void insertions_are_lost_and_said_so(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, "\x44\x11/Greeter/SayHello", 19), 1);
    CHECK_EQ(hpack.token, NRPC_T_PATH);
    CHECK_EQ(hpack.value, 0);
    CHECK_EQ(hpack.count, 0);
    CHECK_EQ(decode(&hpack, "\xbe", 1), -1);
}

/* C-core goes on to send literals with incremental indexing to a table of 0: each is a no-op. */
static void insertions_to_a_table_of_0(void)
{
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, "\x20\x44\x11/Greeter/SayHello", 20), 1);
    CHECK_EQ(decode(&hpack, "\x44\x11/Greeter/SayHello\x40\2te\x08trailers\x83\x86", 34), 4);
    CHECK_EQ(hpack.used_bytes, 0);
}

int main(void)
{
    RUN(insertions_are_lost_and_said_so);
    RUN(insertions_to_a_table_of_0);
    return test_end();
}
