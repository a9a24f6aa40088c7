/* host-sim/board.c - the host as a board: what board.h asks for, and lwIP's interface to the wire.
 * Layer: board. Source: lwIP 2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "board.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "gateway.h"
#include "nanorpc/ref.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/ip4_addr.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "sim.h"
#include "wire.h"

/* As long as a board sleeps at most: what handlers have queued, and the port's retries, wait no
 * longer for the main loop. */
#define SLEEP_MAX_MS 10u

#define FRAME_MAX 1514 /* Ethernet, without checksum */

static struct netif netif;
static ip_addr_t dns_server;
static int threads;
static struct {
    uint32_t most_us;
    unsigned random;
    pthread_t lwip; /* is never kept waiting */
} preempt;

unsigned short sim_dns_port = 53; /* lwipopts.h */

/* --- The interface ---------------------------------------------------------------------------- */

static err_t send_frame(struct netif *from, struct pbuf *frame)
{
    uint8_t bytes[FRAME_MAX];
    (void)from;
    if (frame->tot_len > sizeof bytes) {
        return ERR_BUF;
    }
    wire_send(bytes, pbuf_copy_partial(frame, bytes, frame->tot_len, 0));
    return ERR_OK;
}

static err_t begin_netif(struct netif *begun)
{
    static const uint8_t address[ETH_HWADDR_LEN] = {0x02, 0, 0,
                                                    0,    0, 0x15}; /* of nobody's: RFC 7042 2.1 */
    begun->name[0] = 'e';
    begun->name[1] = 'n';
    begun->mtu = 1500;
    begun->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(begun->hwaddr, address, ETH_HWADDR_LEN);
    begun->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_LINK_UP;
    begun->output = etharp_output;
    begun->linkoutput = send_frame;
    return ERR_OK;
}

int sim_dns(const char *address, uint16_t port)
{
    sim_dns_port = port;
    return ipaddr_aton(address, &dns_server);
}

/* In lwIP's own thread, or before there is any other. */
static void start_netif(netif_input_fn input)
{
    ip4_addr_t address, netmask, router;
    if (!ip4addr_aton(GATEWAY_DEVICE, &address) || !ip4addr_aton(GATEWAY_NETMASK, &netmask) ||
        !ip4addr_aton(GATEWAY_ADDRESS, &router) ||
        netif_add(&netif, &address, &netmask, &router, NULL, begin_netif, input) == NULL) {
        board_panic("no network interface");
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    if (ip_addr_isany_val(dns_server)) {
        (void)sim_dns(GATEWAY_DNS, 53);
    }
    dns_setserver(0, &dns_server);
}

static void in_lwip_thread(void *done)
{
    preempt.lwip = pthread_self();
    start_netif(tcpip_input);
    sys_sem_signal(done);
}

int sim_receive(const uint8_t *bytes, size_t n)
{
    struct pbuf *frame = n > FRAME_MAX ? NULL : pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);
    if (frame == NULL) {
        return 0;
    }
    (void)pbuf_take(frame, bytes, (u16_t)n); /* it has the room */
    if (netif.input(frame, &netif) != ERR_OK) {
        pbuf_free(frame);
        return 0;
    }
    return 1;
}

/* All of lwIP's API goes through here, by board.mk; the lock itself is the Unix threads layer's.
 * Only the server's one thread draws numbers. */
void __real_sys_lock_tcpip_core(void);
void __wrap_sys_lock_tcpip_core(void);
void __wrap_sys_lock_tcpip_core(void)
{
    if (preempt.most_us != 0 && !pthread_equal(pthread_self(), preempt.lwip)) {
        uint32_t us = (uint32_t)rand_r(&preempt.random) % (preempt.most_us + 1);
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
    }
    __real_sys_lock_tcpip_core();
}

void sim_preempt(uint32_t most_us, uint64_t seed)
{
    preempt.most_us = most_us;
    preempt.random = (unsigned)seed;
}

/* lwipopts.h: something of the thread's own. */
void *sim_self(void)
{
    static __thread char self;
    return &self;
}

void sim_threads(int wanted)
{
    threads = wanted;
}

uint32_t sim_connections(void)
{
    return lwip_stats.mib2.tcppassiveopens;
}

/* --- board.h ---------------------------------------------------------------------------------- */

void board_init(void)
{
    sys_sem_t done;
    if (!threads) {
        lwip_init();
        start_netif(ethernet_input);
        return;
    }
    if (sys_sem_new(&done, 0) != ERR_OK) {
        board_panic("no semaphore");
    }
    tcpip_init(in_lwip_thread, &done);
    sys_sem_wait(&done);
    sys_sem_free(&done);
}

void board_poll(void)
{
    uint32_t sleep_ms = SLEEP_MAX_MS;
    if (!threads) {
        uint32_t timer_ms = sys_timeouts_sleeptime();
        sleep_ms = timer_ms < sleep_ms ? timer_ms : sleep_ms;
    }
    wire_poll(sleep_ms);
    if (!threads) {
        sys_check_timeouts();
    }
}

uint32_t board_now_ms(void)
{
    return sys_now();
}

int board_entropy(void *buf, size_t n)
{
    if (getentropy(buf, n) != 0) {
        board_panic("no entropy");
    }
    return 1;
}

uint64_t board_unix_s(void)
{
    return (uint64_t)time(NULL);
}

#if NRPC_CHECKS
void nrpc_check_failed(const char *function, const char *what)
{
    fprintf(stderr, "nanorpc: %s: %s\n", function, what);
    abort();
}
#endif

void board_panic(const char *text)
{
    fprintf(stderr, "nanorpc: panic: %s\n", text);
    abort();
}

void board_print(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}
