/* boards/drivers/stm32_eth.h - the Ethernet MAC of STM32 F2, F4 and F7, with a PHY on RMII.
 * Layer: board. Source: ST RM0410 (F76x), RM0090 (F4): "Ethernet"; Microchip LAN8742A data sheet.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_DRIVERS_STM32_ETH_H
#define BOARDS_DRIVERS_STM32_ETH_H

#include "../net/net.h"

extern const struct net_mac stm32_eth_driver;

/* Resets the MAC, gives it `address` and starts it; the pins are the board's already. Its memory,
 * STM32_ETH_BYTES of it at -DSTM32_ETH_MEMORY_AT, must be one that no data cache stands before, and
 * not the linker's. Returns 0, or -1: the PHY's 50 MHz do not come. */
int stm32_eth_start(const uint8_t address[6]);
#define STM32_ETH_BYTES 12544

#endif
