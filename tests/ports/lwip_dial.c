/* tests/ports/lwip_dial.c - ports/lwip/nrpc_lwip_dial.c on lwIP's loopback, in its own time.
 * Layer: test. Source: nrpc_lwip_dial.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_dial.h"

#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "raw_service.h"
#include "test.h"

enum { PORT = 5000, NOBODYS = 5001, STEP_MS = 10, LONG = 1000000 };

#define HERE "127.0.0.1"
#define NOWHERE "10.0.0.9" /* the other interface loses all */

static u32_t now;

/* The other end: a listener that keeps its last connection and counts. */
static struct {
    struct tcp_pcb *pcb;
    unsigned accepted, lost;
    size_t bytes;
} peer;

u32_t sys_now(void)
{
    return now;
}

static err_t on_bytes(void *arg, struct tcp_pcb *pcb, struct pbuf *part, err_t err)
{
    (void)arg;
    (void)err;
    if (part == NULL) {
        peer.pcb = NULL;
        peer.lost++;
        return tcp_close(pcb);
    }
    tcp_recved(pcb, part->tot_len);
    peer.bytes += part->tot_len;
    pbuf_free(part);
    return ERR_OK;
}

static void on_lost(void *arg, err_t err)
{
    (void)arg;
    (void)err;
    peer.pcb = NULL;
    peer.lost++;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    peer.pcb = pcb;
    peer.accepted++;
    peer.bytes = 0;
    tcp_recv(pcb, on_bytes);
    tcp_err(pcb, on_lost);
    return ERR_OK;
}

static err_t lose(struct netif *netif, struct pbuf *part, const ip4_addr_t *to)
{
    (void)netif;
    (void)part;
    (void)to;
    return ERR_OK;
}

static err_t begin_netif(struct netif *netif)
{
    netif->output = lose;
    netif->mtu = 1500;
    return ERR_OK;
}

static void begin(void)
{
    static struct netif netif;
    ip4_addr_t address, mask, none = {0};
    ip_addr_t dns;
    struct tcp_pcb *listener;
    lwip_init();
    IP4_ADDR(&address, 10, 0, 0, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    (void)netif_add(&netif, &address, &mask, &none, NULL, begin_netif, NULL);
    netif_set_default(&netif);
    netif_set_up(&netif);
    netif_set_link_up(&netif);
    IP4_ADDR(&dns, 10, 0, 0, 53);
    dns_setserver(0, &dns);
    listener = tcp_new();
    (void)tcp_bind(listener, IP_ADDR_ANY, PORT);
    listener = tcp_listen(listener);
    tcp_accept(listener, on_accept);
}

/* Time passes, as for a board. */
static void pass(u32_t ms)
{
    for (u32_t end = now + ms; now != end; now += STEP_MS) {
        netif_poll_all();
        sys_check_timeouts();
        CHECK(nrpc_lwip_poll(now) >= 1);
    }
}

/* Until the dial is in that state. Returns how long it took. */
static u32_t until(const struct nrpc_dial *dial, enum nrpc_dial_state state)
{
    u32_t began = now;
    while (dial->state != state && CHECK(now - began <= LONG)) {
        pass(STEP_MS);
    }
    return now - began;
}

static void settle(void)
{
    if (peer.pcb != NULL) {
        tcp_abort(peer.pcb);
    }
    pass(10000);
}

static NRPC_REVERSE_DEFINE(one, raw_server);
static NRPC_REVERSE_DEFINE(two, raw_server);
static NRPC_REVERSE_DEFINE(three, raw_server);

static void links(void)
{
    unsigned accepted = peer.accepted;
    CHECK_EQ(nrpc_lwip_dial(&one.dial, HERE, PORT), 0);
    CHECK(until(&one.dial, NRPC_DIAL_LINKED) < 1000);
    pass(100);
    CHECK_EQ(peer.accepted, accepted + 1);
    CHECK(peer.bytes >= 9); /* our SETTINGS */
    pass(10 * NRPC_STALL_TIMEOUT_MS);
    CHECK_EQ(one.dial.state, NRPC_DIAL_LINKED);
    CHECK_EQ(peer.lost, 0);
    nrpc_lwip_undial(&one.dial);
    settle();
    CHECK_EQ(peer.lost, 1);
    CHECK_EQ(one.dial.state, NRPC_DIAL_WAITING);
    CHECK(one.dial.conn == NULL);
}

static void links_again(void)
{
    CHECK_EQ(nrpc_lwip_dial(&one.dial, HERE, PORT), 0);
    for (unsigned i = 0, accepted = peer.accepted; i < 5; i++) {
        until(&one.dial, NRPC_DIAL_LINKED);
        pass(100);
        CHECK_EQ(peer.accepted, accepted + i + 1);
        tcp_abort(peer.pcb);
        until(&one.dial, NRPC_DIAL_WAITING);
    }
    nrpc_lwip_undial(&one.dial);
    settle();
}

static void peer_closes(void)
{
    CHECK_EQ(nrpc_lwip_dial(&one.dial, HERE, PORT), 0);
    until(&one.dial, NRPC_DIAL_LINKED);
    pass(100);
    struct tcp_pcb *pcb = peer.pcb;
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    peer.pcb = NULL;
    CHECK_EQ(tcp_close(pcb), ERR_OK);
    until(&one.dial, NRPC_DIAL_WAITING);
    until(&one.dial, NRPC_DIAL_LINKED);
    nrpc_lwip_undial(&one.dial);
    settle();
}

/* Each address that comes to nothing: it fails after `least` ms, again and again, and less and less
 * often. */
static void fails(const char *host, uint16_t port, u32_t least, u32_t most)
{
    u32_t began = now, last = 0;
    CHECK_EQ(nrpc_lwip_dial(&two.dial, host, port), 0);
    until(&two.dial, NRPC_DIAL_DIALLING);
    for (int i = 0; i < 6; i++) {
        u32_t failed = until(&two.dial, NRPC_DIAL_WAITING);
        test_context(host, (long)failed);
        CHECK(failed + 2 * STEP_MS >= least);
        CHECK(failed <= most);
        last = until(&two.dial, NRPC_DIAL_DIALLING);
    }
    CHECK(now - began >= 6 * NRPC_BACKOFF_MIN_MS);
    CHECK(last + most >= 6 * NRPC_BACKOFF_MIN_MS);
    nrpc_lwip_undial(&two.dial);
    test_context(NULL, 0);
    settle();
}

/* NRPC_LWIP_CONNECTIONS is 1, raw_server has 2, large_server 1. */
static void listens_where_each_connection_has_a_link(void)
{
    CHECK_EQ(nrpc_lwip_listen(&raw_server, PORT + 10), NRPC_E_LIMIT);
    CHECK_EQ(nrpc_lwip_listen(&large_server, PORT + 10), 0);
    CHECK_EQ(nrpc_lwip_listen(&large_server, PORT + 11), 0); /* and on another port as well */
}

static void refused(void)
{
    fails(HERE, NOBODYS, 0, 100);
}

static void no_answer(void)
{
    fails(NOWHERE, PORT, NRPC_DIAL_TIMEOUT_MS / 2, NRPC_DIAL_TIMEOUT_MS + 1000);
}

static void name_without_answer(void)
{
    fails("relay.test", PORT, 1000, NRPC_DIAL_TIMEOUT_MS + 1000);
}

static void no_name(void)
{
    static NRPC_REVERSE_DEFINE(fresh, raw_server);
    CHECK_EQ(nrpc_lwip_dial(&fresh.dial, "", PORT), 0); /* fails as soon as it begins */
    pass(LONG / 10);
    CHECK(fresh.dial.failures >= 6 && fresh.dial.failures <= 12);
    CHECK_EQ(fresh.dial.state, NRPC_DIAL_WAITING);
    nrpc_lwip_undial(&fresh.dial);
}

/* In whatever state it is: nothing of it is left, and it may be dialled anew. */
static void undial(const char *host, enum nrpc_dial_state state)
{
    unsigned accepted = peer.accepted;
    CHECK_EQ(nrpc_lwip_dial(&one.dial, host, PORT), 0);
    until(&one.dial, state);
    nrpc_lwip_undial(&one.dial);
    nrpc_lwip_undial(&one.dial);
    CHECK_EQ(one.dial.state, NRPC_DIAL_WAITING);
    accepted = peer.accepted;
    settle();
    pass(LONG / 10);
    CHECK_EQ(peer.accepted, accepted);
    CHECK(peer.pcb == NULL);
}

static void undial_everywhere(void)
{
    for (int i = 0; i < 2; i++) {
        undial(HERE, NRPC_DIAL_WAITING);
        undial(HERE, NRPC_DIAL_DIALLING);
        undial(HERE, NRPC_DIAL_LINKED);
        undial(NOWHERE, NRPC_DIAL_DIALLING);
        undial("relay.test", NRPC_DIAL_DIALLING);
    }
}

/* The answer to another dial's question is not ours. */
static void undial_while_looking_up(void)
{
    CHECK_EQ(nrpc_lwip_dial(&one.dial, "first.test", PORT), 0);
    until(&one.dial, NRPC_DIAL_DIALLING);
    nrpc_lwip_undial(&one.dial);
    CHECK_EQ(nrpc_lwip_dial(&two.dial, HERE, PORT), 0);
    until(&two.dial, NRPC_DIAL_LINKED);
    pass(60000); /* lwIP has given up the first name */
    CHECK_EQ(two.dial.state, NRPC_DIAL_LINKED);
    nrpc_lwip_undial(&two.dial);
    settle();
}

static void limits(void)
{
    CHECK_EQ(nrpc_lwip_dial(&one.dial, NOWHERE, PORT), 0);
    CHECK_EQ(nrpc_lwip_dial(&one.dial, NOWHERE, PORT), NRPC_E_STATE);
    CHECK_EQ(nrpc_lwip_dial(&two.dial, NOWHERE, PORT), 0);
    CHECK_EQ(nrpc_lwip_dial(&three.dial, NOWHERE, PORT), NRPC_E_LIMIT);
    nrpc_lwip_undial(&three.dial);
    nrpc_lwip_undial(&one.dial);
    CHECK_EQ(nrpc_lwip_dial(&three.dial, NOWHERE, PORT), 0);
    nrpc_lwip_undial(&two.dial);
    nrpc_lwip_undial(&three.dial);
    settle();
}

/* NRPC_LWIP_CONNECTIONS is 1 here. */
static void all_links_taken(void)
{
    CHECK_EQ(nrpc_lwip_dial(&one.dial, HERE, PORT), 0);
    until(&one.dial, NRPC_DIAL_LINKED);
    CHECK_EQ(nrpc_lwip_dial(&two.dial, HERE, PORT), 0);
    pass(LONG / 10);
    CHECK_EQ(one.dial.state, NRPC_DIAL_LINKED);
    CHECK(two.dial.state != NRPC_DIAL_LINKED);
    CHECK(two.dial.failures > 3);
    nrpc_lwip_undial(&one.dial);
    until(&two.dial, NRPC_DIAL_LINKED);
    nrpc_lwip_undial(&two.dial);
    settle();
}

int main(void)
{
    begin();
    RUN(links);
    RUN(links_again);
    RUN(peer_closes);
    RUN(listens_where_each_connection_has_a_link);
    RUN(refused);
    RUN(no_answer);
    RUN(name_without_answer);
    RUN(no_name);
    RUN(undial_everywhere);
    RUN(undial_while_looking_up);
    RUN(limits);
    RUN(all_links_taken);
    return test_end();
}
