/* tests/unit/blobs_service.h - blobs.Blobs with handlers that check and obey; its messages.
 * Layer: test. Source: proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BLOBS_SERVICE_H
#define BLOBS_SERVICE_H

#include "blobs.nrpc.h"
#include "wire.h"

#define PUT "/blobs.Blobs/Put"
#define PUT_ALL "/blobs.Blobs/PutAll"
#define GET "/blobs.Blobs/Get"
#define GET_ALL "/blobs.Blobs/GetAll"
#define EXCHANGE "/blobs.Blobs/Exchange"

enum { BLOBS_CALLS = 64 };

extern const struct nrpc_server blobs_server;

/* What handlers do, beside what they usually do; of one test. Put sums up what it got in blobs
 * (pieces of offset 0), bytes, crc32 (the request's), last_*; PutAll in blobs (messages) and bytes;
 * Get and GetAll give pattern bytes, Get none at all with count 1; Exchange answers each message
 * with a field as long as its own. */
struct blobs_how {
    int hold;                /* chunks answer PENDING */
    enum nrpc_status refuse; /* chunks that reach beyond refuse_at answer so */
    uint32_t refuse_at;
    uint32_t end_at; /* a producer ends its call well there; the field is left unfinished */
    /* Producers: nothing at this offset, once; fail there. UINT32_MAX: never. */
    uint32_t wait_at, fail_at;
    int push;       /* GetAll sends one itself instead of being asked, then finishes */
    uint32_t piece; /* the most that a producer makes at once */
    int early;      /* PutAll replies with the first piece, and is over */
    int compress;   /* replies with a streamed field are to be compressed */
    int any;        /* any bytes may come, any call may end in between */
    int by_slot;    /* and streams may have any ids: calls are kept by their slots */
};
extern struct blobs_how how;

/* By id / 2; of the run so far. */
struct blobs_call {
    struct nrpc_call *call;                     /* NULL: no handler has seen it */
    uint32_t sum, bytes, chunks, begun, length; /* came in: of all fields, of the last */
    uint32_t waits, made;
    uint32_t cancelled; /* 1 + 100 * why, of all times together */
    uint32_t left;
    uint32_t zipped; /* messages that came compressed */
};
extern struct blobs_call calls[BLOBS_CALLS];

/* Resets all of this and wire, with the client's preface. */
void blobs_begin(void);

/* The message being made. */
enum { BLOBS_TEXT = TEST_SIZE(1 << 16, 3000) };
extern uint8_t blobs_text[BLOBS_TEXT];
extern size_t blobs_n;
void blobs_put(const void *bytes, size_t n);
void blobs_put_varint(uint32_t value);
void blobs_put_data(uint32_t n); /* field 2, n pattern bytes */
void blobs_named(uint32_t n);    /* a new one: name, blob: "t", n bytes, 9; note */
void blobs_send(uint32_t id, size_t piece, unsigned flags); /* in DATA frames of so much */

/* Asks for blobs, with END_STREAM. */
void blobs_ask(uint32_t id, const char *path, uint32_t bytes, uint32_t count);

#endif
