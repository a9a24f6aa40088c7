/* boards/rp2/ethernet.c - a Pico that is a network card at its host's USB (CDC NCM), and the only
 * machine on that network. Layer: board. Source: NCM 1.0; TinyUSB 0.18.0; RFC 2131 (DHCP).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"
#include "../cpu.h"
#include "../net/net.h"
#include "../uart.h"
#include "dhserver.h"
#include "hardware/gpio.h"
#include "hardware/uart.h"
#include "pico/unique_id.h"
#include "rp2.h"
#include "tusb.h"
#include "usb.h"
#if BOARD_RTOS
#include "rtos.h"
#endif

/* The console: nothing else is left for it. GP0. */
#define CONSOLE uart0

/* What net.c reads of a PHY, and what it finds: the cable is plugged in while the host has set the
 * device up and is awake. */
enum { PHY_STATUS = 1, PHY_ID1 = 2, PHY_ADVERTISED = 4, PHY_PARTNER = 5 };
enum { PHY_STATUS_LINK = 0x0004, PHY_10_FULL = 0x0040 };

/* The address that the host gets: the one after BOARD_IP. For ever (all bits set), as dhserver.c
 * knows no renewal; no router and no name server, so the host's other networks stay as they are. */
static dhcp_entry_t lease = {.lease = UINT32_MAX};
static dhcp_config_t dhcp = {.port = 67, .num_entry = 1, .entries = &lease};

static uint8_t station[6];
static struct pbuf *came; /* the frame that TinyUSB has given, if any */

void board_putc(char c)
{
    uart_putc_raw(CONSOLE, c);
}

const uint8_t *board_station(void)
{
    return station;
}

/* Locally administered, and its own: from the number of the flash chip. */
static void choose_station(void)
{
    pico_unique_board_id_t id;
    pico_get_unique_board_id(&id);
    station[0] = 0x02;
    memcpy(station + 1, id.id + sizeof id.id - 5, 5);
}

/* --- TinyUSB's side -------------------------------------------------------------------------- */

/* false: not now; it is offered again at tud_network_recv_renew. A frame that finds no buffer is
 * dropped, as a MAC would. */
bool tud_network_recv_cb(const uint8_t *from, uint16_t n)
{
    if (came != NULL) {
        return false;
    }
    came = pbuf_alloc(PBUF_RAW, (u16_t)(n + ETH_PAD_SIZE), PBUF_POOL);
    if (came != NULL) {
        (void)pbuf_take_at(came, from, n, ETH_PAD_SIZE);
    }
    return true;
}

uint16_t tud_network_xmit_cb(uint8_t *to, void *frame, uint16_t unused)
{
    const struct pbuf *from = frame;
    (void)unused;
    return pbuf_copy_partial(from, to, (u16_t)(from->tot_len - ETH_PAD_SIZE), ETH_PAD_SIZE);
}

void tud_network_init_cb(void)
{
}

#if BOARD_RTOS
/* Each event wakes the network's task. TinyUSB itself has quieted the interrupt. */
void tud_event_hook_cb(uint8_t port, uint32_t event, bool in_isr)
{
    (void)port;
    (void)event;
    if (in_isr) {
        rtos_isr();
    }
}

void board_isr(void)
{
}
#endif

/* --- lwIP's side ----------------------------------------------------------------------------- */

static struct pbuf *receive(void)
{
    static bool was_ready;
    struct pbuf *frame;
    NET_LOCK(); /* TinyUSB is for one task at a time */
    usb_task();
    if (tud_ready() != was_ready) { /* the host's first question comes at once */
        was_ready = !was_ready;
        net_link_changed();
    }
    if (came == NULL && tud_ready()) {
        tud_network_recv_renew();
    }
    frame = came;
    came = NULL;
    NET_UNLOCK();
    return frame;
}

/* Where the host does not take what is there already the frame is lost; TCP sends it again. */
static err_t send(struct netif *netif, struct pbuf *frame)
{
    (void)netif;
    if (!tud_ready()) {
        return ERR_IF;
    }
    if (!tud_network_can_xmit(frame->tot_len)) {
        usb_task();
        if (!tud_network_can_xmit(frame->tot_len)) {
            return ERR_BUF;
        }
    }
    tud_network_xmit(frame, 0);
    return ERR_OK;
}

static uint16_t phy_read(unsigned number)
{
    switch (number) {
    case PHY_STATUS: return tud_ready() ? PHY_STATUS_LINK : 0;
    case PHY_ID1: return 1;
    case PHY_ADVERTISED:
    case PHY_PARTNER: return PHY_10_FULL;
    default: return 0;
    }
}

static void duplex(int full)
{
    (void)full;
}

static int wake_on_frame(void)
{
    return came != NULL || usb_has_work();
}

static const struct net_mac usb_network = {
    .receive = receive,
    .send = send,
    .phy_read = phy_read,
    .duplex = duplex,
    .wake_on_frame = wake_on_frame,
};

void board_init(void)
{
    rp2_start();
    gpio_set_function(PICO_DEFAULT_UART_TX_PIN, GPIO_FUNC_UART);
    uart_init(CONSOLE, BOARD_BAUD);
    choose_station();
    usb_start();
    net_start(&usb_network);
    lease.addr = *netif_ip4_addr(netif_default);
    ip4_addr_set_u32(&lease.addr, lwip_htonl(lwip_ntohl(ip4_addr_get_u32(&lease.addr)) + 1));
    NET_LOCK();
    if (dhserv_init(&dhcp) != ERR_OK) {
        board_panic("no DHCP server");
    }
    NET_UNLOCK();
}

void board_poll(void)
{
    net_poll();
}
