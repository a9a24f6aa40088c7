/* boards/lm3s6965evb/mac.c - the Stellaris' own Ethernet MAC: 2 KB FIFOs each way, polled.
 * Layer: board. Source: TI LM3S6965 data sheet (SPMS128), chapter "Ethernet Controller".
 * SPDX-License-Identifier: Apache-2.0 */
#include "mac.h"

#include "../cortexm/cortexm.h"

#define MAC_RIS REG(0x40048000u) /* read: raw interrupts; write: acknowledge */
#define MAC_IM REG(0x40048004u)
#define MAC_RCTL REG(0x40048008u)
#define MAC_TCTL REG(0x4004800Cu)
#define MAC_DATA REG(0x40048010u)
#define MAC_IA0 REG(0x40048014u)
#define MAC_IA1 REG(0x40048018u)
#define MAC_THR REG(0x4004801Cu)
#define MAC_MCTL REG(0x40048020u)
#define MAC_MDV REG(0x40048024u)
#define MAC_MRXD REG(0x40048030u)
#define MAC_NP REG(0x40048034u)
#define MAC_TR REG(0x40048038u)

#define INT_RX 0x01u
#define INT_OVERRUN 0x08u
#define INT_ALL 0x7Fu
#define RCTL_RXEN 0x01u
#define RCTL_BADCRC 0x08u
#define RCTL_RSTFIFO 0x10u
#define TCTL_TXEN 0x01u
#define TCTL_PADEN 0x02u
#define TCTL_CRC 0x04u
#define TCTL_DUPLEX 0x10u
#define MCTL_START 0x01u
#define TR_NEWTX 0x01u

/* The largest frame in the FIFO: length, addresses, type, 1504 bytes with a VLAN tag, checksum. */
#define RX_MAX (2 + 1518 + 4)

/* A frame of 1.5 KB at 10 Mbit/s takes 1.2 ms; this many reads take more. */
#define TX_WAIT_READS 20000u
#define MDIO_WAIT_READS 5000u

void board_isr(void)
{
    MAC_IM = 0; /* awake; wake_on_frame asks for the next */
}

static int wake_on_frame(void)
{
    MAC_RIS = INT_RX;
    MAC_IM = INT_RX;
    return (MAC_NP & 0x3Fu) != 0;
}

static void reset_receiver(void)
{
    MAC_RCTL = RCTL_BADCRC;
    MAC_RCTL = RCTL_BADCRC | RCTL_RSTFIFO;
    MAC_RCTL = RCTL_BADCRC | RCTL_RXEN;
    MAC_RCTL = RCTL_BADCRC | RCTL_RXEN | RCTL_RSTFIFO;
}

/* The FIFO gives the frame's length, counting those two bytes and the checksum, then the frame:
 * just the two bytes of pad that lwIP wants. */
static struct pbuf *receive(void)
{
    if ((MAC_RIS & INT_OVERRUN) != 0) {
        MAC_RIS = INT_OVERRUN; /* frames were lost; those in the FIFO are whole */
    }
    if ((MAC_NP & 0x3Fu) == 0) {
        return NULL;
    }
    uint32_t first = MAC_DATA;
    uint32_t n = first & 0xFFFFu;
    if (n > RX_MAX) {
        reset_receiver(); /* the FIFO is out of step: drop all of it */
        return NULL;
    }
    return net_fifo_read(&MAC_DATA, first, n);
}

/* The FIFO takes the length of what follows addresses and type, then the frame. */
static err_t send(struct netif *netif, struct pbuf *frame)
{
    (void)netif;
    uint8_t *pad = frame->payload;
    uint32_t n = frame->tot_len;
    if (frame->len < 2 || n < 2 + 14 || n > 2 + 1518) {
        return ERR_BUF;
    }
    for (uint32_t i = 0; (MAC_TR & TR_NEWTX) != 0; i++) {
        if (i == TX_WAIT_READS) {
            return ERR_BUF; /* the cable is out, or the other end pauses: TCP sends it again */
        }
    }
    n -= 2 + 14;
    pad[0] = (uint8_t)n;
    pad[1] = (uint8_t)(n >> 8);
    net_fifo_write(&MAC_DATA, frame);
    MAC_TR = TR_NEWTX;
    return ERR_OK;
}

static uint16_t phy_read(unsigned number)
{
    MAC_MCTL = number << 3 | MCTL_START;
    for (uint32_t i = 0; (MAC_MCTL & MCTL_START) != 0 && i < MDIO_WAIT_READS; i++) {
    }
    return (uint16_t)MAC_MRXD;
}

static void duplex(int full)
{
    MAC_TCTL = TCTL_TXEN | TCTL_PADEN | TCTL_CRC | (full ? TCTL_DUPLEX : 0u);
}

void mac_start(const uint8_t address[6])
{
    MAC_IM = 0;
    MAC_MDV = 9; /* 50 MHz / 2 / (9 + 1) = 2.5 MHz, the most for MDIO */
    MAC_IA0 = address[0] | (uint32_t)address[1] << 8 | (uint32_t)address[2] << 16 |
              (uint32_t)address[3] << 24;
    MAC_IA1 = address[4] | (uint32_t)address[5] << 8;
    MAC_THR = 0x3F; /* a frame leaves once it is whole */
    duplex(1);
    reset_receiver();
    MAC_RIS = INT_ALL;
    cpu_irq_enable(BOARD_IRQ);
}

const struct net_mac mac_driver = {
    .receive = receive,
    .send = send,
    .phy_read = phy_read,
    .duplex = duplex,
    .wake_on_frame = wake_on_frame,
};
