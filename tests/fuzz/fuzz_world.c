/* tests/fuzz/fuzz_world.c - an image's whole life: several connections, a channel and its links,
 * long conversations, hours of time; with limits that are not the default ones. Layer: test.
 * Source: RFC 7541 2.3, 4; nanorpc/conn.h, nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "nanorpc/client/nrpc_invoke.h"
#include "nanorpc/codec.h"

/* An input is a list of orders: what happens, to whom, how much of it. Honest clients' requests are
 * made here, with an HPACK table as RFC 7541 has it, and each carries a token of its own: its
 * handler must see that one, whoever else has sent which before. */
enum {
    LINKS = 3,
    TABLE = 32 * NRPC_HPACK_ENTRIES,
    TOKEN_MAX = 60,
    PENDING_MAX = 1 << 17,
    REQUESTS_MAX = 4000, /* of an input */
    BYTES_MAX = 1000000
};

static struct link {
    struct nrpc_conn *conn;  /* NULL: there is none */
    int to;                  /* a link of ours at the other end; -1: the input */
    int is_wild, is_deaf;    /* what has come was not all ours; nothing is taken from it */
    uint32_t next_id;        /* of the next honest request */
    uint32_t tokens[4096];   /* by stream / 2 % 4096 */
    unsigned n_table, first; /* the client's table; its newest is `first` */
    struct {
        uint32_t token, size;
    } table[128];
    size_t n_in;
    uint8_t in[PENDING_MAX];
} links[LINKS + 1]; /* the last is the channel's */

static struct link *const own = &links[LINKS];
static uint32_t now_ms, n_tokens, n_requests, n_bytes;
static unsigned n_started, n_done;
static struct nrpc_call *held[64], *started[64];

static size_t token_text(uint32_t token, char *text)
{
    size_t n = 20 + token * 7919u % (TOKEN_MAX - 20);
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)('a' + (token >> (i % 7 * 4)) % 16);
    }
    return n;
}

static int is_token(uint32_t token, const void *data, size_t n)
{
    char text[TOKEN_MAX];
    return n == token_text(token, text) && memcmp(data, text, n) == 0;
}

/* --- The server ----------------------------------------------------------------------------- */

static const struct nrpc_key token_key = NRPC_KEY("x-token"), other_key = NRPC_KEY("trace-bin");
static const struct nrpc_key *const keys[] = {&other_key, &token_key};

static struct link *link_of(const struct nrpc_conn *conn)
{
    for (unsigned i = 0; i < LINKS; i++) {
        if (links[i].conn == conn) {
            return &links[i];
        }
    }
    CHECK(conn == NULL); /* it is gone, and has a handler called? */
    return &links[0];
}

static void reply(struct nrpc_call *call)
{
    size_t n = 0, room;
    const void *value = nrpc_call_metadata(call, &token_key, 0, &n);
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (at) {
        n = value ? n < room ? n : room : 0;
        memcpy(at, value ? value : at, n);
        nrpc_call_commit(call, n);
        (void)nrpc_call_add_header(call, "x-token", at, n < 20 ? n : 20);
    }
}

static enum nrpc_status show(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    NRPC_CALL_IN(call);
    struct link *link = link_of(nrpc_call_conn(call));
    const void *value = nrpc_call_metadata(call, &token_key, 0, &n);
    if (!data) {
        return NRPC_OK;
    }
    if (!link->is_wild && link->to < 0) {
        CHECK(value && is_token(link->tokens[call->id / 2 % 4096], value, n));
    }
    if (fuzz_next(8) == 0) {
        for (unsigned i = 0; i < 64; i++) {
            if (!held[i]) {
                held[i] = call;
                return NRPC_PENDING;
            }
        }
    }
    reply(call);
    return NRPC_OK;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    NRPC_CALL_IN(call);
    CHECK(why != NRPC_OK);
    for (unsigned i = 0; i < 64; i++) {
        held[i] = held[i] == call ? NULL : held[i];
    }
}

static const struct nrpc_codec codec = {.message = show};
static const struct nrpc_method methods[] = {
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_UNARY}};
static const struct nrpc_service World_service = {
    .path = "/test.World/", .method_names = "\200Show\377", .methods = methods};
#define World_service_REQUEST_BYTES 64
#define World_service_REPLY_BYTES 64
union World_service_request {
    uint8_t m0;
};
union World_service_reply {
    uint8_t m0;
};
NRPC_SERVER_DEFINE_WITH(world_server, LINKS, (.keys = keys, .n_keys = 2), World_service);

/* --- The channel ---------------------------------------------------------------------------- */

#if NRPC_CLIENT
static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    CHECK((unsigned)status <= 16 && strlen(message) < NRPC_STATUS_MESSAGE_MAX);
    for (unsigned i = 0; i < 64; i++) {
        started[i] = started[i] == call ? NULL : started[i];
    }
    n_done++;
}

static enum nrpc_status client_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    struct nrpc_text {
        const uint8_t *data;
        size_t n;
    } text = {data, n};
    return nrpc_client_message(call, data ? &text : NULL, NULL);
}

static enum nrpc_status got(struct nrpc_call *call, const void *message,
                            const struct nrpc_events *its)
{
    const struct nrpc_text {
        const uint8_t *data;
        size_t n;
    } *text = message;
    (void)its;
    if (!own->is_wild && own->to >= 0 && !links[own->to].is_wild) {
        CHECK(is_token((uint32_t)nrpc_call_user(call)->number, text->data, text->n));
    }
    return fuzz_next(8) ? NRPC_OK : NRPC_PENDING;
}

static int send_none(struct nrpc_call *call, const void *request)
{
    size_t room;
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (!at) {
        return NRPC_E_AGAIN;
    }
    memcpy(at, request, 3);
    nrpc_call_commit(call, 3);
    return 0;
}

static const struct nrpc_codec client_codec = {.message = client_message, .send = send_none};
static const struct nrpc_client_method show_method = {.method = {.codec = &client_codec,
                                                                 .handler = nrpc_client_message,
                                                                 .cancelled = nrpc_client_cancelled,
                                                                 .kind = NRPC_CALLER | NRPC_UNARY},
                                                      .path = "/test.World/Show",
                                                      .got = got};
static const struct nrpc_events events = {.done = done};
#define World_client_REQUEST_BYTES 64
#define World_client_REPLY_BYTES 64
#define World_client_PATH_BYTES 16
union World_client_reply {
    uint8_t m0;
};
NRPC_CHANNEL_DEFINE_WITH(world, "world", (.keys = keys, .n_keys = 2), World_client);

static void start_call(unsigned how)
{
    const struct nrpc_call_options options = {.timeout_ms = how & 1 ? 1 + (uint32_t)how * 50 : 0,
                                              .wait_for_ready = how >> 1 & 1};
    char text[TOKEN_MAX];
    unsigned i = 0;
    while (i < 64 && started[i]) {
        i++;
    }
    struct nrpc_call *call = i < 64
                                 ? nrpc_client_start(&world, &show_method, &options, "abc", &events)
                                 : NULL;
    if (call) {
        uint32_t token = ++n_tokens;
        nrpc_call_user(call)->number = token;
        CHECK_EQ(nrpc_call_add_header(call, "x-token", text, token_text(token, text)), 0);
        started[i] = call;
        n_started++;
    }
}
#endif

/* --- Links ------------------------------------------------------------------------------------ */

static void put(struct link *link, const void *data, size_t n)
{
    if (n <= PENDING_MAX - link->n_in && n_bytes < BYTES_MAX) {
        memcpy(link->in + link->n_in, data, n);
        link->n_in += n;
        n_bytes += (uint32_t)n;
    } else {
        link->is_wild = 1; /* what follows does not fit to what came before */
    }
}

static void put_frame(struct link *link, unsigned type, unsigned flags, uint32_t id,
                      const void *payload, size_t n)
{
    uint8_t frame[9 + NRPC_FRAME_MAX];
    (void)nrpc_frame_write(frame, (uint32_t)n, NRPC_TYPE_FLAGS(type, flags), id);
    memcpy(frame + 9, payload, n);
    put(link, frame, 9 + n);
}

static void lose(struct link *link)
{
    if (link->conn) {
        nrpc_conn_lost(link->conn);
        link->conn = NULL;
        link->n_in = 0;
        if (link->to >= 0) {
            struct link *other = &links[link->to];
            other->to = link->to = -1;
            other->is_wild = 1;
            lose(other);
        }
    }
}

static void begin_link(struct link *link, struct nrpc_conn *conn)
{
    link->conn = conn;
    link->to = -1;
    link->is_wild = link->is_deaf = 0;
    link->next_id = 1;
    link->n_table = link->first = 0;
    link->n_in = 0;
}

static void accept_link(struct link *link)
{
    if (!link->conn) {
        begin_link(link, nrpc_server_accept(&world_server, now_ms));
        if (CHECK(link->conn != NULL)) {
            put(link, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0",
                24 + 9 + 9);
        }
    }
}

/* What the two ends of a link of our own say goes to the other. */
static size_t transmit(struct link *link)
{
    size_t room = fuzz_next(3) ? NRPC_TRANSMIT_MIN + fuzz_next(1000) : fuzz_next(NRPC_TRANSMIT_MIN);
    uint8_t *to = test_guarded_room(room);
    size_t n = nrpc_conn_transmit(link->conn, to, room);
    CHECK(n <= room && link->conn->control_bytes <= sizeof link->conn->control);
    if (link->to >= 0) {
        put(&links[link->to], to, n);
    }
    return n;
}

static void drive(struct link *link)
{
    for (unsigned idle = 0; link->conn && idle < 3;) {
        size_t n = 1 + fuzz_next(fuzz_next(4) ? 2000 : 30), used = 0, sent = 0;
        n = n < link->n_in ? n : link->n_in;
        if (n) {
            used = nrpc_conn_receive(link->conn, test_guarded(link->in, n), n, now_ms);
            CHECK(used <= n && link->conn->control_bytes <= sizeof link->conn->control);
            memmove(link->in, link->in + used, link->n_in -= used);
        }
        if (!link->is_deaf) {
            sent = transmit(link);
        }
        idle = used || sent ? 0 : idle + 1;
        if (nrpc_conn_closing(link->conn)) {
            lose(link);
        }
    }
}

static void tick_all(void)
{
    for (unsigned i = 0; i <= LINKS; i++) {
        if (links[i].conn) {
            uint32_t next = nrpc_conn_tick(links[i].conn, now_ms);
            CHECK(next - 1 < 1000);
        }
        drive(&links[i]);
    }
#if NRPC_CLIENT
    (void)nrpc_dial_wait_ms(&world.dial, now_ms);
#endif
}

/* --- Honest requests -------------------------------------------------------------------------- */

static uint8_t *put_text(uint8_t *p, const char *text, size_t n)
{
    *p++ = (uint8_t)n; /* under 127 */
    return (uint8_t *)memcpy(p, text, n) + n;
}

static void table_add(struct link *link, uint32_t token, uint32_t size)
{
    uint32_t sum = size;
    unsigned stay = 0;
    while (stay < link->n_table && (sum += link->table[(link->first + stay) % 128].size) <= TABLE) {
        stay++;
    }
    link->n_table = stay;
    if (size <= TABLE) {
        link->first = (link->first + 127) % 128;
        link->table[link->first].token = token;
        link->table[link->first].size = size;
        link->n_table = stay + 1;
    }
}

static void put_request(struct link *link, unsigned how)
{
    uint8_t block[300], *p = block;
    char text[TOKEN_MAX];
    unsigned pick = link->n_table ? fuzz_next(link->n_table < 64 ? link->n_table : 64) : 0;
    uint32_t token = link->n_table ? link->table[(link->first + pick) % 128].token : 0, id;
    if (link->next_id == 1) { /* RFC 7541 6.3: our table is no larger than the server's */
        *p++ = 0x3f;
        *p++ = (uint8_t)((TABLE - 31) | 128);
        *p++ = (uint8_t)((TABLE - 31) >> 7);
    }
    memcpy(p,
           "\x83\x86\x04\x10/test.World/Show\x01\x01h\x0f\x10\x10"
           "application/grpc\0\2te\10trailers",
           4 + 16 + 6 + 16 + 13);
    p += 4 + 16 + 6 + 16 + 13;
    if (token && (how & 5) != 4 && fuzz_next(2)) { /* 4: never by its index */
        *p++ = (uint8_t)(0x80 | (62 + pick));      /* at most 62 + 63 */
    } else {
        size_t n = token_text(token = ++n_tokens, text);
        *p++ = how & 1 ? 0x40 : 0x00;
        p = put_text(p, "x-token", 7);
        p = put_text(p, text, n);
        if (how & 1) {
            table_add(link, token, (uint32_t)(7 + n + 32));
        }
    }
    if (how & 2 && fuzz_next(4) == 0) { /* another field takes its place in the table */
        *p++ = 0x40;
        p = put_text(p, "x-noise", 7);
        p = put_text(p, "0123456789012345678901234567890", how & 4 ? 31 : 1);
        table_add(link, 0, 7 + (how & 4 ? 31 : 1) + 32);
    }
    id = link->next_id;
    link->next_id += 2;
    link->tokens[id / 2 % 4096] = token;
    put_frame(link, NRPC_HEADERS, NRPC_END_HEADERS, id, block, (size_t)(p - block));
    put_frame(link, NRPC_DATA, NRPC_END_STREAM, id, "\0\0\0\0\1x", 6);
    if (id % 64 == 1) { /* for what has been answered */
        put_frame(link, NRPC_WINDOW_UPDATE, 0, 0, "\0\0\x10\0", 4);
    }
}

/* --- What is not honest ----------------------------------------------------------------------- */

/* A header block of about `units` * 256 bytes: a name, or a value, in Huffman's code, 8 characters
 * of 5 bits in 5 bytes. */
static void put_long_block(struct link *link, unsigned units, unsigned how)
{
    static uint8_t block[66000];
    size_t n = 0, length = (size_t)units * 256 + 1 + fuzz_next(255);
    const char *before = how & 4 ? "\x88" : "\x83\x86\x04\x10/test.World/Show";
    uint32_t id = how & 4 ? 1 + 2 * fuzz_next(8) : link->next_id;
    memcpy(block, before, n = strlen(before));
    block[n++] = how & 1 ? 0x40 : 0x00;
    if (how & 2) { /* it is a value */
        static const char *const names[] = {"x-token", "grpc-message", "trace-bin", "x-noise"};
        const char *name = names[how >> 4 & 3];
        n = (size_t)(put_text(block + n, name, strlen(name)) - block);
    }
    block[n++] = 0xff;
    for (size_t rest = length - 127; length >= 127; rest >>= 7) {
        block[n++] = (uint8_t)(rest >= 128 ? rest | 128 : rest);
        if (rest < 128) {
            break;
        }
    }
    length = length < sizeof block - n - 20 ? length : sizeof block - n - 20;
    memset(block + n, how & 8 ? 0x18 : 0x00, length); /* '0', or others */
    n += length;
    n = how & 2 ? n : (size_t)(put_text(block + n, "v", 1) - block);
    link->next_id += how & 4 ? 0 : 2;
    link->is_wild = 1;
    for (size_t at = 0; at < n; at += NRPC_FRAME_MAX) {
        size_t some = n - at < NRPC_FRAME_MAX ? n - at : NRPC_FRAME_MAX;
        put_frame(link, at ? NRPC_CONTINUATION : NRPC_HEADERS,
                  at + some == n ? NRPC_END_HEADERS : 0, id, block + at, some);
    }
}

/* Frames of the input's own, see fuzz_bytes; the last one may be cut short. */
static size_t put_frames(struct link *link, const uint8_t *data, size_t n)
{
    size_t size = n > 4 ? data[3] : 0;
    if (n < 5) {
        return n;
    }
    size = size < n - 4 ? size : n - 4;
    link->is_wild |= data[0] % 16 != NRPC_PING && data[0] % 16 != NRPC_WINDOW_UPDATE;
    put_frame(link, data[0] % 16, data[1], data[2], data + 4, size);
    if (data[0] & 0x80 && link->n_in > size) { /* it stops within the frame */
        link->n_in -= fuzz_next((uint32_t)size + 1);
        link->is_wild = 1;
    }
    return 4 + size;
}

/* --- Orders ----------------------------------------------------------------------------------- */

static void act(unsigned how)
{
    unsigned i = how % 64;
    if (held[i]) {
        struct nrpc_call *call = held[i];
        held[i] = NULL;
        if (how & 64) {
            reply(call);
        }
        (void)nrpc_call_finish(call, how & 64 ? NRPC_OK : NRPC_ABORTED, NULL);
    }
    if (started[i % 8]) {
        (void)(how & 64 ? nrpc_call_wake(started[i % 8])
                        : nrpc_call_finish(started[i % 8], NRPC_CANCELLED, "act"));
    }
}

static void pass_time(unsigned how)
{
    static const uint32_t steps[] = {1, 90, 700, 1000, 4000, 21000, 600000, 16000000};
    if (how & 8) { /* as a port does */
        for (unsigned i = 0; i < 30; i++) {
            now_ms += 1000;
            tick_all();
        }
    }
    now_ms += steps[how & 7] + fuzz_next(300);
    tick_all();
}

/* The channel's link: to one of our server's connections, or to the input. */
static void dial(unsigned how)
{
#if NRPC_CLIENT
    if (world.dial.state != NRPC_DIAL_DIALLING || own->conn) {
        return;
    }
    if (how & 1) {
        nrpc_dial_failed(&world.dial);
        return;
    }
    begin_link(own, nrpc_dial_linked(&world.dial, now_ms));
    struct link *other = &links[how >> 2 & 1];
    if (how & 2 && own->conn && !other->conn) {
        begin_link(other, nrpc_server_accept(&world_server, now_ms));
        other->to = LINKS;
        own->to = (int)(other - links);
    } else if (own->conn) {
        put(own, "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18);
    }
#else
    (void)how;
#endif
}

/* Returns the bytes of the order. */
static size_t obey(const uint8_t *data, size_t n)
{
    unsigned to = data[0] >> 4 & 3, how = data[1];
    struct link *link = &links[to];
    size_t used = 2;
    switch (data[0] & 15) {
    case 0: accept_link(&links[to % LINKS]); break;
    case 1: /* each in its turn, as a client that waits for its answers does */
    case 2:
        for (unsigned i = 0; i < (how >> 3) * (how & 5 ? 30u : 3u) + 1; i++) {
            if (to < LINKS && link->conn && link->to < 0 && n_requests++ < REQUESTS_MAX) {
                put_request(link, how);
                if ((data[0] & 15) == 1 || i % 3 == 2) {
                    drive(link);
                    act(64 | fuzz_next(4));
                }
            }
        }
        break;
    case 3:
    case 4: used += link->conn ? put_frames(link, data + 2, n - 2) : 0; break;
    case 5: pass_time(how); break;
    case 6: act(how); break;
    case 7: link->is_deaf = how & 1; break;
    case 8:
        if (link->conn) {
            put_long_block(link, how, to == 3 ? 4 | (unsigned)(data[0] >> 4) * 9 : data[0] >> 4);
        }
        break;
    case 9: lose(link); break;
#if NRPC_CLIENT
    case 10: start_call(how); break;
    case 11: dial(how); break;
    case 12: nrpc_dial_stop(&world.dial); break;
#endif
    case 13:
        if (link->conn) {
            nrpc_conn_shutdown(link->conn);
        }
        break;
    default: drive(link); break;
    }
    return used;
}

static void begin(void)
{
    for (unsigned i = 0; i <= LINKS; i++) {
        begin_link(&links[i], NULL);
    }
    memset(held, 0, sizeof held);
    memset(started, 0, sizeof started);
    now_ms = 0xffffff00u;
    n_tokens = n_requests = n_bytes = n_started = n_done = 0;
#if NRPC_CLIENT
    world.dial.state = NRPC_DIAL_WAITING;
    world.dial.held = world.dial.failures = 0;
#endif
    accept_link(&links[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    fuzz_begin(data);
    begin();
    for (size_t at = 2; at + 1 < n && !test_has_failed();) {
        at += obey(data + at, n - at);
#if NRPC_CLIENT
        (void)nrpc_dial_wait_ms(&world.dial, now_ms);
#endif
    }
    for (unsigned i = 0; i < 2 * (LINKS + 1) && !test_has_failed(); i++) {
        drive(&links[i % (LINKS + 1)]);
    }
    for (unsigned i = 0; i <= LINKS; i++) {
        lose(&links[i]);
    }
#if NRPC_CLIENT
    for (unsigned i = 0; i < 64; i++) { /* those whose replies are held, too */
        if (started[i]) {
            (void)nrpc_call_finish(started[i], NRPC_CANCELLED, NULL);
        }
    }
    nrpc_dial_stop(&world.dial);
    (void)nrpc_dial_wait_ms(&world.dial, now_ms);
    (void)nrpc_dial_wait_ms(&world.dial, now_ms);
    CHECK_EQ(n_done, n_started);
#endif
    for (unsigned i = 0; i < 64; i++) {
        CHECK(!held[i]); /* who was not told of its end */
    }
    fuzz_end();
    return 0;
}
