/* nanorpc/http2/nrpc_stream.c - the table of a connection's calls, and the queue of those with
 * output.
 * Layer: core. Source: RFC 9113 5.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_conn.h"

#include <stddef.h>
#include <string.h>

#include "nanorpc/ref.h"

/* --- Calls that the application keeps ------------------------------------------------------ */

/* A slot's address in 32 bits. Where addresses have more of them, it is the distance from an object
 * of ours, as a program's own objects are not far from one another. */
#if UINTPTR_MAX > UINT32_MAX
static const uint64_t here = 0;
#define HERE ((uintptr_t)&here)
#else
#define HERE 0u
#endif
typedef int32_t distance; /* in units of what a call is aligned to */
enum { UNIT = UINTPTR_MAX > UINT32_MAX ? 8 : 1 };

struct nrpc_call_ref nrpc_call_ref(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    intptr_t units = (intptr_t)((uintptr_t)call - HERE) / UNIT;
    if (units != (distance)units) {
#if NRPC_CHECKS
        nrpc_check_failed(__func__, "its connection lies outside of the program's own memory");
#endif
        return (struct nrpc_call_ref){0, 0};
    }
    return (struct nrpc_call_ref){(uint32_t)units, call->generation};
}

struct nrpc_call *nrpc_call_of(struct nrpc_call_ref ref)
{
    intptr_t units = (intptr_t)(distance)ref.slot;
    struct nrpc_call *call = (struct nrpc_call *)(HERE + (uintptr_t)(units * UNIT));
    if (!ref.generation || call->generation != ref.generation ||
        (call->flags & (NRPC_CALL_OPEN | NRPC_CALL_FINISHED)) != NRPC_CALL_OPEN) {
        return NULL;
    }
    return nrpc_call_out(call);
}

#if NRPC_CHECKS
/* The mark: in bits that addresses of objects do not have, at their top or, of 32, at their end. An
 * even generation: the slot is free, and no mark is right. */
#if UINTPTR_MAX > UINT32_MAX
enum { MARK_SHIFT = 48, MARK_MAX = 0xffff };
#else
enum { MARK_SHIFT = 0, MARK_MAX = 15 };
#endif

NRPC_STATIC_ASSERT(MARK_SHIFT != 0 || sizeof(struct nrpc_call) % (MARK_MAX + 1) == 0,
                   "no room for marks");

static uintptr_t mark_of(const struct nrpc_call *call)
{
    return (uintptr_t)(1 + (call->generation >> 1) % MARK_MAX) << MARK_SHIFT;
}

__attribute__((weak)) void nrpc_check_failed(const char *function, const char *what)
{
    (void)function;
    (void)what;
}

struct nrpc_call *nrpc_call_out(struct nrpc_call *call)
{
    return (struct nrpc_call *)((uintptr_t)call | mark_of(call));
}

struct nrpc_call *nrpc_call_in(const void *handle, const char *function)
{
    const uintptr_t marks = (uintptr_t)MARK_MAX << MARK_SHIFT;
    uintptr_t mark = (uintptr_t)handle & marks;
    struct nrpc_call *call = (struct nrpc_call *)((uintptr_t)handle & ~marks);
    if (!call || (mark && (mark != mark_of(call) || !(call->generation & 1)))) {
        nrpc_check_failed(function, call ? "the call is over, keep calls by nrpc_call_ref"
                                         : "NULL is no call");
        __builtin_trap();
    }
    return call;
}

void nrpc_call_over(struct nrpc_call *call, uint32_t generation)
{
    if (call->generation == generation) { /* else a new call has the slot */
        call->generation = (generation + 1) & ~(uint32_t)1;
    }
}
#endif

/* --- Its places --------------------------------------------------------------------------- */

struct nrpc_conn *nrpc_call_conn(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    const void *calls = call - call->slot;
    return (struct nrpc_conn *)((uintptr_t)calls - offsetof(struct nrpc_conn, calls));
}

#if NRPC_GAPS
/* AddressSanitizer's, as its own header has them. */
void __asan_poison_memory_region(const volatile void *at, size_t n);
void __asan_unpoison_memory_region(const volatile void *at, size_t n);

void nrpc_conn_gaps(struct nrpc_conn *conn, int closed)
{
    uint8_t *const gaps[] = {conn->gathered_gap, conn->control_gap, conn->hpack_gap,
                             conn->calls_gap,
#if NRPC_FAST
                             conn->last_block.block_gap
#endif
    };
    for (unsigned i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        if (closed) {
            __asan_poison_memory_region(gaps[i], NRPC_GAP_BYTES);
        } else {
            __asan_unpoison_memory_region(gaps[i], NRPC_GAP_BYTES);
        }
    }
}
#endif

/* A stream's memory: metadata, receive block, status message, transmit block. What is received may
 * for a time reach into the status message: see nrpc_call_rx_free. */
uint8_t *nrpc_call_metadata_block(const struct nrpc_call *call)
{
    const struct nrpc_conn *conn = nrpc_call_conn(call);
    return conn->blocks +
           call->slot * (conn->server->rx_bytes + conn->server->tx_bytes + NRPC_METADATA_BYTES);
}

uint8_t *nrpc_call_rx(const struct nrpc_call *call)
{
    return nrpc_call_metadata_block(call) + NRPC_METADATA_BYTES;
}

/* Behind a message that has been made smaller there may be more than the block has without it. */
uint32_t nrpc_call_rx_free(const struct nrpc_call *call)
{
    uint32_t room = nrpc_call_conn(call)->server->rx_bytes;
    if (NRPC_SHRINK && call->rx_drop) {
        room += NRPC_RX_SLACK;
    }
    return room > call->rx_have ? room - call->rx_have : 0;
}

uint8_t *nrpc_call_message(const struct nrpc_call *call)
{
    return nrpc_call_rx(call) + nrpc_call_conn(call)->server->rx_bytes;
}

uint8_t *nrpc_call_tx(const struct nrpc_call *call)
{
    return nrpc_call_message(call) + NRPC_STATUS_MESSAGE_MAX;
}

uint8_t *nrpc_call_tx_end(const struct nrpc_call *call)
{
    return nrpc_call_message(call) + nrpc_call_conn(call)->server->tx_bytes;
}

struct nrpc_call *nrpc_stream_find(struct nrpc_conn *conn, uint32_t id)
{
#if NRPC_FAST || NRPC_MANY_STREAMS
    const struct nrpc_call *last = &conn->calls[conn->hint];
    if (last->id == id) {
        return &conn->calls[conn->hint];
    }
    /* As slots are taken in turn, it is mostly as far from the last one as its id is. */
    unsigned back = (unsigned)((last->id - id) / 2 % NRPC_MAX_STREAMS);
    struct nrpc_call *guess =
        &conn->calls[(conn->hint + NRPC_MAX_STREAMS - back) % NRPC_MAX_STREAMS];
    if (guess->id == id) {
        return guess;
    }
    if (id > conn->last_id) { /* none of many needs to be looked at */
        return NULL;
    }
#endif
    struct nrpc_call *call = &conn->calls[conn->hint]; /* from the newest back */
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        if (call->id == id) {
            return call;
        }
        call = call == conn->calls ? &conn->calls[NRPC_MAX_STREAMS - 1] : call - 1;
    }
    return NULL;
}

/* Slots are taken in turn, so that a closed stream is remembered for as long as can be. */
struct nrpc_call *nrpc_stream_vacant(struct nrpc_conn *conn)
{
    unsigned slot = conn->hint;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        slot = (slot + 1) % NRPC_MAX_STREAMS;
        struct nrpc_call *call = &conn->calls[slot];
        if (!(call->flags & NRPC_CALL_OPEN)) {
            call->slot = (uint16_t)slot;
#if NRPC_METADATA_BYTES
            call->metadata_used = 0;
#endif
            return call;
        }
    }
    return NULL;
}

#if NRPC_MANY_STREAMS
unsigned nrpc_stream_from(const struct nrpc_conn *conn, unsigned slot)
{
    uint32_t bits = slot < NRPC_MAX_STREAMS ? conn->open[slot / 32] >> slot % 32 << slot % 32 : 0;
    unsigned word = slot / 32;
    while (!bits && ++word < sizeof conn->open / sizeof conn->open[0]) {
        bits = conn->open[word];
    }
    return bits ? 32 * word + (unsigned)__builtin_ctzl(bits) : NRPC_MAX_STREAMS;
}

void nrpc_stream_opened(struct nrpc_call *call)
{
    nrpc_call_conn(call)->open[call->slot / 32] |= (uint32_t)1 << call->slot % 32;
}
#endif

void nrpc_stream_open(struct nrpc_call *call, uint32_t id)
{
    struct nrpc_conn *conn = nrpc_call_conn(call);
    memset(&call->status, 0, sizeof *call - offsetof(struct nrpc_call, status));
    call->flags &= NRPC_CALL_QUEUED; /* a slot that is freed may still stand in the queue */
    call->flags |= NRPC_CALL_OPEN;
    call->generation += 1u + (NRPC_CHECKS & call->generation); /* with checks: odd, see mark_of */
    call->id = id;
    call->send_window = (int32_t)conn->peer_initial_window;
    call->recv_window = (int32_t)conn->server->rx_bytes;
    call->begun_ms = conn->now_ms;
    call->timeout_ms = NRPC_NO_DEADLINE;
    conn->hint = call->slot;
    nrpc_stream_opened(call);
}

void nrpc_stream_close(struct nrpc_call *call, enum nrpc_status why)
{
    struct nrpc_conn *conn = nrpc_call_conn(call);
    const struct nrpc_server *server = conn->server;
    unsigned flags = call->flags;
    uint32_t generation = call->generation;
    if (NRPC_CLIENT && conn->block_call == call) { /* another may have the slot before its end */
        conn->block_call = NULL;
    }
    call->flags = flags & (NRPC_CALL_RX_END | NRPC_CALL_QUEUED);
#if NRPC_MANY_STREAMS
    conn->open[call->slot / 32] &= ~((uint32_t)1 << call->slot % 32);
#endif
    if (!(flags & NRPC_CALL_FINISHED)) { /* a client may put the call back */
        call->status = (uint8_t)why;
        call->method->cancelled(nrpc_call_out(call), why);
    }
    for (unsigned i = call->method ? server->n_interceptors : 0; i--;) {
        if (server->interceptors[i].end) {
            server->interceptors[i].end(nrpc_call_out(call), (enum nrpc_status)call->status);
        }
    }
    if (!call->method || !(call->method->kind & NRPC_CALLER)) { /* else see nrpc_client_tell */
        nrpc_call_over(call, generation);
    }
}

#if NRPC_MANY_CONNECTIONS
__attribute__((weak)) void nrpc_conn_stirred(struct nrpc_conn *conn)
{
    (void)conn;
}
#endif

#if NRPC_MANY_CONNECTIONS && !NRPC_FAST
void nrpc_stream_queue(struct nrpc_call *call)
{
    nrpc_conn_stirred(nrpc_call_conn(call));
}
#elif NRPC_FAST
void nrpc_stream_queue(struct nrpc_call *call)
{
    struct nrpc_conn *conn = nrpc_call_conn(call);
    if (call->flags & NRPC_CALL_QUEUED) {
        return;
    }
#if NRPC_MANY_CONNECTIONS
    nrpc_conn_stirred(conn);
#endif
    call->flags |= NRPC_CALL_QUEUED;
    call->next = NULL;
    *conn->last = call;
    conn->last = &call->next;
}

struct nrpc_call *nrpc_stream_unqueue(struct nrpc_conn *conn)
{
    struct nrpc_call *call = conn->first;
    if (call) {
        call->flags &= (uint16_t)~NRPC_CALL_QUEUED;
        conn->first = call->next;
        if (!call->next) {
            conn->last = &conn->first;
        }
    }
    return call;
}
#endif
