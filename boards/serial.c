/* boards/serial.c - the link of a board that has a UART alone: HTTP/2 on a serial line.
 * Layer: board. Source: docs/serial.md.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/serial/nrpc_serial.h"

#include "board.h"
#include "cpu.h"
#include "uart.h"

/* What the interrupt has received and the loop has not taken yet: a power of two, bytes,
 * 128..32768. The host is told, and has no more on its way. */
#ifndef BOARD_RING_BYTES
#define BOARD_RING_BYTES 256
#endif
NRPC_STATIC_ASSERT(BOARD_RING_BYTES >= 128 && BOARD_RING_BYTES <= 32768 &&
                       (BOARD_RING_BYTES & (BOARD_RING_BYTES - 1)) == 0,
                   "BOARD_RING_BYTES: a power of two, 128..32768");

/* Clients at once. More than the server's connections let one wait until another gives way. */
#ifndef BOARD_CLIENTS
#define BOARD_CLIENTS 2
#endif

extern const struct nrpc_server server; /* the application's */
NRPC_SERIAL_DEFINE(line, server, BOARD_CLIENTS, BOARD_RING_BYTES, BOARD_BAUD);

static uint8_t ring[BOARD_RING_BYTES];
static volatile uint16_t came, taken; /* counters, not positions: they wrap by themselves */

void board_uart_got(uint8_t byte)
{
    uint16_t at = came;
    if ((uint16_t)(at - taken) < BOARD_RING_BYTES) { /* else it is lost, and will be sent again */
        ring[at % BOARD_RING_BYTES] = byte;
        came = (uint16_t)(at + 1);
    }
}

/* Text goes between frames, so that it stays readable and does no harm. */
void board_putc(char c)
{
    uint8_t byte = (uint8_t)c;
    while (!nrpc_serial_is_between(&line) || !board_uart_has_room()) {
        uint8_t rest;
        if (board_uart_has_room() && nrpc_serial_finish(&line, &rest, 1) == 1) {
            board_uart_put(rest);
        }
    }
    board_uart_put(byte);
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
    return "a serial line";
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
    if (came == taken) {
        cpu_wait(); /* for a byte, or the next millisecond */
    }
    cpu_irq_on();
}

void board_wait(uint32_t most_ms)
{
    uint32_t now = board_now_ms();
    uint8_t byte;
    (void)most_ms; /* board_poll sleeps for a millisecond at most */
    while (came != taken) {
        byte = ring[taken % BOARD_RING_BYTES];
        taken = (uint16_t)(taken + 1);
        nrpc_serial_receive(&line, &byte, 1, now);
    }
    (void)nrpc_serial_tick(&line, now);
    while (board_uart_has_room() && nrpc_serial_transmit(&line, &byte, 1, now) == 1) {
        board_uart_put(byte);
    }
    if (nrpc_serial_is_between(&line)) { /* else the UART soon has room again */
        board_poll();
    }
}
