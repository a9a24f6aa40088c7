/* tests/unit/test_compression.c - compressed requests and replies, through a connection.
 * Layer: test. Source: gRPC "Compression"; gRPC over HTTP2. Empty without NRPC_COMPRESSION.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/compression.h"
#include "nanorpc/grpc/nrpc_compress.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "wire.h"

#if NRPC_COMPRESSION

#define END NRPC_END_STREAM
#define TELL "/zip.Zip/Tell"
#define TALK "/zip.Zip/Talk"
#define PASS "/zip.Zip/Pass"

/* All methods answer a message with itself, with "z:" before it when it came compressed. A message
 * tells in its first letter what to ask for before that: '+' compression, '-' none, '?' both in
 * this order, other: nothing; when that fails the answer begins with "!". */
enum { ZIP_REQUEST_BYTES = 80, ZIP_REPLY_BYTES = 100 };

static enum nrpc_status answer(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    size_t room, at = 0;
    int error = 0;
    if (!data) {
        return NRPC_OK;
    }
    if (n && (data[0] == '+' || data[0] == '?')) {
        error = nrpc_call_compress(call, 1);
    }
    if (n && (data[0] == '-' || data[0] == '?')) {
        CHECK_EQ(nrpc_call_compress(call, 0), 0);
    }
    uint8_t *to = nrpc_call_reserve(call, &room);
    CHECK(to && room >= ZIP_REPLY_BYTES);
    if (error) {
        CHECK_EQ(error, NRPC_E_STATE);
        to[at++] = '!';
    }
    if (nrpc_call_message_compressed(call)) {
        to[at++] = 'z';
        to[at++] = ':';
    }
    memcpy(to + at, data, n);
    nrpc_call_commit(call, n + at);
    return NRPC_OK;
}

static enum nrpc_status nothing(struct nrpc_call *call)
{
    return nrpc_call_half_closed(call) ? NRPC_OK : NRPC_PENDING;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

/* As a codec does that keeps a walk over a streamed field at the end of the transmit block. */
static uint32_t take(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    uint8_t *state = nrpc_call_tx_end(call) - 8;
    if (n < 5 || n < 5 + nrpc_get32(data + 1) || !(call->flags & NRPC_CALL_RX_END)) {
        return 0;
    }
    memcpy(state, "my state", 8);
    nrpc_grpc_deliver(call, data + 5, nrpc_get32(data + 1));
    CHECK(memcmp(state, "my state", 8) == 0);
    return n;
}

static const struct nrpc_codec codec = {.message = answer, .next = nothing};
static const struct nrpc_codec taking = {.message = answer, .next = nothing, .take = take};
static const struct nrpc_method methods[] = {
    {.codec = &taking, .cancelled = cancelled, .kind = NRPC_UNARY},
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_BIDI},
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_UNARY}};
static const struct nrpc_service Zip_service = {
    .path = "/zip.Zip/", .method_names = "\200Pass\200Talk\201ell\377", .methods = methods};
#define Zip_service_REQUEST_BYTES ZIP_REQUEST_BYTES
#define Zip_service_REPLY_BYTES ZIP_REPLY_BYTES
union Zip_service_request {
    uint8_t m0;
};
union Zip_service_reply {
    uint8_t m0;
};
NRPC_SERVER_DEFINE(zip_server, 2, Zip_service);

/* HEADERS; encoding, accepted: NULL for none. */
static void request(uint32_t id, const char *path, const char *encoding, const char *accepted)
{
    wire_request_fields(path);
    if (encoding) {
        wire_field("grpc-encoding", encoding);
    }
    if (accepted) {
        wire_field("grpc-accept-encoding", accepted);
    }
    wire_headers(id, 0);
}

/* A stored block: n bytes in gzip or zlib. Returns its size. */
static size_t store(enum nrpc_encoding encoding, const char *text, size_t n, uint8_t *to)
{
    uint32_t check = nrpc_compress_check(encoding, (const uint8_t *)text, n);
    size_t at = 0;
    if (encoding == NRPC_ENCODING_GZIP) {
        memcpy(to, "\x1f\x8b\x08\0\0\0\0\0\0\xff", at = 10);
    } else {
        memcpy(to, "\x78\x01", at = 2);
    }
    to[at++] = 1;
    to[at++] = (uint8_t)n;
    to[at++] = (uint8_t)(n >> 8);
    to[at++] = (uint8_t)~n;
    to[at++] = (uint8_t)(~n >> 8);
    memcpy(to + at, text, n);
    at += n;
    for (unsigned i = 0; i < 4; i++) {
        to[at++] = (uint8_t)(check >> (encoding == NRPC_ENCODING_GZIP ? 8 * i : 24 - 8 * i));
    }
    for (unsigned i = 0; encoding == NRPC_ENCODING_GZIP && i < 4; i++) {
        to[at++] = (uint8_t)(n >> 8 * i);
    }
    return at;
}

static void compressed(uint32_t id, enum nrpc_encoding encoding, const char *text, unsigned flags)
{
    uint8_t data[300];
    size_t n = store(encoding, text, strlen(text), data + 5);
    data[0] = 1;
    nrpc_put32(data + 1, (uint32_t)n);
    wire_data(id, data, n + 5, flags);
}

/* 80 bytes of which gzip makes about 25. */
#define SAME "++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++"

static void requests_in_both_encodings(void)
{
    wire_begin(&zip_server);
    request(1, TELL, "gzip", NULL);
    compressed(1, NRPC_ENCODING_GZIP, "one", END);
    request(3, TELL, "deflate", NULL);
    compressed(3, NRPC_ENCODING_DEFLATE, "three", END);
    request(5, TELL, "gzip", NULL); /* which a message need not make use of */
    wire_message(5, "five", END);
    request(7, TELL, "identity", NULL);
    wire_message(7, "seven", END);
    wire_expect("1: [200 grpc] 'z:one' [status=0] END 3: [200 grpc] 'z:three' [status=0] END "
                "5: [200 grpc] 'five' [status=0] END 7: [200 grpc] 'seven' [status=0] END");
}

static void messages_of_a_stream_come_either_way(void)
{
    wire_begin(&zip_server);
    request(1, TALK, "gzip", NULL);
    compressed(1, NRPC_ENCODING_GZIP, "a", 0);
    wire_message(1, "b", 0);
    compressed(1, NRPC_ENCODING_GZIP, "", 0);
    compressed(1, NRPC_ENCODING_GZIP, "d", END);
    wire_expect("1: [200 grpc] 'z:a' 'b' 'z:' 'z:d' [status=0] END");
}

static void messages_that_cannot_be(void)
{
    static uint8_t bad[] = {1, 0, 0, 0,    24,   0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff,
                            1, 1, 0, 0xfe, 0xff, 'x',  1,    2, 3, 4, 1, 0, 0, 0};
    wire_begin(&zip_server);
    request(1, TELL, "gzip", NULL);
    wire_data(1, bad, sizeof bad, END);
    request(3, TELL, "identity", NULL); /* the flag without an encoding */
    compressed(3, NRPC_ENCODING_GZIP, "x", END);
    request(5, TELL, NULL, "gzip");
    compressed(5, NRPC_ENCODING_GZIP, "x", END);
    request(7, TELL, "gzip", NULL);
    wire_data(7, "\2\0\0\0\1x", 6, END); /* a flag that is none */
    wire_do(NULL);
    request(9, TELL, "deflate", NULL);
    compressed(9, NRPC_ENCODING_GZIP, "x", END);
    request(11, TELL, "gzip", NULL);
    wire_data(11, "\1\0\0\0\0", 5, END);
    wire_expect("1: [200 grpc status=13 message=message does not inflate] END "
                "3: [200 grpc status=13 message=no grpc-encoding] END 5: [200 grpc status=13 "
                "message=no grpc-encoding] END "
                "7: [200 grpc status=13 message=no grpc-encoding] END "
                "9: [200 grpc status=13 message=message does not inflate] END "
                "11: [200 grpc status=13 message=message does not inflate] END");
}

static void encodings_that_there_are_not(void)
{
    static const char *const encodings[] = {"snappy", "",       "gzip,deflate", "gzi",
                                            "gzipp",  "x-gzip", "GZIP",         "identity,gzip"};
    for (unsigned i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        wire_begin(&zip_server);
        request(1, TELL, encodings[i], NULL);
        wire_message(1, "x", END);
        wire_expect("1: [200 grpc grpc-accept-encoding=identity,deflate,gzip status=12 "
                    "message=unknown grpc-encoding] END");
    }
}

/* A message of the largest size that does not become smaller still fits; one byte more does not,
 * however small it is when compressed. */
static void sizes_at_their_limit(void)
{
    static const uint8_t bomb[] = {1,    0,    0, 0, 12, 0x78, 0x01, 0x63, 0x60,
                                   0xa0, 0x32, 0, 0, 0,  0x51, 0,    1}; /* 81 zeros */
    char text[ZIP_REQUEST_BYTES + 2];
    memset(text, 'n', sizeof text);
    text[ZIP_REQUEST_BYTES] = 0;
    wire_begin(&zip_server);
    request(1, TELL, "gzip", NULL);
    compressed(1, NRPC_ENCODING_GZIP, text, END);
    text[ZIP_REQUEST_BYTES] = 'n';
    text[ZIP_REQUEST_BYTES + 1] = 0;
    request(3, TELL, "gzip", NULL);
    compressed(3, NRPC_ENCODING_GZIP, text, END);
    request(5, TELL, "gzip", NULL);
    wire_message(5, text, END);
    request(7, TELL, "deflate", NULL);
    wire_data(7, bomb, sizeof bomb, END);
    wire_do(NULL);
    request(9, TELL, "gzip", NULL);
    wire_long_message(9, ZIP_REQUEST_BYTES + NRPC_COMPRESSION_ROOM(ZIP_REQUEST_BYTES) + 1, END);
    wire_expect(
        "1: [200 grpc] <?82> [status=0] END 3: [200 grpc status=8 message=message too large] END "
        "5: [200 grpc status=8 message=message too large] END 7: [200 grpc status=8 "
        "message=message too large] END "
        "9: [200 grpc status=8 message=message too large] END");
}

static void replies(void)
{
    wire_begin(&zip_server);
    request(1, TELL, NULL, "gzip");
    wire_message(1, SAME, END);
    request(3, TELL, NULL, "deflate");
    wire_message(3, SAME, END);
    request(5, TELL, "deflate", "identity, deflate,gzip");
    compressed(5, NRPC_ENCODING_DEFLATE, SAME, END);
    request(7, TELL, NULL, "identity,br , gzip");
    wire_message(7, "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", END);
    wire_expect(
        "1: [200 grpc grpc-encoding=gzip] gzip <?80> [status=0] END "
        "3: [200 grpc grpc-encoding=deflate] deflate <?80> [status=0] END "
        "5: [200 grpc grpc-encoding=gzip] gzip <?82> [status=0] END "
        "7: [200 grpc grpc-encoding=gzip] gzip '+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' [status=0] END");
}

static void replies_that_are_not_wanted(void)
{
    static const char *const accepted[] = {NULL,    "",  "identity",         "br,snappy",
                                           "gzipp", ",", "identity,identity"};
    for (unsigned i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        wire_begin(&zip_server);
        request(1, TELL, NULL, accepted[i]);
        wire_message(1, "+x", END);
        wire_expect("1: [200 grpc] '!+x' [status=0] END");
    }
}

/* One that would not become smaller goes out as it is, with flag 0. */
static void replies_that_stay(void)
{
    wire_begin(&zip_server);
    request(1, TALK, NULL, "gzip");
    wire_message(1, "+short", 0);
    wire_message(1, "?", 0);
    wire_message(1, "plain", 0);
    wire_message(1, "-off", END);
    wire_expect("1: [200 grpc grpc-encoding=gzip] '+short' '?' 'plain' '-off' [status=0] END");
}

static void replies_of_a_stream_by_turns(void)
{
    wire_begin(&zip_server);
    request(1, TALK, NULL, "deflate,gzip");
    wire_message(1, "?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0);
    wire_message(1, "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0);
    wire_message(1, "saaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0);
    wire_message(1, "-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", END);
    wire_expect("1: [200 grpc grpc-encoding=gzip] '?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' "
                "gzip '+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' gzip 'saaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' "
                "'-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' [status=0] END");
}

/* Once the headers have gone without it. */
static void too_late(void)
{
    wire_begin(&zip_server);
    request(1, TALK, NULL, "gzip");
    wire_message(1, "first", 0);
    wire_do(NULL);
    wire_message(1, "+second", END);
    wire_expect("1: [200 grpc] 'first' '!+second' [status=0] END");
}

/* What such a method has at the end of its transmit block is not to be moved: its replies go out as
 * they are. */
static void replies_of_a_method_with_streamed_fields(void)
{
    wire_begin(&zip_server);
    request(1, PASS, NULL, "gzip");
    wire_message(1, SAME, END);
    wire_expect("1: [200 grpc grpc-encoding=gzip] <?80> [status=0] END");
}

/* The table of a client that indexes them all: the second request has them in a byte each. */
static void fields_that_are_indexed(void)
{
    static const uint8_t first[] =
        "\x40\x0dgrpc-encoding\x04gzip\x40\x14grpc-accept-encoding\x0cgzip,deflate";
    wire_begin(&zip_server);
    wire_request_fields(TELL);
    wire_block(first, sizeof first - 1);
    wire_headers(1, 0);
    compressed(1, NRPC_ENCODING_GZIP, SAME, END);
    for (uint32_t id = 3; id < 9; id += 2) { /* twice the same: NRPC_FAST remembers it */
        wire_request_fields(TELL);
        wire_block("\xbf\xbe", 2);
        wire_headers(id, 0);
        compressed(id, NRPC_ENCODING_GZIP, "x", END);
        wire_do(NULL);
    }
    wire_request_fields(TELL);
    wire_block("\xbe", 1);
    wire_headers(9, 0);
    compressed(9, NRPC_ENCODING_GZIP, "x", END);
    wire_expect("1: [200 grpc grpc-encoding=gzip] gzip <?82> [status=0] END 3: [200 grpc] 'z:x' "
                "[status=0] END "
                "5: [200 grpc] 'z:x' [status=0] END 7: [200 grpc] 'z:x' [status=0] END "
                "9: [200 grpc status=13 message=no grpc-encoding] END");
}

#endif

int main(void)
{
#if NRPC_COMPRESSION
    RUN(requests_in_both_encodings);
    RUN(messages_of_a_stream_come_either_way);
    RUN(messages_that_cannot_be);
    RUN(encodings_that_there_are_not);
    RUN(sizes_at_their_limit);
    RUN(replies);
    RUN(replies_that_are_not_wanted);
    RUN(replies_that_stay);
    RUN(replies_of_a_stream_by_turns);
    RUN(too_late);
    RUN(replies_of_a_method_with_streamed_fields);
    RUN(fields_that_are_indexed);
#endif
    return test_end();
}
