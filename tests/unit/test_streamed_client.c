/* tests/unit/test_streamed_client.c - streamed fields from both sides: our client, our server.
 * Layer: test. Source: nanorpc/client.h, streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT && NRPC_PIECES
#include "blobs_channel.h"

static void requests(void)
{
    static const uint32_t sizes[] = {0, 1, 1000, BLOBS_LONG};
    for (unsigned i = 0; i < 40; i++) {
        blobs_client_begin_with(i);
        blobs_start_put(sizes[i % 4]);
        blobs_pump();
        CHECK_EQ(got.replies, 1);
        CHECK_EQ(got.sum, sizes[i % 4]);
        blobs_client_end(NRPC_OK);
    }
    test_context(NULL, 0);
}

static void request_without_the_field(void)
{
    blobs_client_begin();
    blobs_start_put(NRPC_NOT_STREAMED);
    blobs_pump();
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(calls[0].begun, 0);
    blobs_client_end(NRPC_OK);
}

static void request_over_the_limit(void)
{
    blobs_Named named = blobs_Named_init_zero;
    blobs_client_begin();
    CHECK(blobs_Blobs_Put_start(&blobs_channel, NULL, &named, 0x80000000u, &blobs_put_events) ==
          NULL);
    blobs_link_down();
}

static void replies(void)
{
    static const uint32_t sizes[] = {0, 1, 1000, BLOBS_LONG};
    for (unsigned i = 0; i < 40; i++) {
        blobs_client_begin_with(i);
        blobs_start_get(sizes[i % 4]);
        blobs_pump();
        CHECK_EQ(got.replies, 1);
        CHECK_EQ(got.bytes, sizes[i % 4]);
        CHECK_EQ(got.crc, 7);
        blobs_client_end(NRPC_OK);
    }
    test_context(NULL, 0);
}

static void streams_of_requests(void)
{
    blobs_client_begin();
    blobs_start_put_all(3);
    blobs_pump();
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(got.sum, 3 * BLOBS_LONG);
    blobs_client_end(NRPC_OK);
}

static void streams_of_replies(void)
{
    blobs_Ask ask = {.bytes = BLOBS_LONG, .count = 3};
    blobs_client_begin();
    got.call = blobs_Blobs_GetAll_start(&blobs_channel, NULL, &ask, &blobs_get_all_events);
    blobs_pump();
    CHECK_EQ(got.replies, 3);
    CHECK_EQ(got.begun, 3);
    blobs_client_end(NRPC_OK);
}

static void both_ways(void)
{
    blobs_client_begin();
    blobs_start_exchange(4, 1000);
    blobs_pump();
    CHECK_EQ(got.replies, 4);
    CHECK_EQ(got.begun, 4);
    blobs_client_end(NRPC_OK);
}

/* The request's producer has nothing for a while: its end is not sent before. */
static void waiting_producer(void)
{
    for (uint32_t at = 0; at < 4; at++) {
        blobs_client_begin();
        got.wait_at = at * (BLOBS_LONG / 4);
        blobs_start_put(BLOBS_LONG);
        blobs_pump();
        CHECK_EQ(got.waits, 1);
        CHECK_EQ(got.done, 0);
        CHECK_EQ(nrpc_call_wake(got.call), 0);
        blobs_pump();
        CHECK_EQ(got.sum, BLOBS_LONG);
        blobs_client_end(NRPC_OK);
    }
}

static void held_reply(void)
{
    blobs_client_begin();
    got.hold = 1;
    blobs_start_get(BLOBS_LONG);
    blobs_pump();
    CHECK(got.bytes > 0 && got.bytes < BLOBS_LONG);
    CHECK_EQ(got.done, 0);
    got.hold = 0;
    CHECK_EQ(nrpc_call_wake(got.call), 0);
    blobs_pump();
    CHECK_EQ(got.bytes, BLOBS_LONG);
    blobs_client_end(NRPC_OK);
}

/* Begun without a link, and on one that is lost before anything has left. */
static void no_link_at_first(void)
{
    blobs_client_begin();
    blobs_link_down();
    blobs_start_put(BLOBS_LONG);
    blobs_link_up();
    blobs_link_down();
    blobs_link_up();
    blobs_pump();
    CHECK_EQ(got.sum, BLOBS_LONG);
    blobs_client_end(NRPC_OK);
}

/* Refused when a part of the field has left: it is made again from its beginning. */
static void refused_and_sent_again(void)
{
    blobs_client_begin();
    got.wait_at = 700;
    blobs_start_put(BLOBS_LONG);
    blobs_pump();
    CHECK_EQ(got.waits, 1);
    nrpc_conn_reset(blobs_peer, 1, NRPC_H2_REFUSED_STREAM);
    blobs_pump();
    CHECK_EQ(got.again, 1);
    CHECK_EQ(got.replies, 1);
    CHECK_EQ(got.sum, BLOBS_LONG);
    blobs_client_end(NRPC_OK);
}

/* The server ends the call while the request is still being made, or waits to be. */
static void ended_in_mid_request(void)
{
    for (unsigned i = 0; i < 2; i++) {
        blobs_client_begin();
        how.refuse = NRPC_ABORTED;
        how.refuse_at = 500;
        got.wait_at = i ? 2000 : UINT32_MAX;
        blobs_start_put(BLOBS_LONG);
        blobs_pump();
        CHECK(got.made < BLOBS_LONG);
        CHECK_EQ(got.replies, 0);
        blobs_client_end(NRPC_ABORTED);
    }
}

/* And well, at that. */
static void ended_well_in_mid_request(void)
{
    for (unsigned i = 0; i < 2; i++) {
        blobs_client_begin();
        how.early = 1;
        got.wait_at = i ? 2000 : UINT32_MAX;
        blobs_start_put_all(3);
        blobs_pump();
        CHECK(got.made < BLOBS_LONG);
        CHECK_EQ(got.replies, 1);
        blobs_client_end(NRPC_OK);
    }
}

/* A reply that its server cannot finish: what has come of it, and the server's status. */
static void cut_in_mid_reply(void)
{
    blobs_Ask ask = {.bytes = BLOBS_LONG, .count = 1};
    for (unsigned i = 0; i < 2; i++) {
        blobs_client_begin();
        how.fail_at = BLOBS_LONG / 13;
        if (i) {
            got.call = blobs_Blobs_GetAll_start(&blobs_channel, NULL, &ask, &blobs_get_all_events);
        } else {
            blobs_start_get(BLOBS_LONG);
        }
        blobs_pump();
        CHECK(got.bytes >= BLOBS_LONG / 13 && got.bytes < BLOBS_LONG);
        CHECK_EQ(got.replies, 0);
        blobs_client_end(NRPC_DATA_LOSS);
    }
}

static void lost_in_mid_message(void)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t wait_ms = 1000;
        blobs_client_begin();
        got.wait_at = 700;
        how.wait_at = 700;
        how.piece = 100;
        if (i) {
            blobs_start_put(BLOBS_LONG);
        } else {
            blobs_start_get(BLOBS_LONG);
        }
        blobs_pump();
        CHECK_EQ(got.done, 0);
        blobs_link_down();
        (void)blobs_channel.dial.role->wanted(&blobs_channel.dial, 0, &wait_ms);
        CHECK_EQ(got.done, 1);
        CHECK_EQ(got.status, NRPC_UNAVAILABLE);
    }
}

static void given_up(void)
{
    blobs_client_begin();
    got.wait_at = 700;
    blobs_start_put(BLOBS_LONG);
    blobs_pump();
    CHECK_EQ(nrpc_call_finish(got.call, NRPC_CANCELLED, NULL), 0);
    blobs_pump();
    CHECK_EQ(calls[0].cancelled, 101);
    blobs_client_end(NRPC_CANCELLED);
}

int main(void)
{
    RUN(requests);
    RUN(request_without_the_field);
    RUN(request_over_the_limit);
    RUN(replies);
    RUN(streams_of_requests);
    RUN(streams_of_replies);
    RUN(both_ways);
    RUN_LARGE(waiting_producer);
    RUN(held_reply);
    RUN(no_link_at_first);
    RUN(refused_and_sent_again);
    RUN(ended_in_mid_request);
    RUN(ended_well_in_mid_request);
    RUN(cut_in_mid_reply);
    RUN(lost_in_mid_message);
    RUN(given_up);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
