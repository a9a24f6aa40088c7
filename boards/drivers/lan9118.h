/* boards/drivers/lan9118.h - the LAN9118 (LAN9220 on the real board) beside the FPGA.
 * Layer: board. Source: SMSC LAN9118 data sheet.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_DRIVERS_LAN9118_H
#define BOARDS_DRIVERS_LAN9118_H

#include "../net/net.h"

extern const struct net_mac lan9118_driver;

/* Resets the chip, gives it `address` and starts it. Returns 0, or -1: no such chip answers. */
int lan9118_start(const uint8_t address[6]);

#endif
