/* boards/mps2_an385/board.c - Arm MPS2 with application note AN385: clock, UART0, and the test seed.
 * Layer: board. Source: Arm DAI 0385 (memory map), Cortex-M System Design Kit manual (UART).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../cortexm/net.h"
#include "mac.h"

#define CLOCK_HZ 25000000u

#define UART0_DATA REG(0x40004000u)
#define UART0_STATE REG(0x40004004u)
#define UART0_CTRL REG(0x40004008u)
#define UART0_BAUDDIV REG(0x40004010u)
#define UART_TX_FULL 0x1u
#define UART_TX_ON 0x1u

/* A named seed, the same in every image: for emulation and first steps, NOT SECURE. */
#ifndef BOARD_TEST_SEED
#define BOARD_TEST_SEED 0x4E525043u
#endif

/* Locally administered. */
static const uint8_t mac_address[6] = {0x02, 0x52, 0x50, 0x43, 0x03, 0x85};

void board_putc(char c)
{
    while ((UART0_STATE & UART_TX_FULL) != 0) {
    }
    UART0_DATA = (uint8_t)c;
}

int board_entropy(void *buf, size_t n)
{
    static uint32_t drawn;
    uint8_t *out = buf;
    for (size_t i = 0; i < n; i++) {
        uint32_t x = BOARD_TEST_SEED + ++drawn * 0x9E3779B9u + board_now_ms();
        x = (x ^ (x >> 16) ^ mac_address[drawn % 6]) * 0x85EBCA6Bu;
        out[i] = (uint8_t)(x >> 24);
    }
    return 0;
}

void board_init(void)
{
    UART0_BAUDDIV = CLOCK_HZ / 115200u;
    UART0_CTRL = UART_TX_ON;
    cortexm_clock_start(CLOCK_HZ);
    cortexm_irq_on();
    if (mac_start(mac_address) != 0) {
        board_panic("no LAN9118");
    }
    net_start(&mac_driver, mac_address);
}

void board_poll(void)
{
    net_poll();
}
