/* nanorpc/hpack/nrpc_hpack_keys.c - registered metadata keys: their names, a ring of their texts.
 * Layer: core; used with NRPC_METADATA_BYTES. Source: gRPC over HTTP2 "Custom-Metadata".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack_keys.h"

#include "nanorpc/server.h"

#if NRPC_METADATA_BYTES

/* NUL: the name has ended. */
static NRPC_NOINLINE void narrow(struct nrpc_hpack *hpack, uint8_t byte)
{
    const struct nrpc_server *server = hpack->server;
    hpack->key = (uint8_t)nrpc_narrow((const char *const *const *)server->keys, server->n_keys,
                                      hpack->key, hpack->name_bytes, (char)byte);
}

void nrpc_hpack_key_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    narrow(hpack, byte ? byte : '\1'); /* which no key has either */
}

unsigned nrpc_hpack_key_end(struct nrpc_hpack *hpack)
{
    narrow(hpack, '\0');
    return hpack->key < hpack->server->n_keys ? NRPC_T_KEY + (unsigned)hpack->key
                                              : (unsigned)NRPC_T_OTHER;
}

unsigned nrpc_hpack_key_static(const struct nrpc_hpack *hpack, uint32_t index)
{
    const struct nrpc_server *server = hpack->server;
    unsigned key = 0;
    while (key < server->n_keys && server->keys[key]->static_index != index) {
        key++;
    }
    return key < server->n_keys ? NRPC_T_KEY + key : (unsigned)NRPC_T_OTHER;
}

void nrpc_hpack_text_begin(struct nrpc_hpack *hpack)
{
    hpack->value = (uint32_t)hpack->text_end << 16;
}

void nrpc_hpack_text_add(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned n = hpack->value & 0xffff;
    if (n < NRPC_METADATA_BYTES) {
        hpack->text[(hpack->text_end + n) % NRPC_METADATA_BYTES] = byte;
        hpack->value++;
        return;
    }
    if (n == NRPC_METADATA_BYTES) { /* it has overwritten all that there was */
        hpack->text_end = (uint16_t)(hpack->text_end + NRPC_METADATA_BYTES + 1);
    }
    hpack->value = UINT32_MAX;
}

void nrpc_hpack_text_end(struct nrpc_hpack *hpack)
{
    hpack->text_end = (uint16_t)(hpack->text_end + hpack->value);
}

#endif
