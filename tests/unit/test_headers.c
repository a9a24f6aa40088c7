/* tests/unit/test_headers.c - what the headers of a request must be, and how they may be cut.
 * Layer: test. Source: RFC 9113 6.2, 6.10, 8.2, 8.3; gRPC over HTTP2 "Requests"; as each says.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM
#define ALIVE " 3: [200 grpc] 'alive' [status=0] END"

struct field {
    const char *name, *value;
};

static void fields(const struct field *list)
{
    for (; list->name; list++) {
        wire_field(list->name, list->value);
    }
}

static void then_alive(const char *expected)
{
    char text[300];
    wire_request(3, ECHO, 0);
    wire_message(3, "alive", END);
    wire_expect(strcat(strcpy(text, expected), ALIVE));
}

/* A request with these fields and a message; then one that must be answered. */
static void expect_of(const struct field *list, const char *expected)
{
    wire_begin(&raw_server);
    fields(list);
    wire_headers(1, 0);
    wire_message(1, "hi", END);
    then_alive(expected);
}

#define USUAL                                 \
    {":method", "POST"}, {":scheme", "http"}, \
    {                                         \
        ":path", ECHO                         \
    }
#define TYPE {"content-type", "application/grpc"}
#define MALFORMED "1: rst(PROTOCOL_ERROR)"
#define GOOD "1: [200 grpc] 'hi' [status=0] END"

/* --- Requests that are answered ----------------------------------------------------------- */

static void requests_that_are_good(void)
{
    static const struct field lists[][9] = {
        {USUAL, TYPE, {"te", "trailers"}},
        {USUAL, TYPE}, /* te is missing: tolerated */
        {USUAL, {":authority", "a:1"}, TYPE},
        {{":authority", "a"},
         {":path", ECHO},
         {":scheme", "https"},
         {":method", "POST"},
         TYPE},                         /* any order */
        {USUAL, TYPE, {"host", "a:1"}}, /* instead of :authority */
        {USUAL, {"content-type", "application/grpc+proto"}},
        {USUAL, {"content-type", "application/grpc;charset=x"}},
        {USUAL, TYPE, {"content-length", "7"}},
        {USUAL,
         TYPE,
         {"grpc-timeout", "20S"},
         {"user-agent", "grpc-python/1.85.1"},
         {"grpc-accept-encoding", "gzip"}},
        {USUAL, TYPE, {"x-bytes", "\x80\xff\t \x7f"}}, /* WIRE: never kill a connection */
        {USUAL, TYPE, {"x-empty", ""}, {"x-bin", "AAH/,AA=="}},
        {USUAL, TYPE, {"a!#$%&'*+-.^_`|~0", "v"}},
        {{":scheme", "x-unix"}, {":method", "POST"}, {":path", ECHO}, TYPE},
    };
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        expect_of(lists[i], GOOD);
    }
}

/* Peers' bug: a field of over 127 bytes kills the connection. */
static void long_fields(void)
{
    static const size_t sizes[] = {126, 127, 128, 129, 254, 255, 256, 1000, 3500};
    static char name[5000], value[5000];
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(name, 'n', sizes[i]);
        name[sizes[i]] = 0;
        memset(value, 'v', sizes[i]);
        value[sizes[i]] = 0;
        const struct field list[] = {USUAL, TYPE, {"x-long", value}, {name, "x"}, {NULL, NULL}};
        expect_of(list, GOOD);
    }
}

static void long_unknown_path(void)
{
    static char path[4000];
    memset(path, '/', sizeof path - 1);
    const struct field list[] = {
        {":method", "POST"}, {":scheme", "http"}, {":path", path}, TYPE, {NULL, NULL}};
    expect_of(list, "1: [200 grpc status=12 message=*] END");
}

/* --- HTTP answers ------------------------------------------------------------------------- */

static void methods_other_than_post(void)
{
    static const char *const methods[] = {"GET",   "PUT", "HEAD",    "post",
                                          "POSTS", "POS", "OPTIONS", "P"};
    for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct field list[] = {
            {":method", methods[i]}, {":scheme", "http"}, {":path", ECHO}, TYPE, {NULL, NULL}};
        expect_of(list, "1: [405] '405*' END");
    }
}

static void content_types(void)
{
    static const char *const types[] = {
        "text/plain", "application/json",  "application/grp", "Application/grpc",
        "",           " application/grpc", "application/"};
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct field list[] = {USUAL, {"content-type", types[i]}, {NULL, NULL}};
        expect_of(list, "1: [415] '415*' END");
    }
    const struct field none[] = {USUAL, {NULL, NULL}};
    expect_of(none, "1: [415] '415*' END");
}

/* What gRPC's rules say is a different type: "application/grpc" must be followed by "+" or ";" or
 * nothing. This one takes most of them for gRPC, as WIRE has it ("beginning with"). */
static void content_type_that_begins_so(void)
{
    static const char *const types[] = {"application/grpcish", "application/grpc+proto-x",
                                        "application/grpc;a=-web"};
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct field list[] = {USUAL, {"content-type", types[i]}, {NULL, NULL}};
        expect_of(list, GOOD);
    }
}

/* A client of gRPC-Web waits for its trailers in the body: none of it is served. */
static void content_types_of_grpc_web(void)
{
    static const char *const types[] = {
        "application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text",
        "application/grpc-web-text+proto", "application/grpc-web;charset=utf-8"};
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct field list[] = {USUAL, {"content-type", types[i]}, {NULL, NULL}};
        expect_of(list, "1: [415] '415*' END");
    }
}

/* Whatever their order. */
static void worst_fault_wins(void)
{
    struct nrpc_fields fields;
    nrpc_fields_begin(&fields);
    CHECK_EQ(fields.fault, 0);
    nrpc_fields_fault(&fields, NRPC_RESOURCE_EXHAUSTED);
    nrpc_fields_fault(&fields, 0);
    CHECK_EQ(fields.fault, NRPC_RESOURCE_EXHAUSTED);
    nrpc_fields_fault(&fields, NRPC_INTERNAL);
    nrpc_fields_fault(&fields, NRPC_RESOURCE_EXHAUSTED);
    CHECK_EQ(fields.fault, NRPC_INTERNAL);
    nrpc_fields_fault(&fields, NRPC_FAULT_LOST);
    nrpc_fields_fault(&fields, NRPC_INTERNAL);
    CHECK_EQ(fields.fault, NRPC_FAULT_LOST);
}

static void header_list_too_large(void)
{
    static char value[1000];
    memset(value, 'v', sizeof value - 1);
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    for (unsigned i = 0; i < 8; i++) {
        wire_field("x-large", value); /* 1038 each: 8304 */
    }
    wire_headers(1, 0);
    wire_message(1, "hi", END);
    then_alive("1: [431] '431*' END");
}

/* HPACK bomb: one byte for 4000, from the table. Decoded and discarded; answered. */
static void header_list_too_large_by_references(void)
{
    static char value[4000];
    static const uint8_t name[] = {0x40, 1,    'b',
                                   0x7f, 0x81, 0x1e}; /* 127 + 129 - 128 + 0x1e * 128 = 3968 */
    memset(value, 'v', sizeof value);
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_block(name, sizeof name);
    wire_block(value, 127 + 1 + 0x1e * 128);
    for (unsigned i = 0; i < 5000; i++) {
        wire_block("\xbe", 1);
    }
    wire_headers(1, 0);
    wire_message(1, "hi", END);
    then_alive("1: [431] '431*' END");
}

/* A request whose block has n bytes on the wire, frames' headers too: updates of the table's size,
 * which come to nothing in the list. */
static void request_of(uint32_t id, size_t n, size_t piece)
{
    static uint8_t updates[NRPC_HEADER_BLOCK_MAX + 64];
    size_t frames = 1;
    wire_request_fields(ECHO);
    size_t fields = wire.n_block;
    while (n - 9 * frames > piece * frames) {
        frames++;
    }
    memset(updates, 0x20, sizeof updates);
    wire.n_block = 0;
    wire_block(updates, n - 9 * frames - fields);
    wire_request_fields(ECHO);
    wire_headers_in_pieces(id, 0, piece);
    wire_message(id, "hi", END);
}

/* The limit is what all frames of a block come to. */
static void header_blocks_at_their_limit(void)
{
    static const size_t pieces[] = {16384, 5000, 1000};
    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        test_context("piece", (long)pieces[i]);
        wire_begin(&raw_server);
        request_of(1, NRPC_HEADER_BLOCK_MAX, pieces[i]);
        request_of(3, NRPC_HEADER_BLOCK_MAX + 1, pieces[i]);
        request_of(5, NRPC_HEADER_BLOCK_MAX, pieces[i]);
        const char *text = wire_run_once();
        CHECK(strncmp(text, "1: [200 grpc] 'hi' [status=0] END 3: [431]", 42) == 0);
        CHECK(strstr(text, "END 5: [200 grpc] 'hi' [status=0] END") != NULL);
    }
}

/* Far over it, in frames or in one value: only its own call is refused. The others go on, and the
 * table is what the block has made of it. */
static void header_blocks_over_their_limit(void)
{
    static char value[60001];
    static const size_t sizes[] = {9000, 20000, 60000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(value, 'v', sizes[i]);
        value[sizes[i]] = 0;
        test_context("bytes", (long)sizes[i]);
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Bidi", 0);
        wire_message(1, "a", 0);
        wire_request_fields(ECHO);
        wire_field("x-large", value);
        wire_block("\x40\x04x-id\x03one", 10);
        wire_headers_in_pieces(3, 0, 16384);
        wire_message(3, "hi", END);
        wire_message(1, "b", END);
        wire_request_fields(ECHO);
        wire_block("\xbe", 1);
        wire_headers(5, 0);
        wire_message(5, "hi", END);
        const char *text = wire_run_once();
        CHECK(strstr(text, "1: [200 grpc] 'a' 'b' [status=0] END 3: [431]") != NULL);
        CHECK(strstr(text, "5: [200 grpc] 'hi' [status=0] END") != NULL);
        CHECK(strstr(text, "goaway") == NULL);
    }
}

/* However much a list decodes to, it stays too large. */
static void list_sizes_do_not_wrap(void)
{
    static struct nrpc_hpack field;
    struct nrpc_fields fields;
    nrpc_fields_begin(&fields);
    memset(&field, 0, sizeof field);
    field.token = NRPC_T_OTHER;
    for (unsigned i = 0; i < 64; i++) {
        field.bytes = i < 2 ? 100 : 0x2aaaaaaa; /* about what there can be */
        CHECK_EQ(fields.list_bytes > NRPC_HEADER_LIST_MAX, i > 2);
        nrpc_fields_take(&fields, &field);
    }
}

/* --- Malformed requests: stream errors, 8.1.1 --------------------------------------------- */

static void malformed_requests(void)
{
    static const struct field lists[][9] = {
        {{":scheme", "http"}, {":path", ECHO}, TYPE}, /* 8.3.1: missing */
        {{":method", "POST"}, {":path", ECHO}, TYPE},
        {{":method", "POST"}, {":scheme", "http"}, TYPE},
        {TYPE},
        {{":method", "POST"}, USUAL, TYPE}, /* twice */
        {USUAL, {":scheme", "http"}, TYPE},
        {USUAL, {":path", "/"}, TYPE},
        {{":authority", "a"}, {":authority", "a"}, USUAL, TYPE},
        {USUAL, TYPE, {":authority", "a"}}, /* 8.3: after a regular field */
        {{"x", "y"}, USUAL, TYPE},
        {USUAL, {":status", "200"}, TYPE}, /* a response's, and unknown ones */
        {{":status", "200"}, USUAL, TYPE},
        {USUAL, {":protocol", "x"}, TYPE},
        {USUAL, {":", "x"}, TYPE},
        {{":method", "POST"}, {":scheme", "http"}, {":path", ""}, TYPE}, /* 8.3.1: empty */
        {USUAL, TYPE, {"connection", "keep-alive"}},                     /* 8.2.2 */
        {USUAL, TYPE, {"keep-alive", "5"}},
        {USUAL, TYPE, {"proxy-connection", "keep-alive"}},
        {USUAL, TYPE, {"transfer-encoding", "chunked"}},
        {USUAL, TYPE, {"upgrade", "h2c"}},
        {USUAL, TYPE, {"te", "gzip"}},
        {USUAL, TYPE, {"te", "trailers, deflate"}},
        {USUAL, TYPE, {"te", ""}},
        {USUAL, {"Content-Type", "application/grpc"}}, /* 8.2.1 */
        {USUAL, TYPE, {"x-Upper", "y"}},
        {USUAL, TYPE, {"", "y"}}, /* CVE-2019-9516 */
        {USUAL, TYPE, {"x y", "z"}},
        {USUAL, TYPE, {"x\x80", "z"}},
        {USUAL, TYPE, {"x:y", "z"}},
        {USUAL, TYPE, {"x", "a\nb"}},
        {USUAL, TYPE, {"x", "a\r"}},
        {USUAL, TYPE, {"content-length", "x"}},
        {USUAL, TYPE, {"content-length", ""}},
        {USUAL, TYPE, {"content-length", "-1"}},
        {USUAL, TYPE, {"content-length", "7"}, {"content-length", "8"}},
    };
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        expect_of(lists[i], MALFORMED);
    }
}

static void malformed_from_the_table(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_block("\x40\x0a"
               "connection\x05"
               "close",
               18);
    wire_headers(1, 0);
    wire_request_fields(ECHO);
    wire_block("\xbe", 1);
    wire_headers(5, 0);
    wire_request_fields(ECHO);
    wire_headers(7, 0);
    wire_message(7, "hi", END);
    wire_expect("1: rst(PROTOCOL_ERROR) 5: rst(PROTOCOL_ERROR) 7: [200 grpc] 'hi' [status=0] END");
}

/* 8.1.1: content-length against the sum of the DATA payloads. */
static void content_length_and_data(void)
{
    static const struct {
        const char *length;
        unsigned frames, bytes, ends_in_headers;
        const char *expected;
    } rows[] = {
        {"7", 1, 7, 0, GOOD},
        {"7", 7, 1, 0, GOOD},
        {"007", 1, 7, 0, GOOD},
        {"8", 1, 7, 0, MALFORMED},
        {"6", 1, 7, 0, MALFORMED},
        {"6", 7, 1, 0, MALFORMED},
        {"8", 7, 1, 0, MALFORMED},
        {"0", 1, 7, 0, MALFORMED},
        {"4294967303", 1, 7, 0, MALFORMED},
        {"18446744073709551623", 1, 7, 0, MALFORMED},
        {"7", 0, 0, 1, MALFORMED},
        {"0", 0, 0, 1, "1: [200 grpc status=13 message=*] END"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const uint8_t message[] = {0, 0, 0, 0, 2, 'h', 'i'};
        wire_begin(&raw_server);
        wire_request_fields(ECHO);
        wire_field("content-length", rows[i].length);
        wire_headers(1, rows[i].ends_in_headers ? END : 0);
        for (unsigned k = 0; k < rows[i].frames; k++) {
            wire_padded_data(1, message + k, rows[i].bytes, k, k + 1 == rows[i].frames ? END : 0);
        }
        then_alive(rows[i].expected);
    }
}

static void content_length_and_trailers(void)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        wire_begin(&raw_server);
        wire_request_fields(ECHO);
        wire_field("content-length", extra ? "8" : "7");
        wire_headers(1, 0);
        wire_message(1, "hi", 0);
        wire_field("x", "y");
        wire_headers(1, END);
        then_alive(extra ? MALFORMED : GOOD);
    }
}

/* --- CONTINUATION, 6.10 ------------------------------------------------------------------- */

/* Peers' bug: CONTINUATION closes the connection. */
static void blocks_in_pieces(void)
{
    for (size_t piece = 1; piece < 90; piece += piece < 8 ? 1 : 9) {
        wire_begin(&raw_server);
        wire_request_fields(ECHO);
        wire_headers_in_pieces(1, 0, piece);
        wire_message(1, "hi", END);
        then_alive(GOOD);
    }
}

static void empty_pieces(void)
{
    wire_begin(&raw_server);
    wire_frame(NRPC_HEADERS, 0, 1, NULL, 0);
    wire_frame(NRPC_CONTINUATION, 0, 1, NULL, 0);
    wire_request_fields(ECHO);
    wire_frame(NRPC_CONTINUATION, 0, 1, wire.block, wire.n_block);
    wire.n_block = 0;
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, NULL, 0);
    wire_message(1, "hi", END);
    then_alive(GOOD);
}

/* END_STREAM stands in HEADERS and takes effect after the last CONTINUATION. */
static void end_of_stream_before_continuation(void)
{
    wire_begin(&raw_server);
    wire_request_fields("/test.Raw/Collect");
    wire_headers_in_pieces(1, END, 10);
    then_alive("1: [200 grpc] '0:0' [status=0] END");
}

static void frames_within_a_block(void)
{
    static const struct {
        unsigned type, flags;
        uint32_t id;
        size_t n;
    } rows[] = {
        {NRPC_DATA, 0, 1, 1},          {NRPC_DATA, 0, 3, 1},         {NRPC_HEADERS, 4, 1, 1},
        {NRPC_HEADERS, 4, 3, 1},       {NRPC_PRIORITY, 0, 1, 5},     {NRPC_RST_STREAM, 0, 1, 4},
        {NRPC_SETTINGS, 0, 0, 0},      {NRPC_PING, 0, 0, 8},         {NRPC_GOAWAY, 0, 0, 8},
        {NRPC_WINDOW_UPDATE, 0, 0, 4}, {NRPC_CONTINUATION, 4, 3, 1}, {77, 0, 0, 3}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_begin(&raw_server);
        wire_request_fields(ECHO);
        wire_frame(NRPC_HEADERS, 0, 1, wire.block, 20);
        wire_frame(rows[i].type, rows[i].flags, rows[i].id, "\0\0\0\1\0\0\0\0", rows[i].n);
        wire_expect("goaway(1,PROTOCOL_ERROR)");
    }
}

static void continuation_out_of_place(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, "\x82", 1); /* after END_HEADERS */
    wire_expect("goaway(*,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    wire_message(1, "x", 0);
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, "\x82", 1);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_headers_in_pieces(1, 0, 30);
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, "\x82", 1);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
}

/* --- Compression errors, 4.3 -------------------------------------------------------------- */

static void blocks_that_do_not_decode(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"\x80", 1},
                {"\xbe", 1},
                {"\xff\xff\xff\xff\xff\xff\x7f", 7},
                {"\x40", 1},
                {"\x40\x05"
                 "abc",
                 5},
                {"\x82\x20", 2},
                {"\x3f\xe2\x1f", 3},
                {"\x00\x81\xff\x00", 4},
                {"\x04\x82\xff\xff", 4},
                {"\x7f", 1}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_begin(&raw_server);
        wire_block(rows[i].bytes, rows[i].n);
        wire_headers(1, END);
        wire_expect("goaway(1,COMPRESSION_ERROR)"); /* not 0: that would mean "try it again" */
        wire_begin(&raw_server);
        wire_block(rows[i].bytes, rows[i].n);
        wire_headers_in_pieces(1, END, 1);
        wire_expect("goaway(1,COMPRESSION_ERROR)");
    }
}

/* In trailers, and in blocks of streams that are already ended, it is the same. */
static void trailers_that_do_not_decode(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    wire_frame(NRPC_HEADERS, NRPC_END_HEADERS | END, 1, "\xbe", 1);
    wire_expect("goaway(*,COMPRESSION_ERROR)");
}

int main(void)
{
    RUN(requests_that_are_good);
    RUN(long_fields);
    RUN(long_unknown_path);
    RUN(methods_other_than_post);
    RUN(content_types);
    RUN(content_type_that_begins_so);
    RUN(content_types_of_grpc_web);
    RUN(worst_fault_wins);
    RUN(header_list_too_large);
    RUN(header_list_too_large_by_references);
    RUN(header_blocks_at_their_limit);
    RUN(header_blocks_over_their_limit);
    RUN(list_sizes_do_not_wrap);
    RUN(malformed_requests);
    RUN(malformed_from_the_table);
    RUN(content_length_and_data);
    RUN(content_length_and_trailers);
    RUN(blocks_in_pieces);
    RUN(empty_pieces);
    RUN(end_of_stream_before_continuation);
    RUN(frames_within_a_block);
    RUN(continuation_out_of_place);
    RUN(blocks_that_do_not_decode);
    RUN(trailers_that_do_not_decode);
    return test_end();
}
