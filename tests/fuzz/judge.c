/* tests/fuzz/judge.c - see fuzz.h: whether what an end has sent is what its peer may be sent.
 * Layer: test. Source: RFC 9113 4.1, 5.1, 6.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuzz.h"

enum { PREFACE = 24, STREAMS = 1024, WINDOW_MAX = 0x7fffffff };

static struct {
    int is_begun, is_dead;
    uint32_t last_id;       /* of GOAWAY */
    uint64_t granted, sent; /* of the connection's window */
    unsigned n_streams;
    struct stream {
        uint32_t id;
        uint8_t headers, ended, reset;
    } streams[STREAMS];
} judge;

/* What the peer grants at most: all of its WINDOW_UPDATE, in time or not. */
static uint64_t granted(void)
{
    uint64_t sum = NRPC_WINDOW_INITIAL;
    for (size_t at = wire.link ? 0 : PREFACE; at + NRPC_FRAME_HEADER_BYTES + 4 <= wire.n_in;) {
        struct nrpc_frame frame;
        nrpc_frame_read(&frame, wire.in + at);
        at += NRPC_FRAME_HEADER_BYTES;
        if (frame.type == NRPC_WINDOW_UPDATE && frame.id == 0) {
            sum += nrpc_get32(wire.in + at) & WINDOW_MAX;
        }
        at += frame.length;
    }
    return sum;
}

void fuzz_judge_begin(void)
{
    judge.is_begun = judge.is_dead = 0;
    judge.last_id = WINDOW_MAX;
    judge.granted = granted();
    judge.sent = 0;
    judge.n_streams = 0;
}

static struct stream *stream_of(uint32_t id)
{
    for (unsigned i = judge.n_streams; i-- > 0;) {
        if (judge.streams[i].id == id) {
            return &judge.streams[i];
        }
    }
    CHECK(judge.n_streams < STREAMS); /* not in FUZZ_INPUT bytes */
    struct stream *stream = &judge.streams[judge.n_streams++];
    *stream = (struct stream){.id = id};
    return stream;
}

static void judge_stream(const struct nrpc_frame *frame, const uint8_t *payload)
{
    struct stream *stream = stream_of(frame->id);
    uint32_t number = frame->length == 4 ? nrpc_get32(payload) : 0;
    unsigned flags = frame->flags & ~(unsigned)NRPC_END_STREAM;
    int is_over = judge.is_dead || stream->ended || stream->reset;
    /* PRIORITY may be wrong on any stream. */
    CHECK(judge.is_begun && (frame->id & 1 || frame->type == NRPC_RST_STREAM));
    switch (frame->type) {
    case NRPC_HEADERS:
        CHECK(!is_over && frame->length && flags == NRPC_END_HEADERS);
        stream->headers = 1;
        stream->ended = frame->flags & NRPC_END_STREAM;
        break;
    case NRPC_DATA:
        CHECK(!is_over && stream->headers && !flags && (frame->length || frame->flags));
        stream->ended = frame->flags & NRPC_END_STREAM;
        judge.sent += frame->length;
        CHECK(judge.sent <= judge.granted);
        break;
    case NRPC_RST_STREAM:
        CHECK(frame->length == 4 && !frame->flags);
        /* a wrong PRIORITY is answered so even before the stream begins */
        stream->reset = stream->headers ||
                        (number != NRPC_H2_PROTOCOL_ERROR && number != NRPC_H2_FRAME_SIZE_ERROR);
        break;
    default:
        CHECK(frame->type == NRPC_WINDOW_UPDATE && !frame->flags && number - 1 < WINDOW_MAX &&
              !stream->reset);
        break;
    }
}

static void judge_connection(const struct nrpc_frame *frame, const uint8_t *payload)
{
    unsigned flags = frame->flags & ~(unsigned)NRPC_ACK;
    CHECK(judge.is_begun || (frame->type == NRPC_SETTINGS && !frame->flags));
    switch (frame->type) {
    case NRPC_SETTINGS:
        CHECK(!flags && frame->length % 6 == 0 && (!frame->flags || !frame->length));
        break;
    case NRPC_PING: CHECK(!flags && frame->length == 8); break;
    case NRPC_GOAWAY:
        CHECK(!frame->flags && frame->length >= 8);
        CHECK(!judge.is_dead && nrpc_get32(payload) <= judge.last_id);
        judge.last_id = nrpc_get32(payload);
        judge.is_dead = nrpc_get32(payload + 4) != 0;
        break;
    default:
        CHECK(frame->type == NRPC_WINDOW_UPDATE && !frame->flags && frame->length == 4 &&
              nrpc_get32(payload) - 1 < WINDOW_MAX);
    }
}

void fuzz_judge(const uint8_t *p, size_t n)
{
    size_t at = wire.link && !judge.is_begun ? PREFACE : 0;
    CHECK(at <= n && memcmp(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", at) == 0);
    while (at < n && !test_has_failed()) {
        struct nrpc_frame frame;
        if (!CHECK(at + NRPC_FRAME_HEADER_BYTES <= n)) {
            return;
        }
        nrpc_frame_read(&frame, p + at);
        at += NRPC_FRAME_HEADER_BYTES;
        if (CHECK(frame.length <= n - at)) {
            (frame.id ? judge_stream : judge_connection)(&frame, p + at);
        }
        judge.is_begun = 1;
        at += frame.length;
    }
}
