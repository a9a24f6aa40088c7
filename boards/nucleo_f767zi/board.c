/* boards/nucleo_f767zi/board.c - ST NUCLEO-F767ZI: clock 216 MHz, RMII, USART3 (ST-Link's serial
 * port), LED. Layer: board. Source: ST RM0410, DS11532 (STM32F767 data sheet), UM1974 (the board),
 * AN4839 (caches).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../cortexm/cortexm.h"
#include "../drivers/stm32.h"
#include "../drivers/stm32_eth.h"
#include "../net/net.h"

#define CLOCK_HZ 216000000u
#define APB1_HZ (CLOCK_HZ / 4u)
#define APB1_USART3 (1u << 18)
#define FUNCTION_USART3 7u
#define FUNCTION_ETH 11u
#define AHB1_GPIOB (1u << 1)
#define GPIOB_MODER REG(0x40020400u)
#define GPIOB_BSRR REG(0x40020418u)
#define LED_GREEN 0u /* PB0 */
#define UNIQUE_ID(word) REG(0x1FF0F420u + 4u * (word))

#define SCB_ICIALLU REG(0xE000EF50u)
#define CCR_INSTRUCTION_CACHE (1u << 17)

/* The ST-Link's 8 MHz / 4 * 216 / 2. Brown-out: the chip resets below 1.7 V; a higher level is an
 * option byte, which firmware leaves as it is. */
static const struct stm32_clock clock = {
    .bypass = 1,
    .overdrive = 1,
    .caches = STM32_FLASH_F7,
    .latency = 7,
    .m = 4,
    .m_internal = 8,
    .n = 216,
    .p = 2,
    .q = 9,
    .apb1 = STM32_APB_4,
    .apb2 = STM32_APB_2,
};

static uint8_t mac_address[6] = {0x02, 0x52, 0x50};

void board_putc(char c)
{
    while (!stm32_usart_has_room()) {
    }
    stm32_usart_put((uint8_t)c);
}

const uint8_t *board_station(void)
{
    return mac_address;
}

/* Instructions alone: with the data cache off, the MAC and the processor see the same memory. */
static void start_cache(void)
{
    SCB_ICIALLU = 0;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    CORTEXM_SCB_CCR |= CCR_INSTRUCTION_CACHE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* UM1974, "Ethernet": the pins of the solder bridges as delivered. */
static void start_pins(void)
{
    static const struct {
        char port;
        uint8_t pin;
    } rmii[] = {
        {'A', 1}, {'A', 2}, {'A', 7},  {'B', 13}, {'C', 1}, /* REF_CLK MDIO CRS_DV TXD1 MDC */
        {'C', 4}, {'C', 5}, {'G', 11}, {'G', 13},           /* RXD0 RXD1 TX_EN TXD0 */
    };
    for (unsigned i = 0; i < sizeof rmii / sizeof rmii[0]; i++) {
        stm32_pin_function(rmii[i].port, rmii[i].pin, FUNCTION_ETH);
    }
    stm32_pin_function('D', 8, FUNCTION_USART3); /* out */
    stm32_pin_function('D', 9, FUNCTION_USART3); /* in */
    STM32_RCC_AHB1ENR |= AHB1_GPIOB;
    GPIOB_MODER |= 1u << (2u * LED_GREEN);
}

/* The board has no address of its own: one that is locally administered, by the chip's number. */
static void make_address(void)
{
    uint32_t id = UNIQUE_ID(0) ^ UNIQUE_ID(1) * 31u ^ UNIQUE_ID(2) * 961u;
    for (unsigned i = 0; i < 3; i++) {
        mac_address[3 + i] = (uint8_t)(id >> (8 * i) ^ id >> 24);
    }
}

void board_init(void)
{
    start_cache();
    stm32_clock_start(&clock);
    start_pins();
    STM32_RCC_APB1ENR |= APB1_USART3;
    stm32_usart_start(APB1_HZ, 0);
    cortexm_clock_start(CLOCK_HZ);
    cpu_irq_on();
    make_address();
    if (stm32_eth_start(mac_address) != 0) {
        board_panic("no Ethernet: the PHY gives no clock");
    }
    net_start(&stm32_eth_driver);
    GPIOB_BSRR = 1u << LED_GREEN;
}

void board_poll(void)
{
    net_poll();
}
