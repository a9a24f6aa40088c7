/* tests/unit/wire.c - writes a client's frames, and runs a connection on them in many ways.
 * Layer: test. Source: RFC 9113 4 to 6; RFC 7541 6.2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <string.h>

#include "nanorpc/server.h"

struct wire wire;

/* On a board, where it takes longer, fewer ways. */
#if defined(__AVR__)
enum { CUT_STEP = 37, RANDOM_RUNS = 1, CUTS_MAX = 3, ROOMS_TRIED = 1 };
#elif defined(__arm__)
enum { CUT_STEP = 11, RANDOM_RUNS = 4, CUTS_MAX = 40, ROOMS_TRIED = 4 };
#else
enum { CUT_STEP = 1, RANDOM_RUNS = 12, CUTS_MAX = 2500, ROOMS_TRIED = 4 };
#endif

/* --- What the client sends ---------------------------------------------------------------- */

void wire_begin_bare(const struct nrpc_server *server)
{
    wire.server = server;
    wire.link = NULL;
    wire.log = NULL;
    wire.show = 0;
    wire.table_bytes = 4096;
    wire.n_settings = wire.table_from = 0;
    wire.frame_max = NRPC_FRAME_MAX;
    wire.n_in = wire.n_fed = wire.n_marks = wire.n_block = 0;
}

void wire_preface(void)
{
    wire_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
}

void wire_begin(const struct nrpc_server *server)
{
    wire_begin_bare(server);
    wire_preface();
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
}

void wire_begin_acked(const struct nrpc_server *server)
{
    wire_begin(server);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
}

void wire_bytes(const void *bytes, size_t n)
{
    if (CHECK(n <= WIRE_INPUT - wire.n_in) && n) {
        memcpy(wire.in + wire.n_in, bytes, n);
        wire.n_in += n;
    }
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 3; i >= 0; i--) {
        p[i] = (uint8_t)value;
        value >>= 8;
    }
}

void wire_frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t n)
{
    uint8_t head[NRPC_FRAME_HEADER_BYTES];
    put32(head, (uint32_t)n << 8 | type);
    head[4] = (uint8_t)flags;
    put32(head + 5, id);
    wire.n_settings += type == NRPC_SETTINGS && !(flags & NRPC_ACK);
    wire_bytes(head, sizeof head);
    wire_bytes(payload, n);
}

void wire_number(unsigned type, uint32_t id, uint32_t value)
{
    uint8_t payload[4];
    put32(payload, value);
    wire_frame(type, 0, id, payload, 4);
}

void wire_ping(const char *eight)
{
    wire_frame(NRPC_PING, 0, 0, eight, 8);
}

void wire_setting(unsigned id, uint32_t value)
{
    uint8_t payload[6] = {(uint8_t)(id >> 8), (uint8_t)id};
    put32(payload + 2, value);
    wire_frame(NRPC_SETTINGS, 0, 0, payload, 6);
    if (id == NRPC_MAX_FRAME_SIZE && value >= NRPC_FRAME_MAX) {
        wire.frame_max = value;
    }
    if (id == NRPC_HEADER_TABLE_SIZE && value < wire.table_bytes) {
        wire.table_bytes = (unsigned)value;
        wire.table_from = wire.n_settings;
    }
}

void wire_priority(uint32_t id, uint32_t depends_on)
{
    uint8_t payload[5] = {0, 0, 0, 0, 15};
    put32(payload, depends_on);
    wire_frame(NRPC_PRIORITY, 0, id, payload, 5);
}

void wire_goaway(uint32_t last, uint32_t code)
{
    uint8_t payload[8];
    put32(payload, last);
    put32(payload + 4, code);
    wire_frame(NRPC_GOAWAY, 0, 0, payload, 8);
}

void wire_block(const void *bytes, size_t n)
{
    if (CHECK(n <= WIRE_BLOCK - wire.n_block)) {
        memcpy(wire.block + wire.n_block, bytes, n);
        wire.n_block += n;
    }
}

static void block_text(const char *text)
{
    size_t n = strlen(text), rest = n - 127;
    uint8_t length[4] = {(uint8_t)n};
    unsigned at = 1;
    if (n >= 127) {
        length[0] = 127;
        for (; rest >= 128; rest >>= 7) {
            length[at++] = (uint8_t)(rest | 0x80);
        }
        length[at++] = (uint8_t)rest;
    }
    wire_block(length, at);
    wire_block(text, n);
}

void wire_field(const char *name, const char *value)
{
    wire_block("", 1);
    block_text(name);
    block_text(value);
}

void wire_request_fields(const char *path)
{
    wire_block("\x83\x86\x04", 3); /* POST, http, :path without indexing */
    block_text(path);
    wire_block("\x01\x01h\x0f\x10\x10"
               "application/grpc",
               6 + 16);
    wire_field("te", "trailers");
}

void wire_headers(uint32_t id, unsigned flags)
{
    wire_frame(NRPC_HEADERS, flags | NRPC_END_HEADERS, id, wire.block, wire.n_block);
    wire.n_block = 0;
}

void wire_headers_in_pieces(uint32_t id, unsigned flags, size_t piece)
{
    for (size_t at = 0; at < wire.n_block || at == 0; at += piece) {
        size_t left = wire.n_block - at;
        int last = left <= piece;
        wire_frame(at ? NRPC_CONTINUATION : NRPC_HEADERS,
                   (at ? 0 : flags) | (last ? NRPC_END_HEADERS : 0u), id, wire.block + at,
                   last ? left : piece);
    }
    wire.n_block = 0;
}

void wire_request(uint32_t id, const char *path, unsigned flags)
{
    wire_request_fields(path);
    wire_headers(id, flags);
}

void wire_data(uint32_t id, const void *data, size_t n, unsigned flags)
{
    wire_frame(NRPC_DATA, flags, id, data, n);
}

void wire_padded_data(uint32_t id, const void *data, size_t n, unsigned pad, unsigned flags)
{
    static const uint8_t zeros[256];
    uint8_t length = (uint8_t)pad;
    size_t at = wire.n_in;
    wire_frame(NRPC_DATA, flags | NRPC_PADDED, id, &length, 1);
    wire_bytes(data, n);
    wire_bytes(zeros, pad);
    put32(wire.in + at, (uint32_t)(1 + n + pad) << 8 | NRPC_DATA);
}

static void message_head(uint32_t id, size_t n, unsigned flags)
{
    uint8_t head[NRPC_FRAME_HEADER_BYTES + 5] = {0};
    put32(head, (uint32_t)(n + 5) << 8 | NRPC_DATA);
    head[4] = (uint8_t)flags;
    put32(head + 5, id);
    put32(head + 10, (uint32_t)n);
    wire_bytes(head, sizeof head);
}

void wire_message(uint32_t id, const char *text, unsigned flags)
{
    message_head(id, strlen(text), flags);
    wire_bytes(text, strlen(text));
}

void wire_text_message(uint32_t id, unsigned field, const char *text, unsigned flags)
{
    char message[200] = {
        0, 0, 0, 0, (char)(2 + strlen(text)), (char)(field << 3 | 2), (char)strlen(text)};
    strcpy(message + 7, text);
    wire_data(id, message, 7 + strlen(text), flags);
}

void wire_long_message(uint32_t id, size_t n, unsigned flags)
{
    message_head(id, n, flags);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = raw_pattern(i);
        wire_bytes(&byte, 1);
    }
}

void wire_do(wire_action *action)
{
    if (CHECK(wire.n_marks < WIRE_MARKS)) {
        wire.marks[wire.n_marks].at = wire.n_in;
        wire.marks[wire.n_marks].action = action;
        wire.n_marks++;
    }
}

/* --- Running ------------------------------------------------------------------------------ */

enum { WHOLE = 0, BYTES = 1, CUT, RANDOM };

struct way {
    int kind;
    size_t cut;
    uint32_t random;
};

static uint32_t next_random(struct way *way)
{
    way->random = way->random * 1664525u + 1013904223u;
    return way->random >> 16;
}

void wire_open(void)
{
    raw_reset();
    wire.now_ms = 0xfffffe00u; /* the clock wraps round soon */
    wire.is_blocked = 0;
    wire.n_out = wire.n_fed = 0;
    wire.room = wire.room ? wire.room : 1024;
    wire.conn = wire.link ? wire.link(wire.now_ms) : nrpc_server_accept(wire.server, wire.now_ms);
    CHECK(wire.conn != NULL);
}

size_t wire_feed(const void *bytes, size_t n)
{
    if (wire.conn->flags & NRPC_CONN_RESTS) { /* as a port waits */
        wire.now_ms += nrpc_conn_tick(wire.conn, wire.now_ms);
    }
    size_t used = nrpc_conn_receive(wire.conn, test_guarded(bytes, n), n, wire.now_ms);
    CHECK(used <= n);
    CHECK(wire.conn->control_bytes <= sizeof wire.conn->control);
    return used;
}

/* One nrpc_conn_transmit. Returns the bytes. */
static size_t transmit(void)
{
    size_t n = 0;
    if (!wire.is_blocked) {
        uint8_t *to = test_guarded_room(wire.room);
        n = nrpc_conn_transmit(wire.conn, to, wire.room);
        if (CHECK(n <= wire.room) && CHECK(n <= WIRE_OUTPUT - wire.n_out)) {
            memcpy(wire.out + wire.n_out, to, n);
            wire.n_out += n;
        }
    }
    return n;
}

void wire_pump(void)
{
    while (transmit() && !test_has_failed()) {
    }
}

int wire_feed_all(void)
{
    size_t used = 1, sent = 1;
    while (wire.n_fed < wire.n_in && (used || sent)) {
        sent = wire.n_out;
        used = wire_feed(wire.in + wire.n_fed, wire.n_in - wire.n_fed);
        wire.n_fed += used;
        wire_pump();
        sent = wire.n_out - sent;
    }
    return wire.n_fed == wire.n_in;
}

void wire_close(void)
{
    nrpc_conn_lost(wire.conn);
    for (unsigned i = 0; i < RAW_CALLS; i++) {
        CHECK(raw.calls[i].live == NULL); /* somebody was not told of its end */
    }
}

static size_t piece_of(struct way *way, size_t at, size_t end)
{
    size_t n = end - at;
    if (way->kind == BYTES) {
        n = 1;
    } else if (way->kind == RANDOM) {
        n = 1 + (size_t)(next_random(way) % 40);
    } else if (way->kind == CUT && at < way->cut && way->cut < end) {
        n = way->cut - at;
    }
    return n < end - at ? n : end - at;
}

/* Feeds the input up to `end`. What is not used is given again, joined to what follows. */
static void feed_to(struct way *way, size_t *at, size_t end)
{
    size_t given = *at; /* the link has brought the bytes up to here */
    unsigned stuck = 0;
    while (*at < end && stuck < 3 && !test_has_failed()) {
        size_t sent = wire.n_out, used;
        if (given <= *at || way->kind == RANDOM) {
            given += piece_of(way, given, end);
        }
        used = wire_feed(wire.in + *at, given - *at);
        *at += used;
        if (way->kind != RANDOM || stuck || next_random(way) % 2) {
            wire_pump();
        }
        stuck = used || wire.n_out != sent ? 0 : stuck + 1;
    }
    wire_pump();
    if (!wire.is_blocked && !test_has_failed()) {
        CHECK_EQ(*at, end); /* it did not take the rest */
    }
}

static const char *run(struct way *way)
{
    const char *text;
    size_t at = 0;
    wire_open();
    for (size_t i = 0; i < wire.n_marks && !test_has_failed(); i++) {
        feed_to(way, &at, wire.marks[i].at);
        if (wire.marks[i].action) {
            wire.marks[i].action();
        }
    }
    feed_to(way, &at, wire.n_in);
    wire_pump();
    text = wire_text();
    wire_close();
    return text;
}

const char *wire_run_once(void)
{
    struct way way = {.kind = WHOLE};
    return run(&way);
}

/* expected: * stands for anything up to the first character that follows it there. */
static int fits(const char *text, const char *expected)
{
    while (*expected) {
        if (*expected == '*') {
            const char *end = strchr(text, *++expected);
            text = end ? end : "";
        } else if (*text++ != *expected++) {
            return 0;
        }
    }
    return !*text;
}

static void compare(const char *text, const char *expected)
{
    if (strncmp(expected, "goaway", 6) == 0) {
        const char *goaway = strstr(text, "goaway");
        char found[100] = "";
        size_t n = goaway ? strcspn(goaway, ")") + 1 : 0;
        if (goaway && n < sizeof found) {
            memcpy(found, goaway, n);
        }
        if (fits(found, expected)) {
            return;
        }
    }
    if (!fits(text, expected)) {
        CHECK_TEXT(text, expected);
    }
}

static void run_and_compare(const char *name, struct way way, size_t number, const char *expected)
{
    static const size_t rooms[] = {NRPC_TRANSMIT_MIN, NRPC_TRANSMIT_MIN + 700,
                                   NRPC_TRANSMIT_MIN + 1, TEST_SIZE(1 << 16, TEST_GUARDED_MAX)};
    if (!test_has_failed()) {
        test_context(name, (long)number);
        wire.room = rooms[number % 4];
        compare(run(&way), expected);
    }
}

void wire_expect(const char *expected)
{
    size_t step = CUT_STEP;
    if (test_keep(wire.link ? "client" : "server", wire.in, wire.n_in)) {
        wire_run_once();
        return;
    }
    for (size_t i = 0; i < ROOMS_TRIED; i++) {
        run_and_compare("whole, room", (struct way){.kind = WHOLE}, i, expected);
        run_and_compare("bytes, room", (struct way){.kind = BYTES}, i, expected);
    }
    for (unsigned i = 0; i < RANDOM_RUNS; i++) {
        run_and_compare("random", (struct way){.kind = RANDOM, .random = i * (uint32_t)7919}, i,
                        expected);
    }
    while (wire.n_in / step > CUTS_MAX) {
        step++;
    }
    for (size_t cut = 1; cut < wire.n_in; cut += step) {
        run_and_compare("cut at", (struct way){.kind = CUT, .cut = cut}, cut, expected);
    }
    test_context(NULL, 0);
}
