/* boards/net/arch/cc.h - what lwIP asks of a compiler and a platform: next to nothing here.
 * Layer: board.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_NET_ARCH_CC_H
#define BOARDS_NET_ARCH_CC_H

#include <stdint.h>

/* boards/net/net.c; begins with what board_entropy gave. */
uint32_t net_random(void);

/* boards/net/checksum.c: the sum of n bytes at any address, not yet inverted, RFC 1071 4.1, as
 * 16-bit numbers in the order of memory. n: 0..65535. */
uint16_t net_checksum(const void *data, int n);

#define LWIP_RAND() net_random()
#define LWIP_CHKSUM net_checksum
#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_NO_STDIO_H 1
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H 1

#endif
