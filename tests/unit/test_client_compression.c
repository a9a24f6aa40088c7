/* tests/unit/test_client_compression.c - calls that we make: compressed requests, replies.
 * Layer: test. Source: gRPC "Compression". Does nothing in an image without NRPC_COMPRESSION.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT
#include <string.h>

#include "nanorpc/compression.h"
#include "raw_client.h"
#include "wire.h"

#if NRPC_COMPRESSION

#define END NRPC_END_STREAM
#define TAKES " grpc-accept-encoding=identity,deflate,gzip"
#define HEAD(method, encoding) \
    "1: [POST http /test.Raw/" method " @device te=trailers grpc" TAKES encoding "]"
#define AS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void with(const char *method, const char *text, uint8_t encoding)
{
    struct nrpc_call_options options = {.compress = encoding};
    CHECK(raw_start(method, text, &options));
}

static void plain(void)
{
    with("Echo", AS, 0);
}
static void gzip(void)
{
    with("Echo", AS, NRPC_ENCODING_GZIP);
}
static void deflate(void)
{
    with("Echo", AS, NRPC_ENCODING_DEFLATE);
}
static void too_short(void)
{
    with("Echo", "short", NRPC_ENCODING_GZIP);
}
static void stream(void)
{
    with("Bidi", NULL, NRPC_ENCODING_GZIP);
}

static void answer(uint32_t id, const char *encoding)
{
    wire_block("\x88\x0f\x10\x10"
               "application/grpc",
               4 + 16);
    if (encoding) {
        wire_field("grpc-encoding", encoding);
    }
    wire_headers(id, 0);
}

static void requests(void)
{
    raw_client_begin(gzip);
    answer(1, NULL);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(HEAD("Echo", " grpc-encoding=gzip") " gzip '" AS "' END 1h 1'hi' 1=0");
    raw_client_begin(deflate);
    raw_trailers(1, "12", "no such encoding");
    wire_expect(HEAD("Echo", " grpc-encoding=deflate") " deflate '" AS "' END *");
}

static void requests_that_stay(void)
{
    raw_client_begin(plain);
    wire_expect(HEAD("Echo", "") " '" AS "' END *");
    raw_client_begin(too_short);
    wire_expect(HEAD("Echo", " grpc-encoding=gzip") " 'short' END *");
}

static void say(void)
{
    CHECK_EQ(raw_write(1, AS), 0);
}

static void say_plainly(void)
{
    CHECK_EQ(nrpc_call_compress(raw_client.calls[1], 0), 0);
    CHECK_EQ(raw_write(1, AS), 0);
    CHECK_EQ(nrpc_call_compress(raw_client.calls[1], 1), 0);
}

static void requests_of_a_stream_by_turns(void)
{
    raw_client_begin(stream);
    answer(1, NULL);
    wire_do(say);
    wire_do(NULL);
    wire_do(say_plainly);
    wire_do(NULL);
    wire_do(say);
    wire_do(NULL);
    raw_trailers(1, "0", NULL);
    wire_expect(HEAD("Bidi", " grpc-encoding=gzip") " gzip '" AS "' '" AS "' gzip '" AS "'*");
}

/* "three", stored: by gzip, by zlib */
static const uint8_t gzip_three[] = {
    1, 0,    0,    0,   28,  0x1f, 0x8b, 8,   0,    0,    0,    0,    0, 0, 0xff, 1, 5,
    0, 0xfa, 0xff, 't', 'h', 'r',  'e',  'e', 0xf5, 0xd8, 0xc5, 0x46, 5, 0, 0,    0,
};
static const uint8_t zlib_three[] = {1,    0,   0,   0,   16,  0x78, 0x01, 1,    5,    0,   0xfa,
                                     0xff, 't', 'h', 'r', 'e', 'e',  0x06, 0x6e, 0x02, 0x19};
/* 101 zeros, by zlib */
static const uint8_t bomb[] = {1,    0,    0, 0, 12, 0x78, 0x01, 0x63, 0x60,
                               0xa0, 0x03, 0, 0, 0,  0x65, 0,    1};

static void reply(const char *encoding, const void *data, size_t n, const char *log)
{
    static char text[300];
    raw_client_begin(plain);
    answer(1, encoding);
    wire_data(1, data, n, 0);
    raw_trailers(1, "0", NULL);
    strcpy(text, HEAD("Echo", "") " '" AS "' END ");
    wire_expect(strcat(text, log));
}

static void replies(void)
{
    reply("gzip", gzip_three, sizeof gzip_three, "1h 1'three' 1=0");
    reply("deflate", zlib_three, sizeof zlib_three, "1h 1'three' 1=0");
    reply("gzip", "\0\0\0\0\2hi", 7, "1h 1'hi' 1=0");
    reply("identity", "\0\0\0\0\2hi", 7, "1h 1'hi' 1=0");
}

static void replies_that_cannot_be(void)
{
    reply("deflate", gzip_three, sizeof gzip_three, "1h 1=13(message does not inflate)");
    reply("gzip", zlib_three, sizeof zlib_three, "1h 1=13(message does not inflate)");
    reply(NULL, gzip_three, sizeof gzip_three, "*1h 1=13(no grpc-encoding)"); /* at once */
    reply("identity", gzip_three, sizeof gzip_three, "*1h 1=13(no grpc-encoding)");
    reply("deflate", bomb, sizeof bomb, "1h 1=8(*");
}

static void encodings_that_we_do_not_take(void)
{
    raw_client_begin(plain);
    answer(1, "snappy");
    wire_do(NULL);
    wire_expect(HEAD("Echo", "") " '" AS "' END *1=13(not a gRPC response)");
}

static void three(void)
{
    gzip();
    gzip();
    gzip();
}

/* The later requests have the field by one byte, and find all others where they are now. */
static void in_the_table_of_the_server(void)
{
    raw_client_begin(three);
    wire_expect("*3: [POST http /test.Raw/Echo @device te=trailers grpc" TAKES
                " grpc-encoding=gzip] gzip '" AS "' END "
                "5: [POST http /test.Raw/Echo @device te=trailers grpc" TAKES
                " grpc-encoding=gzip] gzip '" AS "' END *");
}

#endif

int main(void)
{
#if NRPC_COMPRESSION
    RUN(requests);
    RUN(requests_that_stay);
    RUN(requests_of_a_stream_by_turns);
    RUN(replies);
    RUN(replies_that_cannot_be);
    RUN(encodings_that_we_do_not_take);
    RUN(in_the_table_of_the_server);
#endif
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
