/* ports/lwip/nrpc_lwip_sockets.c - a server on lwIP's sockets API: an RTOS, NO_SYS=0, one thread.
 * Layer: port. Source: lwIP 2.2 "sockets API".
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_sockets_links.h"

#include <string.h>

#include "lwip/errno.h"
#include "lwip/sockets.h"
#include "lwip/sys.h"
#include "ports/nrpc_admission.h"

#if !LWIP_SOCKET || !LWIP_SOCKET_POLL || !LWIP_SO_LINGER
#error "lwipopts.h: LWIP_SOCKET, LWIP_SOCKET_POLL and LWIP_SO_LINGER must be 1"
#endif
#if MEMP_NUM_NETCONN < NRPC_LWIP_SOCKETS_CONNECTIONS + NRPC_LWIP_SOCKETS_WAITING + 2
#error "MEMP_NUM_NETCONN: NRPC_LWIP_SOCKETS_CONNECTIONS + NRPC_LWIP_SOCKETS_WAITING + 2 or more"
#endif

enum { LINKS = NRPC_LWIP_SOCKETS_CONNECTIONS, WAITING = NRPC_LWIP_SOCKETS_WAITING };
enum { BUFFER = NRPC_LWIP_SOCKETS_BUFFER_BYTES };
enum { BACKLOG = 4, KEEPALIVE_PROBE_S = 10, KEEPALIVE_PROBES = 3 };
enum {
    TURN = 4
}; /* buffers that a link may fill before the others, and what it has received, have their turn */

NRPC_STATIC_ASSERT(LINKS >= 1 && LINKS <= 65535, "NRPC_LWIP_SOCKETS_CONNECTIONS: 1..65535");
NRPC_STATIC_ASSERT(WAITING >= 1 && WAITING <= 16, "NRPC_LWIP_SOCKETS_WAITING: 1..16");
NRPC_STATIC_ASSERT(BUFFER >= NRPC_LINK_MIN && BUFFER <= 65535,
                   "NRPC_LWIP_SOCKETS_BUFFER_BYTES: NRPC_LINK_MIN..65535");

/* OPEN: it has a connection. CLOSING: that has ended; its last bytes leave, and the client, which
 * they tell so, may end its side first. */
enum state { FREE, OPEN, CLOSING };

struct link {
    struct nrpc_conn *conn; /* NULL unless open */
    int fd;
    uint32_t closing_ms;    /* since when */
    uint16_t rx_at, rx_end; /* received, not yet used by the core */
    uint16_t tx_at, tx_end; /* made by the core, not yet taken by lwIP */
    uint8_t state;
    uint8_t rx[BUFFER], tx[BUFFER];
};

static struct {
    const struct nrpc_server *server; /* NULL: not listening */
    int listener;
    uint8_t has_listener; /* there is that socket; it listens if there is a server */
    uint8_t is_inside;    /* poll runs */
    unsigned n_waiting;
    struct nrpc_newcomer waiting[WAITING + 1]; /* as they came; one more for a moment */
    struct pollfd watched[LINKS + 1];          /* the links in their order, then the listener */
    struct link links[LINKS];
} port;

/* --- The end of a link ----------------------------------------------------------------------- */

/* With RST instead of FIN, and without waiting. */
static void close_hard(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)lwip_setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)lwip_close(fd);
}

static void lose_conn(struct link *link)
{
    if (link->conn != NULL) {
        nrpc_link_lost(link->conn);
        link->conn = NULL;
    }
}

/* The link is broken, or its client does not go. */
static void abort_link(struct link *link)
{
    lose_conn(link);
    close_hard(link->fd);
    link->state = FREE;
}

/* FIN follows what lwIP has to send. */
static void close_link(struct link *link)
{
    lose_conn(link);
    (void)lwip_close(link->fd);
    link->state = FREE;
}

/* A close now could answer what the client still sends with RST, which would destroy our GOAWAY
 * before it was read. Nor may it be half a close: when the client's FIN has come, lwip_recv shuts
 * down that side by itself, and in the states LAST_ACK and TIME_WAIT lwIP then frees its block of
 * the connection without telling the socket, whose close would write into it. So it is the client's
 * turn. */
static void begin_closing(struct link *link)
{
    lose_conn(link);
    link->state = CLOSING;
    link->rx_at = link->rx_end = 0;
    link->closing_ms = sys_now();
}

/* --- Bytes in and out ------------------------------------------------------------------------ */

/* After a socket call has failed: 1 when it may do better later. */
static int may_try_again(void)
{
    return errno == EWOULDBLOCK || errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS;
}

/* Gives lwIP what is in tx. Returns 0, or -1: the link is broken. */
static int push(struct link *link)
{
    ssize_t sent;
    if (link->tx_at == link->tx_end) {
        return 0;
    }
    sent = lwip_send(link->fd, link->tx + link->tx_at, (size_t)(link->tx_end - link->tx_at),
                     MSG_DONTWAIT);
    if (sent < 0) {
        return may_try_again() ? 0 : -1;
    }
    link->tx_at = (uint16_t)(link->tx_at + sent);
    return 0;
}

/* Lets the core make what it has to say, into the empty tx. Returns how many bytes. */
static size_t make(struct link *link)
{
    size_t made, end = 0;
    do {
        made = nrpc_link_transmit(link->conn, link->tx + end, BUFFER - end);
        end += made;
    } while (made != 0 && BUFFER - end >= NRPC_LINK_MIN);
    link->tx_at = 0;
    link->tx_end = (uint16_t)end;
    return end;
}

/* Makes and sends until there is no more, or lwIP is full, or the turn is over: then tx is left
 * full, and the next poll does not wait. Where lwIP sends as fast as we make, it is never full.
 * Returns 1 when the core made something, 0, or -1: the link is broken. */
static int drain(struct link *link)
{
    for (unsigned made = 0; made < TURN; made++) {
        if (push(link) != 0) {
            return -1;
        }
        if (link->tx_at != link->tx_end || make(link) == 0) {
            return made != 0;
        }
    }
    return 1;
}

/* Gives the core what is in rx. Returns 1 when it used something. */
static int feed(struct link *link)
{
    size_t used;
    if (link->rx_at == link->rx_end) {
        return 0;
    }
    used = nrpc_link_receive(link->conn, link->rx + link->rx_at,
                             (size_t)(link->rx_end - link->rx_at), sys_now());
    link->rx_at = (uint16_t)(link->rx_at + used);
    return used != 0;
}

/* Everything that can move on an open link, moves. */
static void pump(struct link *link)
{
    int fed, made;
    do {
        fed = feed(link);
        made = drain(link);
    } while (made >= 0 && (fed || made) && link->rx_at != link->rx_end);
    if (made < 0) {
        abort_link(link);
    } else if (nrpc_link_closing(link->conn)) {
        begin_closing(link);
    }
}

/* The client is not waited for any longer. */
static void end_closing(struct link *link)
{
    if (link->tx_at == link->tx_end) {
        close_link(link);
    } else {
        abort_link(link);
    }
}

/* Takes a closing link one step further. */
static void go_on_closing(struct link *link)
{
    if (push(link) != 0) {
        abort_link(link);
    } else if (sys_now() - link->closing_ms >= NRPC_LWIP_SOCKETS_CLOSE_MS) {
        end_closing(link);
    }
}

/* The client has sent something, or has ended its side, or is lost. */
static void receive(struct link *link)
{
    ssize_t n = lwip_recv(link->fd, link->rx, BUFFER, MSG_DONTWAIT);
    if (n < 0) {
        if (!may_try_again()) {
            abort_link(link);
        }
        return;
    }
    if (n == 0) {
        close_link(link);
        return;
    }
    link->rx_at = 0;
    link->rx_end = link->state == OPEN ? (uint16_t)n : 0;
}

/* --- Listening ------------------------------------------------------------------------------- */

/* A link for a new client: a free one, else one that is only closing (begin ends it), or NULL. */
static struct link *find_place(void)
{
    struct link *place = NULL;
    for (unsigned i = 0; i < LINKS; i++) {
        if (port.links[i].state == FREE) {
            return &port.links[i];
        }
        if (port.links[i].state == CLOSING) {
            place = &port.links[i];
        }
    }
    return place;
}

/* A failure costs only what the option would have gained. */
static void set_option(int fd, int level, int option, int value)
{
    (void)lwip_setsockopt(fd, level, option, &value, sizeof value);
}

/* A socket becomes a link's, which find_place gave. */
static void begin(struct link *link, struct nrpc_conn *conn, int fd)
{
    if (link->state == CLOSING) {
        end_closing(link);
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#if LWIP_TCP_KEEPALIVE
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, NRPC_LWIP_SOCKETS_KEEPALIVE_MS / 1000);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PROBE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
#endif
    link->conn = conn;
    link->fd = fd;
    link->state = OPEN;
    link->rx_at = link->rx_end = link->tx_at = link->tx_end = 0;
}

/* The client gets a link, if there is one. Returns 1 when it did. */
static int admit(const struct nrpc_newcomer *client)
{
    struct link *link = find_place();
    struct nrpc_conn *conn = link == NULL
                                 ? NULL
                                 : nrpc_admission_accept(client->server, client->peer, sys_now());
    if (conn == NULL) {
        return 0;
    }
    begin(link, conn, client->fd);
    return 1;
}

/* Somebody gives way to this client: says so and closes, or just closes where that cannot be said
 * now. Returns 1, or 0: nobody does. */
static int make_way(uint32_t peer)
{
    struct nrpc_conn *leaves = nrpc_admission_choose(port.server, peer, sys_now());
    for (struct link *link = port.links; leaves != NULL && link < port.links + LINKS; link++) {
        if (link->state == OPEN && link->conn == leaves) {
            nrpc_conn_yield(leaves, sys_now());
            pump(link);
            if (link->state == OPEN) {
                abort_link(link);
            }
            return 1;
        }
    }
    return 0;
}

/* Clients that wait get links, or are refused in the end. */
static void serve_waiting(void)
{
    for (unsigned i = 0; i < port.n_waiting;) {
        const struct nrpc_newcomer *client = &port.waiting[i];
        int is_first = nrpc_admission_first(port.waiting, port.n_waiting, client->server) == i;
        if ((is_first && admit(client)) || (make_way(client->peer) && admit(client))) {
            nrpc_admission_forget(port.waiting, &port.n_waiting, i);
            i = 0;
        } else if (sys_now() - client->since_ms >= NRPC_LWIP_SOCKETS_ACCEPT_MS) {
            close_hard(client->fd);
            nrpc_admission_forget(port.waiting, &port.n_waiting, i);
        } else {
            i++;
        }
    }
}

static void take(const struct nrpc_newcomer *client)
{
    port.waiting[port.n_waiting++] = *client;
    serve_waiting();
    if (port.n_waiting > WAITING) {
        unsigned last = nrpc_admission_last(port.waiting, port.n_waiting);
        close_hard(port.waiting[last].fd);
        nrpc_admission_forget(port.waiting, &port.n_waiting, last);
    }
}

/* Bounded, so that a flood of clients leaves time for those that are here. */
static void accept_some(void)
{
    for (unsigned i = 0; i < LINKS; i++) {
        struct sockaddr_in from;
        socklen_t bytes = sizeof from;
        struct nrpc_newcomer client = {.server = port.server};
        client.fd = lwip_accept(port.listener, (struct sockaddr *)&from, &bytes);
        if (client.fd < 0) {
            return; /* nobody waits any more, or lwIP has dropped that client itself */
        }
        client.peer = nrpc_admission_peer((const uint8_t *)&from.sin_addr, sizeof from.sin_addr);
        client.since_ms = sys_now();
        take(&client);
    }
}

static void close_all(void)
{
    for (unsigned i = 0; i < LINKS; i++) {
        if (port.links[i].state != FREE) {
            abort_link(&port.links[i]);
        }
    }
    while (port.n_waiting != 0) {
        close_hard(port.waiting[--port.n_waiting].fd);
    }
    if (port.has_listener) {
        (void)lwip_close(port.listener);
    }
    port.has_listener = 0;
    port.server = NULL;
}

int nrpc_lwip_sockets_waker(void)
{
    if (!port.has_listener) {
        port.listener = lwip_socket(AF_INET, SOCK_STREAM, 0);
        port.has_listener = port.listener >= 0;
    }
    return port.listener;
}

/* It listens on `number` of every address. Returns 0, or -1. */
static int open_listener(uint16_t number)
{
    struct sockaddr_in any;
    int had = port.has_listener, fd = nrpc_lwip_sockets_waker();
    if (fd < 0) {
        return -1;
    }
    memset(&any, 0, sizeof any);
    any.sin_len = sizeof any;
    any.sin_family = AF_INET;
    any.sin_port = lwip_htons(number);
    if (lwip_bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && lwip_listen(fd, BACKLOG) == 0 &&
        lwip_fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
        return 0;
    }
    if (!had) {
        (void)lwip_close(fd);
        port.has_listener = 0;
    }
    return -1;
}

/* --- For nrpc_lwip_sockets_dial.c ------------------------------------------------------------ */

uint32_t (*nrpc_lwip_sockets_dials)(void);

void nrpc_lwip_sockets_link_begin(struct nrpc_dial *dial, int fd)
{
    struct link *link = find_place();
    struct nrpc_conn *conn = NULL;
    if (link == NULL) {
        nrpc_dial_failed(dial);
    } else {
        conn = nrpc_link_dialled(dial, sys_now());
    }
    if (conn == NULL) {
        close_hard(fd);
        return;
    }
    begin(link, conn, fd);
}

void nrpc_lwip_sockets_link_end(const struct nrpc_conn *conn)
{
    for (unsigned i = 0; i < LINKS; i++) {
        if (port.links[i].state == OPEN && port.links[i].conn == conn) {
            abort_link(&port.links[i]);
        }
    }
}

/* --- The loop -------------------------------------------------------------------------------- */

/* Moves what does not wait for the client, and says what does. Returns the milliseconds after which
 * to look again at the latest. */
static uint32_t prepare(struct link *link, struct pollfd *watched, uint32_t most_ms)
{
    uint32_t next = NRPC_LWIP_SOCKETS_RETRY_MS;
    if (link->state == OPEN) {
        next = nrpc_link_tick(link->conn, sys_now());
        pump(link);
    }
    if (link->state == CLOSING) {
        next = NRPC_LWIP_SOCKETS_RETRY_MS;
        go_on_closing(link);
    }
    watched->fd = link->state == FREE ? -1 : link->fd;
    watched->events = link->rx_at == link->rx_end ? POLLIN : 0;
    if (link->state != FREE && link->tx_at != link->tx_end) {
        watched->events |= POLLOUT;
        next = NRPC_LWIP_SOCKETS_RETRY_MS;
    }
    return link->state == FREE || next > most_ms ? most_ms : next;
}

/* What lwIP reports of a link. Output goes on when the link is prepared again. */
static void serve_link(struct link *link, int events)
{
    if ((events & POLLIN) != 0) {
        receive(link);
    } else if ((events & POLLERR) != 0) {
        abort_link(link); /* while nothing is read, a reset is learnt only here */
    }
    if (link->state == OPEN) {
        pump(link);
    }
}

int nrpc_lwip_sockets_listen(const struct nrpc_server *server, uint16_t number)
{
    if (port.server != NULL || server->n_conns > LINKS) {
        return NRPC_E_LIMIT;
    }
    if (open_listener(number) != 0) {
        return errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ? NRPC_E_LIMIT : NRPC_E_LINK;
    }
    port.server = server;
    return 0;
}

/* --- Other tasks, for nrpc_lwip_sockets_tasks.c ---------------------------------------------- */

const struct nrpc_lwip_sockets_sharing *nrpc_lwip_sockets_sharing;

int nrpc_lwip_sockets_is_inside(void)
{
    return port.is_inside;
}

/* Waits for lwIP, and meanwhile lets other tasks in. Returns as lwip_poll does. */
static int watch(uint32_t most_ms)
{
    const struct nrpc_lwip_sockets_sharing *sharing = nrpc_lwip_sockets_sharing;
    struct pollfd *listener = &port.watched[LINKS];
    int result, error;
    listener->fd = port.has_listener ? port.listener : -1;
    listener->events = sharing == NULL ? POLLIN : POLLIN | POLLOUT;
    listener->revents = 0;
    most_ms = sharing == NULL ? most_ms : sharing->rest(most_ms);
    errno = 0;
    result = lwip_poll(port.watched, LINKS + 1, (int)most_ms);
    error = errno;
    if (sharing != NULL) {
        sharing->go_on((listener->revents & POLLOUT) != 0);
    }
    errno = error;
    return result;
}

/* --- A round --------------------------------------------------------------------------------- */

static int poll_once(uint32_t most_ms)
{
    if (nrpc_lwip_sockets_dials != NULL) {
        uint32_t own_ms = nrpc_lwip_sockets_dials();
        most_ms = own_ms < most_ms ? own_ms : most_ms;
    } else if (port.server == NULL) {
        return NRPC_E_LINK;
    }
    for (unsigned i = 0; i < LINKS; i++) {
        most_ms = prepare(&port.links[i], &port.watched[i], most_ms);
    }
    if (port.n_waiting != 0 && most_ms > NRPC_LWIP_SOCKETS_RETRY_MS) {
        most_ms = NRPC_LWIP_SOCKETS_RETRY_MS;
    }
    if (watch(most_ms) < 0) {
        if (errno == EAGAIN) { /* no memory to wait with */
            sys_msleep(1);
            return 0;
        }
        close_all();
        return NRPC_E_LINK;
    }
    for (unsigned i = 0; i < LINKS; i++) {
        if (port.watched[i].fd >= 0 && port.watched[i].revents != 0) {
            serve_link(&port.links[i], port.watched[i].revents);
        }
    }
    /* Clients come last: a link that closed above must not be another's in this turn. */
    serve_waiting();
    if (port.server != NULL && (port.watched[LINKS].revents & ~POLLOUT) != 0) {
        accept_some();
    }
    return 0;
}

int nrpc_lwip_sockets_poll(uint32_t most_ms)
{
    const struct nrpc_lwip_sockets_sharing *sharing = nrpc_lwip_sockets_sharing;
    int result;
    if ((sharing != NULL && !sharing->is_ours()) || port.is_inside) {
        return NRPC_E_STATE;
    }
    port.is_inside = 1;
    result = poll_once(most_ms);
    port.is_inside = 0;
    if (sharing != NULL) {
        sharing->tell();
    }
    return result;
}

int nrpc_lwip_sockets_serve(const struct nrpc_server *server, uint16_t number)
{
    int result = port.server == server ? 0 : nrpc_lwip_sockets_listen(server, number);
    while (result == 0) {
        result = nrpc_lwip_sockets_poll(1000);
    }
    return result;
}
