/* tests/target/test_stm32.c - the STM32's Ethernet and entropy drivers against a model of the chip.
 * Layer: tests. Source: ST RM0410: "Ethernet (ETH)", "RNG"; test_stm32.py builds and runs it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boards/board.h"
#include "boards/cpu.h"
#include "boards/drivers/stm32_eth.h"
#include "lwip/mem.h"
#include "lwip/memp.h"
#include "stm32_model.h"

#define CHECK(what)                                           \
    do {                                                      \
        if (!(what)) {                                        \
            printf("%s:%d: %s\n", __func__, __LINE__, #what); \
            exit(1);                                          \
        }                                                     \
    } while (0)

static const struct net_mac *const mac = &stm32_eth_driver;
static uint8_t bytes[MODEL_FRAME];

static void fill(unsigned seed)
{
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7u + seed * 31u);
    }
}

static void start(void)
{
    static const uint8_t address[6] = {2, 3, 4, 5, 6, 7};
    model_reset();
    model.phy[4] = 0x01E1;
    model.phy[5] = 0x45E1;
    CHECK(stm32_eth_start(address) == 0);
    CHECK(model.mode_in_reset && model.irq_enabled);
    CHECK(model.phy[0] == 0x1200);
    CHECK(model_peek(0x40028044u) == 0x05040302u && model_peek(0x40028040u) == 0x0706u);
}

/* The next frame that the driver has is this one. */
static void expect(size_t n, unsigned seed)
{
    static uint8_t got[MODEL_FRAME];
    struct pbuf *frame = mac->receive();
    fill(seed);
    CHECK(frame != NULL && frame->tot_len == n + ETH_PAD_SIZE);
    CHECK(pbuf_copy_partial(frame, got, (u16_t)n, ETH_PAD_SIZE) == n);
    CHECK(memcmp(got, bytes, n) == 0);
    pbuf_free(frame);
}

static void come(size_t n, unsigned seed, int error)
{
    fill(seed);
    model_frame(bytes, n, error);
}

static err_t send(size_t n, unsigned seed, pbuf_type type)
{
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, (u16_t)(n + ETH_PAD_SIZE), type);
    CHECK(frame != NULL);
    fill(seed);
    CHECK(pbuf_take_at(frame, bytes, (u16_t)n, ETH_PAD_SIZE) == ERR_OK);
    err_t result = mac->send(NULL, frame);
    pbuf_free(frame);
    return result;
}

static void expect_sent(unsigned number, size_t n, unsigned seed)
{
    fill(seed);
    (void)model_register(0);
    CHECK(number < model.sent && model.frames[number].n == n);
    CHECK(memcmp(model.frames[number].bytes, bytes, n) == 0);
}

static void test_no_clock(void)
{
    static const uint8_t address[6] = {2};
    model_reset();
    model.no_clock = 1;
    CHECK(stm32_eth_start(address) == -1);
    CHECK(model.now_ms < 1000);
}

static void test_received_lengths(void)
{
    static const size_t lengths[] = {14, 60, 61, 590, 1513, 1514, 1518};
    start();
    CHECK(mac->receive() == NULL);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        come(lengths[i], i, 0);
        expect(lengths[i], i);
        CHECK(mac->receive() == NULL);
    }
}

/* Those that are none, in every place of the ring; a good one behind each comes through. */
static void test_bad_frames(void)
{
    start();
    for (unsigned i = 0; i < 9; i++) {
        come(60, i, 1);       /* a bad checksum */
        come(100, i + 1u, 0); /* good */
        expect(100, i + 1u);
        come(1600, i, 0); /* longer than a buffer: two descriptors */
        come(64, i + 2u, 0);
        expect(64, i + 2u);
        come(13, i, 0); /* shorter than a header */
        come(1519, i, 0);
        come(80, i + 3u, 0);
        expect(80, i + 3u);
        CHECK(mac->receive() == NULL);
    }
}

static void test_ring_wraps(void)
{
    unsigned came = 0, taken = 0;
    start();
    for (unsigned burst = 1; burst < 40; burst++) {
        for (unsigned i = 0; i < 1u + burst % 4u; i++) {
            come(60u + came % 500u, came, 0);
            came++;
        }
        for (; taken < came; taken++) {
            expect(60u + taken % 500u, taken);
        }
    }
    CHECK(model.lost == 0);
}

/* More frames than descriptors: the rest is lost, and the DMA goes on when there is room again. */
static void test_no_descriptor(void)
{
    start();
    for (unsigned round = 0; round < 3; round++) {
        unsigned before = model.lost;
        for (unsigned i = 0; i < 7; i++) {
            come(60, i, 0);
        }
        CHECK(model.lost - before == 3);
        for (unsigned i = 0; i < 4; i++) {
            expect(60, i);
        }
        CHECK(mac->receive() == NULL);
        come(60, 9, 0);
        expect(60, 9);
    }
}

/* lwIP has no buffer: the frame is dropped, its descriptor is not. */
static void test_no_pbuf(void)
{
    struct pbuf *held[PBUF_POOL_SIZE];
    start();
    for (unsigned i = 0; i < PBUF_POOL_SIZE; i++) {
        held[i] = pbuf_alloc(PBUF_RAW, 60, PBUF_POOL);
        CHECK(held[i] != NULL);
    }
    for (unsigned i = 0; i < 10; i++) {
        come(60, i, 0);
        CHECK(mac->receive() == NULL);
    }
    CHECK(model.lost == 0);
    for (unsigned i = 0; i < PBUF_POOL_SIZE; i++) {
        pbuf_free(held[i]);
    }
    come(60, 3, 0);
    expect(60, 3);
}

static void test_sent(void)
{
    static const size_t lengths[] = {14, 60, 61, 62, 63, 590, 1000, 1514, 1518};
    start();
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        CHECK(send(lengths[i], i, PBUF_POOL) == ERR_OK); /* a chain, when it is long */
        expect_sent(i, lengths[i], i);
    }
    CHECK(send(1519, 0, PBUF_POOL) == ERR_BUF && send(13, 0, PBUF_POOL) == ERR_BUF);
    (void)model_register(0);
    CHECK(model.sent == sizeof lengths / sizeof lengths[0]);
}

static void test_transmit_ring_full(void)
{
    start();
    for (unsigned round = 0; round < 5; round++) {
        unsigned before = model.sent;
        model.is_busy = 1;
        for (unsigned i = 0; i < 4; i++) {
            CHECK(send(60 + i, i, PBUF_POOL) == ERR_OK);
        }
        CHECK(send(60, 9, PBUF_POOL) == ERR_BUF);
        model.is_busy = 0;
        for (unsigned i = 0; i < 4; i++) {
            expect_sent(before + i, 60 + i, i);
        }
        CHECK(send(70, 5, PBUF_POOL) == ERR_OK);
        expect_sent(before + 4, 70, 5);
        CHECK(model.sent == before + 5);
    }
}

static void test_interrupt(void)
{
    start();
    CHECK(mac->wake_on_frame() == 0 && !model_interrupts());
    come(60, 1, 0);
    CHECK(model_interrupts());
    board_isr();
    CHECK(!model_interrupts());
    CHECK(mac->wake_on_frame() == 1); /* it has not been taken */
    expect(60, 1);
    CHECK(mac->wake_on_frame() == 0 && !model_interrupts());
    come(60, 2, 0);
    CHECK(model_interrupts());
}

static void test_duplex_and_rate(void)
{
    start();
    mac->duplex(0);
    CHECK((model_peek(0x40028000u) & (1u << 11 | 1u << 14)) == 1u << 14);
    model.phy[5] = 0x0061; /* 10 Mbit/s alone */
    mac->duplex(1);
    CHECK((model_peek(0x40028000u) & (1u << 11 | 1u << 14)) == 1u << 11);
    model.phy[1] = 0x782D;
    CHECK(mac->phy_read(1) == 0x782D);
}

static void test_entropy(void)
{
    uint8_t a[37], b[37];
    model_reset();
    CHECK(board_entropy(a, sizeof a) == 1 && board_entropy(b, sizeof b) == 1);
    CHECK(memcmp(a, b, sizeof a) != 0);
    for (unsigned bit = 1; bit < 7; bit++) {
        int is_fault = (0x66u & 1u << bit) != 0;
        model_reset();
        model.rng_status = 1u << bit;
        CHECK(board_entropy(a, sizeof a) == !is_fault);
        CHECK((a[0] == 0x5A && a[36] == 0x5A) == is_fault);
    }
    model_reset();
    model.rng_not_ready = 1; /* and comes back */
    CHECK(board_entropy(a, sizeof a) == 0 && a[0] == 0x5A);
    model_reset();
    model.rng_repeats = 1;
    CHECK(board_entropy(a, sizeof a) == 0 && a[0] == 0x5A);
}

int main(void)
{
    mem_init();
    memp_init();
    test_no_clock();
    test_received_lengths();
    test_bad_frames();
    test_ring_wraps();
    test_no_descriptor();
    test_no_pbuf();
    test_sent();
    test_transmit_ring_full();
    test_interrupt();
    test_duplex_and_rate();
    test_entropy();
    CHECK(model.fatal == 0);
    puts("all passed");
    return 0;
}
