/* boards/lm3s6965evb/mac.h - the Stellaris' own Ethernet MAC and PHY.
 * Layer: board. Source: TI LM3S6965 data sheet (SPMS128), chapter "Ethernet Controller".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_LM3S6965EVB_MAC_H
#define BOARDS_LM3S6965EVB_MAC_H

#include "../net/net.h"

extern const struct net_mac mac_driver;

/* Starts receiving and transmitting as `address`. The module's clocks run. */
void mac_start(const uint8_t address[6]);

#endif
