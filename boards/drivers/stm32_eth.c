/* boards/drivers/stm32_eth.c - the Ethernet MAC of STM32 F2, F4 and F7: frames through two rings.
 * Layer: board. Source: ST RM0410, RM0090: "Ethernet": DMA descriptors, registers; "SYSCFG"; "RCC".
 * SPDX-License-Identifier: Apache-2.0 */
#include "stm32_eth.h"

#include "../board.h"
#include "stm32.h"

#ifndef STM32_ETH_MEMORY_AT
#error "board.mk must say -DSTM32_ETH_MEMORY_AT=address"
#endif

#define SYSCFG_PMC REG(0x40013804u)
#define ETH(offset) REG(0x40028000u + (offset))
#define MAC_CR ETH(0x0000u)
#define MAC_MII_ADDRESS ETH(0x0010u)
#define MAC_MII_DATA ETH(0x0014u)
#define MAC_ADDRESS_HIGH ETH(0x0040u)
#define MAC_ADDRESS_LOW ETH(0x0044u)
#define DMA_BUS_MODE ETH(0x1000u)
#define DMA_TX_POLL ETH(0x1004u)
#define DMA_RX_POLL ETH(0x1008u)
#define DMA_RX_LIST ETH(0x100Cu)
#define DMA_TX_LIST ETH(0x1010u)
#define DMA_STATUS ETH(0x1014u)
#define DMA_OPERATION ETH(0x1018u)
#define DMA_INTERRUPTS ETH(0x101Cu)

#define APB2_SYSCFG (1u << 14)
#define AHB1_ETH (7u << 25) /* the MAC, its transmit and its receive clock */
#define AHB1_ETH_RESET (1u << 25)
#define PMC_RMII (1u << 23)
#define CR_RECEIVE (1u << 2)
#define CR_TRANSMIT (1u << 3)
#define CR_FULL_DUPLEX (1u << 11)
#define CR_100_MBIT (1u << 14)
#define MII_BUSY (1u << 0)
#define MII_WRITE (1u << 1)
#define MII_CLOCK (4u << 2) /* the bus's 150..216 MHz / 102, of 2.5 MHz at most */
#ifndef STM32_ETH_PHY
#define STM32_ETH_PHY 0u /* its address on the management bus */
#endif
#define BUS_RESET (1u << 0)
/* Whole bursts of 32 words, at addresses that are theirs. */
#define BUS_BURSTS ((1u << 25) | (1u << 23) | (32u << 17) | (1u << 16) | (32u << 8))
#define STATUS_TX_NO_BUFFER (1u << 2)
#define STATUS_RECEIVED (1u << 6)
#define STATUS_RX_NO_BUFFER (1u << 7)
#define STATUS_NORMAL (1u << 16)
#define OPERATION_RECEIVE (1u << 1)
#define OPERATION_TRANSMIT (1u << 13)
#define OPERATION_WHOLE_FRAMES ((1u << 25) | (1u << 21)) /* both FIFOs: store and forward */
#define INTERRUPT_RECEIVED (STATUS_RECEIVED | STATUS_NORMAL)

#define OWN (1u << 31) /* the DMA's */
#define RX_ERROR (1u << 15)
#define RX_FIRST (1u << 9)
#define RX_LAST (1u << 8)
#define RX_CHAINED (1u << 14)
#define TX_LAST (1u << 29)
#define TX_FIRST (1u << 28)
#define TX_CHAINED (1u << 20)

#define PHY_CONTROL 0u
#define PHY_ADVERTISED 4u
#define PHY_PARTNER 5u
#define PHY_100 0x0180u
#define PHY_NEGOTIATE 0x1200u /* on, and begin again */

#define WAIT_READS 100000u
#define RESET_WAIT_MS 100u

enum { RING = 4, BUFFER_BYTES = 1536, CRC_BYTES = 4, FRAME_MIN = 14, FRAME_MAX = 1518 };

struct descriptor {
    uint32_t status;
    uint32_t size;
    uint32_t buffer;
    uint32_t next;
};

struct ring {
    volatile struct descriptor descriptors[RING];
    uint8_t buffers[RING][BUFFER_BYTES];
};

struct memory {
    struct ring rx, tx;
};
/* Else STM32_ETH_BYTES is too small. */
typedef char memory_is_enough[sizeof(struct memory) <= STM32_ETH_BYTES ? 1 : -1];
#define MEMORY ((struct memory *)(uintptr_t)(STM32_ETH_MEMORY_AT))

static unsigned rx_at, tx_at;

/* What was written before reaches memory before what is written then. */
static void barrier(void)
{
    __sync_synchronize();
}

/* --- The PHY --------------------------------------------------------------------------------- */

static void mii_do(unsigned number, uint32_t how)
{
    MAC_MII_ADDRESS = STM32_ETH_PHY << 11 | (uint32_t)number << 6 | MII_CLOCK | how | MII_BUSY;
    for (uint32_t i = 0; (MAC_MII_ADDRESS & MII_BUSY) != 0 && i < WAIT_READS; i++) {
    }
}

static uint16_t phy_read(unsigned number)
{
    mii_do(number, 0);
    return (uint16_t)MAC_MII_DATA;
}

static void phy_write(unsigned number, uint16_t value)
{
    MAC_MII_DATA = value;
    mii_do(number, MII_WRITE);
}

/* On RMII the MAC must know the rate as well. */
static void duplex(int full)
{
    int is_fast = (phy_read(PHY_ADVERTISED) & phy_read(PHY_PARTNER) & PHY_100) != 0;
    MAC_CR = CR_RECEIVE | CR_TRANSMIT | (full ? CR_FULL_DUPLEX : 0u) | (is_fast ? CR_100_MBIT : 0u);
}

/* --- Frames ---------------------------------------------------------------------------------- */

void board_isr(void)
{
    DMA_INTERRUPTS = 0; /* awake; wake_on_frame asks for the next */
}

static int frames_waiting(void)
{
    return (MEMORY->rx.descriptors[rx_at].status & OWN) == 0;
}

static int wake_on_frame(void)
{
    DMA_STATUS = INTERRUPT_RECEIVED;
    DMA_INTERRUPTS = INTERRUPT_RECEIVED;
    return frames_waiting();
}

/* The frame of one descriptor. NULL: it has errors, spans several, or there is no buffer for it. */
static struct pbuf *taken(uint32_t status, const uint8_t *from)
{
    uint32_t n = (status >> 16 & 0x3FFFu) - CRC_BYTES; /* wraps where there is no checksum */
    if ((status & (RX_FIRST | RX_LAST | RX_ERROR)) != (RX_FIRST | RX_LAST) || n < FRAME_MIN ||
        n > FRAME_MAX) {
        return NULL;
    }
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, (u16_t)(n + ETH_PAD_SIZE), PBUF_POOL);
    if (frame != NULL) {
        (void)pbuf_take_at(frame, from, (u16_t)n, ETH_PAD_SIZE);
    }
    return frame;
}

static struct pbuf *receive(void)
{
    struct pbuf *frame = NULL;
    for (unsigned i = 0; frame == NULL && i < RING && frames_waiting(); i++) {
        barrier();
        frame = taken(MEMORY->rx.descriptors[rx_at].status, MEMORY->rx.buffers[rx_at]);
        barrier();
        MEMORY->rx.descriptors[rx_at].status = OWN;
        rx_at = (rx_at + 1u) % RING;
        barrier();
        DMA_STATUS = STATUS_RX_NO_BUFFER;
        DMA_RX_POLL = 0; /* goes on where it had found no descriptor */
    }
    return frame;
}

static err_t send(struct netif *netif, struct pbuf *frame)
{
    volatile struct descriptor *descriptor = &MEMORY->tx.descriptors[tx_at];
    (void)netif;
    if (frame->tot_len < ETH_PAD_SIZE + FRAME_MIN || frame->tot_len > ETH_PAD_SIZE + FRAME_MAX ||
        (descriptor->status & OWN) != 0) {
        return ERR_BUF; /* the ring is full: TCP sends it again */
    }
    descriptor->size = pbuf_copy_partial(frame, MEMORY->tx.buffers[tx_at], FRAME_MAX, ETH_PAD_SIZE);
    barrier();
    descriptor->status = OWN | TX_FIRST | TX_LAST | TX_CHAINED;
    tx_at = (tx_at + 1u) % RING;
    barrier();
    DMA_STATUS = STATUS_TX_NO_BUFFER;
    DMA_TX_POLL = 0;
    return ERR_OK;
}

/* --- Start ----------------------------------------------------------------------------------- */

static void start_ring(struct ring *ring, uint32_t status, uint32_t size)
{
    for (unsigned i = 0; i < RING; i++) {
        volatile struct descriptor *descriptor = &ring->descriptors[i];
        descriptor->status = status;
        descriptor->size = size;
        descriptor->buffer = (uint32_t)(uintptr_t)ring->buffers[i];
        descriptor->next = (uint32_t)(uintptr_t)&ring->descriptors[(i + 1u) % RING];
    }
}

/* RMII is chosen while the MAC is in reset. */
static int reset(void)
{
    STM32_RCC_APB2ENR |= APB2_SYSCFG;
    (void)STM32_RCC_APB2ENR;
    STM32_RCC_AHB1RSTR |= AHB1_ETH_RESET;
    SYSCFG_PMC |= PMC_RMII;
    STM32_RCC_AHB1ENR |= AHB1_ETH;
    STM32_RCC_AHB1RSTR &= ~AHB1_ETH_RESET;
    DMA_BUS_MODE |= BUS_RESET;
    uint32_t began = board_now_ms();
    while ((DMA_BUS_MODE & BUS_RESET) != 0) {
        if (board_now_ms() - began > RESET_WAIT_MS) {
            return -1;
        }
    }
    return 0;
}

int stm32_eth_start(const uint8_t address[6])
{
    if (reset() != 0) {
        return -1;
    }
    rx_at = tx_at = 0;
    start_ring(&MEMORY->rx, OWN, RX_CHAINED | BUFFER_BYTES);
    start_ring(&MEMORY->tx, TX_CHAINED, 0);
    barrier();
    DMA_BUS_MODE = BUS_BURSTS;
    DMA_RX_LIST = (uint32_t)(uintptr_t)MEMORY->rx.descriptors;
    DMA_TX_LIST = (uint32_t)(uintptr_t)MEMORY->tx.descriptors;
    MAC_ADDRESS_HIGH = address[4] | (uint32_t)address[5] << 8;
    MAC_ADDRESS_LOW = address[0] | (uint32_t)address[1] << 8 | (uint32_t)address[2] << 16 |
                      (uint32_t)address[3] << 24;
    phy_write(PHY_CONTROL, PHY_NEGOTIATE);
    duplex(1);
    DMA_OPERATION = OPERATION_WHOLE_FRAMES | OPERATION_TRANSMIT | OPERATION_RECEIVE;
    cpu_irq_enable(BOARD_IRQ);
    return 0;
}

const struct net_mac stm32_eth_driver = {
    .receive = receive,
    .send = send,
    .phy_read = phy_read,
    .duplex = duplex,
    .wake_on_frame = wake_on_frame,
};
