/* nanorpc/grpc/nrpc_details.c - google.rpc.Status: encoded at the end of the call's metadata block,
 * and read where it came.
 * Layer: core; knows nanopb. Source: google/rpc/status.proto, google/protobuf/any.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/details.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "nanorpc/http2/nrpc_conn.h"

#if NRPC_METADATA_BYTES

const struct nrpc_key nrpc_details_key = NRPC_KEY("grpc-status-details-bin");

enum { STATUS_CODE = 1, STATUS_MESSAGE = 2, STATUS_DETAILS = 3, ANY_TYPE_URL = 1, ANY_VALUE = 2 };

/* --- Sent --------------------------------------------------------------------------------- */

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

/* Clients compare the message with grpc-message, which has been cut: so many bytes of it were sent.
 */
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
    bool fine = pb_encode_tag(stream, PB_WT_VARINT, STATUS_CODE) &&
                pb_encode_varint(stream, call->status);
    if (fine && n_message) {
        fine = put_head(stream, STATUS_MESSAGE, n_message) &&
               pb_write(stream, (const pb_byte_t *)message, n_message);
    }
    for (; fine && n; n--, details++) {
        pb_ostream_t size = PB_OSTREAM_SIZING;
        fine = put_any(&size, details) && put_head(stream, STATUS_DETAILS, size.bytes_written) &&
               put_any(stream, details);
    }
    return fine;
}

int nrpc_call_fail_details(struct nrpc_call *call, enum nrpc_status status, const char *message,
                           const struct nrpc_detail *details, unsigned n)
{
    NRPC_CALL_IN(call);
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
    return nrpc_call_add_field(call, NRPC_TRAILER, nrpc_details_key.name, at, stream.bytes_written);
}

/* --- Received ----------------------------------------------------------------------------- */

/* The next field with this number, a message or a text. Returns 1; 0: there is none; -1: what is
 * there is no field. */
static int find_field(pb_istream_t *in, uint32_t number, pb_istream_t *field)
{
    pb_wire_type_t type;
    uint32_t found;
    bool at_end;
    while (pb_decode_tag(in, &type, &found, &at_end)) {
        if (found == number && type == PB_WT_STRING) {
            bool fine = pb_make_string_substream(in, field);
            pb_istream_t rest = *field;
            return fine && pb_close_string_substream(in, &rest) ? 1 : -1; /* `in` goes on behind it
                                                                           */
        }
        if (!pb_skip_field(in, type)) {
            return -1;
        }
    }
    return at_end ? 0 : -1;
}

/* What stands behind the URL's last slash is the type. */
static bool is_type(pb_istream_t any, const char *type_name)
{
    pb_istream_t url;
    const char *at = type_name;
    pb_byte_t c;
    bool same = false;
    if (find_field(&any, ANY_TYPE_URL, &url) != 1) {
        return false;
    }
    while (url.bytes_left && pb_read(&url, &c, 1)) {
        if (c == '/') {
            at = type_name;
            same = true;
        } else {
            same = same && *at && c == (pb_byte_t)*at++;
        }
    }
    return same && !*at;
}

int nrpc_call_detail(const struct nrpc_call *call, const char *type_name,
                     const struct pb_msgdesc_s *fields, void *message)
{
    size_t n = 0;
    const uint8_t *status = nrpc_call_metadata(call, &nrpc_details_key, 0, &n);
    pb_istream_t in = pb_istream_from_buffer(status, status ? n : 0), any, value;
    while (find_field(&in, STATUS_DETAILS, &any) == 1) {
        if (is_type(any, type_name)) {
            value = pb_istream_from_buffer(NULL, 0); /* proto3 leaves an empty one out */
            return find_field(&any, ANY_VALUE, &value) >= 0 && pb_decode(&value, fields, message);
        }
    }
    return 0;
}

#endif
