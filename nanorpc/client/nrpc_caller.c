/* nanorpc/client/nrpc_caller.c - a call that we make: its message, its end, its beginning again.
 * Layer: core. Source: gRPC over HTTP2, "Responses"; gRPC "Retry" (transparent).
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/config.h"
#if NRPC_CLIENT
#include <stddef.h>
#include <string.h>

#include "nanorpc/client/nrpc_caller.h"
#include "nanorpc/codec.h"
#include "nanorpc/grpc/nrpc_compression.h"

const struct nrpc_events *nrpc_call_events(const struct nrpc_call *call)
{
    NRPC_CALL_IN(call);
    return call->events;
}

/* --- The status message ----------------------------------------------------------------------- */

/* Over 255: it is none. */
static NRPC_NOINLINE unsigned hex_value(unsigned digit)
{
    unsigned n = digit - '0', letter = (digit | 0x20) - 'a';
    return n < 10 ? n : letter < 6 ? letter + 10 : 256;
}

/* Decodes in place; what is no escape stays as it is. */
static void unescape(uint8_t *text)
{
    unsigned code;
    for (const uint8_t *from = text; (*text = *from++) != '\0'; text++) {
        if (*text == '%' && (code = hex_value(from[0]) << 4 | hex_value(from[1])) < 256) {
            *text = (uint8_t)code;
            from += 2;
        }
    }
}

void nrpc_client_tell(struct nrpc_call *call, enum nrpc_status status, const char *text)
{
    uint8_t *own = nrpc_call_message(call);
    unsigned n = call->message_length;
    if (!(call->client & NRPC_CLIENT_OWED)) {
        return;
    }
    call->client &= (uint8_t)~NRPC_CLIENT_OWED;
    if (!text) {
        own[n < NRPC_STATUS_MESSAGE_MAX ? n : NRPC_STATUS_MESSAGE_MAX - 1] = '\0';
        unescape(own);
        text = (const char *)own;
    }
    uint32_t generation = call->generation;
    call->events->done(nrpc_call_out(call), status, text);
    nrpc_call_over(call, generation);
}

/* As it comes: the HPACK table keeps no text. */
void nrpc_client_message_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    struct nrpc_conn *conn = (struct nrpc_conn *)((uintptr_t)hpack -
                                                  offsetof(struct nrpc_conn, hpack));
    struct nrpc_call *call = conn->block_call;
    uint32_t n = hpack->bytes - hpack->name_bytes - 33; /* before this one; 32: RFC 7541 4.1 */
    nrpc_fields_note_text(&conn->fields);
    /* A reply that has been made smaller may still be there: see nrpc_call_rx_free. */
    if (call && !(call->flags & NRPC_CALL_FINISHED) && n < NRPC_STATUS_MESSAGE_MAX - 1 &&
        !call->rx_drop) {
        nrpc_call_message(call)[n++] = byte;
        conn->fields.message_length = (uint8_t)n; /* the call's, once all has come */
    }
}

/* --- The clock, and another beginning ------------------------------------------------------ */

uint32_t nrpc_client_time_left_ms(struct nrpc_call *call)
{
    if (call->flags & NRPC_CALL_NEW) {
        call->flags &= (uint16_t)~NRPC_CALL_NEW;
        call->begun_ms = nrpc_call_conn(call)->now_ms;
    }
    return nrpc_call_time_left_ms(call);
}

void nrpc_client_put_back(struct nrpc_call *call)
{
    call->flags = (call->flags & NRPC_CALL_QUEUED) | NRPC_CALL_OPEN;
    nrpc_stream_opened(call);
    call->id = 0;
    call->send_window = 0;
    call->recv_window = (int32_t)nrpc_call_conn(call)->server->rx_bytes;
    call->rx_have = 0;
    call->tx_sent = call->tx_length = 0;
    call->client &= (uint8_t)~NRPC_CLIENT_END_SENT;
    if (call->client & NRPC_CLIENT_WROTE) {
        call->flags |= NRPC_CALL_TX;
        call->tx_length = (nrpc_block_size)(NRPC_PREFIX_BYTES + nrpc_get32(nrpc_call_tx(call) + 1));
#if NRPC_PIECES
        if (call->method->codec->produce) {
            (void)call->method->codec->produce(call, NULL, 0);
        }
#endif
    }
    nrpc_stream_queue(call);
}

#endif
