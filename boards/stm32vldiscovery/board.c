/* boards/stm32vldiscovery/board.c - STM32VLDISCOVERY: clock, USART1 (the link), LED.
 * Layer: board. Source: ST RM0041 (STM32F100xx reference manual), UM0919 (the board).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../drivers/stm32.h"
#include "../uart.h"

#define CLOCK_HZ 24000000u

#define RCC_CR REG(0x40021000u)
#define RCC_CFGR REG(0x40021004u)
#define RCC_APB2ENR REG(0x40021018u)
#define GPIOA_CRH REG(0x40010804u)
#define GPIOC_CRH REG(0x40011004u)
#define GPIOC_BSRR REG(0x40011010u)

#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
#define CFGR_SW_PLL 2u
#define CFGR_SWS_MASK (3u << 2)
#define CFGR_SWS_PLL (2u << 2)
#define CFGR_HSE_3 ((1u << 16) | (1u << 18)) /* 8 MHz crystal * 3 */
#define CFGR_HSI_6 (4u << 18)                /* 8 MHz RC / 2 * 6 */
#define APB2_AFIO (1u << 0)
#define APB2_GPIOA (1u << 2)
#define APB2_GPIOC (1u << 4)
#define APB2_USART1 (1u << 14)

#define LED_GREEN (1u << 9) /* PC9 */

static int wait_for(volatile uint32_t *where, uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < 100000; i++) {
        if ((*where & mask) == value) {
            return 1;
        }
    }
    return 0;
}

/* The crystal, or without one the RC oscillator, whose 1 % a UART can bear; to 24 MHz, which flash
 * follows without wait states. */
static void start_clock(void)
{
    RCC_CR |= CR_HSEON;
    RCC_CFGR = wait_for(&RCC_CR, CR_HSERDY, CR_HSERDY) ? CFGR_HSE_3 : CFGR_HSI_6;
    RCC_CR |= CR_PLLON;
    (void)wait_for(&RCC_CR, CR_PLLRDY, CR_PLLRDY);
    RCC_CFGR |= CFGR_SW_PLL;
    (void)wait_for(&RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL);
}

static void start_pins(void)
{
    RCC_APB2ENR |= APB2_AFIO | APB2_GPIOA | APB2_GPIOC | APB2_USART1;
    (void)RCC_APB2ENR;
    GPIOA_CRH = (GPIOA_CRH & ~0xFF0u) | 0x4B0u; /* PA9: the USART's, 50 MHz; PA10: input */
    if (BOARD_RTS_CTS) {
        GPIOA_CRH = (GPIOA_CRH & ~0xFF000u) | 0xB4000u; /* PA11, CTS: input; PA12, RTS */
    }
    GPIOC_CRH = (GPIOC_CRH & ~0xF0u) | 0x20u; /* PC9: output, 2 MHz */
}

void board_init(void)
{
    start_clock();
    start_pins();
    stm32_usart_start(CLOCK_HZ, 1);
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
    GPIOC_BSRR = LED_GREEN;
}
