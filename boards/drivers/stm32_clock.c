/* boards/drivers/stm32_clock.c - clock tree and pins of STM32 F2, F4 and F7.
 * Layer: board. Source: ST RM0090, RM0383, RM0410: "Flash", "PWR", "RCC", "GPIO"; data sheets'
 * limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stm32.h"

#define FLASH_ACR REG(0x40023C00u)
#define PWR_CR REG(0x40007000u)
#define PWR_CSR REG(0x40007004u)
#define RCC_CR REG(0x40023800u)
#define RCC_PLLCFGR REG(0x40023804u)
#define RCC_CFGR REG(0x40023808u)
#define GPIO(port, offset) REG(0x40020000u + 0x400u * (uint32_t)((port) - 'A') + (offset))
#define GPIO_MODER(port) GPIO(port, 0x00u)
#define GPIO_OSPEEDR(port) GPIO(port, 0x08u)
#define GPIO_AFR(port, pin) GPIO(port, 0x20u + 4u * ((pin) / 8u))

#define ACR_LATENCY 0xFu
#define PWR_SCALE_1 (3u << 14)
#define PWR_OVERDRIVE (1u << 16)
#define PWR_OVERDRIVE_SWITCH (1u << 17)
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_HSEBYP (1u << 18)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
#define PLLCFGR_HSE (1u << 22)
#define CFGR_SW_PLL 2u
#define CFGR_SWS_PLL (2u << 2)

/* The slowest, a crystal, takes some milliseconds. Returns 1 when the bits are set. */
static int wait_for(volatile uint32_t *where, uint32_t bits)
{
    for (uint32_t i = 0; i < 50000u; i++) {
        if ((*where & bits) == bits) {
            return 1;
        }
    }
    return 0;
}

static void start_overdrive(void)
{
    PWR_CR |= PWR_OVERDRIVE;
    (void)wait_for(&PWR_CSR, PWR_OVERDRIVE);
    PWR_CR |= PWR_OVERDRIVE_SWITCH;
    (void)wait_for(&PWR_CSR, PWR_OVERDRIVE_SWITCH);
}

/* Flash must be slow enough before the clock is fast, and the regulator strong enough. */
void stm32_clock_start(const struct stm32_clock *clock)
{
    uint32_t m = clock->m, source = PLLCFGR_HSE;
    STM32_RCC_APB1ENR |= STM32_APB1_PWR;
    if (clock->scale_1) {
        PWR_CR |= PWR_SCALE_1;
    }
    if (clock->bypass) {
        RCC_CR |= CR_HSEBYP;
    }
    RCC_CR |= CR_HSEON;
    if (!wait_for(&RCC_CR, CR_HSERDY)) {
        m = clock->m_internal; /* whose 1 % a UART can bear */
        source = 0;
    }
    RCC_PLLCFGR = source | m | (uint32_t)clock->n << 6 | (clock->p / 2u - 1u) << 16 |
                  (uint32_t)clock->q << 24;
    RCC_CR |= CR_PLLON;
    if (clock->overdrive) {
        start_overdrive();
    }
    FLASH_ACR = (FLASH_ACR & ~ACR_LATENCY) | clock->latency | (uint32_t)clock->caches << 8;
    RCC_CFGR = (uint32_t)clock->apb1 << 10 | (uint32_t)clock->apb2 << 13;
    if (wait_for(&RCC_CR, CR_PLLRDY)) {
        RCC_CFGR |= CFGR_SW_PLL;
        (void)wait_for(&RCC_CFGR, CFGR_SWS_PLL);
    }
}

void stm32_pin_function(char port, unsigned pin, unsigned function)
{
    unsigned two = 2u * pin, four = 4u * (pin % 8u);
    STM32_RCC_AHB1ENR |= 1u << (port - 'A');
    (void)STM32_RCC_AHB1ENR; /* the port answers two clocks later */
    GPIO_AFR(port, pin) = (GPIO_AFR(port, pin) & ~(0xFu << four)) | (uint32_t)function << four;
    GPIO_OSPEEDR(port) |= 3u << two;
    GPIO_MODER(port) = (GPIO_MODER(port) & ~(3u << two)) | 2u << two;
}
