/* ports/mbedtls/nrpc_tls_link.h - the filter, as ports/nrpc_link.h calls it; defined with NRPC_TLS.
 * Layer: port, internal to ports. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_LINK_H
#define NRPC_TLS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "nanorpc/config.h"

NRPC_BEGIN_C

struct nrpc_conn;

/* As the functions of nanorpc/conn.h with these ends to their names; the bytes are those of TLS. */
int nrpc_tls_begin(struct nrpc_conn *conn, uint32_t now_ms);
size_t nrpc_tls_receive(struct nrpc_conn *conn, const void *data, size_t n, uint32_t now_ms);
size_t nrpc_tls_transmit(struct nrpc_conn *conn, void *buf, size_t room);
uint32_t nrpc_tls_tick(struct nrpc_conn *conn, uint32_t now_ms);
int nrpc_tls_closing(const struct nrpc_conn *conn);
void nrpc_tls_lost(struct nrpc_conn *conn);

NRPC_END_C

#endif
