/* tests/unit/test_client_starts.c - calls that do not begin, and why; channels that no port dials.
 * Layer: test. Source: nanorpc/client.h, nanorpc/wait.h, nanorpc/dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT
#include <string.h>

#include "raw_client.h"
#include "simpletest.client.h"
#include "wire.h"

NRPC_CHANNEL_DEFINE(alone, "alone", simpletest_SimpleTest_client);

/* Of its largest size, by the generator: "/simpletest.SimpleTest/PostAndPost". */
NRPC_STATIC_ASSERT(simpletest_SimpleTest_client_PATH_BYTES == 34, "the longest path");

/* --- Why NAME_start returns NULL ------------------------------------------------------------- */

static void all_slots(void)
{
    raw_client_reset();
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK(raw_start("Echo", "hi", NULL));
        CHECK_EQ(raw_channel.error, 0);
    }
    CHECK_EQ(raw_start("Echo", "hi", NULL), 0);
    CHECK_EQ(raw_channel.error, NRPC_E_LIMIT);
}

static void large_request(void)
{
    char text[RAW_REQUEST_BYTES + 2];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    raw_client_reset();
    CHECK_EQ(raw_start("Echo", text, NULL), 0);
    CHECK_EQ(raw_channel.error, NRPC_E_TOO_BIG);
    CHECK(raw_start("Echo", text + 1, NULL));
    CHECK_EQ(raw_channel.error, 0);
}

static void long_path(void)
{
    char authority[NRPC_AUTHORITY_AND_PATH_MAX + 1];
    raw_client_reset();
    memset(authority, 'a', sizeof authority);
    authority[NRPC_AUTHORITY_AND_PATH_MAX - sizeof "/test.Raw/Echo" + 2] = '\0'; /* one too many */
    raw_channel.authority = authority;
    CHECK_EQ(raw_start("Echo", "hi", NULL), 0);
    CHECK_EQ(raw_channel.error, NRPC_E_PATH);
    raw_channel.authority = authority + 1;
    CHECK(raw_start("Echo", "hi", NULL));
    CHECK_EQ(raw_channel.error, 0);
}

/* --- Nobody asks the dial --------------------------------------------------------------------- */

static unsigned n_polls;

static void poll_others(uint32_t timeout_ms)
{
    CHECK(timeout_ms <= 1000);
    n_polls++;
}

/* There is no clock by which a deadline could pass; it once waited for ever. */
static void blocking_calls_of_a_channel_alone(void)
{
    char message[NRPC_STATUS_MESSAGE_MAX];
    const struct nrpc_call_options options = {
        .timeout_ms = 300, .wait_for_ready = 1, .message = message};
    simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne reply;
    simpletest_ResponseList item;
    struct nrpc_wait wait;
    alone.poll = poll_others;
    for (unsigned i = 0; i < 3 * NRPC_MAX_STREAMS; i++) {
        n_polls = 0;
        CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&alone, &options, &request, &reply),
                 NRPC_UNAVAILABLE);
        CHECK_TEXT(message, "no port dials this channel");
        CHECK_EQ(n_polls, 2);
    }
    CHECK_EQ(simpletest_SimpleTest_GetList_open(&wait, &alone, NULL, &request), 0);
    CHECK_EQ(simpletest_SimpleTest_GetList_get(&wait, &item), 0);
    CHECK(wait.call == NULL);
    CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_UNAVAILABLE);
}

static void opening_says_why(void)
{
    simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    struct nrpc_wait waits[NRPC_MAX_STREAMS + 1];
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK_EQ(simpletest_SimpleTest_GetList_open(&waits[i], &alone, NULL, &request), 0);
    }
    CHECK_EQ(simpletest_SimpleTest_GetList_open(&waits[NRPC_MAX_STREAMS], &alone, NULL, &request),
             NRPC_E_LIMIT);
    CHECK_EQ(alone.error, NRPC_E_LIMIT);
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK_EQ(nrpc_wait_end(&waits[i], NULL), NRPC_UNAVAILABLE);
    }
}

/* A port asks, but rarely. */
static void poll_and_ask(uint32_t timeout_ms)
{
    static uint32_t now;
    poll_others(timeout_ms);
    if (n_polls % 2 == 0) {
        (void)nrpc_dial_wait_ms(&alone.dial, now += 100);
    }
    CHECK(n_polls < 100);
}

static void deadline_without_a_link(void)
{
    const struct nrpc_call_options options = {.timeout_ms = 300, .wait_for_ready = 1};
    simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne reply;
    n_polls = 1;
    alone.poll = poll_and_ask;
    CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&alone, &options, &request, &reply),
             NRPC_DEADLINE_EXCEEDED);
}

/* However patient they are, and their slots are free. */
static void dial_that_is_stopped(void)
{
    const struct nrpc_call_options options = {.timeout_ms = 300, .wait_for_ready = 1};
    raw_client_reset();
    for (unsigned i = 0; i < 2; i++) {
        raw_client.n_started = 0;
        for (unsigned k = 0; k < NRPC_MAX_STREAMS; k++) {
            CHECK(raw_start("Echo", "hi", &options));
        }
        CHECK_EQ(raw_client_tick(i * 100000ul), 0);
        nrpc_dial_stop(&raw_channel.dial);
        CHECK_EQ(raw_client.n_done, (i + 1) * NRPC_MAX_STREAMS);
        CHECK_EQ(raw_channel.dial.state, NRPC_DIAL_WAITING);
    }
    CHECK(strstr(raw_client_log(), "1=14(no port dials this channel) 2=14") != NULL);
}

/* --- Several threads ---------------------------------------------------------------------------
 */

static int is_refused, depth, n_entered;

static int fake_enter(void)
{
    if (is_refused) {
        return NRPC_E_STATE;
    }
    depth++;
    n_entered++;
    return 0;
}

static void fake_leave(void)
{
    CHECK(depth > 0);
    depth--;
}

static void poll_inside(uint32_t timeout_ms)
{
    CHECK(depth > 0);
    poll_others(timeout_ms);
}

static const struct nrpc_threads fake_threads = {.enter = fake_enter, .leave = fake_leave};

/* Calls are touched between enter and leave alone: a unary one in one stay, so that no reply comes
 * before there is a place for it. */
static void threads_enter_and_leave(void)
{
    const simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne reply;
    simpletest_ResponseList one;
    struct nrpc_wait wait;
    alone.poll = poll_inside;
    alone.threads = &fake_threads;
    n_polls = 0;
    CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&alone, NULL, &request, &reply), NRPC_UNAVAILABLE);
    CHECK_EQ(depth, 0);
    CHECK_EQ(n_polls, 2);
    CHECK_EQ(simpletest_SimpleTest_GetList_open(&wait, &alone, NULL, &request), 0);
    CHECK_EQ(depth, 0);
    CHECK_EQ(simpletest_SimpleTest_GetList_get(&wait, &one), 0);
    CHECK_EQ(depth, 0);
    CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_UNAVAILABLE);
    CHECK_EQ(depth, 0);
    alone.poll = poll_others;
    alone.threads = NULL;
}

/* In a handler, or in an interrupt: nothing of the channel is touched. */
static void threads_refuse(void)
{
    char message[NRPC_STATUS_MESSAGE_MAX];
    const struct nrpc_call_options options = {.message = message};
    const simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne reply;
    simpletest_ResponseList one;
    struct nrpc_wait wait;
    alone.threads = &fake_threads;
    is_refused = 1;
    n_polls = 0;
    n_entered = 0;
    for (unsigned i = 0; i < 2 * NRPC_MAX_STREAMS; i++) {
        CHECK_EQ(simpletest_SimpleTest_GetOne_wait(&alone, &options, &request, &reply),
                 NRPC_FAILED_PRECONDITION);
        CHECK(strcmp(message, "handlers and interrupts cannot wait for calls") == 0);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_open(&wait, &alone, NULL), NRPC_E_STATE);
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_get(&wait, &one), 0);
        CHECK_EQ(nrpc_wait_end(&wait, NULL), NRPC_FAILED_PRECONDITION);
    }
    CHECK_EQ(n_polls, 0);
    CHECK_EQ(n_entered, 0);
    is_refused = 0;
    alone.threads = NULL;
    struct nrpc_wait waits[NRPC_MAX_STREAMS];
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK_EQ(simpletest_SimpleTest_PostAndPost_open(&waits[i], &alone, NULL), 0);
    }
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        CHECK_EQ(nrpc_wait_end(&waits[i], NULL), NRPC_UNAVAILABLE);
    }
}

int main(void)
{
    RUN(all_slots);
    RUN(large_request);
    RUN(long_path);
    RUN(blocking_calls_of_a_channel_alone);
    RUN(opening_says_why);
    RUN(deadline_without_a_link);
    RUN(dial_that_is_stopped);
    RUN(threads_enter_and_leave);
    RUN(threads_refuse);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
