/* boards/lm3s811evb/board.c - EK-LM3S811: clock, UART0 (the link, by the kit's USB bridge), LED.
 * Layer: board. Source: TI LM3S811 data sheet (SPMS150), EK-LM3S811 user's manual.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../uart.h"

#define CLOCK_HZ 50000000u

#define SYSCTL_RIS REG(0x400FE050u)
#define SYSCTL_MISC REG(0x400FE058u)
#define SYSCTL_RCC REG(0x400FE060u)
#define SYSCTL_RCGC1 REG(0x400FE104u)
#define SYSCTL_RCGC2 REG(0x400FE108u)

#define PLL_LOCKED 0x40u

#define RCC_SYSDIV_MASK (0xFu << 23)
#define RCC_SYSDIV_4 (3u << 23) /* 200 MHz from the PLL / 4 */
#define RCC_USESYSDIV (1u << 22)
#define RCC_PWRDN (1u << 13)
#define RCC_OEN (1u << 12)
#define RCC_BYPASS (1u << 11)
#define RCC_XTAL_MASK (0xFu << 6)
#define RCC_XTAL_6MHZ (0xBu << 6)
#define RCC_OSCSRC_MASK (3u << 4)
#define RCC_MOSCDIS 1u

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

static void spin(uint32_t loops)
{
    for (; loops != 0; loops--) {
        __asm__ volatile("nop");
    }
}

/* 6 MHz crystal, PLL at 200 MHz, / 4. The divisor is written while the PLL is bypassed, and the
 * bypass is left in a write of its own. */
static void start_clock(void)
{
    uint32_t rcc = (SYSCTL_RCC | RCC_BYPASS) & ~RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    rcc &= ~RCC_MOSCDIS;
    SYSCTL_RCC = rcc;
    spin(60000); /* the crystal: some 20 ms at 12 MHz */
    rcc = (rcc & ~(RCC_XTAL_MASK | RCC_OSCSRC_MASK)) | RCC_XTAL_6MHZ;
    SYSCTL_MISC = PLL_LOCKED; /* clears what an earlier lock left */
    rcc &= ~(RCC_PWRDN | RCC_OEN);
    SYSCTL_RCC = rcc;
    spin(16);
    rcc = (rcc & ~RCC_SYSDIV_MASK) | RCC_SYSDIV_4 | RCC_USESYSDIV;
    SYSCTL_RCC = rcc;
    for (uint32_t i = 0; (SYSCTL_RIS & PLL_LOCKED) == 0 && i < 100000; i++) {
    }
    SYSCTL_RCC = rcc & ~RCC_BYPASS;
    spin(16);
}

static void start_pins(void)
{
    SYSCTL_RCGC1 |= RCGC1_UART0;
    SYSCTL_RCGC2 |= RCGC2_GPIOA | RCGC2_GPIOC;
    (void)SYSCTL_RCGC2;
    spin(CLOCK_HZ / 1000u); /* modules answer after a few clocks */
    GPIOA_AFSEL |= 0x03u;   /* PA0, PA1: UART0 */
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
    cortexm_irq_enable(BOARD_IRQ);
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

/* No network, so no address of its own; something of the board for board_entropy. */
const uint8_t *board_station(void)
{
    static const uint8_t none[6] = {0x02, 0x38, 0x31, 0x31, 0x00, 0x01};
    return none;
}

void board_init(void)
{
    start_clock();
    start_pins();
    start_uart();
    cortexm_clock_start(CLOCK_HZ);
    cortexm_irq_on();
    GPIOC_STATUS_LED = 1;
}
