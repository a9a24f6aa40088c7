/* tests/unit/blobs_channel.h - a client of blobs.Blobs, linked to blobs_service.h's server in
 * memory. Layer: test. Source: nanorpc/client.h, streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BLOBS_CHANNEL_H
#define BLOBS_CHANNEL_H

#include "blobs.client.h"
#include "blobs_service.h"

enum { BLOBS_LONG = TEST_SIZE(40000, 2000) };

extern struct nrpc_channel blobs_channel;
extern struct nrpc_conn *blobs_peer; /* the server's end of the link */

/* What the client does, and what it is told; of one test. */
struct blobs_got {
    uint32_t bytes, begun, replies, crc, done, status, made, again, waits, wait_at;
    uint32_t zipped, size; /* replies that came compressed; bytes of a stream's requests */
    uint64_t sum;
    int hold, to_write, by_turns;
    struct nrpc_call *call;
};
extern struct blobs_got got;

extern const struct blobs_Blobs_Put_events blobs_put_events;
extern const struct blobs_Blobs_GetAll_events blobs_get_all_events;

/* Resets all of this and the server; a link is up. The second: one of several times, each of which
 * cuts what goes over the link elsewhere. */
void blobs_client_begin(void);
void blobs_client_begin_with(uint32_t number);
void blobs_client_end(enum nrpc_status status); /* checks that the call has ended so, once */

void blobs_link_up(void);
void blobs_link_down(void);
void blobs_pump(void); /* both ways, until there is nothing more */

/* Begin a call with blobs_options, NULL after each begin; got.call. PutAll writes so many messages
 * of got.size, Exchange of so many bytes. */
extern const struct nrpc_call_options *blobs_options;
void blobs_start_put(uint32_t length);
void blobs_start_put_all(int count);
void blobs_start_get(uint32_t length);
void blobs_start_exchange(int count, uint32_t size);

#endif
