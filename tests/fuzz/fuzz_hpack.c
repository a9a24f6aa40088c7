/* tests/fuzz/fuzz_hpack.c - header blocks, one after the other, each with its length before it.
 * Layer: test. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack.h"

#include <string.h>

#include "fuzz.h"
#include "nanorpc/nanorpc.h"

static const struct nrpc_key token = NRPC_KEY("x-token"), binary = NRPC_KEY("trace-bin");
static const struct nrpc_key *const keys[] = {&binary, &token};
static const struct nrpc_service *const services[] = {&Raw_service};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 1,
                                          .keys = keys, .n_keys = 2};

/* What has been decoded, as a sum: of fields, and of the texts of keys. */
struct decoder {
    struct nrpc_hpack hpack;
    uint32_t sum;
};

static void note(struct decoder *decoder, uint32_t number)
{
    decoder->sum = (decoder->sum ^ number) * 16777619u;
}

static void note_field(struct decoder *decoder)
{
    struct nrpc_hpack *hpack = &decoder->hpack;
    unsigned start;
    note(decoder, hpack->token);
    note(decoder, hpack->bytes);
    note(decoder, hpack->bad != 0);
    if (hpack->token < NRPC_T_KEY) {
        note(decoder, hpack->value);
        return;
    }
    int32_t n = nrpc_hpack_text(hpack, &start);
    note(decoder, (uint32_t)n);
    for (int32_t i = 0; i < n; i++) {
        note(decoder, nrpc_hpack_text_byte(hpack, start + (unsigned)i));
    }
}

/* Returns 0: COMPRESSION_ERROR. */
static int decode(struct decoder *decoder, const uint8_t *block, size_t n, size_t piece)
{
    nrpc_hpack_begin(&decoder->hpack);
    for (size_t at = 0; at < n;) {
        size_t size = n - at < piece ? n - at : piece;
        const uint8_t *p = test_guarded(block + at, size), *end = p + size;
        int result;
        while ((result = nrpc_hpack_decode(&decoder->hpack, &p, end)) > 0) {
            note_field(decoder);
        }
        if (result < 0) {
            return 0;
        }
        CHECK(p == end);
        at += size;
    }
    return nrpc_hpack_end(&decoder->hpack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct decoder whole, bytes;
    const uint8_t *end = data + n;
    memset(&whole, 0, sizeof whole);
    nrpc_hpack_init(&whole.hpack, &server);
    bytes = whole;
    while (data < end) {
        size_t size = *data++, left = (size_t)(end - data);
        size = size < left ? size : left;
        int is_good = decode(&whole, data, size, n);
        CHECK_EQ(decode(&bytes, data, size, 1), is_good);
        if (!is_good) {
            break;
        }
        CHECK_EQ(bytes.sum, whole.sum);
        CHECK_EQ(bytes.hpack.count, whole.hpack.count);
        CHECK_EQ(bytes.hpack.used_bytes, whole.hpack.used_bytes);
        CHECK(whole.hpack.used_bytes <= whole.hpack.max_bytes);
        data += size;
    }
    fuzz_end();
    return 0;
}
