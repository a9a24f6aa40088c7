/* boards/sifive_e/board.c - SiFive HiFive1: clock, UART0 (the link: GPIO 16, 17).
 * Layer: board. Source: SiFive FE310-G000 and G002 manuals: 6 clocks, 17 GPIO, 18 UART; HiFive1
 * schematics.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../riscv/riscv.h"
#include "../uart.h"

#define CLOCK_HZ 16000000u

#define HFROSC_CFG REG(0x10008000u)
#define HFXOSC_CFG REG(0x10008004u)
#define PLL_CFG REG(0x10008008u)
#define PLL_OUTDIV REG(0x1000800Cu)
#define GPIO_IOF_EN REG(0x10012038u)
#define GPIO_IOF_SEL REG(0x1001203Cu)
#define UART0_TXDATA REG(0x10013000u)
#define UART0_RXDATA REG(0x10013004u)
#define UART0_TXCTRL REG(0x10013008u)
#define UART0_RXCTRL REG(0x1001300Cu)
#define UART0_IE REG(0x10013010u)
#define UART0_DIV REG(0x10013018u)

#define OSC_ENABLE (1u << 30)
#define OSC_READY (1u << 31)
#define PLL_SELECT (1u << 16)  /* the processor runs on what the PLL gives */
#define PLL_CRYSTAL (1u << 17) /* which comes from the crystal */
#define PLL_BYPASS (1u << 18)  /* as it is */
#define PLL_OUTDIV_1 (1u << 8)
#define PINS_UART0 (3u << 16)
#define TX_FULL (1u << 31)
#define RX_EMPTY (1u << 31)
#define UART_ON 1u
#define IE_RECEIVE 2u

/* The board's 32.768 kHz; QEMU's machine counts faster, whatever the chip's manual says. */
#define TIMER_HZ 32768u
#define TIMER_HZ_QEMU 10000000u
#define TIMER_TICKS 8u
#define TIMER_LOOPS 80u

/* The 16 MHz crystal as it is: flash, from which the processor reads, follows without settings. */
static void start_clock(void)
{
    HFXOSC_CFG = OSC_ENABLE;
    for (uint32_t i = 0; (HFXOSC_CFG & OSC_READY) == 0 && i < 1000000u; i++) {
    }
    PLL_OUTDIV = PLL_OUTDIV_1;
    PLL_CFG = PLL_BYPASS | PLL_CRYSTAL;
    PLL_CFG |= PLL_SELECT;
    HFROSC_CFG &= ~OSC_ENABLE;
}

/* At 16 MHz a tick of 32.768 kHz is 488 cycles, and a turn of this loop some 20: more than 100
 * turns for 8 ticks. At 10 MHz a turn, with its read of a device, takes an emulator some ticks. */
static uint32_t timer_hz(void)
{
    uint32_t loops = 0, last = RISCV_MTIME, now;
    do {
        now = RISCV_MTIME;
        loops++;
    } while (now - last < TIMER_TICKS);
    return loops > TIMER_LOOPS ? TIMER_HZ : TIMER_HZ_QEMU;
}

static void start_uart(void)
{
    GPIO_IOF_SEL &= ~PINS_UART0;
    GPIO_IOF_EN |= PINS_UART0;
    UART0_DIV = (CLOCK_HZ + BOARD_BAUD / 2u) / BOARD_BAUD - 1u;
    UART0_TXCTRL = UART_ON;
    UART0_RXCTRL = UART_ON; /* and an interrupt by more than 0 bytes */
    UART0_IE = IE_RECEIVE;
    cpu_irq_enable(BOARD_IRQ);
}

int board_uart_has_room(void)
{
    return (UART0_TXDATA & TX_FULL) == 0;
}

void board_uart_put(uint8_t byte)
{
    UART0_TXDATA = byte;
}

void board_isr(void)
{
    for (uint32_t got = UART0_RXDATA; (got & RX_EMPTY) == 0; got = UART0_RXDATA) {
        board_uart_got((uint8_t)got);
    }
}

void board_init(void)
{
    start_clock();
    start_uart();
    riscv_clock_start(timer_hz());
    cpu_irq_on();
}
