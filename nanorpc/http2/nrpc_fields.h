/* nanorpc/http2/nrpc_fields.h - what the fields of one header list say together: a request's or a
 * response's. Pure.
 * Layer: core. Source: RFC 9113 8.1, 8.3; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_FIELDS_H
#define NANORPC_FIELDS_H

#include <stdint.h>

#include "nanorpc/hpack/nrpc_hpack.h"

NRPC_BEGIN_C

struct nrpc_fields {
    uint32_t seen, odd; /* sets of tokens, NRPC_FIELD. odd: its value is not the expected one */
    uint32_t content_length; /* UINT32_MAX: none */
    uint32_t list_bytes;     /* RFC 9113 10.5.1; does not grow beyond the field that is too much */
    uint32_t timeout_ms;     /* UINT32_MAX: none, or malformed, which is a fault too */
    uint16_t path;
#if NRPC_CLIENT
    uint16_t http_status;
    uint8_t grpc_status;    /* NRPC_NO_STATUS: none, or none that gRPC knows */
    uint8_t message_length; /* of grpc-message, as much of it as is kept */
#endif
    uint8_t fault; /* the worst: a gRPC status that the call ends with, NRPC_FAULT_LOST; 0: none */
#if NRPC_COMPRESSION
    uint8_t encoding, accepted; /* sets of enum nrpc_encoding */
#endif
#if NRPC_FAST
    uint8_t has_text; /* there were values that are kept elsewhere: a key's, a message's */
#endif
};

/* In grpc_status. */
enum { NRPC_NO_STATUS = 17 };

/* In fault: a value has been lost that the peer believes to be in our HPACK table, and must be sent
 * again. Worse than any status. */
enum { NRPC_FAULT_LOST = 0xff };

#define NRPC_PSEUDO_FIELDS                                                             \
    (NRPC_FIELD(METHOD) | NRPC_FIELD(PATH) | NRPC_FIELD(SCHEME) | NRPC_FIELD(STATUS) | \
     NRPC_FIELD(AUTHORITY))

/* Nothing is known yet. */
void nrpc_fields_begin(struct nrpc_fields *fields);

/* Takes the field that nrpc_hpack_decode has just completed. Of a key only its size counts: whose
 * value it is, is the caller's business. */
void nrpc_fields_take(struct nrpc_fields *fields, const struct nrpc_hpack *field);

/* Whatever they say, the list is malformed, RFC 9113 8.1.1. */
static inline void nrpc_fields_malformed(struct nrpc_fields *fields)
{
    fields->odd |= NRPC_FIELD(BAD);
}
static inline int nrpc_fields_are_malformed(const struct nrpc_fields *fields)
{
    return (fields->odd & NRPC_FIELD(BAD)) != 0;
}

/* More than NRPC_HEADER_LIST_MAX, whatever it decodes to. */
static inline void nrpc_fields_too_large(struct nrpc_fields *fields)
{
    fields->list_bytes = (uint32_t)NRPC_HEADER_LIST_MAX + 1;
}

/* Something is wrong with a value: see `fault`. 0: nothing. */
void nrpc_fields_fault(struct nrpc_fields *fields, uint8_t fault);

/* A value was kept elsewhere, so that a header block like this one does not mean the same again. */
static inline void nrpc_fields_note_text(struct nrpc_fields *fields)
{
#if NRPC_FAST
    fields->has_text = 1;
#else
    (void)fields;
#endif
}

NRPC_END_C

#endif
