/* tests/unit/test_streamed_client.c - streamed fields from both sides: our client, our server.
 * Layer: test. Source: nanorpc/client.h, streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT && NRPC_PIECES
#include <string.h>

#include "blobs.client.h"
#include "blobs_service.h"
#include "nanorpc/compression.h"

NRPC_CHANNEL_DEFINE(channel, "a.example", blobs_Blobs_client);

enum { LONG = 40000 };

/* --- The link ------------------------------------------------------------------------------- */

struct way {
    uint8_t bytes[3000];
    size_t at, n;
};
static struct way there, back;
static struct nrpc_conn *client, *peer;
static uint32_t seed, now_ms;

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static size_t move(struct way *way, struct nrpc_conn *from, struct nrpc_conn *to)
{
    if (way->at == way->n) {
        way->at = 0;
        way->n = nrpc_conn_transmit(from, way->bytes,
                                    NRPC_TRANSMIT_MIN +
                                        next((uint32_t)sizeof way->bytes - NRPC_TRANSMIT_MIN));
    }
    size_t piece = way->n - way->at;
    piece = piece && next(2) ? 1 + next((uint32_t)piece) : piece;
    way->at += nrpc_conn_receive(to, test_guarded(way->bytes + way->at, piece), piece, now_ms);
    return way->n;
}

static void pump(void)
{
    uint32_t wait_ms = 1000;
    unsigned quiet = 0;
    while (quiet < 3) {
        quiet = move(&there, client, peer) + move(&back, peer, client) ? 0 : quiet + 1;
    }
    (void)channel.dial.role->wanted(&channel.dial, now_ms, &wait_ms);
}

static void link_up(void)
{
    memset(&there, 0, sizeof there);
    memset(&back, 0, sizeof back);
    client = nrpc_dial_linked(&channel.dial, now_ms);
    peer = nrpc_server_accept(&blobs_server, now_ms);
    CHECK(client && peer);
}

static void link_down(void)
{
    nrpc_conn_lost(client);
    nrpc_conn_lost(peer);
}

/* --- What the client does, and what it is told ---------------------------------------------- */

static struct {
    uint32_t bytes, begun, replies, crc, done, status, made, again, waits, wait_at;
    uint32_t zipped, size; /* replies that came compressed; bytes of a stream's requests */
    uint64_t sum;
    int hold, to_write, by_turns;
    struct nrpc_call *call;
} got;

static enum nrpc_status chunk(struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    CHECK(!got.done && call == got.call);
    got.begun += chunk->offset == 0;
    CHECK(chunk->offset == 0 || chunk->offset == got.bytes);
    got.bytes = chunk->offset + (uint32_t)chunk->n;
    for (size_t i = 0; i < chunk->n; i++) {
        CHECK_EQ(chunk->data[i], 'a' + (chunk->offset + i) % 23);
    }
    return got.hold ? NRPC_PENDING : NRPC_OK;
}

static size_t produce(struct nrpc_call *call, uint8_t *buf, size_t room, uint32_t offset)
{
    /* Before its start has returned, if it is compressed. */
    CHECK(!got.done && (call == got.call || !got.call));
    got.again += got.made && !offset;
    CHECK(offset == got.made || !offset);
    if (offset >= got.wait_at && !got.waits++) {
        got.made = offset;
        return 0;
    }
    for (size_t i = 0; i < room; i++) {
        buf[i] = (uint8_t)('a' + (offset + i) % 23);
    }
    got.made = offset + (uint32_t)room;
    return room;
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    (void)message;
    CHECK(call == got.call);
    got.done++;
    got.status = status;
}

static enum nrpc_status summary(struct nrpc_call *call, const blobs_Summary *reply)
{
    (void)call;
    got.replies++;
    got.sum = reply->bytes;
    got.crc = reply->crc32;
    return NRPC_OK;
}

static enum nrpc_status blob(struct nrpc_call *call, const blobs_Blob *reply)
{
    CHECK(reply->data.funcs.encode == NULL && reply->data.arg == NULL);
#if NRPC_COMPRESSION
    got.zipped += nrpc_call_message_compressed(call) ? 1 : 0;
#else
    (void)call;
#endif
    got.replies++;
    got.crc = reply->crc32;
    return NRPC_OK;
}

static enum nrpc_status nested(struct nrpc_call *call, const blobs_Named *reply)
{
    CHECK_TEXT(reply->note, "tail");
    return blob(call, &reply->blob);
}

static void write_next(struct nrpc_call *call)
{
    blobs_Named named = blobs_Named_init_zero;
    got.made = 0;
    if (got.to_write-- > 0) {
#if NRPC_COMPRESSION
        CHECK(!got.by_turns || nrpc_call_compress(call, got.to_write % 2 == 0) == 0);
#endif
        CHECK_EQ(blobs_Blobs_PutAll_write(call, &named, got.size), 0);
        CHECK_EQ(blobs_Blobs_PutAll_write(call, &named, got.size), NRPC_E_AGAIN);
    } else {
        (void)nrpc_call_close_writes(call);
    }
}

static void exchange_next(struct nrpc_call *call)
{
    blobs_Blob one = blobs_Blob_init_zero;
    got.made = 0;
    if (got.to_write-- > 0) {
        CHECK_EQ(blobs_Blobs_Exchange_write(call, &one, got.size), 0);
    } else {
        (void)nrpc_call_close_writes(call);
    }
}

static const struct blobs_Blobs_Put_events put_events = {
    .on = {.done = done}, .reply = summary, .produce = produce};
static const struct blobs_Blobs_PutAll_events put_all_events = {
    .on = {.done = done, .writable = write_next}, .reply = summary, .produce = produce};
static const struct blobs_Blobs_Get_events get_events = {
    .on = {.done = done}, .reply = blob, .chunk = chunk};
static const struct blobs_Blobs_GetAll_events get_all_events = {
    .on = {.done = done}, .reply = nested, .chunk = chunk};
static const struct blobs_Blobs_Exchange_events exchange_events = {
    .on = {.done = done, .writable = exchange_next},
    .reply = blob,
    .chunk = chunk,
    .produce = produce};

static void begin(void)
{
    blobs_begin(); /* of the server */
    memset(&got, 0, sizeof got);
    got.wait_at = UINT32_MAX;
    got.size = LONG;
    link_up();
}

static const struct nrpc_call_options *options; /* NULL, or those of the test */

static void start_put(uint32_t length)
{
    blobs_Named named = blobs_Named_init_zero;
    named.blob.crc32 = 9;
    got.call = blobs_Blobs_Put_start(&channel, options, &named, length, &put_events);
    CHECK(got.call != NULL);
}

static void start_get(uint32_t length)
{
    blobs_Ask ask = {.bytes = length};
    got.call = blobs_Blobs_Get_start(&channel, NULL, &ask, &get_events);
    CHECK(got.call != NULL);
}

static void end(enum nrpc_status status)
{
    CHECK_EQ(got.done, 1);
    CHECK_EQ(got.status, status);
    link_down();
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void requests(void)
{
    static const uint32_t sizes[] = {0, 1, 1000, LONG};
    for (unsigned i = 0; i < 40; i++) {
        seed = i;
        test_context("seed", (long)i);
        begin();
        start_put(sizes[i % 4]);
        pump();
        CHECK_EQ(got.replies, 1);
        CHECK_EQ(got.sum, sizes[i % 4]);
        end(NRPC_OK);
    }
    test_context(NULL, 0);
}

static void request_without_the_field(void)
{
    begin();
    start_put(NRPC_NOT_STREAMED);
    pump();
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(calls[0].begun, 0);
    end(NRPC_OK);
}

static void request_over_the_limit(void)
{
    blobs_Named named = blobs_Named_init_zero;
    begin();
    CHECK(blobs_Blobs_Put_start(&channel, NULL, &named, 0x80000000u, &put_events) == NULL);
    link_down();
}

static void replies(void)
{
    static const uint32_t sizes[] = {0, 1, 1000, LONG};
    for (unsigned i = 0; i < 40; i++) {
        seed = i;
        test_context("seed", (long)i);
        begin();
        start_get(sizes[i % 4]);
        pump();
        CHECK_EQ(got.replies, 1);
        CHECK_EQ(got.bytes, sizes[i % 4]);
        CHECK_EQ(got.crc, 7);
        end(NRPC_OK);
    }
    test_context(NULL, 0);
}

static void streams_of_requests(void)
{
    begin();
    got.to_write = 3;
    got.call = blobs_Blobs_PutAll_start(&channel, NULL, &put_all_events);
    write_next(got.call);
    pump();
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(got.sum, 3 * LONG);
    end(NRPC_OK);
}

static void streams_of_replies(void)
{
    blobs_Ask ask = {.bytes = LONG, .count = 3};
    begin();
    got.call = blobs_Blobs_GetAll_start(&channel, NULL, &ask, &get_all_events);
    pump();
    CHECK_EQ(got.replies, 3);
    CHECK_EQ(got.begun, 3);
    end(NRPC_OK);
}

static void both_ways(void)
{
    begin();
    got.to_write = 4;
    got.size = 1000;
    got.call = blobs_Blobs_Exchange_start(&channel, NULL, &exchange_events);
    exchange_next(got.call);
    pump();
    CHECK_EQ(got.replies, 4);
    CHECK_EQ(got.begun, 4);
    end(NRPC_OK);
}

/* The request's producer has nothing for a while: its end is not sent before. */
static void waiting_producer(void)
{
    for (uint32_t at = 0; at < 4; at++) {
        begin();
        got.wait_at = at * 10000;
        start_put(LONG);
        pump();
        CHECK_EQ(got.waits, 1);
        CHECK_EQ(got.done, 0);
        CHECK_EQ(nrpc_call_wake(got.call), 0);
        pump();
        CHECK_EQ(got.sum, LONG);
        end(NRPC_OK);
    }
}

static void held_reply(void)
{
    begin();
    got.hold = 1;
    start_get(LONG);
    pump();
    CHECK(got.bytes > 0 && got.bytes < LONG);
    CHECK_EQ(got.done, 0);
    got.hold = 0;
    CHECK_EQ(nrpc_call_wake(got.call), 0);
    pump();
    CHECK_EQ(got.bytes, LONG);
    end(NRPC_OK);
}

/* Begun without a link, and on one that is lost before anything has left. */
static void no_link_at_first(void)
{
    begin();
    link_down();
    start_put(LONG);
    link_up();
    link_down();
    link_up();
    pump();
    CHECK_EQ(got.sum, LONG);
    end(NRPC_OK);
}

/* Refused when a part of the field has left: it is made again from its beginning. */
static void refused_and_sent_again(void)
{
    begin();
    got.wait_at = 700;
    start_put(LONG);
    pump();
    CHECK_EQ(got.waits, 1);
    nrpc_conn_reset(peer, 1, NRPC_H2_REFUSED_STREAM);
    pump();
    CHECK_EQ(got.again, 1);
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(got.sum, LONG);
    end(NRPC_OK);
}

/* The server ends the call while the request is still being made, or waits to be. */
static void ended_in_mid_request(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begin();
        how.refuse = NRPC_ABORTED;
        how.refuse_at = 500;
        got.wait_at = i ? 2000 : UINT32_MAX;
        start_put(LONG);
        pump();
        CHECK(got.made < LONG);
        CHECK_EQ(got.replies, 0);
        end(NRPC_ABORTED);
    }
}

/* And well, at that. */
static void ended_well_in_mid_request(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begin();
        how.early = 1;
        got.to_write = 3;
        got.wait_at = i ? 2000 : UINT32_MAX;
        got.call = blobs_Blobs_PutAll_start(&channel, NULL, &put_all_events);
        write_next(got.call);
        pump();
        CHECK(got.made < LONG);
        CHECK_EQ(got.replies, 1);
        end(NRPC_OK);
    }
}

/* A reply that its server cannot finish: what has come of it, and the server's status. */
static void cut_in_mid_reply(void)
{
    blobs_Ask ask = {.bytes = LONG, .count = 1};
    for (unsigned i = 0; i < 2; i++) {
        begin();
        how.fail_at = 3000;
        if (i) {
            got.call = blobs_Blobs_GetAll_start(&channel, NULL, &ask, &get_all_events);
        } else {
            start_get(LONG);
        }
        pump();
        CHECK(got.bytes >= 3000 && got.bytes < LONG);
        CHECK_EQ(got.replies, 0);
        end(NRPC_DATA_LOSS);
    }
}

static void lost_in_mid_message(void)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t wait_ms = 1000;
        begin();
        got.wait_at = 700;
        how.wait_at = 700;
        how.piece = 100;
        if (i) {
            start_put(LONG);
        } else {
            start_get(LONG);
        }
        pump();
        CHECK_EQ(got.done, 0);
        link_down();
        (void)channel.dial.role->wanted(&channel.dial, now_ms, &wait_ms);
        CHECK_EQ(got.done, 1);
        CHECK_EQ(got.status, NRPC_UNAVAILABLE);
    }
}

static void given_up(void)
{
    begin();
    got.wait_at = 700;
    start_put(LONG);
    pump();
    CHECK_EQ(nrpc_call_finish(got.call, NRPC_CANCELLED, NULL), 0);
    pump();
    CHECK_EQ(calls[0].cancelled, 101);
    end(NRPC_CANCELLED);
}

#if NRPC_COMPRESSION
/* --- Compressed: what fits into its block is made at once ------------------------------------- */

enum { FITS = 100 };
static const struct nrpc_call_options zip = {.compress = NRPC_ENCODING_GZIP};

static void compressed_requests(void)
{
    static const uint32_t sizes[] = {0, 1, FITS, LONG};
    options = &zip;
    for (unsigned i = 0; i < 40; i++) {
        begin();
        start_put(sizes[i % 4]);
        CHECK_EQ(got.made, i % 4 == 3 ? 0 : sizes[i % 4]);
        pump();
        CHECK_EQ(got.sum, sizes[i % 4]);
        CHECK_EQ(calls[0].zipped, i % 4 == 2);
        end(NRPC_OK);
    }
    options = NULL;
}

static void compressed_replies(void)
{
    static const uint32_t sizes[] = {0, 1, FITS, LONG};
    for (unsigned i = 0; i < 40; i++) {
        seed = i;
        test_context("seed", (long)i);
        begin();
        how.compress = 1;
        how.piece = i & 4 ? 1 : how.piece;
        start_get(sizes[i % 4]);
        pump();
        CHECK_EQ(got.bytes, sizes[i % 4]);
        CHECK_EQ(got.zipped, i % 4 == 2);
        end(NRPC_OK);
    }
    test_context(NULL, 0);
}

/* Which one came how is not mixed up. */
static void compressed_by_turns(void)
{
    begin();
    got.to_write = 3;
    got.size = FITS;
    got.by_turns = 1;
    got.call = blobs_Blobs_PutAll_start(&channel, &zip, &put_all_events);
    write_next(got.call);
    pump();
    CHECK_EQ(got.sum, 3 * FITS);
    CHECK_EQ(calls[0].zipped, 2);
    end(NRPC_OK);
}

static void compressed_both_ways(void)
{
    begin();
    how.compress = 1;
    got.to_write = 4;
    got.size = FITS;
    got.call = blobs_Blobs_Exchange_start(&channel, &zip, &exchange_events);
    exchange_next(got.call);
    pump();
    CHECK_EQ(got.begun, 4);
    CHECK_EQ(got.zipped, 4);
    CHECK_EQ(calls[0].zipped, 4);
    end(NRPC_OK);
}

/* One whose producer has to wait goes out as it is, also what has been made of it. */
static void producers_that_wait(void)
{
    for (uint32_t at = 0; at < 3; at++) {
        begin();
        how.compress = 1;
        how.wait_at = at * FITS / 2;
        how.piece = FITS / 2;
        start_get(FITS);
        pump();
        CHECK_EQ(got.bytes, FITS);
        CHECK_EQ(got.zipped, at == 2);
        CHECK_EQ(calls[0].waits, at < 2);
        end(NRPC_OK);
    }
}

static void producers_that_fail(void)
{
    begin();
    how.compress = 1;
    how.fail_at = FITS / 2;
    how.piece = FITS / 4;
    start_get(FITS);
    pump();
    CHECK_EQ(got.begun, 0);
    end(NRPC_DATA_LOSS);
}

/* Compressed once; sent anew from its block. */
static void compressed_and_refused(void)
{
    begin();
    options = &zip;
    how.hold = 1;
    start_put(FITS);
    options = NULL;
    pump();
    nrpc_conn_reset(peer, 1, NRPC_H2_REFUSED_STREAM);
    how.hold = 0;
    pump();
    CHECK_EQ(got.again, 0);
    CHECK_EQ(calls[1].zipped, 1);
    end(NRPC_OK);
}
#endif

int main(void)
{
#if NRPC_COMPRESSION
    RUN(compressed_requests);
    RUN(compressed_replies);
    RUN(compressed_by_turns);
    RUN(compressed_both_ways);
    RUN(producers_that_wait);
    RUN(producers_that_fail);
    RUN(compressed_and_refused);
#endif
    RUN(requests);
    RUN(request_without_the_field);
    RUN(request_over_the_limit);
    RUN(replies);
    RUN(streams_of_requests);
    RUN(streams_of_replies);
    RUN(both_ways);
    RUN(waiting_producer);
    RUN(held_reply);
    RUN(no_link_at_first);
    RUN(refused_and_sent_again);
    RUN(ended_in_mid_request);
    RUN(ended_well_in_mid_request);
    RUN(cut_in_mid_reply);
    RUN(lost_in_mid_message);
    RUN(given_up);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
