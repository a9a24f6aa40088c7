/* boards/lm3s6965evb/board.c - EK-LM3S6965: clocks, UART0, LEDs and the station's address.
 * Layer: board. Source: TI LM3S6965 data sheet (SPMS128), EK-LM3S6965 user's manual.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../net/net.h"
#include "../drivers/stellaris.h"
#include "mac.h"

#define CLOCK_HZ 50000000u

#define SYSCTL_DID0 REG(0x400FE000u)
#define SYSCTL_LDOPCTL REG(0x400FE034u)
#define SYSCTL_RCGC1 REG(0x400FE104u)
#define SYSCTL_RCGC2 REG(0x400FE108u)
#define SYSCTL_USER_REG0 REG(0x400FE1E0u)
#define SYSCTL_USER_REG1 REG(0x400FE1E4u)

#define DID0_REVISION 0xFFFFu
#define DID0_REVISION_A2 0x0002u
#define LDO_2_75V 0x1Bu
#define RCGC1_UART0 (1u << 0)
#define RCGC2_GPIOA (1u << 0)
#define RCGC2_GPIOF (1u << 5)
#define RCGC2_EMAC0 (1u << 28)
#define RCGC2_EPHY0 (1u << 30)

#define GPIOA_AFSEL REG(0x40004420u)
#define GPIOA_DEN REG(0x4000451Cu)
/* PF0 alone: the address masks the others. */
#define GPIOF_STATUS_LED REG(0x40025000u + (1u << 2))
#define GPIOF_DIR REG(0x40025400u)
#define GPIOF_AFSEL REG(0x40025420u)
#define GPIOF_DEN REG(0x4002551Cu)

#define UART0_DR REG(0x4000C000u)
#define UART0_FR REG(0x4000C018u)
#define UART0_IBRD REG(0x4000C024u)
#define UART0_FBRD REG(0x4000C028u)
#define UART0_LCRH REG(0x4000C02Cu)
#define UART0_CTL REG(0x4000C030u)
#define UART_TX_FULL 0x20u

static uint8_t mac_address[6];

static void start_clock(void)
{
    if ((SYSCTL_DID0 & DID0_REVISION) == DID0_REVISION_A2) {
        SYSCTL_LDOPCTL = LDO_2_75V; /* erratum of revision A2: the PLL wants it */
    }
    stellaris_clock_start(STELLARIS_8MHZ);
}

static void start_pins(void)
{
    SYSCTL_RCGC1 |= RCGC1_UART0;
    SYSCTL_RCGC2 |= RCGC2_GPIOA | RCGC2_GPIOF | RCGC2_EMAC0 | RCGC2_EPHY0;
    (void)SYSCTL_RCGC2;
    stellaris_spin(CLOCK_HZ / 1000u); /* some ms: modules answer after a few clocks, the PHY later
                                       */
    GPIOA_AFSEL |= 0x03u;             /* PA0, PA1: UART0 */
    GPIOA_DEN |= 0x03u;
    GPIOF_AFSEL |= 0x0Cu; /* PF2, PF3: the PHY's LED1 (traffic) and LED0 (link) */
    GPIOF_DIR |= 0x01u;   /* PF0: status LED */
    GPIOF_DEN |= 0x0Du;
    GPIOF_STATUS_LED = 0;
}

/* 115200 8N1: 50 MHz / 16 / 115200 = 27 + 8 / 64 */
static void start_uart(void)
{
    UART0_CTL = 0;
    UART0_IBRD = 27;
    UART0_FBRD = 8;
    UART0_LCRH = 0x70;  /* 8 bits, FIFOs; this write makes the divisors count */
    UART0_CTL = 0x101u; /* on, transmit */
}

void board_putc(char c)
{
    while ((UART0_FR & UART_TX_FULL) != 0) {
    }
    UART0_DR = (uint8_t)c;
}

/* The evaluation kit has its address in the user registers; a bare chip has ones there. */
static void find_address(void)
{
    uint32_t low = SYSCTL_USER_REG0, high = SYSCTL_USER_REG1;
    if (low == 0xFFFFFFFFu || high == 0xFFFFFFFFu) {
        low = 0x505202u; /* locally administered: 02:52:50:43:00:01 */
        high = 0x010043u;
    }
    for (unsigned i = 0; i < 3; i++) {
        mac_address[i] = (uint8_t)(low >> (8 * i));
        mac_address[3 + i] = (uint8_t)(high >> (8 * i));
    }
}

const uint8_t *board_station(void)
{
    return mac_address;
}

void board_init(void)
{
    start_clock();
    start_pins();
    start_uart();
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
    find_address();
    mac_start(mac_address);
    net_start(&mac_driver);
    GPIOF_STATUS_LED = 1;
}

void board_poll(void)
{
    net_poll();
}
