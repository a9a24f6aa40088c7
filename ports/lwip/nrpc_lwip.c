/* ports/lwip/nrpc_lwip.c - a server on lwIP's raw API: bare metal, NO_SYS=1, one context.
 * Layer: port. Source: lwIP 2.2 "raw API".
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_links.h"

#include <string.h>

#include "lwip/sys.h"
#include "ports/nrpc_admission.h"

#if !LWIP_TCP || !LWIP_CALLBACK_API
#error "lwipopts.h: LWIP_TCP and LWIP_CALLBACK_API must be 1"
#endif
#if TCP_SND_QUEUELEN < 4
#error "lwipopts.h: TCP_SND_QUEUELEN must be 4 or more"
#endif
#if MEMP_NUM_TCP_PCB < NRPC_LWIP_CONNECTIONS + NRPC_LWIP_WAITING + 1
#error "lwipopts.h: MEMP_NUM_TCP_PCB: NRPC_LWIP_CONNECTIONS + NRPC_LWIP_WAITING + 1 or more"
#endif
#if !MEMP_MEM_MALLOC && MEMP_NUM_TCP_SEG < NRPC_LWIP_CONNECTIONS * (TCP_SND_QUEUELEN / 2)
#error "lwipopts.h: MEMP_NUM_TCP_SEG must be NRPC_LWIP_CONNECTIONS * TCP_SND_QUEUELEN / 2 or more"
#endif
#if !MEMP_MEM_MALLOC && MEMP_NUM_PBUF < NRPC_LWIP_CONNECTIONS * (TCP_SND_QUEUELEN / 2)
#error "lwipopts.h: MEMP_NUM_PBUF must be NRPC_LWIP_CONNECTIONS * TCP_SND_QUEUELEN / 2 or more"
#endif
#if LWIP_WND_SCALE
#error "lwipopts.h: LWIP_WND_SCALE must be 0; a link keeps up to TCP_WND bytes"
#endif

NRPC_STATIC_ASSERT(NRPC_LWIP_SEND_BYTES >= 2 * NRPC_LINK_MIN && NRPC_LWIP_SEND_BYTES <= 65535,
                   "NRPC_LWIP_SEND_BYTES: 2 * NRPC_LINK_MIN .. 65535");
NRPC_STATIC_ASSERT(NRPC_LWIP_CONNECTIONS >= 1 && NRPC_LWIP_CONNECTIONS <= 255,
                   "NRPC_LWIP_CONNECTIONS: 1..255");
NRPC_STATIC_ASSERT(NRPC_LWIP_WAITING >= 1 && NRPC_LWIP_WAITING <= 16, "NRPC_LWIP_WAITING: 1..16");

#define POLL_MS 1000u
#define RETRY_MS 10u
#define KEEPALIVE_PROBE_MS 10000u
#define KEEPALIVE_PROBES 3u

/* The ring: bytes that TCP may still need, in order, without a copy in lwIP. They lie in
 * [tail, head), or, once they have gone round, in [tail, end) and [0, head). */
struct ring {
    uint16_t head, tail, end; /* end 0: they have not gone round */
    uint16_t unsent;          /* the last ones before head, which TCP has not taken yet */
    uint8_t bytes[NRPC_LWIP_SEND_BYTES];
};

/* A link is free when pcb is NULL; closing when it has a pcb, but no conn. */
struct link {
    struct tcp_pcb *pcb;
    struct nrpc_conn *conn;
    uint32_t closing_ms; /* since when */
    uint16_t held_at, held_bytes;
    uint8_t fin_sent;
    struct ring ring;
    /* Received, but not used yet. It cannot overflow: TCP's window stays closed for these. Not the
     * pbufs themselves: how many those are is the client's choice. */
    uint8_t held[TCP_WND];
};

static struct link links[NRPC_LWIP_CONNECTIONS];

/* Clients beyond the limit, as they came; one more for a moment. What they send stays with lwIP,
 * one segment of it each. */
static struct {
    unsigned n;
    struct nrpc_newcomer clients[NRPC_LWIP_WAITING + 1];
} waiting;

/* --- The ring -------------------------------------------------------------------------------- */

/* Finds the longest run of free bytes after head that transmit can make progress in. Returns its
 * length, and where it is; or 0. */
static uint16_t ring_room(struct ring *ring, uint8_t **at)
{
    uint16_t room;
    if (ring->head == ring->tail && ring->end == 0) {
        ring->head = ring->tail = 0;
    }
    if (ring->end != 0) {
        room = (uint16_t)(ring->tail - ring->head);
    } else {
        room = (uint16_t)(NRPC_LWIP_SEND_BYTES - ring->head);
        if (room < NRPC_LINK_MIN && ring->tail >= NRPC_LINK_MIN) {
            ring->end = ring->head;
            ring->head = 0;
            room = ring->tail;
        }
    }
    *at = ring->bytes + ring->head;
    return room < NRPC_LINK_MIN ? 0 : room;
}

/* n bytes were put where ring_room said. */
static void ring_add(struct ring *ring, size_t n)
{
    ring->head = (uint16_t)(ring->head + n);
    ring->unsent = (uint16_t)n;
}

static void ring_acked(struct ring *ring, uint16_t n)
{
    ring->tail = (uint16_t)(ring->tail + n);
    if (ring->end != 0 && ring->tail >= ring->end) {
        ring->tail = (uint16_t)(ring->tail - ring->end);
        ring->end = 0;
    }
}

static int ring_is_empty(const struct ring *ring)
{
    return ring->head == ring->tail && ring->end == 0;
}

/* --- The end of a link ----------------------------------------------------------------------- */

/* Gives back what arrived, used or not, so that closing does not turn into RST. */
static void drop_held(struct link *link)
{
    tcp_recved(link->pcb, link->held_bytes);
    link->held_bytes = 0;
}

static void lose_conn(struct link *link)
{
    if (link->conn != NULL) {
        nrpc_link_lost(link->conn);
        link->conn = NULL;
    }
}

/* The pcb goes on without us, or is to be aborted by the caller. Returns it; the link is free. */
static struct tcp_pcb *let_go(struct link *link)
{
    struct tcp_pcb *pcb = link->pcb;
    lose_conn(link);
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    link->pcb = NULL;
    return pcb;
}

/* RST. Returns ERR_ABRT, which lwIP wants to hear when this happens in one of its callbacks. */
static err_t abort_link(struct link *link)
{
    tcp_abort(let_go(link));
    return ERR_ABRT;
}

/* The client has gone. The ring is another's after this, so when TCP still needs bytes of it the
 * end is RST. Returns ERR_OK or ERR_ABRT, for lwIP. */
static err_t client_gone(struct link *link)
{
    drop_held(link);
    if (!ring_is_empty(&link->ring)) {
        return abort_link(link);
    }
    (void)tcp_close(let_go(link)); /* short of memory for the FIN, lwIP sends it later by itself */
    return ERR_OK;
}

/* Takes a closing link one step further. Returns ERR_OK or ERR_ABRT, for lwIP. */
static err_t close_link(struct link *link)
{
    if (link->conn != NULL) {
        lose_conn(link);
        link->closing_ms = sys_now();
    }
    drop_held(link);
    if (!link->fin_sent && ring_is_empty(&link->ring)) {
        link->fin_sent = tcp_shutdown(link->pcb, 0, 1) == ERR_OK; /* if not: at the next poll */
    }
    return sys_now() - link->closing_ms >= NRPC_LWIP_CLOSE_MS ? abort_link(link) : ERR_OK;
}

/* --- Bytes in and out ------------------------------------------------------------------------ */

/* Gives the connection bytes, and TCP room for as many. Returns how many were used. */
static uint16_t feed(struct link *link, const void *data, uint16_t n)
{
    uint16_t used = (uint16_t)nrpc_link_receive(link->conn, data, n, sys_now());
    tcp_recved(link->pcb, used);
    return used;
}

/* Gives the connection what is held. Returns 1 when something was used. */
static int feed_held(struct link *link)
{
    uint16_t used = 0;
    if (link->held_bytes != 0) {
        used = feed(link, link->held + link->held_at, link->held_bytes);
        link->held_at = (uint16_t)(link->held_at + used);
        link->held_bytes = (uint16_t)(link->held_bytes - used);
    }
    return used != 0;
}

/* Keeps what is left of a chain after its first `from` bytes. */
static void hold(struct link *link, const struct pbuf *chain, uint16_t from)
{
    uint16_t n = (uint16_t)(chain->tot_len - from);
    memmove(link->held, link->held + link->held_at, link->held_bytes);
    link->held_at = 0;
    (void)pbuf_copy_partial(chain, link->held + link->held_bytes, n, from);
    link->held_bytes = (uint16_t)(link->held_bytes + n);
}

/* A chain has arrived: uses it where it lies, and keeps the rest. It stays the caller's. */
static void receive(struct link *link, const struct pbuf *chain)
{
    uint16_t used_all = 0;
    if (link->conn == NULL) {
        tcp_recved(link->pcb, chain->tot_len); /* closing: ignored */
        return;
    }
    for (const struct pbuf *part = chain; part != NULL && link->held_bytes == 0;
         part = part->next) {
        uint16_t used = feed(link, part->payload, part->len);
        used_all = (uint16_t)(used_all + used);
        if (used != part->len) {
            break;
        }
    }
    if (used_all != chain->tot_len) {
        hold(link, chain, used_all);
    }
}

/* Gives TCP what it has not taken yet. Returns 1 when it now has everything. What it cannot take
 * for want of segments or memory waits for an acknowledgement, or the next poll. */
static int push(struct link *link)
{
    struct ring *ring = &link->ring;
    while (ring->unsent != 0) {
        u16_t room = tcp_sndbuf(link->pcb), n = ring->unsent;
        if (n > room) {
            n = room;
        }
        if (n == 0 ||
            tcp_write(link->pcb, ring->bytes + ring->head - ring->unsent, n, 0) != ERR_OK) {
            return 0;
        }
        ring->unsent = (uint16_t)(ring->unsent - n);
    }
    return 1;
}

/* Lets the connection make its next bytes. Returns 1 when it did. */
static int make(struct link *link)
{
    uint8_t *at;
    uint16_t room;
    size_t n;
    if (tcp_sndqueuelen(link->pcb) + 2u > TCP_SND_QUEUELEN) {
        return 0;
    }
    room = ring_room(&link->ring, &at);
    n = room == 0 ? 0 : nrpc_link_transmit(link->conn, at, room);
    ring_add(&link->ring, n);
    return n != 0;
}

/* Everything that can move, moves. Returns ERR_OK or ERR_ABRT, for lwIP. */
static err_t pump(struct link *link)
{
    if (link->conn != NULL) {
        int moved;
        do { /* what is held may have waited for a handler, too */
            moved = feed_held(link);
            while (push(link) && make(link)) {
                moved = 1;
            }
        } while (moved && link->held_bytes != 0);
    } else {
        (void)push(link);
    }
    /* Whatever keeps it from sending now (no route, no memory), its timer tries again. */
    (void)tcp_output(link->pcb);
    if (link->conn == NULL || nrpc_link_closing(link->conn)) {
        return close_link(link);
    }
    return ERR_OK;
}

/* --- lwIP's callbacks ------------------------------------------------------------------------ */

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *part, err_t err)
{
    struct link *link = arg;
    (void)pcb;
    (void)err; /* always ERR_OK here */
    if (part == NULL) {
        return client_gone(link);
    }
    receive(link, part);
    pbuf_free(part);
    return pump(link);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
    struct link *link = arg;
    (void)pcb;
    ring_acked(&link->ring, n);
    return pump(link);
}

/* The pcb is freed already. */
static void on_error(void *arg, err_t err)
{
    struct link *link = arg;
    (void)err; /* reset, timed out, out of memory: gone, each time */
    link->pcb = NULL;
    lose_conn(link);
}

/* A pcb becomes a link's, which is free. */
static void begin(struct link *link, struct nrpc_conn *conn, struct tcp_pcb *pcb)
{
    tcp_nagle_disable(pcb);
    ip_set_option(pcb, SOF_KEEPALIVE);
    pcb->keep_idle = NRPC_LWIP_KEEPALIVE_MS;
#if LWIP_TCP_KEEPALIVE
    pcb->keep_intvl = KEEPALIVE_PROBE_MS;
    pcb->keep_cnt = KEEPALIVE_PROBES;
#endif
    link->conn = conn;
    link->pcb = pcb;
    link->held_bytes = 0;
    link->fin_sent = 0;
    link->ring.head = link->ring.tail = link->ring.end = link->ring.unsent = 0;
    tcp_arg(pcb, link);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
}

/* A free link, or NULL. */
static struct link *find_free(void)
{
    struct link *link = links;
    while (link->pcb != NULL) {
        if (++link == links + NRPC_LWIP_CONNECTIONS) {
            return NULL;
        }
    }
    return link;
}

/* The client's address, for nrpc_admission.h. */
static uint32_t peer_of(const struct tcp_pcb *pcb)
{
#if LWIP_IPV6
    if (IP_IS_V6_VAL(pcb->remote_ip)) {
        return nrpc_admission_peer((const uint8_t *)ip_2_ip6(&pcb->remote_ip)->addr, 8);
    }
#endif
    return nrpc_admission_peer((const uint8_t *)&pcb->remote_ip, 4);
}

/* A client gets a link, if one is free and its server has memory for it. Returns it, or NULL. */
static struct link *admit(const struct nrpc_newcomer *client)
{
    struct link *link = find_free();
    struct nrpc_conn *conn = link == NULL
                                 ? NULL
                                 : nrpc_admission_accept(client->server, client->peer, sys_now());
    if (conn == NULL) {
        return NULL;
    }
    begin(link, conn, client->pcb);
    return link;
}

/* The pcb, which is arg, is freed already, or about to be. */
static void on_waiting_error(void *arg, err_t err)
{
    (void)err;
    for (unsigned i = 0; i < waiting.n; i++) {
        if (waiting.clients[i].pcb == arg) {
            nrpc_admission_forget(waiting.clients, &waiting.n, i);
            return;
        }
    }
}

static err_t on_waiting_received(void *arg, struct tcp_pcb *pcb, struct pbuf *part, err_t err)
{
    if (part != NULL) {
        return ERR_MEM; /* lwIP asks again, four times a second */
    }
    on_waiting_error(arg, err);
    tcp_err(pcb, NULL);
    (void)tcp_close(pcb);
    return ERR_OK;
}

/* Says so and closes, or just closes where that cannot be said now. */
static void give_way(struct link *link)
{
    struct nrpc_conn *conn = link->conn;
    nrpc_conn_yield(conn, sys_now());
    if (pump(link) == ERR_OK && link->conn == conn) {
        (void)abort_link(link);
    }
}

/* A link becomes free for this client, sooner or later. Returns 1, or 0: nobody gives way now. */
static int make_way(const struct nrpc_newcomer *client)
{
    const struct nrpc_conn *leaves;
    struct link *link;
    int closing = 0;
    if (find_free() == NULL) {
        for (link = links; link < links + NRPC_LWIP_CONNECTIONS; link++) {
            if (link->conn == NULL && sys_now() - link->closing_ms >= NRPC_LWIP_YIELDING_MS) {
                (void)abort_link(link);
                return 1;
            }
            closing |= link->conn == NULL;
        }
    }
    leaves = closing ? NULL : nrpc_admission_choose(client->server, client->peer, sys_now());
    for (link = links; leaves != NULL && link < links + NRPC_LWIP_CONNECTIONS; link++) {
        if (link->pcb != NULL && link->conn == leaves) {
            give_way(link);
            return 1;
        }
    }
    return closing;
}

/* Clients that wait get the links of those that have gone, or give way, or are refused in the
 * end. */
static void poll_waiting(void)
{
    for (unsigned i = 0; i < waiting.n;) {
        const struct nrpc_newcomer *client = &waiting.clients[i];
        if (nrpc_admission_first(waiting.clients, waiting.n, client->server) == i &&
            admit(client) != NULL) {
            nrpc_admission_forget(waiting.clients, &waiting.n, i);
            i = 0;
        } else if (sys_now() - client->since_ms >= NRPC_LWIP_ACCEPT_MS) {
            tcp_abort(client->pcb); /* which tells on_waiting_error */
        } else {
            i++;
        }
    }
    for (unsigned i = 0; i < waiting.n && !make_way(&waiting.clients[i]); i++) {
    }
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct nrpc_newcomer client = {.server = arg, .pcb = pcb, .since_ms = sys_now()};
    if (err != ERR_OK || pcb == NULL) {
        return ERR_VAL; /* lwIP had no memory for it; the client tries again */
    }
    client.peer = peer_of(pcb);
    if (waiting.n == 0) { /* else what is free is another's */
        struct link *link = admit(&client);
        if (link != NULL) {
            return pump(link); /* our SETTINGS need not wait for the client's */
        }
    }
    tcp_arg(pcb, pcb);
    tcp_recv(pcb, on_waiting_received);
    tcp_err(pcb, on_waiting_error);
    waiting.clients[waiting.n++] = client;
    if (waiting.n > NRPC_LWIP_WAITING) {
        struct tcp_pcb *last = waiting.clients[nrpc_admission_last(waiting.clients, waiting.n)].pcb;
        tcp_abort(last);
        return last == pcb ? ERR_ABRT : ERR_OK;
    }
    return ERR_OK;
}

/* --- For nrpc_lwip_dial.c -------------------------------------------------------------------- */

uint32_t (*nrpc_lwip_dials)(uint32_t now_ms);

err_t nrpc_lwip_link_begin(struct nrpc_dial *dial, struct tcp_pcb *pcb)
{
    struct link *link = find_free();
    struct nrpc_conn *conn = NULL;
    if (link == NULL) {
        nrpc_dial_failed(dial);
    } else {
        conn = nrpc_link_dialled(dial, sys_now());
    }
    if (conn == NULL) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    begin(link, conn, pcb);
    return pump(link);
}

void nrpc_lwip_link_end(const struct nrpc_conn *conn)
{
    for (struct link *link = links; link < links + NRPC_LWIP_CONNECTIONS; link++) {
        if (link->pcb != NULL && link->conn == conn) {
            (void)abort_link(link);
        }
    }
}

/* --- The port's interface -------------------------------------------------------------------- */

int nrpc_lwip_listen(const struct nrpc_server *server, uint16_t port)
{
    struct tcp_pcb *listener, *pcb = NULL;
    if (server->n_conns <= NRPC_LWIP_CONNECTIONS) { /* else the last of its clients would wait */
        pcb = tcp_new();
    }
    if (pcb == NULL) {
        return NRPC_E_LIMIT;
    }
    if (tcp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK) {
        (void)tcp_close(pcb); /* of an unused pcb: cannot fail */
        return NRPC_E_LINK;
    }
    listener = tcp_listen(pcb);
    if (listener == NULL) {
        (void)tcp_close(pcb);
        return NRPC_E_LIMIT;
    }
    tcp_arg(listener, (void *)(uintptr_t)server);
    tcp_accept(listener, on_accepted);
    return 0;
}

uint32_t nrpc_lwip_poll(uint32_t now_ms)
{
    uint32_t next = nrpc_lwip_dials == NULL ? POLL_MS : nrpc_lwip_dials(now_ms);
    poll_waiting();
    for (struct link *link = links; link < links + NRPC_LWIP_CONNECTIONS; link++) {
        uint32_t own = RETRY_MS;
        if (link->pcb == NULL) {
            continue;
        }
        if (link->conn != NULL) {
            own = nrpc_link_tick(link->conn, now_ms);
        }
        if (pump(link) == ERR_OK && link->ring.unsent != 0) {
            own = RETRY_MS;
        }
        next = own < next ? own : next;
    }
    return waiting.n != 0 && next > RETRY_MS ? RETRY_MS : next;
}
