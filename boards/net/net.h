/* boards/net/net.h - lwIP over a MAC whose frames go through FIFOs of words.
 * Layer: board. Source: lwIP 2.2 "netif", IEEE 802.3 clause 22 (the PHY's registers).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_NET_NET_H
#define BOARDS_NET_NET_H

#include <stdint.h>

#include "lwip/netif.h"
#include "lwip/pbuf.h"
#if !NO_SYS
#include "lwip/tcpip.h"
#endif

/* lwIP's lock. `send` runs within; what else of a driver must not run at the same time takes it. */
#if NO_SYS
#define NET_LOCK() ((void)0)
#define NET_UNLOCK() ((void)0)
#else
#define NET_LOCK() LOCK_TCPIP_CORE()
#define NET_UNLOCK() UNLOCK_TCPIP_CORE()
#endif

/* What a MAC driver gives. All from main's loop, none waits for a peer. With an RTOS from the
 * network's task, but for send: it may run in another one while receive does. */
struct net_mac {
    /* The next received frame, or NULL. The caller owns it; two bytes stand before the frame
     * (ETH_PAD_SIZE). A frame that finds no buffer is taken from the FIFO and dropped. */
    struct pbuf *(*receive)(void);
    /* Sends a frame, two bytes before it. Borrowed for the call; those two bytes may change. */
    err_t (*send)(struct netif *netif, struct pbuf *frame);
    /* Register `number` (0..31) of the PHY; 0 when there is none (an emulator). */
    uint16_t (*phy_read)(unsigned number);
    /* Tells the MAC what the PHY has negotiated. */
    void (*duplex)(int full);
    /* Quiets the receive interrupt and lets it come again. 1: a frame is waiting already. */
    int (*wake_on_frame)(void);
};

/* Starts lwIP on this MAC, as board_station(). driver: kept. */
void net_start(const struct net_mac *driver);

/* board_poll's work: see board.h. With an RTOS that of the network's task, which net_start begins.
 */
void net_poll(void);

/* The link is looked at now, and not a quarter of a second later: for a driver that knows. From
 * its `receive`, within NET_LOCK. */
void net_link_changed(void);

/* Writes pad and frame, a whole chain, to the FIFO; the last word is filled with zeros. */
void net_fifo_write(volatile uint32_t *fifo, const struct pbuf *frame);

/* Reads a frame of n bytes from the FIFO, whose first word was read before: two bytes of pad,
 * frame, and the four of its checksum, which are dropped. NULL: no buffer, or n is no frame's;
 * all its words have been read even so. */
struct pbuf *net_fifo_read(volatile uint32_t *fifo, uint32_t first, uint32_t n);

#endif
