/* ports/serial/nrpc_serial.h - a server on a line of bytes: UART, USB CDC. No IP stack, no I/O.
 * Layer: port. Source: docs/serial.md, which has the link's rules; ISO/IEC 7776 (LAPB).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_SERIAL_H
#define NRPC_SERIAL_H

#include "nanorpc/nanorpc.h"
#include "ports/serial/nrpc_serial_frame.h"

NRPC_BEGIN_C

/* The application, or the board, moves the bytes:
 *
 *   NRPC_SERIAL_DEFINE(line, server, 2, 256, 115200);
 *   for (;;) {
 *       n = what the UART's receive ring holds
 *       nrpc_serial_receive(&line, bytes, n, now);
 *       n = nrpc_serial_transmit(&line, bytes, room, now);       what the UART has room for
 *       send these n bytes; sleep until there are bytes, room,
 *           or nrpc_serial_tick(&line, now) milliseconds are over
 *   }
 *
 * What happens when:
 *   a client beyond the connections comes   a connection without a call gives way, see
 *                                           nrpc_admission.h; where none does it is refused (DM)
 *   the client goes (DISC), or a new one comes in its place (SABM)
 *                                           open calls are cancelled (NRPC_UNAVAILABLE)
 *   bytes are lost or altered               frames are sent again; nobody notices
 *   the cable is cut, the host goes away    as a client that goes, after NRPC_SERIAL_SILENCE_MS
 *   a connection cannot take what came      the host is told (RNR), and sends it again later
 *   the host is slow                        nothing more is made; receiving pauses if it must
 *   the connection ends from our side       its bytes are sent, then DISC
 * The receive ring never overruns: the host is told its size, and has no more on its way. */

/* A link's bytes on their way, kept until the host has them. Bytes, NRPC_TRANSMIT_MIN .. 65535;
 * what is over one frame may be on its way while another is acknowledged. RAM: as many a link. */
#ifndef NRPC_SERIAL_SEND_BYTES
#define NRPC_SERIAL_SEND_BYTES (NRPC_TRANSMIT_MIN + 2 * NRPC_SERIAL_INFO_BYTES)
#endif

/* A link on which nothing was heard for so long is lost; the host says something every 2 s.
 * Milliseconds, 3000..3600000. */
#ifndef NRPC_SERIAL_SILENCE_MS
#define NRPC_SERIAL_SILENCE_MS 10000
#endif

enum {
    NRPC_SERIAL_FRAMES = 8,   /* numbers of I frames: modulo 8 */
    NRPC_SERIAL_RESERVE = 32, /* bytes of the receive ring for frames that nobody acknowledges */
    NRPC_SERIAL_VERSION = 1,
    NRPC_SERIAL_SAYS_BYTES = 6
};

/* One address of a line; nobody's business but nrpc_serial.c's. */
struct nrpc_serial_link {
    struct nrpc_conn *conn; /* NULL: not open */
    uint32_t heard_ms, timer_ms;
    uint32_t flags; /* enum flags of nrpc_serial.c */
    uint8_t tries;
    uint8_t u_frame;                      /* that is to be sent first, by its control; 0: none */
    uint8_t expected;                     /* V(R): the number of the next I frame */
    uint8_t acked, next, cut;             /* V(A), V(S), the first that is not made */
    uint16_t taken;                       /* bytes of the frame `expected` that have been used */
    uint16_t have, at;                    /* bytes in `bytes`; where those of frame `next` begin */
    uint16_t lengths[NRPC_SERIAL_FRAMES]; /* of the frames acked .. cut, in `bytes` */
    uint8_t bytes[NRPC_SERIAL_SEND_BYTES];
};

struct nrpc_serial {
    const struct nrpc_server *server;
    struct nrpc_serial_link *links;
    uint16_t t1_ms;    /* an acknowledgement takes no longer */
    uint16_t tells_dm; /* 1 + the address that is to be sent DM; 0: none */
    uint8_t n_links, turn;
    uint8_t says[NRPC_SERIAL_SAYS_BYTES]; /* what we take: docs/serial.md */
    struct nrpc_serial_in in;
    struct nrpc_serial_out out;
};

/* Defines a line. links: clients at once, 1..255; more than the server's connections let one wait
 * until another gives way. ring: bytes that the UART's receive ring (FIFO, DMA buffer) holds while
 * the loop is elsewhere, 128..65535; 0: the line has RTS and CTS, or USB. baud: of the line, bits a
 * second, 1200 or more; 0: as fast as USB. RAM: about 50 + 2 * NRPC_SERIAL_INFO_BYTES; and a link
 * 40 + NRPC_SERIAL_SEND_BYTES. */
#define NRPC_SERIAL_DEFINE(name, its_server, its_links, ring, baud)                        \
    NRPC_STATIC_ASSERT((its_links) >= 1 && (its_links) <= 255, #name ": links: 1..255");   \
    NRPC_STATIC_ASSERT((ring) == 0 || ((ring) >= 128 && (ring) <= 65535),                  \
                       #name ": ring: 128..65535 bytes, or 0 with RTS and CTS");           \
    NRPC_STATIC_ASSERT((baud) == 0 || (baud) >= 1200, #name ": baud: 1200 or more, or 0"); \
    static struct nrpc_serial_link name##_links[its_links];                                \
    struct nrpc_serial name = {                                                            \
        .server = &(its_server),                                                           \
        .links = name##_links,                                                             \
        .n_links = (its_links),                                                            \
        .tells_dm = 1, /* to address 0: we have begun */                                   \
        .t1_ms = NRPC_SERIAL_T1_MS(baud),                                                  \
        .says = NRPC_SERIAL_SAYS_((ring) ? (ring) - NRPC_SERIAL_RESERVE : 0)}
#define NRPC_SERIAL_SAYS_(bytes)    \
    {NRPC_SERIAL_VERSION,           \
     NRPC_SERIAL_INFO_BYTES >> 8,   \
     NRPC_SERIAL_INFO_BYTES & 0xff, \
     NRPC_SERIAL_FRAMES - 1,        \
     (bytes) >> 8,                  \
     (bytes) & 0xff}

/* Two windows of frames, a tenth of it escaped, at ten bits a byte; and 200 ms. */
#define NRPC_SERIAL_T1_MS(baud) \
    (200 +                      \
     ((baud) ? 2 * 7 * (NRPC_SERIAL_INFO_BYTES * 11 / 10 + 8) * 10000ul / ((baud) + !(baud)) : 0))

/* Takes bytes that came, all of them. data is borrowed for the call. Handlers run inside. */
void nrpc_serial_receive(struct nrpc_serial *line, const void *data, size_t n, uint32_t now_ms);

/* Writes the next bytes to send into buf: after each receive and tick, when the UART has room
 * again, and after a handler's context has changed something on its own (nrpc_call_reply,
 * nrpc_call_wake). room: 1 or more. Returns how many; 0: nothing now. They must be sent, in order;
 * between them, where nrpc_serial_is_between, the firmware may print text. */
size_t nrpc_serial_transmit(struct nrpc_serial *line, void *buf, size_t room, uint32_t now_ms);

/* 1: no frame has been begun that is not yet given whole. */
static inline int nrpc_serial_is_between(const struct nrpc_serial *line)
{
    return line->out.at == line->out.n;
}

/* As nrpc_serial_transmit, but begins no frame: to come between two, for text. No handler runs. */
static inline size_t nrpc_serial_finish(struct nrpc_serial *line, void *buf, size_t room)
{
    return nrpc_serial_give(&line->out, (uint8_t *)buf, room);
}

/* Checks the timers. Returns the milliseconds after which to call again, 1..1000. */
uint32_t nrpc_serial_tick(struct nrpc_serial *line, uint32_t now_ms);

NRPC_END_C

#endif
