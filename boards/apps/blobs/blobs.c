/* boards/apps/blobs/blobs.c - blobs.Blobs: streamed fields of any size; it holds no blob.
 * Layer: application. Source: proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "blobs.nrpc.h"

/* Connections that the server has memory for. */
#ifndef BLOBS_CONNECTIONS
#define BLOBS_CONNECTIONS 2
#endif

/* What a call has to remember between two pieces. */
struct transfer {
    uint64_t bytes; /* received */
    uint32_t crc, blobs;
    uint32_t seed, size, left; /* of what is made up: left: blobs to come */
    char name[sizeof((blobs_Summary *)0)->last_name];
    char note[sizeof((blobs_Summary *)0)->last_note];
    char media_type[sizeof((blobs_Summary *)0)->last_media_type];
    uint8_t is_used;
};
static struct transfer transfers[BLOBS_CONNECTIONS * NRPC_MAX_STREAMS];

/* The call's own; there is one for each call that can be open. */
static struct transfer *transfer_of(struct nrpc_call *call)
{
    struct transfer *transfer = nrpc_call_user(call)->ptr;
    for (struct transfer *t = transfers; transfer == NULL; t++) {
        if (!t->is_used) {
            transfer = t;
            memset(transfer, 0, sizeof *transfer);
            transfer->is_used = 1;
            nrpc_call_user(call)->ptr = transfer;
        }
    }
    return transfer;
}

static void transfer_end(struct nrpc_call *call)
{
    struct transfer *transfer = nrpc_call_user(call)->ptr;
    if (transfer != NULL) {
        transfer->is_used = 0;
    }
}

/* CRC-32 of IEEE 802.3. Where there is memory for tables four bytes at a time: it takes most of the
 * time that a blob takes. */
#if UINTPTR_MAX > UINT32_MAX
static uint32_t crc_of(uint32_t crc, const uint8_t *data, size_t n)
{
    static uint32_t tables[4][256]; /* of a byte that so many others follow */
    size_t i = 0;
    for (uint32_t byte = 0; tables[3][255] == 0 && byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
        }
        tables[0][byte] = value;
    }
    for (uint32_t at = 0; tables[3][255] == 0 && at < 3 * 256; at++) {
        uint32_t value = tables[at / 256][at % 256];
        tables[at / 256 + 1][at % 256] = value >> 8 ^ tables[0][value & 255];
    }
    crc = ~crc;
    for (; n - i >= 4; i += 4) {
        crc ^= (uint32_t)data[i + 3] << 24 | (uint32_t)data[i + 2] << 16 |
               (uint32_t)data[i + 1] << 8 | data[i];
        crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^ tables[1][crc >> 16 & 255] ^
              tables[0][crc >> 24];
    }
    for (; i < n; i++) {
        crc = crc >> 8 ^ tables[0][(crc ^ data[i]) & 255];
    }
    return ~crc;
}
#else /* four bits at a time */
static uint32_t crc_of(uint32_t crc, const uint8_t *data, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
#endif

/* --- Coming in: pieces are summed up and forgotten -------------------------------------------- */

static enum nrpc_status take(struct nrpc_call *call, const struct nrpc_chunk *chunk)
{
    struct transfer *transfer = transfer_of(call);
    transfer->crc = crc_of(transfer->crc, chunk->data, chunk->n);
    transfer->bytes += chunk->n;
    transfer->size = chunk->length;
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_Put_blob_data_chunk(struct nrpc_call *call,
                                                 const struct nrpc_chunk *chunk)
{
    return take(call, chunk);
}

enum nrpc_status blobs_Blobs_PutAll_blob_data_chunk(struct nrpc_call *call,
                                                    const struct nrpc_chunk *chunk)
{
    return take(call, chunk);
}

enum nrpc_status blobs_Blobs_Exchange_data_chunk(struct nrpc_call *call,
                                                 const struct nrpc_chunk *chunk)
{
    return take(call, chunk);
}

/* All of a message but its data. */
static void note(struct transfer *transfer, const blobs_Named *request)
{
    transfer->blobs += request->has_blob;
    strcpy(transfer->name, request->name);
    strcpy(transfer->note, request->note);
    strcpy(transfer->media_type, request->has_blob ? request->blob.media_type : "");
}

static void sum_up(struct nrpc_call *call, blobs_Summary *reply)
{
    const struct transfer *transfer = transfer_of(call);
    reply->blobs = transfer->blobs;
    reply->bytes = transfer->bytes;
    reply->crc32 = transfer->crc;
    strcpy(reply->last_name, transfer->name);
    strcpy(reply->last_note, transfer->note);
    strcpy(reply->last_media_type, transfer->media_type);
    transfer_end(call);
}

enum nrpc_status blobs_Blobs_Put(struct nrpc_call *call, const blobs_Named *request,
                                 blobs_Summary *reply)
{
    note(transfer_of(call), request);
    sum_up(call, reply);
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_PutAll(struct nrpc_call *call, const blobs_Named *request,
                                    blobs_Summary *reply)
{
    if (request != NULL) {
        note(transfer_of(call), request);
    } else {
        sum_up(call, reply);
    }
    return NRPC_OK;
}

/* --- Going out: made up while there is room --------------------------------------------------- */

static size_t make(struct nrpc_call *call, uint8_t *buf, size_t room, uint32_t offset)
{
    const struct transfer *transfer = transfer_of(call);
    for (size_t i = 0; i < room; i++) {
        uint32_t at = offset + (uint32_t)i;
        buf[i] = (uint8_t)(transfer->seed + at + at / 251);
    }
    return room;
}

/* Get has sent its only message with the last of these bytes, and is over. */
size_t blobs_Blobs_Get_data_produce(struct nrpc_call *call, uint8_t *buf, size_t room,
                                    uint32_t offset)
{
    size_t n = make(call, buf, room, offset);
    if (offset + n == transfer_of(call)->size) {
        transfer_end(call);
    }
    return n;
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

enum nrpc_status blobs_Blobs_Get(struct nrpc_call *call, const blobs_Ask *request,
                                 blobs_Blob *reply)
{
    struct transfer *transfer = transfer_of(call);
    transfer->seed = request->seed;
    transfer->size = request->bytes;
    strcpy(reply->media_type, "application/octet-stream");
    blobs_Blobs_Get_data_length(call, reply, request->bytes);
    if (request->bytes == 0) {
        transfer_end(call);
    }
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_GetAll(struct nrpc_call *call, const blobs_Ask *request)
{
    struct transfer *transfer = transfer_of(call);
    transfer->seed = request->seed;
    transfer->size = request->bytes;
    transfer->left = request->count;
    return NRPC_OK;
}

enum nrpc_status blobs_Blobs_GetAll_next(struct nrpc_call *call, blobs_Named *reply)
{
    struct transfer *transfer = transfer_of(call);
    if (transfer->left == 0) {
        transfer_end(call);
        return NRPC_OK;
    }
    strcpy(reply->name, "made up");
    strcpy(reply->note, --transfer->left ? "more follow" : "the last one");
    strcpy(reply->blob.media_type, "application/octet-stream");
    blobs_Blobs_GetAll_blob_data_length(call, reply, transfer->size);
    return NRPC_MORE;
}

enum nrpc_status blobs_Blobs_Exchange(struct nrpc_call *call, const blobs_Blob *request)
{
    struct transfer *transfer = transfer_of(call);
    blobs_Blob reply = blobs_Blob_init_zero;
    if (request == NULL) {
        transfer_end(call);
        return NRPC_OK;
    }
    strcpy(reply.media_type, request->media_type);
    reply.crc32 = transfer->crc;
    transfer->seed = request->crc32;
    blobs_Blobs_Exchange_data_length(call, &reply, transfer->size);
    transfer->crc = transfer->size = 0;
    return blobs_Blobs_Exchange_send(call, &reply) == 0 ? NRPC_OK : NRPC_INTERNAL;
}

/* --- Calls that end before their time --------------------------------------------------------- */

void blobs_Blobs_Put_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    transfer_end(call);
}

void blobs_Blobs_PutAll_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    transfer_end(call);
}

void blobs_Blobs_Get_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    transfer_end(call);
}

void blobs_Blobs_GetAll_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    transfer_end(call);
}

void blobs_Blobs_Exchange_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)why;
    transfer_end(call);
}

NRPC_SERVER_DEFINE(server, BLOBS_CONNECTIONS, blobs_Blobs_service);
