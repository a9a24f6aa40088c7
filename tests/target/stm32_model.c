/* tests/target/stm32_model.c - a model of the STM32's Ethernet MAC and random number generator.
 * Layer: tests. Source: ST RM0410: "Ethernet (ETH)": DMA, descriptors; "RNG". It shares nothing
 * with the driver.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stm32_model.h"

#include <string.h>

#include "boards/board.h"
#include "boards/cpu.h"

#define ETH 0x40028000u
#define SYSCFG_PMC 0x40013804u
#define AHB1RSTR 0x40023810u
#define AHB1ENR 0x40023830u
#define RNG_CR 0x50060800u
#define RNG_SR 0x50060804u
#define RNG_DR 0x50060808u
#define UNTOUCHED 0xFFFFFFFFu /* of registers that a write of anything pokes */

#define OWN (1u << 31)

struct model model;
uint8_t model_memory[MODEL_MEMORY] __attribute__((aligned(16)));

static struct {
    uint32_t address;
    volatile uint32_t value;
} others[32];
static volatile uint32_t eth[0x1100 / 4];
static uint32_t status, shown; /* DMASR, and what was put there to be read */
static uint32_t rx_next, tx_next;
static int rx_stopped, tx_stopped;
static uint32_t random_state;

static volatile uint32_t *at(uint32_t address)
{
    if (address - ETH < sizeof eth) {
        return &eth[(address - ETH) / 4];
    }
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].address == address || others[i].address == 0) {
            others[i].address = address;
            return &others[i].value;
        }
    }
    __builtin_trap();
}

uint32_t model_peek(uint32_t address)
{
    return *at(address);
}

/* A descriptor by its address, which must be one of the rings' memory. */
static volatile uint32_t *descriptor(uint32_t address)
{
    uint32_t offset = address - (uint32_t)(uintptr_t)model_memory;
    if (offset > MODEL_MEMORY - 16 || address % 4 != 0) {
        model.fatal++;
        __builtin_trap();
    }
    return (volatile uint32_t *)(void *)(model_memory + offset);
}

static uint8_t *buffer(uint32_t address, uint32_t n)
{
    uint32_t offset = address - (uint32_t)(uintptr_t)model_memory;
    if (offset > MODEL_MEMORY - n) {
        model.fatal++;
        __builtin_trap();
    }
    return model_memory + offset;
}

static void send_all(void)
{
    while (!tx_stopped && !model.is_busy && (*at(ETH + 0x1018u) & (1u << 13)) != 0) {
        volatile uint32_t *d = descriptor(tx_next);
        uint32_t n = d[1] & 0x1FFFu;
        if ((d[0] & OWN) == 0) {
            tx_stopped = 1;
            status |= 1u << 2;
            return;
        }
        if ((d[0] & (7u << 28)) != (3u << 28) || (d[0] & (1u << 20)) == 0) {
            model.fatal++; /* not a whole frame in a chained descriptor */
        }
        if (model.sent < MODEL_SENT) {
            memcpy(model.frames[model.sent].bytes, buffer(d[2], n), n);
            model.frames[model.sent].n = n;
        }
        model.sent++;
        d[0] &= ~OWN;
        tx_next = d[3];
    }
}

static void step_mii(void)
{
    uint32_t how = *at(ETH + 0x10u);
    if ((how & 1u) != 0) {
        uint16_t *reg = &model.phy[how >> 6 & 31u];
        if ((how >> 11 & 31u) != 0 || (how >> 2 & 7u) != 4u) {
            model.fatal++; /* another PHY, or a clock that is too fast for it */
        } else if ((how & 2u) != 0) {
            *reg = (uint16_t)*at(ETH + 0x14u);
        } else {
            *at(ETH + 0x14u) = *reg;
        }
        *at(ETH + 0x10u) = how & ~1u;
    }
}

static void step_dma(void)
{
    volatile uint32_t *sr = at(ETH + 0x1014u);
    if ((*at(ETH + 0x1000u) & 1u) != 0 && !model.no_clock) {
        *at(ETH + 0x1000u) &= ~1u;
    }
    if (*sr != shown) { /* written: ones clear */
        status &= ~*sr;
    }
    if (*at(ETH + 0x1004u) != UNTOUCHED) {
        tx_stopped = 0;
    }
    if (*at(ETH + 0x1008u) != UNTOUCHED) {
        rx_stopped = 0;
    }
    *at(ETH + 0x1004u) = *at(ETH + 0x1008u) = UNTOUCHED;
    if (rx_next == 0 && (*at(ETH + 0x1018u) & 0x2002u) != 0) { /* started */
        rx_next = *at(ETH + 0x100Cu);
        tx_next = *at(ETH + 0x1010u);
    }
    send_all();
    shown = *sr = status | 3u << 17; /* and the receiver's state, which is never 0 while it runs */
}

static void step_others(void)
{
    int in_reset = (*at(AHB1RSTR) & (1u << 25)) != 0;
    if ((*at(SYSCFG_PMC) & (1u << 23)) != 0 && in_reset && (*at(AHB1ENR) & (7u << 25)) == 0) {
        model.mode_in_reset = 1;
    }
    *at(RNG_SR) = model.rng_status | ((*at(RNG_CR) & 4u) != 0 && !model.rng_not_ready);
    if (!model.rng_repeats) {
        random_state = random_state * 1664525u + 1013904223u;
    }
    *at(RNG_DR) = random_state;
}

volatile uint32_t *model_register(uint32_t address)
{
    step_mii();
    step_dma();
    step_others();
    return at(address);
}

void model_frame(const uint8_t *bytes, size_t n, int error)
{
    uint32_t first = 1u << 9, done = 0, total = (uint32_t)n + 4u;
    (void)model_register(ETH);
    if (rx_stopped || (*at(ETH + 0x1018u) & 2u) == 0) {
        model.lost++;
        return;
    }
    while (done < total) {
        volatile uint32_t *d = descriptor(rx_next);
        uint32_t room = d[1] & 0x1FFFu, part = total - done < room ? total - done : room;
        uint8_t *to = buffer(d[2], part);
        if ((d[0] & OWN) == 0) {
            rx_stopped = 1;
            status |= 1u << 7;
            model.lost++;
            return;
        }
        for (uint32_t i = 0; i < part; i++) {
            to[i] = done + i < n ? bytes[done + i] : 0xCC; /* the checksum */
        }
        done += part;
        d[0] = first | (done == total ? total << 16 | 1u << 8 | (error ? 0x8002u : 0u) : 0u);
        first = 0;
        rx_next = d[3];
    }
    status |= 1u << 6 | 1u << 16;
}

int model_interrupts(void)
{
    (void)model_register(ETH);
    return (status & *at(ETH + 0x101Cu) & (1u << 6)) != 0 && (*at(ETH + 0x101Cu) & (1u << 16)) != 0;
}

void model_reset(void)
{
    memset(&model, 0, sizeof model);
    memset(model_memory, 0xA5, sizeof model_memory);
    memset(others, 0, sizeof others);
    memset((void *)(uintptr_t)eth, 0, sizeof eth);
    *at(ETH + 0x1004u) = *at(ETH + 0x1008u) = UNTOUCHED;
    status = shown = 0;
    rx_next = tx_next = 0;
    rx_stopped = tx_stopped = 0;
    random_state = 1;
}

/* --- What the driver asks of a processor and a board ---------------------------------------- */

uint32_t board_now_ms(void)
{
    return model.now_ms++;
}

void cpu_irq_enable(unsigned irq)
{
    model.irq_enabled = irq == BOARD_IRQ;
}

int board_test_entropy(void *buf, size_t n)
{
    memset(buf, 0x5A, n);
    return 0;
}
