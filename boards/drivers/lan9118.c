/* boards/drivers/lan9118.c - the LAN9118: frames through two FIFOs, polled.
 * Layer: board. Source: SMSC LAN9118 data sheet: 3.12, 3.13 FIFOs, 5.3 registers, 5.4 MAC, 5.5 PHY.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lan9118.h"

#include "../board.h"
#include "../cpu.h"

#ifndef LAN9118_AT
#error "board.mk must say -DLAN9118_AT=address"
#endif
#define LAN(offset) REG(LAN9118_AT + (offset))
#define RX_DATA LAN(0x00u)
#define TX_DATA LAN(0x20u)
#define RX_STATUS LAN(0x40u)
#define ID_REV LAN(0x50u)
#define IRQ_CFG LAN(0x54u)
#define INT_STS LAN(0x58u)
#define INT_EN LAN(0x5Cu)
#define BYTE_TEST LAN(0x64u)
#define FIFO_INT LAN(0x68u)
#define RX_CFG LAN(0x6Cu)
#define TX_CFG LAN(0x70u)
#define HW_CFG LAN(0x74u)
#define RX_FIFO_INF LAN(0x7Cu)
#define TX_FIFO_INF LAN(0x80u)
#define PMT_CTRL LAN(0x84u)
#define MAC_CSR_CMD LAN(0xA4u)
#define MAC_CSR_DATA LAN(0xA8u)

#define BYTE_TEST_VALUE 0x87654321u
#define IRQ_CFG_PIN 0x00000111u   /* on, active high, push-pull */
#define INT_RX_STATUS 0x00000008u /* more frames wait than FIFO_INT's level, 0 */
#define RX_CFG_OFFSET_2 0x00000200u
#define TX_CFG_ON 0x00000002u
#define TX_CFG_STATUS_OVERRUN 0x00000004u /* nobody reads the transmit status */
#define HW_CFG_RESET 0x00000001u
#define HW_CFG_TX_5KB 0x00150000u /* and "store and forward", which must be one */
#define PMT_READY 0x00000001u
#define RX_STATUS_ERROR 0x00008000u
#define TX_OFFSET_2 0x00020000u
#define TX_FIRST_LAST 0x00003000u

#define CSR_BUSY 0x80000000u
#define CSR_READ 0x40000000u
#define CSR_MAC_CR 1u
#define CSR_ADDRH 2u
#define CSR_ADDRL 3u
#define CSR_MII_ACC 6u
#define CSR_MII_DATA 7u
#define MAC_CR_FULL_DUPLEX 0x00100000u
#define MAC_CR_TXEN 0x00000008u
#define MAC_CR_RXEN 0x00000004u
#define MII_PHY_1 0x00000800u
#define MII_WRITE 0x00000002u
#define MII_BUSY 0x00000001u
#define PHY_CONTROL 0u
#define PHY_NEGOTIATE 0x1200u /* on, and begin again */

#define WAIT_READS 100000u
#define RESET_WAIT_MS 100u

/* --- Registers behind registers -------------------------------------------------------------- */

static void csr_wait(void)
{
    for (uint32_t i = 0; (MAC_CSR_CMD & CSR_BUSY) != 0 && i < WAIT_READS; i++) {
    }
}

static uint32_t csr_read(uint32_t number)
{
    csr_wait();
    MAC_CSR_CMD = CSR_BUSY | CSR_READ | number;
    csr_wait();
    return MAC_CSR_DATA;
}

static void csr_write(uint32_t number, uint32_t value)
{
    csr_wait();
    MAC_CSR_DATA = value;
    MAC_CSR_CMD = CSR_BUSY | number;
    csr_wait();
}

static void mii_wait(void)
{
    for (uint32_t i = 0; (csr_read(CSR_MII_ACC) & MII_BUSY) != 0 && i < WAIT_READS; i++) {
    }
}

static uint16_t phy_read(unsigned number)
{
    mii_wait();
    csr_write(CSR_MII_ACC, MII_PHY_1 | (uint32_t)number << 6 | MII_BUSY);
    mii_wait();
    return (uint16_t)csr_read(CSR_MII_DATA);
}

static void phy_write(unsigned number, uint16_t value)
{
    mii_wait();
    csr_write(CSR_MII_DATA, value);
    csr_write(CSR_MII_ACC, MII_PHY_1 | (uint32_t)number << 6 | MII_WRITE | MII_BUSY);
    mii_wait();
}

static void duplex(int full)
{
    csr_write(CSR_MAC_CR, MAC_CR_TXEN | MAC_CR_RXEN | (full ? MAC_CR_FULL_DUPLEX : 0u));
}

/* --- Frames ---------------------------------------------------------------------------------- */

void board_isr(void)
{
    INT_EN = 0; /* awake; wake_on_frame asks for the next */
}

static int frames_waiting(void)
{
    return (RX_FIFO_INF & 0x00FF0000u) != 0;
}

static int wake_on_frame(void)
{
    INT_STS = INT_RX_STATUS;
    INT_EN = INT_RX_STATUS;
    return frames_waiting();
}

static struct pbuf *receive(void)
{
    if (!frames_waiting()) {
        return NULL;
    }
    uint32_t status = RX_STATUS;
    uint32_t n = 2 + (status >> 16 & 0x3FFFu); /* the length counts the checksum */
    struct pbuf *frame = net_fifo_read(&RX_DATA, RX_DATA, n);
    if (frame != NULL && (status & RX_STATUS_ERROR) != 0) {
        pbuf_free(frame);
        frame = NULL;
    }
    return frame;
}

static err_t send(struct netif *netif, struct pbuf *frame)
{
    (void)netif;
    uint32_t n = frame->tot_len;
    if (n < 2 + 14 || n > 2 + 1518) {
        return ERR_BUF;
    }
    for (uint32_t i = 0; (TX_FIFO_INF & 0xFFFFu) < n + 12; i++) {
        if (i == WAIT_READS) {
            return ERR_BUF; /* the cable is out, or the other end pauses: TCP sends it again */
        }
    }
    n -= 2;
    TX_DATA = TX_OFFSET_2 | TX_FIRST_LAST | n;
    TX_DATA = n;
    net_fifo_write(&TX_DATA, frame);
    return ERR_OK;
}

/* --- Start ----------------------------------------------------------------------------------- */

/* Waits until the bits of *reg under mask are `value`. Returns 0, or -1 after RESET_WAIT_MS. */
static int await(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    uint32_t began = board_now_ms();
    while ((*reg & mask) != value) {
        if (board_now_ms() - began > RESET_WAIT_MS) {
            return -1;
        }
    }
    return 0;
}

int lan9118_start(const uint8_t address[6])
{
    if (await(&BYTE_TEST, 0xFFFFFFFFu, BYTE_TEST_VALUE) != 0) {
        return -1;
    }
    HW_CFG = HW_CFG_RESET;
    if (await(&HW_CFG, HW_CFG_RESET, 0) != 0 || await(&PMT_CTRL, PMT_READY, PMT_READY) != 0) {
        return -1;
    }
    HW_CFG = HW_CFG_TX_5KB;
    INT_EN = 0;
    INT_STS = 0xFFFFFFFFu;
    FIFO_INT = 0;
    IRQ_CFG = IRQ_CFG_PIN;
    RX_CFG = RX_CFG_OFFSET_2;
    TX_CFG = TX_CFG_ON | TX_CFG_STATUS_OVERRUN;
    csr_write(CSR_ADDRL, address[0] | (uint32_t)address[1] << 8 | (uint32_t)address[2] << 16 |
                             (uint32_t)address[3] << 24);
    csr_write(CSR_ADDRH, address[4] | (uint32_t)address[5] << 8);
    phy_write(PHY_CONTROL, PHY_NEGOTIATE);
    duplex(1);
    cpu_irq_enable(BOARD_IRQ);
    return 0;
}

const struct net_mac lan9118_driver = {
    .receive = receive,
    .send = send,
    .phy_read = phy_read,
    .duplex = duplex,
    .wake_on_frame = wake_on_frame,
};
