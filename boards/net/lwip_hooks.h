/* boards/net/lwip_hooks.h - the functions by which lwIP asks net.c.
 * Layer: board. Source: RFC 6528.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_NET_LWIP_HOOKS_H
#define BOARDS_NET_LWIP_HOOKS_H

#include "lwip/ip_addr.h"

/* A new connection's first sequence number: a keyed hash of its four numbers, plus a clock. */
u32_t net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote,
                  u16_t remote_port);

#endif
