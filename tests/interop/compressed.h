/* tests/interop/compressed.h - what the two halves of the application for the compression cases share: protobuf by hand.
 * Layer: application. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef INTEROP_COMPRESSED_H
#define INTEROP_COMPRESSED_H

#include "nanorpc/nanorpc.h"

/* Bytes of a message, and connections; boards/apps/compressed.mk gives others. */
#ifndef COMPRESSED_BYTES
#define COMPRESSED_BYTES 2048
#endif
#ifndef COMPRESSED_CONNECTIONS
#define COMPRESSED_CONNECTIONS 2
#endif

struct reader {
    const uint8_t *at, *end;
    int is_bad;
};

/* The next field's number; its value stands in *value, or, if it has a length, in *inner. 0: there is none. */
unsigned read_field(struct reader *r, uint32_t *value, struct reader *inner);

/* The bytes of a Payload's body. */
uint32_t read_body(struct reader payload);

/* Each returns where it ends: a number; a field with a number; a field with the beginning of its n bytes; Payload with so many
 * zeros; BoolValue. */
uint8_t *put_varint(uint8_t *p, uint32_t value);
uint8_t *put_number(uint8_t *p, unsigned id, uint32_t value);
uint8_t *put_length(uint8_t *p, unsigned id, uint32_t n);
uint8_t *put_payload(uint8_t *p, unsigned id, uint32_t zeros);
uint8_t *put_bool(uint8_t *p, unsigned id, int value);

/* The client's half: /interop.Driver, and what it does when it is told to. */
extern const struct nrpc_service Driver;
#define Driver_REQUEST_BYTES 100
#define Driver_REPLY_BYTES 60
union Driver_request { uint8_t none; };
union Driver_reply { uint8_t none; };

#endif
