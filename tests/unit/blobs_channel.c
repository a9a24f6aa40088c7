/* tests/unit/blobs_channel.c - see blobs_channel.h.
 * Layer: test. Source: nanorpc/client.h, streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT && NRPC_PIECES
#include "blobs_channel.h"

#include <string.h>

#include "nanorpc/compression.h"
#include "test.h"

NRPC_CHANNEL_DEFINE(blobs_channel, "a.example", blobs_Blobs_client);

/* --- The link ------------------------------------------------------------------------------- */

struct way {
    uint8_t bytes[3000];
    size_t at, n;
};
static struct way there, back;
const struct nrpc_call_options *blobs_options;
struct nrpc_conn *blobs_peer;
static struct nrpc_conn *client;
static uint32_t seed;
static const uint32_t now_ms = 0; /* no time passes */

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static size_t move(struct way *way, struct nrpc_conn *from, struct nrpc_conn *to)
{
    if (way->at == way->n) {
        way->at = 0;
        size_t more = (size_t)next((uint32_t)sizeof way->bytes - NRPC_TRANSMIT_MIN);
        way->n = nrpc_conn_transmit(from, way->bytes, NRPC_TRANSMIT_MIN + more);
    }
    size_t piece = way->n - way->at;
    piece = piece && next(2) ? 1 + (size_t)next((uint32_t)piece) : piece;
    way->at += nrpc_conn_receive(to, test_guarded(way->bytes + way->at, piece), piece, now_ms);
    return way->n;
}

void blobs_pump(void)
{
    uint32_t wait_ms = 1000;
    unsigned quiet = 0;
    while (quiet < 3) {
        quiet = move(&there, client, blobs_peer) + move(&back, blobs_peer, client) ? 0 : quiet + 1;
    }
    (void)blobs_channel.dial.role->wanted(&blobs_channel.dial, now_ms, &wait_ms);
}

void blobs_link_up(void)
{
    memset(&there, 0, sizeof there);
    memset(&back, 0, sizeof back);
    client = nrpc_dial_linked(&blobs_channel.dial, now_ms);
    blobs_peer = nrpc_server_accept(&blobs_server, now_ms);
    CHECK(client && blobs_peer);
}

void blobs_link_down(void)
{
    nrpc_conn_lost(client);
    nrpc_conn_lost(blobs_peer);
}

/* --- What the client does, and what it is told ---------------------------------------------- */

struct blobs_got got;

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

const struct blobs_Blobs_Put_events blobs_put_events = {
    .on = {.done = done}, .reply = summary, .produce = produce};
static const struct blobs_Blobs_PutAll_events put_all_events = {
    .on = {.done = done, .writable = write_next}, .reply = summary, .produce = produce};
static const struct blobs_Blobs_Get_events get_events = {
    .on = {.done = done}, .reply = blob, .chunk = chunk};
const struct blobs_Blobs_GetAll_events blobs_get_all_events = {
    .on = {.done = done}, .reply = nested, .chunk = chunk};
static const struct blobs_Blobs_Exchange_events exchange_events = {
    .on = {.done = done, .writable = exchange_next},
    .reply = blob,
    .chunk = chunk,
    .produce = produce};

void blobs_client_begin(void)
{
    blobs_begin(); /* of the server */
    blobs_options = NULL;
    memset(&got, 0, sizeof got);
    got.wait_at = UINT32_MAX;
    got.size = BLOBS_LONG;
    blobs_link_up();
}

void blobs_client_begin_with(uint32_t number)
{
    seed = number;
    test_context("seed", (long)number);
    blobs_client_begin();
}

void blobs_start_put(uint32_t length)
{
    blobs_Named named = blobs_Named_init_zero;
    named.blob.crc32 = 9;
    got.call = blobs_Blobs_Put_start(&blobs_channel, blobs_options, &named, length,
                                     &blobs_put_events);
    CHECK(got.call != NULL);
}

void blobs_start_get(uint32_t length)
{
    blobs_Ask ask = {.bytes = length};
    got.call = blobs_Blobs_Get_start(&blobs_channel, NULL, &ask, &get_events);
    CHECK(got.call != NULL);
}

void blobs_start_put_all(int count)
{
    got.to_write = count;
    got.call = blobs_Blobs_PutAll_start(&blobs_channel, blobs_options, &put_all_events);
    write_next(got.call);
}

void blobs_start_exchange(int count, uint32_t size)
{
    got.to_write = count;
    got.size = size;
    got.call = blobs_Blobs_Exchange_start(&blobs_channel, blobs_options, &exchange_events);
    exchange_next(got.call);
}

void blobs_client_end(enum nrpc_status status)
{
    CHECK_EQ(got.done, 1);
    CHECK_EQ(got.status, status);
    blobs_link_down();
}
#endif
