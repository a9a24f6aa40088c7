/* boards/serial.c - the link of a board that has a UART or USB alone: HTTP/2 on a serial line.
 * Layer: board. Source: docs/serial.md.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial.h"

#include "board.h"
#include "cpu.h"
#include "uart.h"

/* Clients at once. More than the server's connections let one wait until another gives way. */
#ifndef BOARD_CLIENTS
#define BOARD_CLIENTS 2
#endif

extern const struct nrpc_server server; /* the application's */
NRPC_SERIAL_DEFINE(line, server, BOARD_CLIENTS, BOARD_RTS_CTS ? 0 : BOARD_RING_BYTES, BOARD_BAUD);

#if BOARD_RING_BYTES
NRPC_STATIC_ASSERT(BOARD_RING_BYTES >= 128 && BOARD_RING_BYTES <= 32768 &&
                       (BOARD_RING_BYTES & (BOARD_RING_BYTES - 1)) == 0,
                   "BOARD_RING_BYTES: a power of two, 128..32768, or 0");
enum { AT_ONCE = 1 }; /* bytes that are moved from or to the line */

/* Counters, not positions: they wrap by themselves. Of 8 bits where these suffice: an 8-bit
 * processor does not read 16 at once, and an interrupt may come between. */
#if BOARD_RING_BYTES <= 128
typedef uint8_t ring_count;
#else
typedef uint16_t ring_count;
#endif
static uint8_t ring[BOARD_RING_BYTES];
static volatile ring_count came, taken;

int board_uart_has_place(void)
{
    return (ring_count)(came - taken) < BOARD_RING_BYTES;
}

void board_uart_got(uint8_t byte)
{
    if (board_uart_has_place()) { /* else it is lost, and will be sent again */
        ring_count at = came;
        ring[at % BOARD_RING_BYTES] = byte;
        came = (ring_count)(at + 1);
    }
}

static size_t line_read(uint8_t *to)
{
    if (came == taken) {
        return 0;
    }
    *to = ring[taken % BOARD_RING_BYTES];
    taken = (ring_count)(taken + 1);
    if (BOARD_RTS_CTS) {
        board_uart_resume();
    }
    return 1;
}

static size_t line_room(void)
{
    return (size_t)board_uart_has_room();
}

static void line_write(const uint8_t *bytes, size_t n)
{
    (void)n;
    board_uart_put(*bytes);
}

static int line_has_work(void)
{
    return came != taken;
}

static int line_is_open(void)
{
    return 1; /* nothing says */
}
#else
enum { AT_ONCE = 64 };

static size_t line_read(uint8_t *to)
{
    return board_line_read(to, AT_ONCE);
}

static size_t line_room(void)
{
    size_t room = board_line_room();
    return room < AT_ONCE ? room : AT_ONCE;
}

static void line_write(const uint8_t *bytes, size_t n)
{
    board_line_write(bytes, n);
}

static int line_has_work(void)
{
    return board_line_has_work();
}

static int line_is_open(void)
{
    return board_line_is_open();
}
#endif

/* Text goes between frames, so that it stays readable and does no harm. */
void board_putc(char c)
{
    uint8_t byte = (uint8_t)c;
    while (!nrpc_serial_is_between(&line) || line_room() == 0) {
        uint8_t rest;
        if (line_room() != 0 && nrpc_serial_finish(&line, &rest, 1) == 1) {
            line_write(&rest, 1);
        }
    }
    line_write(&byte, 1);
}

/* No network, so no address of its own: something for board_entropy. */
const uint8_t *board_station(void)
{
    static const uint8_t none[6] = {0x02};
    return none;
}

const char *board_serve(const struct nrpc_server *its_server)
{
    return its_server == &server ? NULL : "a line has one server";
}

const char *board_where(void)
{
    return line_is_open() ? "a serial line" : NULL;
}

int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    (void)dial;
    (void)host;
    (void)port;
    return NRPC_E_LIMIT; /* nobody can be reached from here */
}

void board_undial(struct nrpc_dial *dial)
{
    (void)dial;
}

int board_listen(const struct nrpc_server *another, uint16_t port)
{
    (void)another;
    (void)port;
    return NRPC_E_LIMIT;
}

void board_poll(void)
{
    cpu_irq_off();
    if (!line_has_work()) {
        cpu_wait(); /* for a byte, or the next millisecond */
    }
    cpu_irq_on();
}

void board_wait(uint32_t most_ms)
{
    uint32_t now = board_now_ms();
    uint8_t bytes[AT_ONCE];
    size_t n;
    (void)most_ms; /* board_poll sleeps for a millisecond at most */
    while ((n = line_read(bytes)) != 0) {
        nrpc_serial_receive(&line, bytes, n, now);
    }
    (void)nrpc_serial_tick(&line, now);
    while ((n = line_room()) != 0 && (n = nrpc_serial_transmit(&line, bytes, n, now)) != 0) {
        line_write(bytes, n);
    }
    if (nrpc_serial_is_between(&line)) { /* else the UART soon has room again */
        board_poll();
    }
}
