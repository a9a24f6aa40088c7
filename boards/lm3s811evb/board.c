/* boards/lm3s811evb/board.c - EK-LM3S811: clock, UART0 (the link, by the kit's USB bridge), LED.
 * Layer: board. Source: TI LM3S811 data sheet (SPMS150), EK-LM3S811 user's manual.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../drivers/stellaris.h"
#include "../uart.h"

#define CLOCK_HZ 50000000u

#define SYSCTL_RCGC1 REG(0x400FE104u)
#define SYSCTL_RCGC2 REG(0x400FE108u)

#define RCGC1_UART0 (1u << 0)
#define RCGC2_GPIOA (1u << 0)
#define RCGC2_GPIOC (1u << 2)

#define GPIOA_AFSEL REG(0x40004420u)
#define GPIOA_DEN REG(0x4000451Cu)
/* PC5 alone: the address masks the others. */
#define GPIOC_STATUS_LED REG(0x40006000u + (1u << 5 << 2))
#define GPIOC_DIR REG(0x40006400u)
#define GPIOC_DEN REG(0x4000651Cu)

#define UART0_DR REG(0x4000C000u)
#define UART0_FR REG(0x4000C018u)
#define UART0_IBRD REG(0x4000C024u)
#define UART0_FBRD REG(0x4000C028u)
#define UART0_LCRH REG(0x4000C02Cu)
#define UART0_CTL REG(0x4000C030u)
#define UART0_IFLS REG(0x4000C034u)
#define UART0_IM REG(0x4000C038u)
#define UART0_ICR REG(0x4000C044u)
#define UART_TX_FULL 0x20u
#define UART_RX_EMPTY 0x10u
#define UART_IM_RX 0x50u /* the FIFO's level, and what waits in it for a while */

static void start_pins(void)
{
    SYSCTL_RCGC1 |= RCGC1_UART0;
    SYSCTL_RCGC2 |= RCGC2_GPIOA | RCGC2_GPIOC;
    (void)SYSCTL_RCGC2;
    stellaris_spin(CLOCK_HZ / 1000u); /* modules answer after a few clocks */
    GPIOA_AFSEL |= 0x03u;             /* PA0, PA1: UART0 */
    GPIOA_DEN |= 0x03u;
    GPIOC_DIR |= 0x20u; /* PC5: status LED */
    GPIOC_DEN |= 0x20u;
    GPIOC_STATUS_LED = 0;
}

static void start_uart(void)
{
    const uint32_t divisor = (CLOCK_HZ * 4u + BOARD_BAUD / 2u) / BOARD_BAUD; /* in 64ths */
    UART0_CTL = 0;
    UART0_IBRD = divisor >> 6;
    UART0_FBRD = divisor & 63u;
    UART0_LCRH = 0x70; /* 8 bits, FIFOs; this write makes the divisors count */
    UART0_IFLS = 0x12; /* half full, either way */
    UART0_IM = UART_IM_RX;
    UART0_CTL = 0x301u; /* on, receive and transmit */
    cpu_irq_enable(BOARD_IRQ);
}

int board_uart_has_room(void)
{
    return (UART0_FR & UART_TX_FULL) == 0;
}

void board_uart_put(uint8_t byte)
{
    UART0_DR = byte;
}

void board_isr(void)
{
    UART0_ICR = UART_IM_RX;
    while ((UART0_FR & UART_RX_EMPTY) == 0) {
        board_uart_got((uint8_t)UART0_DR); /* errors too: the check sequence finds them */
    }
}

void board_init(void)
{
    stellaris_clock_start(STELLARIS_6MHZ);
    start_pins();
    start_uart();
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
    GPIOC_STATUS_LED = 1;
}
