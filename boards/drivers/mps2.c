/* boards/drivers/mps2.c - Arm MPS2 and MPS3 boards, whatever core the FPGA has: clock, UART,
 * address. Layer: board. Source: Cortex-M System Design Kit manual (UART); the boards' notes say
 * where all is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../net/net.h"
#include "lan9118.h"

#if !defined(MPS2_NOTE) || !defined(MPS2_UART_AT) || !defined(BOARD_CLOCK_HZ)
#error "board.mk must say -DMPS2_NOTE=, -DMPS2_UART_AT= and -DBOARD_CLOCK_HZ="
#endif

#define UART_DATA REG(MPS2_UART_AT)
#define UART_STATE REG(MPS2_UART_AT + 4u)
#define UART_CTRL REG(MPS2_UART_AT + 8u)
#define UART_BAUDDIV REG(MPS2_UART_AT + 0x10u)
#define UART_TX_FULL 0x1u
#define UART_TX_ON 0x1u

/* Locally administered; its end is the application note's number, its digits taken for hexadecimal.
 */
static const uint8_t mac_address[6] = {0x02, 0x52, 0x50, 0x43, MPS2_NOTE >> 8, MPS2_NOTE & 0xff};

void board_putc(char c)
{
    while ((UART_STATE & UART_TX_FULL) != 0) {
    }
    UART_DATA = (uint8_t)c;
}

const uint8_t *board_station(void)
{
    return mac_address;
}

void board_init(void)
{
    UART_BAUDDIV = BOARD_CLOCK_HZ / 115200u;
    UART_CTRL = UART_TX_ON;
    cortexm_clock_start(BOARD_CLOCK_HZ);
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
