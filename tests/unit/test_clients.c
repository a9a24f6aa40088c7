/* tests/unit/test_clients.c - what real clients send first, and whether they wait for our SETTINGS.
 * Layer: test. Source: captures of each client; for more see tests/vectors/captured.txt.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM

/* SETTINGS of several pairs. */
static void settings(unsigned n, const uint32_t (*pairs)[2])
{
    uint8_t payload[6 * 8];
    for (unsigned i = 0; i < n; i++) {
        uint8_t *p = payload + 6 * i;
        p[0] = (uint8_t)(pairs[i][0] >> 8);
        p[1] = (uint8_t)pairs[i][0];
        nrpc_put32(p + 2, pairs[i][1]);
    }
    wire_frame(NRPC_SETTINGS, 0, 0, payload, 6 * n);
}

static void begin(unsigned n, const uint32_t (*pairs)[2])
{
    wire_begin_bare(&raw_server);
    wire_preface();
    settings(n, pairs);
    for (unsigned i = 0; i < n; i++) {
        if (pairs[i][0] == NRPC_MAX_FRAME_SIZE) {
            wire.frame_max = pairs[i][1];
        }
        if (pairs[i][0] == NRPC_HEADER_TABLE_SIZE && pairs[i][1] < 4096) {
            wire.table_bytes = pairs[i][1];
        }
    }
}

static void text_literal(unsigned first, const char *name, const char *value)
{
    uint8_t head[2] = {(uint8_t)first, (uint8_t)strlen(name)};
    wire_block(head, *name ? 2 : 1);
    wire_block(name, strlen(name));
    head[0] = (uint8_t)strlen(value);
    wire_block(head, 1);
    wire_block(value, strlen(value));
}

/* --- grpcio (C-core) ---------------------------------------------------------------------- */

static const uint32_t core_settings[][2] = {{2, 0},       {3, 0},     {4, 4194304},
                                            {5, 4194304}, {6, 16384}, {0xfe03, 1}};

/* Every header a literal with incremental indexing and its name in full; text never
 * Huffman-coded. */
static void core_first_headers(uint32_t id)
{
    text_literal(0x40, ":path", ECHO);
    text_literal(0x40, ":authority", "localhost:50051");
    wire_block("\x83\x86", 2);
    text_literal(0x40, "content-type", "application/grpc");
    text_literal(0x40, "te", "trailers");
    text_literal(0x40, "grpc-accept-encoding", "identity, deflate, gzip");
    text_literal(0x40, "user-agent", "grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)");
    wire_headers(id, 0);
}

static void core_call(uint32_t id, const char *text, const char *window)
{
    wire_frame(NRPC_WINDOW_UPDATE, 0, id, window, 4);
    wire_message(id, text, END);
    wire_frame(NRPC_WINDOW_UPDATE, 0, 0, "\0\0\0\x14", 4);
}

static void grpcio(void)
{
    begin(6, core_settings);
    wire_number(NRPC_WINDOW_UPDATE, 0, 4128769);
    wire_do(NULL); /* it waits for our SETTINGS */
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    core_first_headers(1);
    core_call(1, "one", "\0\0\0\5");
    wire_do(NULL);
    for (uint32_t id = 3; id < 11; id += 2) { /* eight indexed fields */
        wire_block("\xc3\xc2\x83\x86\xc1\xc0\xbf\xbe", 8);
        wire_headers(id, 0);
        wire_ping("bandwidt"); /* its probe */
        core_call(id, "more", "\0\0\0\5");
        wire_do(NULL);
    }
    wire_expect("ping(62616e6477696474) ping(62616e6477696474) ping(62616e6477696474) "
                "ping(62616e6477696474) "
                "1: [200 grpc] 'one' [status=0] END 3: [200 grpc] 'more' [status=0] END "
                "5: [200 grpc] 'more' [status=0] END 7: [200 grpc] 'more' [status=0] END 9: [200 "
                "grpc] 'more' [status=0] END");
}

/* The same client with a table of 0 on its side and ours: each insertion is a no-op. */
static void literals_with_indexing_to_a_table_of_0(void)
{
    begin(6, core_settings);
    for (uint32_t id = 1; id < 7; id += 2) {
        wire_block("\x20", id == 1);
        core_first_headers(id);
        core_call(id, "hi", "\0\0\0\5");
        wire_do(NULL);
    }
    wire_expect("1: [200 grpc] 'hi' [status=0] END 3: [200 grpc] 'hi' [status=0] END 5: [200 grpc] "
                "'hi' [status=0] END");
}

/* Its keepalive: PINGs while a call is open. */
static void keepalive(void)
{
    begin(6, core_settings);
    core_first_headers(1);
    for (unsigned i = 0; i < 3; i++) {
        wire_do(NULL);
        wire_ping("\0\0\0\0\0\0\0\1");
    }
    core_call(1, "hi", "\0\0\0\5");
    wire_expect("ping(0000000000000001) ping(0000000000000001) ping(0000000000000001) 1: [200 "
                "grpc] 'hi' [status=0] END");
}

/* A deadline that is not met: RST_STREAM(CANCEL). */
static void deadline_of_the_client(void)
{
    begin(6, core_settings);
    wire.show = WIRE_EVENTS;
    wire_request_fields("/test.Raw/Later");
    wire_field("grpc-timeout", "100m");
    wire_headers(1, 0);
    wire_message(1, "x", END);
    wire_do(NULL);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_request(3, ECHO, 0);
    wire_message(3, "alive", END);
    wire_expect("1: {m1 c1} 3: [200 grpc] 'alive' [status=0] END {m5}");
}

/* --- The others --------------------------------------------------------------------------- */

/* grpc-go: empty SETTINGS; our first frame must be SETTINGS; pings for bandwidth, once a reply. */
static void grpc_go(void)
{
    begin(0, NULL);
    wire_do(NULL);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_request(1, ECHO, 0);
    wire_message(1, "hi", 0);
    wire_data(1, "", 0, END); /* as CloseSend does */
    wire_ping("\2\4\x10\x10\x09\x0e\7\7");
    wire_expect("ping(02041010090e0707) 1: [200 grpc] 'hi' [status=0] END");
}

static void grpc_java(void)
{
    static const uint32_t pairs[][2] = {{2, 0}, {3, 0}, {4, 1048576}, {6, 8192}};
    begin(4, pairs);
    wire_number(NRPC_WINDOW_UPDATE, 0, 983041);
    wire_do(NULL);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_request(3, ECHO, 0); /* its first stream */
    wire_message(3, "hi", END);
    wire_expect("3: [200 grpc] 'hi' [status=0] END");
}

/* grpc-js: nothing at all before our SETTINGS. */
static void grpc_js(void)
{
    static const uint32_t pairs[][2] = {{4, 65535}};
    wire_begin_bare(&raw_server);
    wire_do(NULL);
    wire_preface();
    settings(1, pairs);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_request(1, ECHO, 0);
    wire_message(1, "hi", END);
    wire_expect("1: [200 grpc] 'hi' [status=0] END");
}

/* tonic, hyper: everything at once, before our SETTINGS; more streams than we allow. */
static void tonic_does_not_wait(void)
{
    static const uint32_t pairs[][2] = {{2, 0}, {4, 2097152}, {5, 16384}, {6, 16384}};
    begin(4, pairs);
    wire_number(NRPC_WINDOW_UPDATE, 0, 5177345);
    for (uint32_t id = 1; id < 13; id += 2) {
        wire_request(id, "/test.Raw/Later", 0);
        wire_message(id, "x", END);
    }
    wire_do(NULL);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_request(13, ECHO, 0); /* it tries again */
    wire_message(13, "x", END);
    wire_expect("9: rst(REFUSED_STREAM) 11: rst(REFUSED_STREAM) 13: [200 grpc] 'x' [status=0] END");
}

/* nghttp: five PRIORITY frames, then HEADERS with priority on stream 13, Huffman-coded. */
static void nghttp_does_not_wait(void)
{
    static const uint32_t pairs[][2] = {{3, 100}, {4, 65535}};
    static const uint32_t tree[][2] = {{3, 0}, {5, 0}, {7, 0}, {9, 7}, {11, 3}};
    uint8_t payload[200] = {0, 0, 0, 11, 15};
    begin(2, pairs);
    for (unsigned i = 0; i < 5; i++) {
        wire_priority(tree[i][0], tree[i][1]);
    }
    wire_block("\x82\x86\x84\x41\x8a\xa0\xe4\x1d\x13\x9d\x09\xb8\xf0\x1e\x07",
               15); /* GET / of localhost:8080 */
    memcpy(payload + 5, wire.block, wire.n_block);
    wire_frame(NRPC_HEADERS, END | NRPC_END_HEADERS | NRPC_HAS_PRIORITY, 13, payload,
               5 + wire.n_block);
    wire.n_block = 0;
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_goaway(0, 0);
    wire_expect("13: [405] '405*' END");
}

/* curl --http2-prior-knowledge, with a window of 32 MiB. */
static void curl_does_not_wait(void)
{
    static const uint32_t pairs[][2] = {{3, 100}, {4, 33554432}, {2, 0}};
    begin(3, pairs);
    wire_number(NRPC_WINDOW_UPDATE, 0, 33488897);
    wire_block("\x82\x86\x84", 3);
    wire_field("user-agent", "curl/7.88.1");
    wire_field("accept", "*/*");
    wire_headers(1, END);
    wire_do(NULL);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_expect("1: [405] '405*' END");
}

/* --- Requests that repeat ----------------------------------------------------------------- */

static void block_request(uint32_t id, const char *block, size_t n, unsigned flags)
{
    wire_block(block, n);
    wire_headers(id, flags);
}

/* The same few bytes mean the same, until the table changes: then they mean what it says. */
static void repeated_blocks(void)
{
    static const char insert_echo[] = "\x83\x86\x44\x0e/test.Raw/Echo\x5f\x10"
                                      "application/grpc";
    /* Path 62, type 63, old path 64. */
    static const char insert_fail[] = "\x83\x86\x44\x0e/test.Raw/Fail\xbf";
    begin(0, NULL);
    block_request(1, insert_echo, sizeof insert_echo - 1, 0);
    for (uint32_t id = 3; id < 9; id += 2) {
        wire_message(id - 2, "B", END);
        block_request(id, "\x83\x86\xbf\xbe", 4, 0); /* the old path, type */
    }
    wire_message(7, "B", END);
    wire_do(NULL);
    block_request(9, insert_fail, sizeof insert_fail - 1, 0);
    wire_message(9, "B", END);
    wire_do(NULL);
    block_request(11, "\x83\x86\xbf\xbe", 4, END); /* now the type, then a path: malformed */
    block_request(13, "\x83\x86\xbf\xbe", 4, END);
    wire_do(NULL);
    for (uint32_t id = 15; id < 19; id += 2) {
        block_request(id, "\x83\x86\xc0\xbf", 4, 0);
        wire_message(id, "B", END);
    }
    wire_do(NULL);
    block_request(19, "\x83\x86\xbe\xbf", 4, 0);
    wire_message(19, "B", END);
    block_request(21, "\x83\x86\xbe\xbf", 4, END); /* the same, but it ends */
    wire_expect("1: [200 grpc] 'B' [status=0] END 3: [200 grpc] 'B' [status=0] END 5: [200 grpc] "
                "'B' [status=0] END "
                "7: [200 grpc] 'B' [status=0] END 9: [200 grpc status=1] END 11: "
                "rst(PROTOCOL_ERROR) 13: rst(PROTOCOL_ERROR) "
                "15: [200 grpc] 'B' [status=0] END 17: [200 grpc] 'B' [status=0] END 19: [200 grpc "
                "status=1] END "
                "21: [200 grpc status=13 message=*] END");
}

static void repeated_blocks_with_content_length(void)
{
    begin(0, NULL);
    wire_block("\x40\x01x\x01y\x44\x0e/test.Raw/Echo\x5f\x10"
               "application/grpc",
               5 + 16 + 18);
    wire_headers(1, END); /* malformed, but it fills the table */
    for (uint32_t id = 3; id < 9; id += 2) {
        block_request(id,
                      "\x83\x86\xbf\xbe\x0f\x0d\x01"
                      "7",
                      8, 0);
        wire_message(id, id == 5 ? "b" : "ab", END); /* the second has 6 bytes */
    }
    wire_expect("1: rst(PROTOCOL_ERROR) 3: [200 grpc] 'ab' [status=0] END 5: rst(PROTOCOL_ERROR) "
                "7: [200 grpc] 'ab' [status=0] END");
}

/* A block that changes the table changes it each time. */
static void repeated_table_updates(void)
{
    static const char insert[] = "\x83\x86\x44\x0e/test.Raw/Echo\x5f\x10"
                                 "application/grpc";
    begin(0, NULL);
    for (uint32_t id = 1; id < 9; id += 4) {
        block_request(id, insert, sizeof insert - 1, 0);
        wire_message(id, "B", END);
        block_request(id + 2, "\x20\x3f\xe1\x1f\x82\x86\x84", 7, END);
        wire_do(NULL);
    }
    wire_expect("1: [200 grpc] 'B' [status=0] END 3: [405] '405*' END 5: [200 grpc] 'B' [status=0] "
                "END 7: [405] '405*' END");
    block_request(9, "\x83\x86\xbf\xbe", 4, END);
    wire_expect("goaway(*,COMPRESSION_ERROR)");
}

static void repeated_trailers_and_empty_blocks(void)
{
    begin(0, NULL);
    for (uint32_t id = 1; id < 9; id += 2) {
        wire_request(id, "/test.Raw/Collect", 0);
        wire_message(id, "B", 0);
        if (id > 4) {
            wire_field("x", "y");
        }
        wire_headers(id, END);
    }
    wire_headers(9, END);
    wire_field("x", "y");
    wire_headers(11, END);
    wire_expect(
        "1: [200 grpc] '1:1' [status=0] END 3: [200 grpc] '1:1' [status=0] END 5: [200 grpc] '1:1' "
        "[status=0] END "
        "7: [200 grpc] '1:1' [status=0] END 9: rst(PROTOCOL_ERROR) 11: rst(PROTOCOL_ERROR)");
}

/* --- Our encoder and the client's table --------------------------------------------------- */

static void frame_bytes(size_t *bytes, uint32_t id)
{
    *bytes = 0;
    for (size_t at = 0; at < wire.n_out;) {
        struct nrpc_frame frame;
        nrpc_frame_read(&frame, wire.out + at);
        *bytes += frame.id == id ? 9 + frame.length : 0;
        at += 9 + frame.length;
    }
}

/* The first response inserts, later ones name each field in one byte. */
static void steady_responses_are_short(void)
{
    size_t first, second, third;
    begin(0, NULL);
    for (uint32_t id = 1; id < 7; id += 2) {
        wire_request(id, ECHO, 0);
        wire_message(id, "hi", END);
        wire_do(NULL);
    }
    wire_run_once();
    frame_bytes(&first, 1);
    frame_bytes(&second, 3);
    frame_bytes(&third, 5);
    CHECK(first > second);
    CHECK_EQ(second, 9 + 2 + 9 + 7 + 9 + 1);
    CHECK_EQ(third, second);
}

/* The client's table: any size, announced before the first response or later, even twice. */
static void tables_of_the_client(void)
{
    static const uint32_t sizes[] = {0,   1,   31,  32,   59,   60,    90,        103,
                                     104, 105, 200, 4095, 4096, 65536, UINT32_MAX};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t when = 1; when < 9; when += 2) {
            wire_begin(&raw_server);
            for (uint32_t id = 1; id < 7; id += 2) {
                if (id == when) {
                    wire_setting(NRPC_HEADER_TABLE_SIZE, sizes[i]);
                }
                wire_request(id, id == 3 ? "/test.Raw/Fail" : ECHO, 0);
                wire_message(id, "B", END);
                wire_do(NULL);
            }
            wire_expect(when < 7 ? "acks=2 1: [200 grpc] 'B' [status=0] END 3: [200 grpc status=1] "
                                   "END 5: [200 grpc] 'B' [status=0] END"
                                 : "1: [200 grpc] 'B' [status=0] END 3: [200 grpc status=1] END 5: "
                                   "[200 grpc] 'B' [status=0] END");
        }
    }
}

/* Smaller, then larger again, between two responses: RFC 7541 4.2 wants the smallest to be said. */
static void table_that_shrinks_and_grows(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "a", END);
    wire_do(NULL);
    wire_setting(NRPC_HEADER_TABLE_SIZE, 0);
    wire_setting(NRPC_HEADER_TABLE_SIZE, 4096);
    wire_request(3, ECHO, 0);
    wire_message(3, "b", END);
    wire_do(NULL);
    wire_request(5, "/nope", END);
    wire_do(NULL);
    wire_setting(NRPC_HEADER_TABLE_SIZE, 50);
    wire_setting(NRPC_HEADER_TABLE_SIZE, 300);
    wire_block("\x82\x86\x84", 3);
    wire_headers(7, END);
    wire_request(9, ECHO, 0);
    wire_message(9, "c", END);
    wire_expect("acks=5 1: [200 grpc] 'a' [status=0] END 3: [200 grpc] 'b' [status=0] END "
                "5: [200 grpc status=12 message=*] END 7: [405] '405*' END 9: [200 grpc] 'c' "
                "[status=0] END");
}

/* The same between the headers and the trailers of a call: the next block that there is says it. */
static void table_that_shrinks_in_mid_stream(void)
{
    static const uint32_t sizes[][3] = {{0, 0, 0},      {0, 4096, 0},    {50, 300, 0},
                                        {104, 0, 0},    {104, 105, 103}, {4095, 0, 104},
                                        {300, 200, 104}};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned before = 0; before < 2; before++) {
            test_context("sizes", (long)i);
            wire_begin(&raw_server);
            if (before) { /* both fields are in the table already */
                wire_request(1, ECHO, 0);
                wire_message(1, "a", END);
            }
            wire_request(3, "/test.Raw/Bidi", 0);
            wire_message(3, "b", 0);
            wire_do(NULL);
            for (unsigned k = 0; k < 3; k++) {
                wire_setting(NRPC_HEADER_TABLE_SIZE, sizes[i][k]);
            }
            wire_do(NULL);
            wire_data(3, NULL, 0, END);
            wire_request(5, "/nope", END);
            wire_request(7, ECHO, 0);
            wire_message(7, "c", END);
            wire_expect(before ? "acks=4 1: [200 grpc] 'a' [status=0] END "
                                 "3: [200 grpc] 'b' [status=0] END 5: [200 grpc status=12 "
                                 "message=*] END 7: [200 grpc] 'c' [status=0] END"
                               : "acks=4 3: [200 grpc] 'b' [status=0] END 5: [200 grpc status=12 "
                                 "message=*] END 7: [200 grpc] 'c' [status=0] END");
        }
    }
}

int main(void)
{
    RUN(grpcio);
    RUN(literals_with_indexing_to_a_table_of_0);
    RUN(keepalive);
    RUN(deadline_of_the_client);
    RUN(grpc_go);
    RUN(grpc_java);
    RUN(grpc_js);
    RUN(tonic_does_not_wait);
    RUN(nghttp_does_not_wait);
    RUN(curl_does_not_wait);
    RUN(repeated_blocks);
    RUN(repeated_blocks_with_content_length);
    RUN(repeated_table_updates);
    RUN(repeated_trailers_and_empty_blocks);
    RUN(steady_responses_are_short);
    RUN(tables_of_the_client);
    RUN(table_that_shrinks_and_grows);
    RUN(table_that_shrinks_in_mid_stream);
    return test_end();
}
