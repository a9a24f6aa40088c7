/* nanorpc/streamed.h - messages with a streamed field: one that passes through in pieces and is
 * held nowhere whole.
 * Layer: core, public; what the generator writes includes it. Source: protobuf "Encoding", nanopb's
 * pb_encode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_STREAMED_H
#define NANORPC_STREAMED_H

#include <pb.h>

#include "nanorpc/codec.h"
#include "nanorpc/grpc/nrpc_walk.h"
#include "nanorpc/http2/nrpc_stream.h"

NRPC_BEGIN_C

/* The next piece of a streamed field that comes in, as it arrives. It may come before or after, or
 * between, the other fields of its message, as the sender has them; the handler of the method gets
 * those when the message is whole, after the last piece. Returns NRPC_OK: go on; NRPC_PENDING: the
 * piece is taken, and nothing more until nrpc_call_wake; any other: the call ends with it. It may
 * finish the call, or send. */
typedef enum nrpc_status nrpc_chunk_handler(struct nrpc_call *call, const struct nrpc_chunk *chunk);

/* Asked for the next bytes of a streamed field that goes out, from `offset` on, whenever there is
 * room. room: bytes, 1 or more, never more than the field lacks. Returns how many it wrote to buf,
 * at most room; 0: none now, not before nrpc_call_wake. It may finish the call, which cuts the
 * message short. With compression see nrpc_call_compress. */
typedef size_t nrpc_producer(struct nrpc_call *call, uint8_t *buf, size_t room, uint32_t offset);

/* A method with streamed fields, in flash; the generator writes it. nrpc_method.codec points to its
 * first member. */
struct nrpc_streamed {
    struct nrpc_codec codec;
    struct nrpc_walk_plan in; /* of the messages that come in; keep_bytes 0: nothing streamed */
    nrpc_chunk_handler *chunk;
    nrpc_producer *producer; /* for the messages that go out */
    enum nrpc_status (*decode)(struct nrpc_call *call, const uint8_t *data,
                               size_t n); /* all but the field */
    uint16_t in_at;                       /* where the field stands in the C struct */
};

/* What its codec is made of: with .take, messages that come in, with .produce those that go out are
 * streamed. */
enum nrpc_status nrpc_typed_message(struct nrpc_call *call, const uint8_t *data, size_t n);
enum nrpc_status nrpc_typed_next(struct nrpc_call *call);
int nrpc_typed_send(struct nrpc_call *call, const void *message);
enum nrpc_status nrpc_streamed_message(struct nrpc_call *call, const uint8_t *data, size_t n);
int nrpc_streamed_knows(const struct nrpc_walk_plan *plan, unsigned level, uint32_t number);
int nrpc_streamed_send(struct nrpc_call *call, const void *message);
uint32_t nrpc_streamed_take(struct nrpc_call *call, const uint8_t *data, uint32_t n);
uint32_t nrpc_streamed_produce(struct nrpc_call *call, uint8_t *buf, uint32_t room);

/* For the generated NAME_FIELD_length: says how long the field is of the message that is sent next,
 * 0..2^31-1 bytes (more: that is not sent, NRPC_E_TOO_BIG). Returns the argument of the callback,
 * which nrpc_streamed_encode is. */
void *nrpc_streamed_length(struct nrpc_call *call, uint32_t length);
/* For requests of clients, which have no call before they are encoded: .send is
 * nrpc_streamed_send_sized, and gets this. length: as above, or NRPC_NOT_STREAMED: the message is
 * without the field. */
#define NRPC_NOT_STREAMED UINT32_MAX
struct nrpc_streamed_message {
    const void *message;
    pb_callback_t *field; /* in the message; written to */
    uint32_t length;
};
int nrpc_streamed_send_sized(struct nrpc_call *call, const void *message);
bool nrpc_streamed_encode(pb_ostream_t *stream, const pb_field_t *field, void *const *arg);

/* What a call needs for this stands at the end of its transmit block. */
struct nrpc_streamed_state {
    struct nrpc_walk in;
    uint32_t length;        /* of the field of the next message */
    uint32_t total, left;   /* of the field that goes out, and of that not yet made */
    uint32_t gathered;      /* of it, before the message was to leave: that is in the block */
    nrpc_block_size before; /* where it belongs: so many bytes before this struct */
    nrpc_block_size tx_end; /* of the bytes in the transmit block, what follows the field included
                             */
    uint8_t compressed;     /* what comes in */
};

/* Bytes of it, with the least alignment; keep_bytes come on top. */
#define NRPC_STREAMED_BYTES (sizeof(struct nrpc_streamed_state) + 3 + NRPC_WALK_SLACK)

/* For S_REPLY_BYTES: the larger of two sizes, the second of which is of a method with streamed
 * fields. */
#define NRPC_STREAMED_MAX(plain, streamed) \
    ((plain) > (streamed) + NRPC_STREAMED_BYTES ? (plain) : (streamed) + NRPC_STREAMED_BYTES)

NRPC_END_C

#endif
