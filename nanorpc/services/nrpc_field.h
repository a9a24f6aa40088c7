/* nanorpc/services/nrpc_field.h - reads protobuf fields where they lie, for services that do
 * without nanopb.
 * Layer: core, services. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_FIELD_H
#define NANORPC_FIELD_H

#include <stddef.h>
#include <stdint.h>

/* Encoded bytes, or text; not ended by a zero. */
struct nrpc_text {
    const uint8_t *at;
    size_t n;
};

struct nrpc_field {
    uint32_t number;       /* modulo 2^29 */
    struct nrpc_text text; /* of strings and messages; a view of the input. Others: .at NULL */
};

/* Takes the next field off *rest. Returns 1; 0: there is none; -1: what is there is no field. */
int nrpc_field_read(struct nrpc_text *rest, struct nrpc_field *field);

/* How many bytes `value` has as a varint; writes them where `to` is not NULL. */
unsigned nrpc_field_varint(uint8_t *to, uint32_t value);

/* Whether two texts are the same. */
int nrpc_text_is(struct nrpc_text text, const void *other, size_t n);

#endif
