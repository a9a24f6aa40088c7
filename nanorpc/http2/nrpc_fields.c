/* nanorpc/http2/nrpc_fields.c - gathers what the fields of a header list say.
 * Layer: core. Source: RFC 9113 8.2, 8.3; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_fields.h"

#include <string.h>

#include "nanorpc/call.h"

void nrpc_fields_begin(struct nrpc_fields *fields)
{
    memset(fields, 0, sizeof *fields);
    fields->content_length = fields->timeout_ms = UINT32_MAX;
#if NRPC_CLIENT
    fields->grpc_status = NRPC_NO_STATUS;
#endif
}

void nrpc_fields_fault(struct nrpc_fields *fields, uint8_t fault)
{
    fields->fault = fault > fields->fault ? fault : fields->fault;
}

/* Only what a client wants to know. */
static void take_status(struct nrpc_fields *fields, const struct nrpc_hpack *field)
{
#if NRPC_CLIENT
    if (field->token == NRPC_T_STATUS) {
        fields->http_status = (uint16_t)field->value;
    } else if (field->token == NRPC_T_GRPC_STATUS) {
        fields->grpc_status = (uint8_t)(field->value < NRPC_NO_STATUS ? field->value
                                                                      : NRPC_NO_STATUS);
    }
#else
    (void)fields;
    (void)field;
#endif
}

static void take_encoding(struct nrpc_fields *fields, const struct nrpc_hpack *field)
{
#if NRPC_COMPRESSION
    if (field->token == NRPC_T_GRPC_ENCODING) {
        fields->encoding |= (uint8_t)field->value;
    } else if (field->token == NRPC_T_GRPC_ACCEPT_ENCODING) {
        fields->accepted |= (uint8_t)field->value;
    }
#else
    (void)fields;
    (void)field;
#endif
}

void nrpc_fields_take(struct nrpc_fields *fields, const struct nrpc_hpack *field)
{
    unsigned token = field->token < NRPC_T_KEY ? field->token : NRPC_T_OTHER;
    uint32_t bit = (uint32_t)1 << token;
    /* RFC 9113 8.3: pseudo-headers come once, and before all others. */
    uint32_t not_before = bit & NRPC_PSEUDO_FIELDS ? bit | ~NRPC_PSEUDO_FIELDS
                                                   : bit & NRPC_FIELD(CONTENT_LENGTH);
    if (field->bad || (fields->seen & not_before)) {
        nrpc_fields_malformed(fields);
    }
    fields->seen |= bit;
    fields->odd |= field->value ? bit : 0;
    fields->list_bytes += fields->list_bytes > NRPC_HEADER_LIST_MAX ? 0 : field->bytes;
    if (token == NRPC_T_PATH) {
        fields->path = (uint16_t)field->value;
    } else if (token == NRPC_T_CONTENT_LENGTH) {
        fields->content_length = field->value;
    } else if (token == NRPC_T_GRPC_TIMEOUT) {
        fields->timeout_ms = field->value;
        if (field->value == UINT32_MAX) {
            nrpc_fields_fault(fields, NRPC_INTERNAL);
        }
    }
    take_status(fields, field);
    take_encoding(fields, field);
}
