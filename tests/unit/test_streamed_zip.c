/* tests/unit/test_streamed_zip.c - streamed fields from both sides that are to be compressed.
 * Layer: test. Source: nanorpc/client.h, streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT && NRPC_PIECES && NRPC_COMPRESSION
#include "blobs_channel.h"
#include "nanorpc/compression.h"

/* What fits into its block is made at once. */
enum { FITS = 100 };
static const struct nrpc_call_options zip = {.compress = NRPC_ENCODING_GZIP};

static void compressed_requests(void)
{
    static const uint32_t sizes[] = {0, 1, FITS, BLOBS_LONG};
    for (unsigned i = 0; i < 40; i++) {
        blobs_client_begin();
        blobs_options = &zip;
        blobs_start_put(sizes[i % 4]);
        CHECK_EQ(got.made, i % 4 == 3 ? 0 : sizes[i % 4]);
        blobs_pump();
        CHECK_EQ(got.sum, sizes[i % 4]);
        CHECK_EQ(calls[0].zipped, i % 4 == 2);
        blobs_client_end(NRPC_OK);
    }
}

static void compressed_replies(void)
{
    static const uint32_t sizes[] = {0, 1, FITS, BLOBS_LONG};
    for (unsigned i = 0; i < 40; i++) {
        blobs_client_begin_with(i);
        how.compress = 1;
        how.piece = i & 4 ? 1 : how.piece;
        blobs_start_get(sizes[i % 4]);
        blobs_pump();
        CHECK_EQ(got.bytes, sizes[i % 4]);
        CHECK_EQ(got.zipped, i % 4 == 2);
        blobs_client_end(NRPC_OK);
    }
    test_context(NULL, 0);
}

/* Which one came how is not mixed up. */
static void compressed_by_turns(void)
{
    blobs_client_begin();
    got.size = FITS;
    got.by_turns = 1;
    blobs_options = &zip;
    blobs_start_put_all(3);
    blobs_pump();
    CHECK_EQ(got.sum, 3 * FITS);
    CHECK_EQ(calls[0].zipped, 2);
    blobs_client_end(NRPC_OK);
}

static void compressed_both_ways(void)
{
    blobs_client_begin();
    how.compress = 1;
    blobs_options = &zip;
    blobs_start_exchange(4, FITS);
    blobs_pump();
    CHECK_EQ(got.begun, 4);
    CHECK_EQ(got.zipped, 4);
    CHECK_EQ(calls[0].zipped, 4);
    blobs_client_end(NRPC_OK);
}

/* One whose producer has to wait goes out as it is, also what has been made of it. */
static void producers_that_wait(void)
{
    for (uint32_t at = 0; at < 3; at++) {
        blobs_client_begin();
        how.compress = 1;
        how.wait_at = at * FITS / 2;
        how.piece = FITS / 2;
        blobs_start_get(FITS);
        blobs_pump();
        CHECK_EQ(got.bytes, FITS);
        CHECK_EQ(got.zipped, at == 2);
        CHECK_EQ(calls[0].waits, at < 2);
        blobs_client_end(NRPC_OK);
    }
}

static void producers_that_fail(void)
{
    blobs_client_begin();
    how.compress = 1;
    how.fail_at = FITS / 2;
    how.piece = FITS / 4;
    blobs_start_get(FITS);
    blobs_pump();
    CHECK_EQ(got.begun, 0);
    blobs_client_end(NRPC_DATA_LOSS);
}

/* Compressed once; sent anew from its block. */
static void compressed_and_refused(void)
{
    blobs_client_begin();
    blobs_options = &zip;
    how.hold = 1;
    blobs_start_put(FITS);
    blobs_pump();
    nrpc_conn_reset(blobs_peer, 1, NRPC_H2_REFUSED_STREAM);
    how.hold = 0;
    blobs_pump();
    CHECK_EQ(got.again, 0);
    CHECK_EQ(calls[1].zipped, 1);
    blobs_client_end(NRPC_OK);
}

int main(void)
{
    RUN(compressed_requests);
    RUN(compressed_replies);
    RUN(compressed_by_turns);
    RUN(compressed_both_ways);
    RUN(producers_that_wait);
    RUN(producers_that_fail);
    RUN(compressed_and_refused);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
