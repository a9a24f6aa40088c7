/* ports/lwip/nrpc_lwip_sockets_dial.c - links opened on lwIP's sockets: name, connection.
 * Layer: port. Source: lwIP 2.2 "sockets API", "DNS".
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_sockets_dial.h"

#include <string.h>

#include "lwip/dns.h"
#include "lwip/errno.h"
#include "lwip/sockets.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"
#include "ports/lwip/nrpc_lwip_sockets_links.h"

enum { DIALS = NRPC_LWIP_SOCKETS_DIALS };

NRPC_STATIC_ASSERT(DIALS >= 1 && DIALS <= 255, "NRPC_LWIP_SOCKETS_DIALS: 1..255");

/* What an attempt is at. lwIP's thread goes from LOOKING to FOUND or NONE, and writes address; all
 * else is the port's thread's. */
enum step { IDLE, LOOKING, FOUND, NONE, CONNECTING };

static struct entry {
    struct nrpc_dial *dial; /* NULL: free */
    const char *host;
    int fd; /* while CONNECTING */
    uint32_t began_ms;
    ip_addr_t address;
    uint16_t port;
    uint8_t step;
} entries[DIALS];

/* --- In lwIP's thread ------------------------------------------------------------------------- */

#if LWIP_DNS
/* Whoever asked may have given up since, and the entry may be another dial's. */
static void on_found(const char *name, const ip_addr_t *address, void *arg)
{
    struct entry *entry = arg;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    if (entry->step == LOOKING && strncmp(name, entry->host, strlen(name)) == 0) {
        if (address != NULL) {
            entry->address = *address;
        }
        entry->step = address != NULL ? FOUND : NONE;
    }
    SYS_ARCH_UNPROTECT(level);
}

static void look_up(void *arg)
{
    struct entry *entry = arg;
    const char *host = entry->host;
    ip_addr_t address;
    err_t err = dns_gethostbyname(host, &address, on_found, entry);
    if (err != ERR_INPROGRESS) {
        on_found(host, err == ERR_OK ? &address : NULL, entry);
    }
}
#endif

/* --- In the port's thread --------------------------------------------------------------------- */

static uint8_t get_step(const struct entry *entry)
{
    uint8_t step;
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    step = entry->step;
    SYS_ARCH_UNPROTECT(level);
    return step;
}

static void set_step(struct entry *entry, enum step step)
{
    SYS_ARCH_DECL_PROTECT(level);
    SYS_ARCH_PROTECT(level);
    entry->step = (uint8_t)step;
    SYS_ARCH_UNPROTECT(level);
}

/* Nothing of the attempt is left. */
static void give_up(struct entry *entry)
{
    if (get_step(entry) == CONNECTING) {
        (void)lwip_close(entry->fd);
    }
    set_step(entry, IDLE);
    nrpc_dial_failed(entry->dial);
}

static void start(struct entry *entry)
{
    entry->began_ms = sys_now();
    if (ipaddr_aton(entry->host, &entry->address)) {
        set_step(entry, FOUND);
        return;
    }
#if LWIP_DNS
    set_step(entry, LOOKING);
    if (tcpip_try_callback(look_up, entry) == ERR_OK) {
        return;
    }
#endif
    set_step(entry, NONE);
}

/* Returns 0, or -1: it cannot begin. */
static int connect_to(struct entry *entry)
{
    union {
        struct sockaddr any;
#if LWIP_IPV4
        struct sockaddr_in v4;
#endif
#if LWIP_IPV6
        struct sockaddr_in6 v6;
#endif
    } to;
    memset(&to, 0, sizeof to);
    to.any.sa_len = sizeof to;
#if LWIP_IPV6
    if (IP_IS_V6(&entry->address)) {
        to.any.sa_family = AF_INET6;
        to.v6.sin6_port = lwip_htons(entry->port);
        inet6_addr_from_ip6addr(&to.v6.sin6_addr, ip_2_ip6(&entry->address));
    }
#endif
#if LWIP_IPV4
    if (IP_IS_V4(&entry->address)) {
        to.any.sa_family = AF_INET;
        to.v4.sin_port = lwip_htons(entry->port);
        inet_addr_from_ip4addr(&to.v4.sin_addr, ip_2_ip4(&entry->address));
    }
#endif
    entry->fd = lwip_socket(to.any.sa_family, SOCK_STREAM, 0);
    if (entry->fd < 0) {
        return -1;
    }
    set_step(entry, CONNECTING);
    return lwip_fcntl(entry->fd, F_SETFL, O_NONBLOCK) == 0 &&
                   (lwip_connect(entry->fd, &to.any, sizeof to) == 0 || errno == EINPROGRESS)
               ? 0
               : -1;
}

/* Returns 1: connected, 0: not yet, -1: never. */
static int look(const struct entry *entry)
{
    struct pollfd watched = {.fd = entry->fd, .events = POLLOUT};
    int error = 0;
    socklen_t bytes = sizeof error;
    if (lwip_poll(&watched, 1, 0) <= 0 || watched.revents == 0) {
        return 0;
    }
    if ((watched.revents & POLLERR) != 0 ||
        lwip_getsockopt(entry->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0 || error != 0) {
        return -1;
    }
    return 1;
}

/* Takes an attempt one step further. */
static void go_on(struct entry *entry)
{
    int result = 0;
    if (get_step(entry) == FOUND) {
        result = connect_to(entry);
    }
    if (result == 0 && get_step(entry) == CONNECTING) {
        result = look(entry);
    }
    if (result > 0) {
        set_step(entry, IDLE);
        nrpc_lwip_sockets_link_begin(entry->dial, entry->fd);
    } else if (result < 0 || get_step(entry) == NONE ||
               sys_now() - entry->began_ms >= NRPC_DIAL_TIMEOUT_MS) {
        give_up(entry);
    }
}

static uint32_t poll_dials(void)
{
    uint32_t next = 1000;
    for (struct entry *entry = entries; entry < entries + DIALS; entry++) {
        uint32_t wait;
        if (entry->dial == NULL) {
            continue;
        }
        wait = nrpc_dial_wait_ms(entry->dial, sys_now());
        next = wait < next ? wait : next;
        if (wait == 0) {
            start(entry);
        }
        if (entry->dial->state == NRPC_DIAL_DIALLING) {
            go_on(entry);
            next = next < NRPC_LWIP_SOCKETS_LOOK_MS ? next : NRPC_LWIP_SOCKETS_LOOK_MS;
        }
    }
    return next;
}

static struct entry *find(const struct nrpc_dial *dial)
{
    for (struct entry *entry = entries; entry < entries + DIALS; entry++) {
        if (entry->dial == dial) {
            return entry;
        }
    }
    return NULL;
}

int nrpc_lwip_sockets_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    struct entry *entry = find(NULL);
    if (find(dial) != NULL) {
        return NRPC_E_STATE;
    }
    if (entry == NULL) {
        return NRPC_E_LIMIT;
    }
    entry->dial = dial;
    entry->host = host;
    entry->port = port;
    nrpc_lwip_sockets_dials = poll_dials;
    return 0;
}

void nrpc_lwip_sockets_undial(struct nrpc_dial *dial)
{
    struct entry *entry = find(dial);
    if (entry == NULL) {
        return;
    }
    if (dial->conn != NULL && dial->conn->dial == dial) {
        nrpc_lwip_sockets_link_end(dial->conn);
    }
    give_up(entry);
    nrpc_dial_stop(dial);
    entry->dial = NULL;
}
