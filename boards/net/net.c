/* boards/net/net.c - lwIP on one Ethernet interface, polled; sleeps when all is done.
 * Layer: board. Source: lwIP 2.2, RFC 6528 (sequence numbers), SipHash (HalfSipHash-2-4).
 * SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include <string.h>

#include "../board.h"
#include "../cpu.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"
#include "lwip_hooks.h"
#include "netif/ethernet.h"
#if !NO_SYS
#include "rtos.h"
#endif

/* QEMU's user-mode network gives the first guest 10.0.2.15, and is 10.0.2.2. For another network:
 * -DBOARD_IP=192,168,1,20 and so on, or -DBOARD_DHCP=1. */
#ifndef BOARD_IP
#define BOARD_IP 10, 0, 2, 15
#endif
#ifndef BOARD_NETMASK
#define BOARD_NETMASK 255, 255, 255, 0
#endif
#ifndef BOARD_GATEWAY
#define BOARD_GATEWAY 10, 0, 2, 2
#endif
#ifndef BOARD_DNS_SERVER
#define BOARD_DNS_SERVER 10, 0, 2, 3
#endif
#define NET_ADDRESS(to, ...) NET_ADDRESS_(to, __VA_ARGS__)
#define NET_ADDRESS_(to, a, b, c, d) IP4_ADDR(to, a, b, c, d)

#define NET_LINK_CHECK_MS 250
#define NET_FRAMES_A_POLL 8 /* so that timers run under a flood */

/* pad, the smallest frame that a MAC passes on, checksum; and the largest, with a VLAN tag */
#define NET_FRAME_MIN (2 + 14 + 4)
#define NET_FRAME_MAX (2 + 1518 + 4)

#define PHY_STATUS 1
#define PHY_STATUS_LINK 0x0004u
#define PHY_ID1 2
#define PHY_ADVERTISED 4
#define PHY_PARTNER 5
#define PHY_100_FULL 0x0100u
#define PHY_100_HALF 0x0080u
#define PHY_10_FULL 0x0040u

static struct {
    struct netif netif;
    const struct net_mac *driver;
    uint32_t link_checked_ms;
    uint32_t random;
    uint32_t key[2];
    uint8_t phy_present;
} net;

u32_t sys_now(void)
{
    return board_now_ms();
}

/* --- Numbers that a stranger should not guess ------------------------------------------------ */

/* Marsaglia's xorshift: fine for ports, no more. */
uint32_t net_random(void)
{
    uint32_t x = net.random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    net.random = x;
    return x;
}

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return (x << bits) | (x >> (32u - bits));
}

static void half_sip_rounds(uint32_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 5) ^ v[0];
        v[0] = rotate(v[0], 16);
        v[2] += v[3];
        v[3] = rotate(v[3], 8) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 7) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 13) ^ v[2];
        v[2] = rotate(v[2], 16);
    }
}

u32_t net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote,
                  u16_t remote_port)
{
    const uint32_t words[4] = {
        ip4_addr_get_u32(ip_2_ip4(local)),
        ip4_addr_get_u32(ip_2_ip4(remote)),
        (uint32_t)local_port << 16 | remote_port,
        (uint32_t)12 << 24 /* the end: its length in bytes */,
    };
    uint32_t v[4] = {net.key[0], net.key[1], 0x6c796765u ^ net.key[0], 0x74656462u ^ net.key[1]};
    for (unsigned i = 0; i < 4; i++) {
        v[3] ^= words[i];
        half_sip_rounds(v, 2);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    half_sip_rounds(v, 4);
    /* RFC 6528 3: a clock of 4 microseconds, so that a port used again starts above its past */
    return (v[1] ^ v[3]) + board_now_ms() * 250u;
}

/* --- Frames ---------------------------------------------------------------------------------- */

void net_fifo_write(volatile uint32_t *fifo, const struct pbuf *frame)
{
    uint32_t word = 0;
    unsigned bits = 0;
    for (; frame != NULL; frame = frame->next) {
        const uint8_t *at = frame->payload, *end = at + frame->len;
        while (at < end) {
            if (bits == 0 && end - at >= 4) {
                uint32_t whole;
                memcpy(&whole, at, sizeof whole);
                *fifo = whole;
                at += sizeof whole;
                continue;
            }
            word |= (uint32_t)*at++ << bits;
            bits += 8;
            if (bits == 32) {
                *fifo = word;
                word = 0;
                bits = 0;
            }
        }
    }
    if (bits != 0) {
        *fifo = word;
    }
}

#if PBUF_POOL_BUFSIZE % 4 != 0
#error "lwipopts.h: PBUF_POOL_BUFSIZE: words, so that none spans two buffers, and the last is whole"
#endif
struct pbuf *net_fifo_read(volatile uint32_t *fifo, uint32_t first, uint32_t n)
{
    uint32_t word = first;
    struct pbuf *frame = NULL;
    if (n >= NET_FRAME_MIN && n <= NET_FRAME_MAX) {
        frame = pbuf_alloc(PBUF_RAW, (u16_t)(n - 4), PBUF_POOL);
    }
    for (struct pbuf *part = frame; part != NULL; part = part->next) {
        uint8_t *at = part->payload, *end = at + part->len;
        for (; at < end; at += 4) {
            memcpy(at, &word, sizeof word);
            word = *fifo; /* at the end the checksum's, or what is left of it */
        }
    }
    for (; frame == NULL && n > 4; n -= 4) {
        (void)*fifo;
    }
    return frame;
}

/* --- The interface --------------------------------------------------------------------------- */

static err_t netif_begin(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, board_station(), ETH_HWADDR_LEN);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = net.driver->send;
    return ERR_OK;
}

/* The status register holds on to a loss of the link until it is read, so a short one is seen. */
static void check_link(void)
{
    int up = 1;
    if (net.phy_present) {
        up = (net.driver->phy_read(PHY_STATUS) & PHY_STATUS_LINK) != 0;
    }
    if (up == (netif_is_link_up(&net.netif) != 0)) {
        return;
    }
    if (!up) {
        netif_set_link_down(&net.netif);
        return;
    }
    if (net.phy_present) {
        unsigned both = net.driver->phy_read(PHY_ADVERTISED) & net.driver->phy_read(PHY_PARTNER);
        net.driver->duplex((both & PHY_100_FULL) != 0 ||
                           ((both & PHY_100_HALF) == 0 && (both & PHY_10_FULL) != 0));
    } else {
        net.driver->duplex(1);
    }
    netif_set_link_up(&net.netif);
}

/* In lwIP's thread, where there is one. */
static void begin(netif_input_fn input)
{
    ip4_addr_t ip, mask, gateway;
#if BOARD_DHCP
    ip4_addr_set_zero(&ip);
    ip4_addr_set_zero(&mask);
    ip4_addr_set_zero(&gateway);
#else
    NET_ADDRESS(&ip, BOARD_IP);
    NET_ADDRESS(&mask, BOARD_NETMASK);
    NET_ADDRESS(&gateway, BOARD_GATEWAY);
#endif
    if (netif_add(&net.netif, &ip, &mask, &gateway, NULL, netif_begin, input) == NULL) {
        board_panic("no network interface");
    }
    netif_set_default(&net.netif);
    netif_set_up(&net.netif);
    uint16_t id = net.driver->phy_read(PHY_ID1);
    net.phy_present = id != 0 && id != 0xffffu;
    check_link();
#if BOARD_DNS && !BOARD_DHCP
    ip_addr_t dns;
    NET_ADDRESS(&dns, BOARD_DNS_SERVER);
    dns_setserver(0, &dns);
#endif
#if BOARD_DHCP
    if (dhcp_start(&net.netif) != ERR_OK) {
        board_panic("no DHCP");
    }
#endif
}

#if NO_SYS
static void start_lwip(void)
{
    lwip_init();
    begin(ethernet_input);
}

#define NET_TIMERS() sys_check_timeouts()
#else
static void in_lwip_thread(void *done)
{
    begin(tcpip_input);
    sys_sem_signal(done);
}

static void run(void *unused)
{
    (void)unused;
    for (;;) {
        net_poll();
    }
}

static void start_lwip(void)
{
    sys_sem_t done;
    if (sys_sem_new(&done, 0) != ERR_OK) {
        board_panic("no semaphore");
    }
    tcpip_init(in_lwip_thread, &done);
    (void)sys_arch_sem_wait(&done, 0);
    sys_sem_free(&done);
    (void)sys_thread_new("net", run, NULL, NET_STACK_BYTES, NET_PRIO);
}

#define NET_TIMERS() ((void)0) /* lwIP's thread has them */
#endif

void net_link_changed(void)
{
    check_link();
}

void net_start(const struct net_mac *driver)
{
    net.driver = driver;
    (void)board_entropy(net.key, sizeof net.key);
    (void)board_entropy(&net.random, sizeof net.random);
    net.random |= 1; /* xorshift stays at zero for ever */
    start_lwip();
}

/* Sleeps until there is something to do. */
static void sleep(void)
{
#if NO_SYS
    /* With interrupts off nothing slips in between the last look and the sleep. */
    cpu_irq_off();
    if (!net.driver->wake_on_frame()) {
        cpu_wait();
    }
    cpu_irq_on();
#else
    if (!net.driver->wake_on_frame()) {
        rtos_wait_for_isr(NET_LINK_CHECK_MS);
    }
#endif
}

void net_poll(void)
{
    struct pbuf *frame = NULL;
    for (unsigned n = 0; n < NET_FRAMES_A_POLL; n++) {
        frame = net.driver->receive();
        if (frame == NULL) {
            break;
        }
        if (net.netif.input(frame, &net.netif) != ERR_OK) {
            pbuf_free(frame);
        }
    }
    NET_TIMERS();
    uint32_t now = board_now_ms();
    if (now - net.link_checked_ms >= NET_LINK_CHECK_MS) {
        net.link_checked_ms = now;
        NET_LOCK();
        check_link();
        NET_UNLOCK();
    }
    if (frame != NULL) {
        return; /* there may be more */
    }
    sleep();
}
