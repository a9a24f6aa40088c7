/* tests/unit/test_texts.c - the ring that keeps metadata's texts, against a model that forgets
 * nothing.
 * Layer: test. Source: nanorpc/hpack/nrpc_hpack_keys.h. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/hpack/nrpc_hpack.h"
#include "nanorpc/nanorpc.h"
#include "test.h"

#if NRPC_METADATA_BYTES

static const struct nrpc_service greeter = {.path = "/Greeter/",
                                            .method_names = "\200SayHello\377"};
static const struct nrpc_service *const services[] = {&greeter};
static const struct nrpc_key auth = NRPC_KEY("authorization");
static const struct nrpc_key *const keys[] = {&auth};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 1,
                                          .keys = keys, .n_keys = 1};

enum { MODEL_TEXTS = 60000, MODEL_BYTES = 1 << 21 };

static struct {
    uint8_t bytes[MODEL_BYTES];
    struct {
        uint32_t at, n, until; /* until: where all text that there was ended */
    } texts[MODEL_TEXTS];
    uint32_t n_texts, n_bytes, total; /* total: what the ring has been given */
} model;

/* "authorization" with this value; indexed or not. */
static void decode_text(struct nrpc_hpack *hpack, uint32_t n, int is_indexed)
{
    static uint8_t block[NRPC_METADATA_BYTES + 64];
    const uint8_t *at = block;
    size_t head = 1;
    block[0] = is_indexed ? 0x57 : 0x0f;
    if (!is_indexed) {
        block[head++] = 23 - 15;
    }
    block[head++] = (uint8_t)(n < 127 ? n : 127);
    if (n >= 127) {
        block[head++] = (uint8_t)((n - 127) | 128);
        block[head++] = (uint8_t)((n - 127) >> 7);
    }
    for (uint32_t i = 0; i < n; i++) {
        block[head + i] = (uint8_t)('!' + (model.n_texts * 7 + i) % 90);
    }
    if (!CHECK(model.n_texts < MODEL_TEXTS && n <= MODEL_BYTES - model.n_bytes)) {
        return;
    }
    memcpy(model.bytes + model.n_bytes, block + head, n);
    model.texts[model.n_texts].at = model.n_bytes;
    model.texts[model.n_texts].n = n;
    model.n_bytes += n;
    model.total += n;
    model.texts[model.n_texts++].until = model.total;
    nrpc_hpack_begin(hpack);
    CHECK_EQ(nrpc_hpack_decode(hpack, &at, block + head + n), 1);
    CHECK(at == block + head + n && nrpc_hpack_end(hpack));
}

/* What hpack has is this text or, where so much has come since, nothing. */
static void check_text(const struct nrpc_hpack *hpack, uint32_t i)
{
    unsigned start;
    int32_t n = nrpc_hpack_text(hpack, &start);
    uint32_t since = model.total - model.texts[i].until;
    if (model.texts[i].n > NRPC_METADATA_BYTES) {
        CHECK_EQ(n, NRPC_TEXT_TOO_LONG);
    } else if (since + model.texts[i].n > NRPC_METADATA_BYTES) {
        CHECK_EQ(n, NRPC_TEXT_LOST);
    } else if (CHECK_EQ(n, model.texts[i].n)) {
        for (uint32_t k = 0; k < (uint32_t)n; k++) {
            CHECK_EQ(nrpc_hpack_text_byte(hpack, start + k), model.bytes[model.texts[i].at + k]);
        }
    }
}

static void check_table(struct nrpc_hpack *hpack, const uint32_t *indexed, unsigned n_indexed)
{
    for (unsigned k = 0; k < hpack->count; k++) {
        uint8_t block[] = {0xff, (uint8_t)(62 + k - 127)};
        const uint8_t *at = block + (62 + k < 127);
        block[1] = (uint8_t)(62 + k < 127 ? 0x80 | (62 + k) : block[1]);
        nrpc_hpack_begin(hpack);
        CHECK_EQ(nrpc_hpack_decode(hpack, &at, block + 2), 1);
        check_text(hpack, indexed[n_indexed - 1 - k]);
    }
}

/* Texts of all lengths, every 199th indexed and so named long after. None may mean what came to
 * stand there later, neither when the ring has gone round nor when positions are used again. */
static void texts_from(uint32_t position)
{
    struct nrpc_hpack hpack;
    static uint32_t indexed[MODEL_TEXTS];
    unsigned n_indexed = 0;
    uint32_t random = 1;
    nrpc_hpack_init(&hpack, &server);
    hpack.text_end = position;
    memset(&model, 0, sizeof model);
    while (model.total < 5 * 65536 && !test_has_failed()) {
        random = random * 1664525u + 1013904223u;
        uint32_t n = (random >> 16) % 61;
        if (random >> 24 == 0) {
            n = NRPC_METADATA_BYTES - 1 + (random >> 16) % 3;
        }
        int is_indexed = model.n_texts % 199 == 0;
        if (is_indexed) {
            indexed[n_indexed++] = model.n_texts;
        }
        test_context("text from", (long)position);
        decode_text(&hpack, n, is_indexed);
        check_text(&hpack, model.n_texts - 1);
        check_table(&hpack, indexed, n_indexed);
    }
    CHECK(n_indexed > 40);
}

/* As if there had been so many bytes of text before: the last row is what 4 GB come to. */
static void positions_are_used_again(void)
{
    static const uint32_t positions[] = {0,          0x7fff8000, 0x7fffffff, 0x80000000,
                                         0xffff0000, 0xfffffff9, 0xffffff80};
    for (unsigned i = 0; i < sizeof positions / sizeof positions[0]; i++) {
        texts_from(positions[i]);
    }
}

/* One text stays in the table while 4 GB of others go by, to the byte where it began; then 4 GB
 * more. Positions are looked after at two places, at each end of a half. */
static void text_of_long_ago(void)
{
    for (unsigned turns = 2; turns <= 4; turns += 2) {
        struct nrpc_hpack hpack;
        test_context("half turns", (long)turns);
        nrpc_hpack_init(&hpack, &server);
        hpack.text_end = 0x7ffffff0;
        memset(&model, 0, sizeof model);
        decode_text(&hpack, 8, 1);
        decode_text(&hpack, NRPC_METADATA_BYTES, 0); /* over the first half's end */
        for (unsigned i = 1; i < turns; i++) {
            hpack.text_end = (i & 1 ? 0xffffffffu : 0x7fffffffu) - 3;
            decode_text(&hpack, 8, 0);
        }
        hpack.text_end = 0x7ffffff0;
        decode_text(&hpack, 8, 0); /* where the first has been */
        const uint8_t block[] = {0xbe}, *at = block;
        unsigned start;
        nrpc_hpack_begin(&hpack);
        CHECK_EQ(nrpc_hpack_decode(&hpack, &at, block + 1), 1);
        CHECK_EQ(nrpc_hpack_text(&hpack, &start), NRPC_TEXT_LOST);
    }
}

int main(void)
{
    RUN(positions_are_used_again);
    RUN(text_of_long_ago);
    return test_end();
}
#else
int main(void) /* nothing is kept */
{
    return test_end();
}
#endif
