/* nanorpc/grpc/nrpc_streamed.c - the codec of methods with streamed fields: see nanorpc/streamed.h.
 * Layer: core; knows nanopb. Source: gRPC over HTTP2 "Length-Prefixed-Message"; nanopb's
 * pb_encode.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_PIECES
#include "nanorpc/streamed.h"

#include <pb_common.h>
#include <pb_encode.h>
#include <string.h>

#include "nanorpc/grpc/nrpc_grpc.h"

/* The method's own: its codec is the first member. */
static const struct nrpc_streamed *streamed_of(const struct nrpc_call *call)
{
    return (const struct nrpc_streamed *)(const void *)call->method->codec;
}

/* Blocks are bytes: rounded up to where a number may stand. */
static struct nrpc_streamed_state *state_of(const struct nrpc_call *call)
{
    uintptr_t end = (uintptr_t)nrpc_call_tx_end(call) - (uintptr_t)streamed_of(call)->in.keep_bytes;
    return (struct nrpc_streamed_state *)((end - NRPC_STREAMED_BYTES + 3) & ~(uintptr_t)3);
}

int nrpc_streamed_knows(const struct nrpc_walk_plan *plan, unsigned level, uint32_t number)
{
    const struct pb_msgdesc_s *fields = plan->fields;
    pb_field_iter_t field;
    for (unsigned i = 0; i <= level; i++) {
        if (!pb_field_iter_begin(&field, fields, NULL) ||
            !pb_field_iter_find(&field, i < level ? plan->path[i] : number)) {
            return 0;
        }
        fields = field.submsg_desc;
    }
    return 1;
}

/* --- Coming in ---------------------------------------------------------------------------- */

enum nrpc_status nrpc_streamed_message(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    /* The scratch is all methods'; the decoder leaves a callback as it finds it, and the handler
     * may copy it. */
    uint8_t *scratch = nrpc_call_conn(call)->server->request;
    memset(scratch + streamed_of(call)->in_at, 0, sizeof(pb_callback_t));
    return streamed_of(call)->decode(call, data, n);
}

/* Hands out pieces as long as the handler takes them. Returns what stopped it, *at being moved
 * behind what was used. */
static enum nrpc_walk_event walk(struct nrpc_call *call, const uint8_t **at, const uint8_t *end)
{
    const struct nrpc_streamed *streamed = streamed_of(call);
    struct nrpc_streamed_state *state = state_of(call);
    struct nrpc_chunk chunk;
    enum nrpc_walk_event event;
    while ((event = nrpc_walk_on(&state->in, &streamed->in, (uint8_t *)(state + 1), at, end,
                                 &chunk)) == NRPC_WALK_CHUNK) {
        enum nrpc_status status = streamed->chunk(nrpc_call_out(call), &chunk);
        if (status == NRPC_PENDING) {
            call->flags |= NRPC_CALL_HELD;
        } else if (status != NRPC_OK) {
            nrpc_call_finish(call, status, NULL);
        }
        if (nrpc_grpc_is_busy(call)) {
            end = *at; /* no more of it; but whether the message is over shows without more */
        }
    }
    return event;
}

/* What stopped the walk over a message, of which `used` bytes have been used; more: others follow
 * them. Returns how many of them to take. Of a message that is over the last byte is taken when it
 * is delivered, which may have to wait: what has been received and not taken is what the engine
 * looks at again. */
static uint32_t end_walk(struct nrpc_call *call, enum nrpc_walk_event event, uint32_t used,
                         int more)
{
    struct nrpc_streamed_state *state = state_of(call);
    int single = !(call->method->kind & NRPC_CLIENT_STREAM);
    if (event == NRPC_WALK_MALFORMED) {
        nrpc_grpc_fail(call, NRPC_INTERNAL, "message malformed");
    } else if (event == NRPC_WALK_TOO_BIG) {
        nrpc_grpc_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
    } else if (event == NRPC_WALK_END && used) {
        if (nrpc_grpc_is_busy(call) || (single && !(call->flags & NRPC_CALL_RX_END))) {
            return used - 1;
        }
        if (single && more) {
            nrpc_grpc_fail(call, NRPC_INTERNAL, "not one message");
            return used;
        }
        call->flags &= (uint16_t)~NRPC_CALL_TAKING;
        nrpc_grpc_deliver(call, (uint8_t *)(state + 1), state->in.kept);
    }
    return used;
}

static void begin_walk(struct nrpc_call *call, uint32_t length)
{
    nrpc_walk_begin(&state_of(call)->in, length);
    call->flags |= NRPC_CALL_TAKING;
}

#if NRPC_COMPRESSION
/* A compressed message is not walked over as it comes, but when it is whole in the receive block;
 * it stays there until it is delivered, and is inflated again where the walk had to wait. */
static uint32_t take_compressed(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    struct nrpc_streamed_state *state = state_of(call);
    uint32_t length = nrpc_get32(data + 1);
    if (length > nrpc_compression_limit(call, data[0])) {
        nrpc_grpc_fail(call, NRPC_RESOURCE_EXHAUSTED, "message too large");
        return 0;
    }
    uint32_t bytes = NRPC_PREFIX_BYTES + length;
    if (n < bytes ||
        !((call->flags & NRPC_CALL_RX_END) || (call->method->kind & NRPC_CLIENT_STREAM))) {
        return 0;
    }
    const uint8_t *message = data + NRPC_PREFIX_BYTES;
    if (!nrpc_grpc_inflate(call, data[0], &message, &length)) {
        return 0;
    }
    if (!(call->flags & NRPC_CALL_TAKING)) {
        begin_walk(call, length);
        state->compressed = 1;
    }
    const uint8_t *at = message + state->in.at;
    enum nrpc_walk_event event = walk(call, &at, message + length);
    return event != NRPC_WALK_MORE && end_walk(call, event, bytes, n > bytes) == bytes ? bytes : 0;
}
#else
#define take_compressed(call, data, n) 0
#endif

uint32_t nrpc_streamed_take(struct nrpc_call *call, const uint8_t *data, uint32_t n)
{
    struct nrpc_streamed_state *state = state_of(call);
    const uint8_t *at = data;
    if (call->flags & NRPC_CALL_TAKING) {
        if (NRPC_COMPRESSION && state->compressed) {
            return take_compressed(call, data, n);
        }
        at += n && state->in.at == state->in.end[0];
    } else {
        if (n < NRPC_PREFIX_BYTES) {
            return 0;
        }
        if (!nrpc_compression_allows(call, data[0])) {
            nrpc_grpc_fail(call, NRPC_INTERNAL, "no grpc-encoding");
            return 0;
        }
        if (NRPC_COMPRESSION && data[0]) {
            return take_compressed(call, data, n);
        }
        (void)nrpc_compression_inflate(call, 0, NULL, NULL); /* notes that it is not */
        begin_walk(call, nrpc_get32(data + 1));
        state->compressed = 0;
        at += NRPC_PREFIX_BYTES;
    }
    enum nrpc_walk_event event = walk(call, &at, data + n);
    return end_walk(call, event, (uint32_t)(at - data), at < data + n);
}

/* --- Going out ---------------------------------------------------------------------------- */

void *nrpc_streamed_length(struct nrpc_call *call, uint32_t length)
{
    NRPC_CALL_IN(call);
    struct nrpc_streamed_state *state = state_of(call);
    state->length = length;
    return state;
}

/* nanopb counts in size_t, where the field is and all around it. */
#define LENGTH_MAX (SIZE_MAX / 2 < INT32_MAX ? SIZE_MAX / 2 : INT32_MAX)

/* Writes the field's key and length, and leaves its bytes out, but counts them: nanopb asks once
 * for the size of each message that the field is in, and once in earnest. */
bool nrpc_streamed_encode(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
    struct nrpc_streamed_state *state = *arg;
    if (state->length > LENGTH_MAX || !pb_encode_tag_for_field(stream, field) ||
        !pb_encode_varint(stream, state->length)) {
        return false;
    }
    state->total = state->length;
    if (stream->callback) {
        state->before = (nrpc_block_size)((uint8_t *)state - (uint8_t *)stream->state);
    }
    stream->bytes_written += (size_t)state->length;
    return true;
}

/* The block has what stands before the field, and what stands behind it; unless there is none. */
static void begin_producing(struct nrpc_call *call, struct nrpc_streamed_state *state)
{
    state->left = state->total - state->gathered;
    if (state->left) {
        call->tx_length = (nrpc_block_size)((uint8_t *)state - state->before - nrpc_call_tx(call));
        call->flags |= NRPC_CALL_PRODUCING;
    }
}

#if NRPC_COMPRESSION
/* A message is compressed when it is whole. So where it fits into the block its field is made at
 * once and put where it belongs, `size` bytes at `at` then being all of the message; unless its
 * producer has to wait: what it has made until then goes out as it is, before the rest. */
static void gather(struct nrpc_call *call, struct nrpc_streamed_state *state, uint8_t *at,
                   size_t size)
{
    uint8_t *field = (uint8_t *)state - state->before;
    size_t behind = size - (size_t)state->total - (size_t)(field - at);
    uint32_t n = 1;
    if (!(call->compression & NRPC_COMPRESSION_ON) || size > (size_t)((uint8_t *)state - at)) {
        return;
    }
    memmove(field + state->total, field, behind);
    call->flags |= NRPC_CALL_PRODUCING; /* as far as nrpc_call_finish is concerned */
    while (n && state->gathered < state->total && !(call->flags & NRPC_CALL_FINISHED)) {
        n = (uint32_t)streamed_of(call)->producer(nrpc_call_out(call), field + state->gathered,
                                                  (size_t)(state->total - state->gathered),
                                                  state->gathered);
        state->gathered += n;
    }
    call->flags &= (uint16_t)~NRPC_CALL_PRODUCING;
    state->before = (nrpc_block_size)(state->before - state->gathered);
    memmove(field + state->gathered, field + state->total, behind);
}

static void commit(struct nrpc_call *call, struct nrpc_streamed_state *state, uint8_t *at,
                   size_t size)
{
    uint32_t n = (uint32_t)size;
    uint8_t flag = nrpc_compression_deflate_within(call, at, &n, (size_t)((uint8_t *)state - at));
    nrpc_call_commit(call, (size_t)n);
    nrpc_call_tx(call)[0] = flag;
    if (call->flags & NRPC_CALL_ENDING) {
        call->flags |= NRPC_CALL_FINISHED;
    }
}
#else
#define gather(call, state, at, size) ((void)0)
#define commit(call, state, at, size) nrpc_call_commit(call, size)
#endif

int nrpc_streamed_send(struct nrpc_call *call, const void *message)
{
    struct nrpc_streamed_state *state = state_of(call);
    const struct pb_msgdesc_s *fields = call->method->reply;
    size_t room, size;
    uint8_t *at = nrpc_call_reserve(call, &room);
    if (!at) {
        return call->tx_length ? NRPC_E_AGAIN : NRPC_E_STATE;
    }
    state->total = state->gathered = 0;
    if (!pb_get_encoded_size(&size, fields, message) ||
        size - state->total > (size_t)((uint8_t *)state - at)) {
        return NRPC_E_TOO_BIG;
    }
    pb_ostream_t stream = pb_ostream_from_buffer(at, size);
    if (!pb_encode(&stream, fields, message)) {
        return NRPC_E_TOO_BIG;
    }
    if (state->total) {
        gather(call, state, at, size);
    }
    if (call->flags & NRPC_CALL_FINISHED) { /* by its producer */
        return 0;
    }
    if (state->gathered == state->total) {
        state->total = state->gathered = 0; /* no more to be made, also when it is sent anew */
        commit(call, state, at, size);
        return 0;
    }
    uint8_t *tx = nrpc_call_tx(call);
    tx[0] = 0; /* not compressed */
    nrpc_put32(tx + 1, (uint32_t)size);
    state->tx_end = (nrpc_block_size)(size - (state->total - state->gathered) + NRPC_PREFIX_BYTES);
    call->tx_sent = 0;
    call->flags |= NRPC_CALL_TX;
    begin_producing(call, state);
    nrpc_stream_queue(call);
    return 0;
}

int nrpc_streamed_send_sized(struct nrpc_call *call, const void *message)
{
    const struct nrpc_streamed_message *sized = message;
    sized->field->arg = nrpc_streamed_length(call, sized->length);
    sized->field->funcs.encode = sized->length == NRPC_NOT_STREAMED ? NULL : nrpc_streamed_encode;
    return nrpc_streamed_send(call, sized->message);
}

uint32_t nrpc_streamed_produce(struct nrpc_call *call, uint8_t *buf, uint32_t room)
{
    struct nrpc_streamed_state *state = state_of(call);
    uint32_t n = 0;
    if (!buf) {
        begin_producing(call, state);
        return 0;
    }
    if (!(call->flags & NRPC_CALL_FINISHED)) {
        n = (uint32_t)streamed_of(call)->producer(nrpc_call_out(call), buf,
                                                  (size_t)(room < state->left ? room : state->left),
                                                  state->total - state->left);
    }
    if (call->flags & NRPC_CALL_FINISHED) { /* other than well: the message stays a part */
        call->flags &= (uint16_t)~(NRPC_CALL_TX | NRPC_CALL_PRODUCING);
        return 0;
    }
    if (!n) {
        call->flags =
            (uint16_t)((call->flags & ~(unsigned)NRPC_CALL_TX) |
                       (call->method->kind & NRPC_CALLER ? 0 : NRPC_CALL_HELD | NRPC_CALL_ASLEEP));
        return 0;
    }
    state->left -= n;
    if (!state->left) {
        call->tx_length = state->tx_end;
        call->flags &= (uint16_t)~NRPC_CALL_PRODUCING;
        if (call->flags & NRPC_CALL_ENDING) {
            call->flags |= NRPC_CALL_FINISHED;
        }
    }
    return n;
}

#endif
