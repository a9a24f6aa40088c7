/* ports/serial/nrpc_serial.c - the links of a line: opened, acknowledged, sent again, closed.
 * Layer: port. Source: ISO/IEC 7776 (LAPB), modulo 8, as far as docs/serial.md has it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial.h"

#include <string.h>

#include "ports/nrpc_admission.h"
#include "ports/nrpc_link.h"

NRPC_STATIC_ASSERT(NRPC_SERIAL_SEND_BYTES >= NRPC_TRANSMIT_MIN &&
                       NRPC_SERIAL_SEND_BYTES <= UINT16_MAX,
                   "NRPC_SERIAL_SEND_BYTES: NRPC_TRANSMIT_MIN..65535");
NRPC_STATIC_ASSERT(NRPC_SERIAL_SILENCE_MS >= 3000 && NRPC_SERIAL_SILENCE_MS <= 3600000,
                   "NRPC_SERIAL_SILENCE_MS: 3000..3600000");

/* Control: the final bit is the poll bit too; N(R) stands above it. */
enum { RR = 0x01, RNR = 0x05, REJ = 0x09, FINAL = 0x10, SUPERVISORY = 0x0f };
enum { SABM = 0x3f, UA = 0x73, DISC = 0x53, DM = 0x1f };
enum { IS_NO_I = 0x01, IS_U = 0x03 };
enum { MODULO = NRPC_SERIAL_FRAMES };
enum { N2 = 10 };

/* What a link owes to the host beside U frames, and how it is. The first three are the bits that
 * make REJ, RNR and a final one of RR. */
enum flags {
    IS_BUSY = RR ^ RNR,     /* we are: the connection could not take all */
    OWES_REJECT = RR ^ REJ, /* never while we are busy */
    OWES_FINAL = FINAL,     /* the answer to P */
    OWES_ACK = 0x20,        /* our N(R), with the next frame */
    OWED = OWES_REJECT | OWES_FINAL | OWES_ACK,
    CLOSING = 0x40, /* DISC has been sent, its answer has not come */
    REJECTED = 0x80 /* REJ has been sent for the frame that is awaited */
};

/* The numbers of frames are counted on; their lowest three bits are on the line. How many frames
 * from a to b: */
static unsigned from_to(uint8_t a, uint8_t b)
{
    return (uint8_t)(b - a);
}

/* The frame that is to be sent next is; or need not be. */
static void send_next(struct nrpc_serial_link *link)
{
    link->at = (uint16_t)(link->at + link->lengths[link->next++ % MODULO]);
}

/* All that is not acknowledged is to be sent again. */
static void send_again(struct nrpc_serial_link *link)
{
    link->next = link->acked;
    link->at = 0;
}

/* --- Opening, closing ------------------------------------------------------------------------ */

/* The link is over. control: the U frame that says so to the host, 0: it knows. */
static void end(struct nrpc_serial_link *link, unsigned control)
{
    struct nrpc_conn *conn = link->conn;
    link->conn = NULL;
    link->flags = 0;
    link->tries = 0;
    link->u_frame = (uint8_t)control;
    if (conn) {
        nrpc_link_lost(conn);
    }
}

/* Who gives way to a newcomer: rule 1 of nrpc_admission.h, as a line knows no addresses. */
static struct nrpc_conn *idlest(const struct nrpc_server *server, uint32_t now_ms)
{
    struct nrpc_conn *chosen = NULL;
    unsigned most = NRPC_YIELD_MS >> NRPC_TICK_SHIFT;
    for (struct nrpc_conn *conn = server->conns; conn < server->conns + server->n_conns; conn++) {
        unsigned idle = (uint16_t)((now_ms >> NRPC_TICK_SHIFT) - conn->idle);
        if (idle > most && (conn->flags & NRPC_CONN_OPEN) && !conn->dial &&
            !nrpc_admission_is_used(conn)) {
            most = idle;
            chosen = conn;
        }
    }
    return chosen;
}

/* SABM: whoever was there has gone. Where all connections are taken, one that gives way says
 * goodbye on its own link; the host asks again, and is answered then. */
static void open(struct nrpc_serial *line, struct nrpc_serial_link *link, uint32_t now_ms)
{
    end(link, DM);
    struct nrpc_conn *conn = nrpc_link_accept(line->server, now_ms);
    if (!conn) {
        conn = idlest(line->server, now_ms);
        if (conn) {
            nrpc_conn_yield(conn, now_ms);
            link->u_frame = 0;
        }
        return;
    }
    memset(link, 0, offsetof(struct nrpc_serial_link, bytes));
    link->conn = conn;
    link->u_frame = UA;
    link->heard_ms = now_ms;
}

/* --- Receiving ------------------------------------------------------------------------------- */

/* N(R) of any frame: the host has all before it, and it need not be kept. */
static void acknowledged(struct nrpc_serial_link *link, unsigned number, uint32_t now_ms)
{
    size_t gone = 0;
    unsigned n = (number - link->acked) % MODULO;
    if (n > from_to(link->acked, link->cut)) {
        return; /* nothing that we have sent */
    }
    for (; n; n--) {
        if (link->next == link->acked) { /* it was to be sent again */
            send_next(link);
        }
        gone += link->lengths[link->acked++ % MODULO];
    }
    if (gone) {
        link->at = (uint16_t)(link->at - gone);
        link->have = (uint16_t)(link->have - gone);
        memmove(link->bytes, link->bytes + gone, link->have);
        link->tries = 0;
        link->timer_ms = now_ms;
    }
}

/* RR, REJ. The host has memory: if it says RNR, that is its RR. */
static void supervisory(struct nrpc_serial_link *link, unsigned control)
{
    if ((control & SUPERVISORY) == REJ) {
        send_again(link);
    }
    if (control & FINAL) {
        link->flags |= OWES_ACK | OWES_FINAL;
    }
}

/* An I frame. What the connection does not take now comes again with the same frame. */
static void information(struct nrpc_serial_link *link, unsigned number, const uint8_t *info,
                        size_t n, uint32_t now_ms)
{
    link->flags |= OWES_ACK;
    if (number != link->expected % MODULO) {
        link->flags |= link->flags & (REJECTED | IS_BUSY) ? 0 : OWES_REJECT | REJECTED;
        return;
    }
    size_t done = link->taken < n ? link->taken : n;
    done += nrpc_link_receive(link->conn, info + done, n - done, now_ms);
    link->taken = (uint16_t)done;
    link->flags &= ~(unsigned)(OWES_REJECT | REJECTED | IS_BUSY);
    if (done == n) {
        link->taken = 0;
        link->expected++;
    } else {
        link->flags |= IS_BUSY;
    }
}

static void frame(struct nrpc_serial *line, const uint8_t *bytes, size_t n, uint32_t now_ms)
{
    unsigned address = bytes[0], control = bytes[1];
    if (address == 0 || address > line->n_links) {
        line->tells_dm = control == DM ? line->tells_dm : (uint16_t)(address + 1);
        return;
    }
    struct nrpc_serial_link *link = &line->links[address - 1];
    link->heard_ms = now_ms;
    if (control == SABM) {
        open(line, link, now_ms);
    } else if (control == DISC) {
        end(link, link->conn ? UA : DM);
    } else if (control == DM || control == UA) {
        end(link, 0);
    } else if (!link->conn) {
        link->u_frame = link->flags & CLOSING ? DISC : DM;
    } else if ((control & IS_U) != IS_U) {
        acknowledged(link, control >> 5, now_ms);
        if (control & IS_NO_I) {
            supervisory(link, control);
        } else {
            information(link, control >> 1 & 7, bytes + NRPC_SERIAL_HEAD_BYTES,
                        n - NRPC_SERIAL_HEAD_BYTES, now_ms);
        }
    }
}

void nrpc_serial_receive(struct nrpc_serial *line, const void *data, size_t n, uint32_t now_ms)
{
    const uint8_t *byte = data;
    for (; n; n--) {
        size_t some = nrpc_serial_take(&line->in, *byte++);
        if (some) {
            frame(line, line->in.bytes, some, now_ms);
        }
    }
}

/* --- Sending --------------------------------------------------------------------------------- */

/* There may be place now for what the connection could not take: it may come again. */
static void ask_again(struct nrpc_serial_link *link)
{
    if (link->flags & IS_BUSY) {
        link->flags = (link->flags & ~(unsigned)IS_BUSY) | OWES_ACK;
    }
}

/* Makes what the connection has to say, as far as there is place. */
static void make(struct nrpc_serial_link *link)
{
    size_t made = nrpc_link_transmit(link->conn, link->bytes + link->have,
                                     sizeof link->bytes - link->have);
    link->have = (uint16_t)(link->have + made);
    if (made) {
        ask_again(link);
    }
}

/* Begins the link's next I frame, if one may go. */
static int put_information(struct nrpc_serial *line, unsigned turn, uint32_t now_ms)
{
    struct nrpc_serial_link *link = &line->links[turn];
    unsigned n = link->have - link->at, ahead = from_to(link->acked, link->next);
    if (link->next == link->cut) {
        if (!n || ahead == MODULO - 1) {
            return 0;
        }
        n = n < NRPC_SERIAL_INFO_BYTES ? n : NRPC_SERIAL_INFO_BYTES;
        link->lengths[link->cut++ % MODULO] = (uint16_t)n;
    }
    if (!ahead) {
        link->timer_ms = now_ms;
    }
    unsigned number = link->next % MODULO;
    unsigned control = (unsigned)link->expected << 5 | number << 1;
    nrpc_serial_put(&line->out, (uint8_t)(turn + 1), (uint8_t)control, link->bytes + link->at,
                    link->lengths[number]);
    send_next(link);
    link->flags &= ~(unsigned)OWES_ACK;
    return 1;
}

/* Begins what a link has to say first. Returns whether there is anything. */
static int put_next(struct nrpc_serial *line, unsigned turn, uint32_t now_ms)
{
    struct nrpc_serial_link *link = &line->links[turn];
    uint32_t control = link->u_frame;
    if (!control && link->conn) {
        make(link);
        /* An I frame says what RR would; not what the others do. */
        int is_rr = !(link->flags & OWES_ACK) ||
                    !(link->flags & (OWES_REJECT | OWES_FINAL | IS_BUSY));
        if (is_rr && put_information(line, turn, now_ms)) {
            return 1;
        }
        if (link->flags & OWES_ACK) {
            control = RR | (link->flags & (IS_BUSY | OWES_REJECT | OWES_FINAL)) |
                      (uint32_t)link->expected << 5;
        }
    }
    if (!control) {
        return 0;
    }
    link->u_frame = 0;
    link->flags &= ~(unsigned)OWED;
    nrpc_serial_put(&line->out, (uint8_t)(turn + 1), (uint8_t)control, line->says,
                    control == UA ? sizeof line->says : 0);
    return 1;
}

/* Begins the next frame of the line, the links in turns. */
static int put_any(struct nrpc_serial *line, uint32_t now_ms)
{
    if (line->tells_dm) {
        nrpc_serial_put(&line->out, (uint8_t)(line->tells_dm - 1), DM, line->says, 0);
        line->tells_dm = 0;
        return 1;
    }
    for (unsigned i = 0; i < line->n_links; i++) {
        line->turn = (uint8_t)(line->turn + 1 < line->n_links ? line->turn + 1 : 0);
        if (put_next(line, line->turn, now_ms)) {
            return 1;
        }
    }
    return 0;
}

size_t nrpc_serial_transmit(struct nrpc_serial *line, void *buf, size_t room, uint32_t now_ms)
{
    size_t n = 0;
    while (n < room && (!nrpc_serial_is_between(line) || put_any(line, now_ms))) {
        n += nrpc_serial_give(&line->out, (uint8_t *)buf + n, room - n);
    }
    return n;
}

/* --- Time ------------------------------------------------------------------------------------ */

/* T1 is over: once more. */
static void again(struct nrpc_serial_link *link, uint32_t now_ms)
{
    link->timer_ms = now_ms;
    send_again(link);
    if (link->flags & CLOSING) {
        link->u_frame = DISC;
    }
    if (++link->tries > N2) {
        end(link, DM);
    }
}

static uint32_t watch(struct nrpc_serial *line, struct nrpc_serial_link *link, uint32_t now_ms)
{
    uint32_t next = line->t1_ms;
    if (!(link->flags & CLOSING) && link->next == link->acked) {
        link->timer_ms = now_ms; /* nothing is awaited */
    } else if (now_ms - link->timer_ms >= line->t1_ms) {
        again(link, now_ms);
    }
    if (!link->conn) {
        return next;
    }
    ask_again(link); /* a handler may have made place for what came */
    next = nrpc_link_tick(link->conn, now_ms);
    if (now_ms - link->heard_ms >= NRPC_SERIAL_SILENCE_MS) {
        end(link, DM);
    } else if (nrpc_link_closing(link->conn) && !link->have) {
        end(link, DISC);
        link->flags = CLOSING;
        link->timer_ms = now_ms;
    }
    return next;
}

uint32_t nrpc_serial_tick(struct nrpc_serial *line, uint32_t now_ms)
{
    uint32_t next = line->t1_ms < 1000 ? line->t1_ms : 1000;
    for (unsigned i = 0; i < line->n_links; i++) {
        uint32_t own = watch(line, &line->links[i], now_ms);
        next = own < next ? own : next;
    }
    return next;
}
