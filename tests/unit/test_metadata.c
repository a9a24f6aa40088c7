/* tests/unit/test_metadata.c - registered request keys, response fields, interceptors.
 * Layer: test. Source: gRPC over HTTP2 "Custom-Metadata"; RFC 7541; RFC 4648.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#if NRPC_METADATA_BYTES

#define SHOW "/meta.Meta/Show"
#define END NRPC_END_STREAM

static const struct nrpc_key id_long = NRPC_KEY("x-id-long"), id = NRPC_KEY("x-id"),
                             auth = NRPC_KEY("authorization"), trace = NRPC_KEY("trace-bin"),
                             agent = NRPC_KEY("user-agent");
static const struct nrpc_key *const keys[] = {&id_long, &id, &auth, &trace, &agent};
static const struct nrpc_key unregistered = NRPC_KEY("x-none");
enum { KEYS = sizeof keys / sizeof keys[0] };

static struct {
    unsigned began, ended;
    uint32_t statuses;
    struct nrpc_call *last;
} seen;

static void add_text(char *to, const void *from, size_t n)
{
    size_t at = strlen(to);
    memcpy(to + at, from, n);
    to[at + n] = 0;
}

/* Answers "KEY:VALUE,VALUE KEY:VALUE" with the keys' numbers; adds "x-echo" of x-id, and trailing
 * "trace-bin". */
static enum nrpc_status show(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    static char text[1024];
    size_t room, bytes;
    const void *value;
    (void)data;
    (void)n;
    text[0] = 0;
    CHECK(!nrpc_call_metadata(call, &unregistered, 0, &bytes));
    for (unsigned k = 0; k < KEYS; k++) {
        char head[] = {(char)('0' + k), ':', 0};
        for (unsigned i = 0; (value = nrpc_call_metadata(call, keys[k], i, &bytes)) != NULL; i++) {
            add_text(text, i ? "," : head, i ? 1 : 2);
            add_text(text, value, bytes);
        }
    }
    value = nrpc_call_metadata(call, &id, 0, &bytes);
    if (value) {
        CHECK_EQ(nrpc_call_add_header(call, "x-echo", value, bytes), 0);
    }
    value = nrpc_call_metadata(call, &trace, 0, &bytes);
    if (value) {
        CHECK_EQ(nrpc_call_add_trailer(call, "trace-bin", value, bytes), 0);
    }
    uint8_t *at = nrpc_call_reserve(call, &room);
    size_t length = strlen(text);
    if (CHECK(at && length <= room)) {
        memcpy(at, text, length);
        nrpc_call_commit(call, length);
    }
    return NRPC_OK;
}

static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}

static const struct nrpc_codec codec = {.message = show};
static const struct nrpc_method methods[] = {
    {.codec = &codec, .cancelled = cancelled, .kind = NRPC_UNARY}};
static const struct nrpc_service Meta_service = {
    .path = "/meta.Meta/", .method_names = "\200Show\377", .methods = methods};
#define Meta_service_REQUEST_BYTES 64
#define Meta_service_REPLY_BYTES 600
union Meta_service_request {
    uint8_t m0;
};
union Meta_service_reply {
    uint8_t m0;
};
NRPC_SERVER_DEFINE_WITH(meta_server, 2, (.keys = keys, .n_keys = KEYS), Meta_service);

static void request(uint32_t stream)
{
    wire_headers(stream, 0);
    wire_message(stream, "", END);
}

static void keys_are_found(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    wire_field("x-id", "seven");
    wire_field("x-i", "not this");
    wire_field("x-id-lon", "nor this");
    wire_field("x-id-longer", "nor this");
    wire_field("x-id-long", "8");
    wire_field("authorization", "Bearer x");
    wire_field("x-none", "nobody wants it");
    request(1);
    wire_expect("1: [200 grpc x-echo=seven] '0:81:seven2:Bearer x' [status=0] END");
}

static void repeated_and_joined(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    wire_field("x-id", "a,b");
    wire_field("x-id", "");
    wire_field("x-id", "c");
    wire_field("trace-bin", "YQ,YmI=,Y2Nj");
    wire_field("trace-bin", "ZGQ==");
    request(1);
    wire_expect("1: [200 grpc x-echo=a,b] '1:a,b,,c3:a,bb,ccc,dd' [status=0 trace-bin=YQ] END");
}

static void not_base64(void)
{
    static const char *const values[] = {"A", "YQ=x", "Y?", "YQ===A", "YQ==,A", "\xff"};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        test_context(values[i], (long)i);
        wire_begin(&meta_server);
        wire_request_fields(SHOW);
        wire_field("trace-bin", values[i]);
        request(1);
        wire_expect("1: [200 grpc status=13 message=bad metadata] END");
    }
}

static void binary_of_nothing(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    wire_field("trace-bin", "");
    request(1);
    wire_expect("1: [200 grpc] '3:' [status=0 trace-bin=] END");
}

/* With incremental indexing, as C-core does it; then by index, also the static table's name. */
static void values_from_the_table(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    wire_block("\x57\x05token", 7); /* authorization, static 23 */
    wire_block("\x40\x04x-id\x03one", 10);
    request(1);
    wire_request_fields(SHOW);
    wire_block("\xbf\xbe", 2); /* 63: authorization, 62: x-id */
    request(3);
    wire_request_fields(SHOW);
    wire_block("\x7e\x03two\xc0", 6); /* the name of 62, a new value; authorization is 64 now */
    request(5);
    wire_request_fields(SHOW);
    wire_block("\x0f\x08\x03yes\x0f\x2b\x01u", 10); /* authorization, user-agent without indexing */
    request(7);
    wire_expect("1: [200 grpc x-echo=one] '1:one2:token' [status=0] END "
                "3: [200 grpc x-echo=one] '1:one2:token' [status=0] END "
                "5: [200 grpc x-echo=two] '1:two2:token' [status=0] END "
                "7: [200 grpc] '2:yes4:u' [status=0] END");
}

/* A block fills up, to the byte. */
static void too_large(void)
{
    static char value[NRPC_METADATA_BYTES + 2];
    for (int more = -1; more <= 1; more++) {
        size_t n = (size_t)(NRPC_METADATA_BYTES - 3 + more);
        memset(value, 'v', n);
        value[n] = 0;
        test_context("more", more);
        wire_begin(&meta_server);
        wire_request_fields(SHOW);
        wire_field("x-id-long", value);
        request(1);
        wire_expect(more > 0 ? "1: [200 grpc status=8 message=bad metadata] END"
                             : "1: [200 grpc] <*> [status=0] END");
    }
}

/* A literal with incremental indexing whose value has n bytes. */
static void insert(const char *name, size_t n)
{
    static char value[2 * NRPC_METADATA_BYTES];
    uint8_t head[] = {0x40, (uint8_t)strlen(name)}, length[3] = {(uint8_t)n};
    if (n >= 127) {
        length[0] = 127;
        length[1] = (uint8_t)((n - 127) | 128);
        length[2] = (uint8_t)((n - 127) >> 7);
    }
    memset(value, 'v', n);
    wire_block(head, 2);
    wire_block(name, head[1]);
    wire_block(length, n < 127 ? 1 : 3);
    wire_block(value, n);
}

/* What is inserted and too long for the ring is that each time that it is named. */
static void too_large_from_the_table(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    insert("authorization", NRPC_METADATA_BYTES + 1);
    request(1);
    wire_request_fields(SHOW);
    wire_block("\xbe", 1);
    request(3);
    wire_request_fields(SHOW);
    request(5);
    wire_expect("1: [200 grpc status=8 message=bad metadata] END "
                "3: [200 grpc status=8 message=bad metadata] END 5: [200 grpc] '' [status=0] END");
}

/* The ring has gone round since: the call is refused, and the client's table done away with, so
 * that it sends all in full. */
static void text_that_is_lost(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    insert("authorization", 4);
    request(1);
    wire_request_fields(SHOW);
    insert("x-id-long", NRPC_METADATA_BYTES - 3);
    wire_block("\xbe", 1); /* the same once more: two do not fit a call */
    request(3);
    wire_request_fields(SHOW);
    wire_block("\xbe", 1);
    request(5);
    wire_request_fields(SHOW);
    wire_block("\xbf", 1);
    wire_headers(7, END);
    wire_request_fields(SHOW);
    request(9);
    wire_expect(
        "setting(1,0) 1: [200 grpc] '2:vvvv' [status=0] END "
        "3: [200 grpc status=8 message=bad metadata] END "
        "5: [200 grpc] <*> [status=0] END 7: rst(REFUSED_STREAM) 9: [200 grpc] '' [status=0] END");
}

/* The same few bytes, sent again with nothing changed in the table: each call has its own text. */
static void repeated_blocks_with_keys(void)
{
    wire_begin(&meta_server);
    for (uint32_t stream = 1; stream < 7; stream += 2) {
        wire_block("\x83\x86\x04\x0f/meta.Meta/Show\x0f\x10\x10"
                   "application/grpc\x00\x04x-id\x03one",
                   2 + 2 + 15 + 19 + 10);
        request(stream);
    }
    wire_expect("1: [200 grpc x-echo=one] '1:one' [status=0] END "
                "3: [200 grpc x-echo=one] '1:one' [status=0] END "
                "5: [200 grpc x-echo=one] '1:one' [status=0] END");
}

/* Of two things that are wrong the worse one is what the client hears of, in whatever order; worst
 * is a text that it must send again. */
static void worst_fault_wins(void)
{
    static const char *const timeouts[] = {"?", NULL, "1S"};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned lost = 0; lost < 3; lost++) {
            test_context(timeouts[i], (long)lost);
            wire_begin(&meta_server);
            wire_request_fields(SHOW);
            insert("authorization", 4);
            request(1);
            wire_request_fields(SHOW);
            insert("x-id-long", NRPC_METADATA_BYTES - 3); /* the first text leaves the ring */
            request(3);
            wire_request_fields(SHOW);
            if (lost == 1) {
                wire_block("\xbf", 1);
            }
            if (i == 0) {
                wire_field("grpc-timeout", timeouts[i]);
            }
            wire_block("\xbe\xbe\xbe", 3); /* too large together */
            if (i != 0 && timeouts[i]) {
                wire_field("grpc-timeout", "?");
            }
            if (lost == 2) {
                wire_block("\xbf", 1);
            }
            request(5);
            wire_expect(lost          ? "setting(1,0) 1: [200 grpc] '2:vvvv' [status=0] END "
                                        "3: [200 grpc] <*> [status=0] END 5: rst(REFUSED_STREAM)"
                        : timeouts[i] ? "1: [200 grpc] '2:vvvv' [status=0] END "
                                        "3: [200 grpc] <*> [status=0] END "
                                        "5: [200 grpc status=13 message=bad metadata] END"
                                      : "1: [200 grpc] '2:vvvv' [status=0] END "
                                        "3: [200 grpc] <*> [status=0] END "
                                        "5: [200 grpc status=8 message=bad metadata] END");
        }
    }
}

/* One byte may name many of text: for a call that does not begin anyway they are not copied. */
static void no_work_after_a_fault(void)
{
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    insert("x-id-long", 20);
    request(1);
    wire_request_fields(SHOW);
    wire_field("trace-bin", "?");
    for (unsigned i = 0; i < 100; i++) {
        wire_block("\xbe", 1);
    }
    wire_headers(3, 0);
    wire_open();
    CHECK(wire_feed_all());
    CHECK(strstr(wire_text(), "3: [200 grpc status=13 message=bad metadata]") != NULL);
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK(wire.conn->calls[i].id != 3 || wire.conn->calls[i].metadata_used == 0);
    }
    wire_close();
}

/* --- The ring: see also test_texts.c ------------------------------------------------------- */

/* One user's value, then 65536 bytes of key text of others, then the
 * first one's by its index. It must not be the one that has come to stand there. */
static void authorization_of_another(void)
{
    enum { PIECE = NRPC_METADATA_BYTES - 4, TIMES = (65536 - 4) / PIECE };
    static char piece[PIECE + 1], rest[PIECE + 1];
    uint32_t stream = 1;
    memset(piece, 'o', PIECE);
    memset(rest, 'r', (65536 - 4) % PIECE);
    wire_begin(&meta_server);
    wire_request_fields(SHOW);
    insert("authorization", 4);
    request(stream);
    for (unsigned i = 0; i <= TIMES; i++) {
        wire_request_fields(SHOW);
        wire_field("authorization", i < TIMES ? piece : rest);
        request(stream += 2);
    }
    wire_request_fields(SHOW);
    wire_field("authorization", "user");
    request(stream += 2);
    wire_request_fields(SHOW);
    wire_block("\xbe", 1);
    request(stream += 2);
    const char *text = wire_run_once();
    CHECK(strstr(text, "'2:vvvv'") != NULL);
    const char *user = strstr(text, "'2:user'");
    CHECK(user != NULL && strstr(user + 1, "'2:user'") == NULL);
    CHECK(strstr(text, "REFUSED_STREAM") != NULL);
}

/* --- Response fields ---------------------------------------------------------------------- */

static void fields_have_their_time(void)
{
    wire_begin(&meta_server);
    wire_open();
    wire_feed_all();
    struct nrpc_call *call = &wire.conn->calls[0];
    CHECK_EQ(nrpc_call_add_header(call, "a", "b", 1), NRPC_E_STATE); /* not open */
    CHECK_EQ(nrpc_call_add_trailer(call, "a", "b", 1), NRPC_E_STATE);
    wire_close();
}

/* --- Interceptors -------------------------------------------------------------------------- */

static enum nrpc_status count(struct nrpc_call *call)
{
    seen.began++;
    CHECK_EQ(nrpc_call_age_ms(call), 0);
    return NRPC_OK;
}

static enum nrpc_status refuse(struct nrpc_call *call)
{
    size_t n;
    if (!nrpc_call_metadata(call, &auth, 0, &n)) {
        return nrpc_call_fail(call, NRPC_UNAUTHENTICATED, "who are you?");
    }
    return n == 3 ? NRPC_OK : NRPC_PERMISSION_DENIED;
}

static void ended(struct nrpc_call *call, enum nrpc_status status)
{
    seen.ended++;
    seen.statuses = seen.statuses * 100 + status;
    seen.last = call;
}

static const struct nrpc_interceptor chain[] = {
    {.begin = count, .end = ended}, {.begin = refuse}, {.end = NULL}};
NRPC_SERVER_DEFINE_WITH(guarded_server, 1,
                        (.keys = keys, .n_keys = KEYS, .interceptors = chain, .n_interceptors = 3),
                        Meta_service);

static void interceptors(void)
{
    wire_begin(&guarded_server);
    wire_request_fields(SHOW);
    request(1);
    wire_request_fields(SHOW);
    wire_field("authorization", "abcd");
    request(3);
    wire_request_fields(SHOW);
    wire_field("authorization", "abc");
    request(5);
    wire_request_fields("/meta.Meta/None");
    request(7);
    wire_expect(
        "1: [200 grpc status=16 message=who are you?] END 3: [200 grpc status=7] END "
        "5: [200 grpc] '2:abc' [status=0] END 7: [200 grpc status=12 message=unknown method] END");
    memset(&seen, 0, sizeof seen);
    (void)wire_run_once();
    CHECK_EQ(seen.began, 3);
    CHECK_EQ(seen.ended, 3);
    CHECK_EQ(seen.statuses, 160700);
}

static void interceptors_of_a_call_that_is_cut_off(void)
{
    memset(&seen, 0, sizeof seen);
    wire_begin(&guarded_server);
    wire_request_fields(SHOW);
    wire_field("authorization", "abc");
    wire_headers(1, 0);
    wire_request_fields(SHOW);
    wire_field("authorization", "abc");
    wire_headers(3, 0);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_open();
    wire_feed_all();
    CHECK_EQ(seen.statuses, NRPC_CANCELLED);
    wire_close();
    CHECK_EQ(seen.ended, 2);
    CHECK_EQ(seen.statuses, NRPC_CANCELLED * 100 + NRPC_UNAVAILABLE);
}

int main(void)
{
    RUN(keys_are_found);
    RUN(repeated_and_joined);
    RUN(not_base64);
    RUN(binary_of_nothing);
    RUN(values_from_the_table);
    RUN(too_large);
    RUN(too_large_from_the_table);
    RUN(text_that_is_lost);
    RUN(repeated_blocks_with_keys);
    RUN(worst_fault_wins);
    RUN(no_work_after_a_fault);
    RUN_LARGE(authorization_of_another);
    RUN(fields_have_their_time);
    RUN(interceptors);
    RUN(interceptors_of_a_call_that_is_cut_off);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
