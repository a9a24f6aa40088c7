/* boards/mps2_an385/mac.h - the LAN9118 (LAN9220 on the real board) beside the FPGA.
 * Layer: board. Source: SMSC LAN9118 data sheet.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_MPS2_AN385_MAC_H
#define BOARDS_MPS2_AN385_MAC_H

#include "../cortexm/net.h"

extern const struct net_mac mac_driver;

/* Resets the chip, gives it `address` and starts it. Returns 0, or -1: no such chip answers. */
int mac_start(const uint8_t address[6]);

#endif
