/* boards/mps2_an385/board.c - Arm MPS2 with AN385: clock, UART0 and the station's address.
 * Layer: board. Source: Arm DAI 0385 (memory map), Cortex-M System Design Kit manual (UART).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../net/net.h"
#include "../drivers/lan9118.h"

#define CLOCK_HZ 25000000u

#define UART0_DATA REG(0x40004000u)
#define UART0_STATE REG(0x40004004u)
#define UART0_CTRL REG(0x40004008u)
#define UART0_BAUDDIV REG(0x40004010u)
#define UART_TX_FULL 0x1u
#define UART_TX_ON 0x1u

/* Locally administered. */
static const uint8_t mac_address[6] = {0x02, 0x52, 0x50, 0x43, 0x03, 0x85};

void board_putc(char c)
{
    while ((UART0_STATE & UART_TX_FULL) != 0) {
    }
    UART0_DATA = (uint8_t)c;
}

const uint8_t *board_station(void)
{
    return mac_address;
}

void board_init(void)
{
    UART0_BAUDDIV = CLOCK_HZ / 115200u;
    UART0_CTRL = UART_TX_ON;
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
    if (lan9118_start(mac_address) != 0) {
        board_panic("no LAN9118");
    }
    net_start(&lan9118_driver);
}

void board_poll(void)
{
    net_poll();
}
