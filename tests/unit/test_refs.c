/* tests/unit/test_refs.c - calls that are kept: nrpc_call_ref, and uses of those that are over.
 * Layer: test. Source: nanorpc/ref.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/ref.h"

#include <setjmp.h>
#include <string.h>

#include "raw_client.h"
#include "wire.h"

static struct nrpc_call_ref kept;

static void begin(const char *path)
{
    wire_begin_acked(&raw_server);
    wire_request(1, path, 0);
    wire_message(1, "x", NRPC_END_STREAM);
    wire_open();
    wire_feed_all();
    kept = nrpc_call_ref(raw_call(1));
}

static void feed(void)
{
    wire_feed_all();
    wire_pump();
}

/* The client gives up the call that is kept, and others have its slot after it. */
static struct nrpc_call *retaken(void)
{
    struct nrpc_call *first = raw_call(1);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    feed();
    for (uint32_t id = 3; id < 3 + 2 * NRPC_MAX_STREAMS; id += 2) {
        wire_request(id, "/test.Raw/Later", 0);
        wire_message(id, "x", NRPC_END_STREAM);
        feed();
        if (raw_call(id) == first) {
            return first;
        }
    }
    CHECK(first == NULL); /* its slot is not taken again */
    return first;
}

static void is_at_most_eight_bytes(void)
{
    CHECK(sizeof(struct nrpc_call_ref) <= 8);
}

static void nothing_is_no_call(void)
{
    const struct nrpc_call_ref none = {0, 0};
    CHECK(nrpc_call_of(none) == NULL);
}

static void a_call_that_goes_on(void)
{
    begin("/test.Raw/Later");
    struct nrpc_call *call = nrpc_call_of(kept);
    CHECK(call != NULL);
    CHECK(call == nrpc_call_of(kept));
    struct nrpc_call_ref again = nrpc_call_ref(call);
    CHECK(again.slot == kept.slot && again.generation == kept.generation);
    nrpc_call_user(call)->number = 7;
    CHECK_EQ(nrpc_call_user(raw_call(1))->number, 7);
    CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), 0);
    CHECK(nrpc_call_of(kept) == NULL); /* at once, before anything has left */
    wire_pump();
    CHECK(nrpc_call_of(kept) == NULL);
    nrpc_conn_lost(wire.conn);
}

static void one_whose_slot_is_taken_again(void)
{
    begin("/test.Raw/Later");
    struct nrpc_call *call = retaken();
    struct nrpc_call_ref other = nrpc_call_ref(call);
    CHECK(nrpc_call_of(kept) == NULL);
    CHECK(nrpc_call_of(other) != NULL);
    CHECK(other.slot == kept.slot && other.generation != kept.generation);
    nrpc_conn_lost(wire.conn);
}

static void one_whose_connection_is_taken_again(void)
{
    begin("/test.Raw/Later");
    struct nrpc_call *call = raw_call(1);
    nrpc_conn_lost(wire.conn);
    CHECK(nrpc_call_of(kept) == NULL);
    for (unsigned i = 0; i < 2 * NRPC_MAX_STREAMS; i++) {
        raw_reset();
        wire_begin_acked(&raw_server); /* another client, in the same memory */
        wire_request(1, "/test.Raw/Later", 0);
        wire_message(1, "x", NRPC_END_STREAM);
        wire_open();
        feed();
        CHECK(nrpc_call_of(kept) == NULL);
        if (CHECK(raw_call(1) != NULL) && raw_call(1) == call) {
            struct nrpc_call_ref other = nrpc_call_ref(call);
            CHECK(other.generation != kept.generation);
        }
        nrpc_conn_lost(wire.conn);
    }
}

/* No call of many has the number of another; the counter is the slot's and is never set back. */
static void numbers_do_not_come_again(void)
{
    begin("/test.Raw/Later");
    struct nrpc_call *call = raw_call(1);
    uint32_t before = call->generation;
    for (uint32_t i = 0; i < 200000; i++) { /* over 16 bits */
        nrpc_stream_close(call, NRPC_OK);
        CHECK(nrpc_call_of(kept) == NULL);
        nrpc_stream_open(call, 3 + 2 * i);
        CHECK(nrpc_call_of(kept) == NULL);
        call->method = raw_server.services[0]->methods;
        CHECK(call->generation > before);
        before = call->generation;
    }
    nrpc_stream_close(call, NRPC_OK);
    nrpc_conn_lost(wire.conn);
}

#if NRPC_CLIENT
static void start(void)
{
    const struct nrpc_call_options options = {.wait_for_ready = 1};
    CHECK(raw_start("Echo", "hi", &options));
    kept = nrpc_call_ref(raw_client.calls[1]);
}

/* One that has not left is put on the next link: it is the same call. */
static void of_a_client(void)
{
    raw_client_begin_bare(start);
    wire_open();
    CHECK(nrpc_call_of(kept) == raw_client.calls[1]);
    nrpc_conn_lost(wire.conn);
    (void)raw_client_tick(wire.now_ms);
    CHECK(nrpc_call_of(kept) != NULL && nrpc_call_of(kept) == raw_client.calls[1]);
    CHECK_EQ(nrpc_call_finish(nrpc_call_of(kept), NRPC_ABORTED, "given up"), 0);
    CHECK(nrpc_call_of(kept) == NULL);
    (void)raw_client_tick(wire.now_ms);
    CHECK_TEXT(raw_client_log(), "1=10(given up)");
    CHECK(nrpc_call_of(kept) == NULL);
}
#endif

#if NRPC_CHECKS
static jmp_buf back;
static char said[200];

static void note_check(const char *function, const char *what)
{
    strcat(strcat(strcpy(said, function), ": "), what);
    longjmp(back, 1);
}

enum use { SEND, FINISH, WAKE, USER, METHOD, AGE, REF, RESERVE, USES };

static void use(struct nrpc_call *call, enum use how)
{
    size_t room;
    switch (how) {
    case SEND: (void)nrpc_call_send(call, ""); break;
    case FINISH: (void)nrpc_call_finish(call, NRPC_OK, NULL); break;
    case WAKE: (void)nrpc_call_wake(call); break;
    case USER: (void)nrpc_call_user(call); break;
    case METHOD: (void)nrpc_call_method(call); break;
    case AGE: (void)nrpc_call_age_ms(call); break;
    case REF: (void)nrpc_call_ref(call); break;
    default: (void)nrpc_call_reserve(call, &room); break;
    }
}

/* What a use of this call says; "" : it may be used. */
static const char *verdict(struct nrpc_call *call, enum use how)
{
    said[0] = '\0';
    test_on_check = note_check;
    if (!setjmp(back)) {
        use(call, how);
    }
    test_on_check = NULL;
    return said;
}

static void uses_of_one_that_is_over(void)
{
    static const char *const names[USES] = {"send",   "finish", "wake", "user",
                                            "method", "age_ms", "ref",  "reserve"};
    for (unsigned i = 0; i < USES; i++) {
        for (int taken = 0; taken < 2; taken++) {
            char expected[100] = "nrpc_call_";
            begin("/test.Raw/Later");
            struct nrpc_call *call = nrpc_call_of(kept);
            CHECK_TEXT(verdict(call, USER), "");
            if (taken) {
                (void)retaken();
            } else {
                nrpc_conn_lost(wire.conn);
            }
            strcat(strcat(expected, names[i]), ": the call is over, keep calls by nrpc_call_ref");
            CHECK_TEXT(verdict(call, (enum use)i), expected);
            if (taken) {
                nrpc_conn_lost(wire.conn);
            }
        }
    }
}

static void one_that_was_finished_may_be_asked_until_it_has_left(void)
{
    begin("/test.Raw/Later");
    struct nrpc_call *call = nrpc_call_of(kept);
    CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), 0);
    CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), NRPC_E_STATE);
    wire_pump();
    CHECK(verdict(call, FINISH)[0] != '\0');
    nrpc_conn_lost(wire.conn);
}

static void null(void)
{
    CHECK_TEXT(verdict(NULL, FINISH), "nrpc_call_finish: NULL is no call");
}
#endif

int main(void)
{
    RUN(is_at_most_eight_bytes);
    RUN(nothing_is_no_call);
    RUN(a_call_that_goes_on);
    RUN(one_whose_slot_is_taken_again);
    RUN(one_whose_connection_is_taken_again);
    RUN(numbers_do_not_come_again);
#if NRPC_CLIENT
    RUN(of_a_client);
#endif
#if NRPC_CHECKS
    RUN(uses_of_one_that_is_over);
    RUN(one_that_was_finished_may_be_asked_until_it_has_left);
    RUN(null);
#endif
    return test_end();
}
