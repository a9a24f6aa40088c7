/* nanorpc/details.c - encodes google.rpc.Status where it is sent from: at the end of the call's metadata block.
 * Layer: core; knows nanopb. Source: google/rpc/status.proto, google/protobuf/any.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "details.h"

#include <pb_encode.h>
#include <string.h>

#if NRPC_METADATA_BYTES

enum { STATUS_CODE = 1, STATUS_MESSAGE = 2, STATUS_DETAILS = 3, ANY_TYPE_URL = 1, ANY_VALUE = 2 };

static bool put_head(pb_ostream_t *stream, uint32_t number, size_t n)
{
    return pb_encode_tag(stream, PB_WT_STRING, number) && pb_encode_varint(stream, n);
}

static bool put_any(pb_ostream_t *stream, const struct nrpc_detail *detail)
{
    static const char prefix[] = "type.googleapis.com/";
    size_t n = strlen(detail->type_name);
    return put_head(stream, ANY_TYPE_URL, sizeof prefix - 1 + n) &&
           pb_write(stream, (const pb_byte_t *)prefix, sizeof prefix - 1) &&
           pb_write(stream, (const pb_byte_t *)detail->type_name, n) &&
           pb_encode_tag(stream, PB_WT_STRING, ANY_VALUE) &&
           pb_encode_submessage(stream, detail->fields, detail->message);
}

/* Clients compare the message with grpc-message, which has been cut: so many bytes of it were sent. */
static size_t sent_of_message(const struct nrpc_call *call)
{
    const uint8_t *sent = nrpc_call_message(call);
    size_t n = 0;
    for (unsigned i = 0; i < call->message_length; n++) {
        i += sent[i] == '%' ? 3 : 1;
    }
    return n;
}

static bool put_status(pb_ostream_t *stream, const struct nrpc_call *call, const char *message,
                       const struct nrpc_detail *details, unsigned n)
{
    size_t n_message = sent_of_message(call);
    bool fine = pb_encode_tag(stream, PB_WT_VARINT, STATUS_CODE) && pb_encode_varint(stream, call->status);
    if (fine && n_message) {
        fine = put_head(stream, STATUS_MESSAGE, n_message) && pb_write(stream, (const pb_byte_t *)message, n_message);
    }
    for (; fine && n; n--, details++) {
        pb_ostream_t size = PB_OSTREAM_SIZING;
        fine = put_any(&size, details) && put_head(stream, STATUS_DETAILS, size.bytes_written) && put_any(stream, details);
    }
    return fine;
}

int nrpc_call_fail_details(struct nrpc_call *call, enum nrpc_status status, const char *message,
                           const struct nrpc_detail *details, unsigned n)
{
    pb_ostream_t size = PB_OSTREAM_SIZING;
    int error = nrpc_call_finish(call, status, message);
    if (error) {
        return error;
    }
    if (!put_status(&size, call, message, details, n) ||
        size.bytes_written > (size_t)(NRPC_METADATA_BYTES - call->metadata_used)) {
        return NRPC_E_TOO_BIG;
    }
    uint8_t *at = nrpc_call_metadata_block(call) + NRPC_METADATA_BYTES - size.bytes_written;
    pb_ostream_t stream = pb_ostream_from_buffer(at, size.bytes_written);
    (void)put_status(&stream, call, message, details, n); /* as before, when it was only counted */
    return nrpc_call_add_trailer(call, "grpc-status-details-bin", at, stream.bytes_written);
}

#endif
