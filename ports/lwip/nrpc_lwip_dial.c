/* ports/lwip/nrpc_lwip_dial.c - links opened on lwIP's raw API: name, address, connection.
 * Layer: port. Source: lwIP 2.2 "raw API", "DNS".
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_dial.h"

#include <string.h>

#include "lwip/dns.h"
#include "lwip/sys.h"
#include "ports/lwip/nrpc_lwip_links.h"

#if !MEMP_MEM_MALLOC && MEMP_NUM_TCP_PCB < NRPC_LWIP_CONNECTIONS + NRPC_LWIP_DIALS
#error "lwipopts.h: MEMP_NUM_TCP_PCB must be NRPC_LWIP_CONNECTIONS + NRPC_LWIP_DIALS or more"
#endif

NRPC_STATIC_ASSERT(NRPC_LWIP_DIALS >= 1 && NRPC_LWIP_DIALS <= 255, "NRPC_LWIP_DIALS: 1..255");

/* While its dial is NRPC_DIAL_DIALLING it has a pcb, or, if not, its name is being looked up. */
static struct entry {
    struct nrpc_dial *dial; /* NULL: free */
    const char *host;
    struct tcp_pcb *pcb;
    uint32_t began_ms;
    uint16_t port;
} entries[NRPC_LWIP_DIALS];

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct entry *entry = arg;
    (void)err; /* always ERR_OK here */
    entry->pcb = NULL;
    tcp_err(pcb, NULL);
    return nrpc_lwip_link_begin(entry->dial, pcb);
}

/* The pcb is freed already. */
static void on_error(void *arg, err_t err)
{
    struct entry *entry = arg;
    (void)err; /* refused, no answer, no memory */
    entry->pcb = NULL;
    nrpc_dial_failed(entry->dial);
}

/* Nothing of the attempt is left. */
static void give_up(struct entry *entry)
{
    struct tcp_pcb *pcb = entry->pcb;
    entry->pcb = NULL;
    if (pcb != NULL) {
        tcp_err(pcb, NULL);
        tcp_abort(pcb);
    }
    nrpc_dial_failed(entry->dial);
}

static void connect_to(struct entry *entry, const ip_addr_t *address)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(address));
    entry->pcb = pcb;
    if (pcb != NULL) {
        tcp_arg(pcb, entry);
        tcp_err(pcb, on_error);
    }
    if (pcb == NULL || tcp_connect(pcb, address, entry->port, on_connected) != ERR_OK) {
        give_up(entry);
    }
}

#if LWIP_DNS
/* lwIP knows no way to stop a lookup: by now the entry may be another dial's, or none's. */
static void on_found(const char *name, const ip_addr_t *address, void *arg)
{
    struct entry *entry = arg;
    if (entry->dial == NULL || entry->dial->state != NRPC_DIAL_DIALLING || entry->pcb != NULL ||
        strncmp(name, entry->host, strlen(name)) != 0) {
        return;
    }
    if (address == NULL) {
        give_up(entry);
    } else {
        connect_to(entry, address);
    }
}
#endif

static void start(struct entry *entry)
{
    ip_addr_t address;
#if LWIP_DNS
    err_t err = dns_gethostbyname(entry->host, &address, on_found, entry);
#else
    err_t err = ipaddr_aton(entry->host, &address) ? ERR_OK : ERR_ARG;
#endif
    entry->began_ms = sys_now();
    if (err == ERR_OK) {
        connect_to(entry, &address);
    } else if (err != ERR_INPROGRESS) {
        give_up(entry);
    }
}

static uint32_t poll_dials(uint32_t now_ms)
{
    uint32_t next = 1000;
    for (struct entry *entry = entries; entry < entries + NRPC_LWIP_DIALS; entry++) {
        uint32_t wait;
        if (entry->dial == NULL) {
            continue;
        }
        wait = nrpc_dial_wait_ms(entry->dial, now_ms);
        if (wait == 0) {
            start(entry);
            wait = 1;
        } else if (entry->dial->state == NRPC_DIAL_DIALLING &&
                   sys_now() - entry->began_ms >= NRPC_DIAL_TIMEOUT_MS) {
            give_up(entry);
        }
        next = wait < next ? wait : next;
    }
    return next;
}

static struct entry *find(const struct nrpc_dial *dial)
{
    for (struct entry *entry = entries; entry < entries + NRPC_LWIP_DIALS; entry++) {
        if (entry->dial == dial) {
            return entry;
        }
    }
    return NULL;
}

int nrpc_lwip_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
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
    nrpc_lwip_dials = poll_dials;
    return 0;
}

void nrpc_lwip_undial(struct nrpc_dial *dial)
{
    struct entry *entry = find(dial);
    if (entry == NULL) {
        return;
    }
    if (dial->conn != NULL && dial->conn->dial == dial) {
        nrpc_lwip_link_end(dial->conn);
    }
    give_up(entry);
    nrpc_dial_stop(dial);
    entry->dial = NULL;
}
