/* nanorpc/hpack/nrpc_hpack_keys.c - registered metadata keys: which of them a name is.
 * Layer: core; used with NRPC_METADATA_BYTES. Source: gRPC over HTTP2 "Custom-Metadata".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack_keys.h"

#include "nanorpc/server.h"

#if NRPC_METADATA_BYTES

NRPC_NOINLINE void nrpc_hpack_key_narrow(struct nrpc_hpack *hpack, uint8_t byte)
{
    const struct nrpc_server *server = hpack->server;
    hpack->key = (uint8_t)nrpc_narrow((const char *const *const *)server->keys, server->n_keys,
                                      hpack->key, (unsigned)hpack->name_bytes, (char)byte);
}

unsigned nrpc_hpack_key_end(struct nrpc_hpack *hpack)
{
    nrpc_hpack_key_narrow(hpack, '\0');
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

#endif
