/* tests/unit/blobs_service.c - see blobs_service.h.
 * Layer: test. Source: proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_PIECES
#include "blobs_service.h"

#include <string.h>

#include "nanorpc/compression.h"

NRPC_SERVER_DEFINE(blobs_server, 2, blobs_Blobs_service);

struct blobs_how how;
struct blobs_call calls[BLOBS_CALLS];

/* A call that is new has no number yet. */
static unsigned place(struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    unsigned i = how.by_slot ? call->slot % BLOBS_CALLS : call->id / 2 % BLOBS_CALLS;
    if (!nrpc_call_user(call)->number++) {
        memset(&calls[i], 0, sizeof calls[i]);
        calls[i].call = call;
    }
    return i;
}

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)('a' + i % 23);
}

/* --- Handlers ------------------------------------------------------------------------------- */

/* A message has come. */
static void note_compression(struct nrpc_call *call)
{
#if NRPC_COMPRESSION
    calls[place(call)].zipped += nrpc_call_message_compressed(call) ? 1 : 0;
    if (how.compress) {
        CHECK_EQ(nrpc_call_compress(call, 1), 0);
    }
#else
    (void)call;
#endif
}

static enum nrpc_status take(struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    unsigned i = place(call);
    if (chunk->offset == 0) {
        calls[i].begun++;
        calls[i].bytes = 0;
    }
    CHECK_EQ(chunk->offset, calls[i].bytes);
    CHECK(chunk->offset + chunk->n <= chunk->length);
    CHECK(chunk->n || !chunk->length);
    for (size_t k = 0; k < chunk->n; k++) {
        CHECK(how.any || chunk->data[k] == pattern(chunk->offset + (uint32_t)k));
    }
    calls[i].bytes += (uint32_t)chunk->n;
    calls[i].sum += (uint32_t)chunk->n;
    calls[i].length = chunk->length;
    calls[i].chunks++;
    if (how.refuse && chunk->offset + chunk->n > how.refuse_at) {
        return how.refuse;
    }
    return how.hold ? NRPC_PENDING : NRPC_OK;
}

enum nrpc_status blobs_Blobs_Put_blob_data_chunk(struct nrpc_call *call,
                                                 const struct nrpc_chunk *chunk)
{
    return take(call, chunk);
}

enum nrpc_status blobs_Blobs_PutAll_blob_data_chunk(struct nrpc_call *call,
                                                    const struct nrpc_chunk *chunk)
{
    enum nrpc_status status = take(call, chunk);
    if (how.early) {
        blobs_Summary reply = blobs_Summary_init_zero;
        CHECK_EQ(blobs_Blobs_PutAll_reply(call, &reply), 0);
    }
    return status;
}

enum nrpc_status blobs_Blobs_Exchange_data_chunk(struct nrpc_call *call,
                                                 const struct nrpc_chunk *chunk)
{
    return take(call, chunk);
}

static size_t make(struct nrpc_call *call, uint8_t *buf, size_t room, uint32_t offset)
{
    unsigned i = place(call);
    size_t n = room < how.piece ? room : (size_t)how.piece;
    CHECK(room > 0);
    CHECK_EQ(offset, calls[i].made);
    if (offset >= how.fail_at) {
        nrpc_call_fail(call, NRPC_DATA_LOSS, "no more of it");
        return n / 2; /* does not count */
    }
    if (offset == how.end_at) {
        CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), 0);
    }
    if (offset >= how.wait_at && !calls[i].waits) {
        calls[i].waits++;
        return 0;
    }
    for (size_t k = 0; k < n; k++) {
        buf[k] = pattern(offset + (uint32_t)k);
    }
    calls[i].made += (uint32_t)n;
    return n;
}

size_t blobs_Blobs_Get_data_produce(struct nrpc_call *call, uint8_t *buf, size_t room,
                                    uint32_t offset)
{
    return make(call, buf, room, offset);
}

size_t blobs_Blobs_GetAll_blob_data_produce(struct nrpc_call *call, uint8_t *buf, size_t room,
                                            uint32_t offset)
{
    return make(call, buf, room, offset);
}

size_t blobs_Blobs_Exchange_data_produce(struct nrpc_call *call, uint8_t *buf, size_t room,
                                         uint32_t offset)
{
    return make(call, buf, room, offset);
}

static void note(struct nrpc_call *call, const blobs_Named *request, blobs_Summary *reply)
{
    CHECK(request->blob.data.funcs.encode == NULL && request->blob.data.arg == NULL);
    note_compression(call);
    reply->blobs = calls[place(call)].begun;
    reply->bytes = calls[place(call)].sum;
    reply->crc32 = request->blob.crc32;
    strcpy(reply->last_name, request->name);
    strcpy(reply->last_note, request->note);
    strcpy(reply->last_media_type, request->has_blob ? request->blob.media_type : "none");
}

enum nrpc_status blobs_Blobs_Put(struct nrpc_call *call, const blobs_Named *request,
                                 blobs_Summary *reply)
{
    note(call, request, reply);
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_PutAll(struct nrpc_call *call, const blobs_Named *request,
                                    blobs_Summary *reply)
{
    unsigned i = place(call);
    if (request) {
        calls[i].left++;
        note_compression(call);
        return NRPC_OK;
    }
    reply->blobs = calls[i].left;
    reply->bytes = calls[i].sum;
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_Get(struct nrpc_call *call, const blobs_Ask *request,
                                 blobs_Blob *reply)
{
    reply->crc32 = 7;
    note_compression(call);
    strcpy(reply->media_type, "x/y");
    if (request->count == 0) {
        blobs_Blobs_Get_data_length(call, reply, request->bytes);
    }
    return NRPC_OK;
}

static void fill(struct nrpc_call *call, blobs_Named *reply, uint32_t bytes)
{
    calls[place(call)].made = 0;
    strcpy(reply->note, "tail");
    reply->blob.crc32 = 7;
    blobs_Blobs_GetAll_blob_data_length(call, reply, bytes);
}

enum nrpc_status blobs_Blobs_GetAll(struct nrpc_call *call, const blobs_Ask *request)
{
    unsigned i = place(call);
    calls[i].left = request->count;
    calls[i].length = request->bytes;
    note_compression(call);
    if (how.push) {
        blobs_Named reply = blobs_Named_init_zero;
        fill(call, &reply, request->bytes);
        CHECK_EQ(blobs_Blobs_GetAll_send(call, &reply), 0);
        CHECK_EQ(blobs_Blobs_GetAll_send(call, &reply), NRPC_E_AGAIN);
        CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), 0);
    }
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_GetAll_next(struct nrpc_call *call, blobs_Named *reply)
{
    unsigned i = place(call);
    CHECK(!how.push);
    if (!calls[i].left) {
        return NRPC_OK;
    }
    calls[i].left--;
    fill(call, reply, calls[i].length);
    return NRPC_MORE;
}

enum nrpc_status blobs_Blobs_Exchange(struct nrpc_call *call, const blobs_Blob *request)
{
    unsigned i = place(call);
    blobs_Blob reply = blobs_Blob_init_zero;
    if (!request) {
        return NRPC_OK;
    }
    calls[i].made = 0;
    note_compression(call);
    reply.crc32 = request->crc32;
    blobs_Blobs_Exchange_data_length(call, &reply, calls[i].length);
    calls[i].length = 0;
    CHECK_EQ(blobs_Blobs_Exchange_send(call, &reply), 0);
    return NRPC_OK;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    calls[place(call)].cancelled += 1 + 100 * (uint32_t)why;
}

void blobs_Blobs_Put_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    cancelled(call, why);
}

void blobs_Blobs_PutAll_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    cancelled(call, why);
}

void blobs_Blobs_Get_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    cancelled(call, why);
}

void blobs_Blobs_GetAll_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    cancelled(call, why);
}

void blobs_Blobs_Exchange_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    cancelled(call, why);
}

/* --- Messages ------------------------------------------------------------------------------- */

uint8_t blobs_text[BLOBS_TEXT];
size_t blobs_n;

void blobs_begin(void)
{
    memset(&how, 0, sizeof how);
    how.wait_at = how.fail_at = how.end_at = UINT32_MAX;
    how.piece = UINT32_MAX;
    memset(calls, 0, sizeof calls);
    wire_begin(&blobs_server);
}

void blobs_put(const void *bytes, size_t n)
{
    memcpy(blobs_text + blobs_n, bytes, n);
    blobs_n += n;
}

void blobs_put_varint(uint32_t value)
{
    for (; value >= 0x80; value >>= 7) {
        blobs_text[blobs_n++] = (uint8_t)(value | 0x80);
    }
    blobs_text[blobs_n++] = (uint8_t)value;
}

void blobs_put_data(uint32_t n)
{
    blobs_text[blobs_n++] = 0x12;
    blobs_put_varint(n);
    for (uint32_t i = 0; i < n; i++) {
        blobs_text[blobs_n++] = pattern(i);
    }
}

static unsigned varint_bytes(uint32_t value)
{
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;
}

/* "name" "t" [n bytes] crc 9, "note" */
void blobs_named(uint32_t n)
{
    blobs_n = 0;
    blobs_put("\x0a\x04name\x12", 7);
    blobs_put_varint(3 + 1 + varint_bytes(n) + n + 2);
    blobs_put("\x0a\x01t", 3);
    blobs_put_data(n);
    blobs_put("\x18\x09\x1a\x04note", 8);
}

/* The message in blobs_text, in frames of at most `piece` bytes. */
void blobs_send(uint32_t id, size_t piece, unsigned flags)
{
    uint8_t prefix[5] = {0};
    nrpc_put32(prefix + 1, (uint32_t)blobs_n);
    wire_data(id, prefix, 5, 0);
    for (size_t at = 0; at < blobs_n; at += piece) {
        size_t n = blobs_n - at < piece ? blobs_n - at : piece;
        wire_data(id, blobs_text + at, n, at + n == blobs_n ? flags : 0);
    }
    if (!blobs_n && flags) {
        wire_data(id, "", 0, flags);
    }
}

void blobs_ask(uint32_t id, const char *path, uint32_t bytes, uint32_t count)
{
    wire_request_fields(path);
    if (how.compress) {
        wire_field("grpc-accept-encoding", "gzip");
    }
    wire_headers(id, 0);
    blobs_n = 0;
    blobs_put("\x08", 1);
    blobs_put_varint(bytes);
    blobs_put("\x18", 1);
    blobs_put_varint(count);
    blobs_send(id, 4000, NRPC_END_STREAM);
}

#endif
