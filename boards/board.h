/* boards/board.h - what a board gives to the program that runs on it: functions, a line out.
 * Layer: board. Implemented in boards/NAME/; the bare-metal ones share boards/cortexm/.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_BOARD_H
#define BOARDS_BOARD_H

#include <stddef.h>
#include <stdint.h>

/* What the console calls the application when it is ready; boards/apps/NAME.mk gives another. */
#ifndef APP_TITLE
#define APP_TITLE "Greeter"
#endif

/* 1: the application has something to do beside its handlers, and defines this function. It is
 * called where handlers may be called, again and again; it may use the nrpc_call_ functions.
 * Returns the milliseconds after which it must be called again at the latest, 0..1000. */
#ifndef APP_POLLS
#define APP_POLLS 0
#endif
#if APP_POLLS
uint32_t app_poll(uint32_t now_ms);
#else
static inline uint32_t app_poll(uint32_t now_ms)
{
    (void)now_ms;
    return 1000;
}
#endif

/* A link that the application opens, by the port that the image has: as nrpc_lwip_dial and
 * nrpc_lwip_undial, which see (nrpc_posix_dial and so on). From app_poll. */
struct nrpc_dial;
int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port);
void board_undial(struct nrpc_dial *dial);

/* Serves on one more port, by the port that the image has: another server, or the same. server:
 * kept for ever. From app_start or app_poll. Returns as nrpc_lwip_listen does, nrpc_posix_listen or
 * nrpc_lwip_sockets_listen (which has one listener alone: NRPC_E_LIMIT). A board without an
 * operating system needs -DBOARD_LISTENERS=2 or more for it, and NRPC_LWIP_CONNECTIONS for all
 * servers. */
struct nrpc_server;
int board_listen(const struct nrpc_server *server, uint16_t port);

/* One round of the loop that polls the port, at most most_ms long (0..1000), without app_poll:
 * handlers and events run in it. For `poll` of struct nrpc_channel, see wait.h. From app_poll. */
void board_wait(uint32_t most_ms);

/* Begins to serve on the link that the image has: boards/lwip.c, boards/serial.c. Once, after
 * board_init. server: kept for ever. Returns NULL, or why it cannot. */
const char *board_serve(const struct nrpc_server *server);

/* Where clients reach it, for the console: "10.0.2.15:50051", "a serial line". NULL: not known yet
 * (DHCP). */
const char *board_where(void);

/* 1: the application has something to do before it listens, and defines this function. Returns
 * NULL, or why it cannot run; the board then panics with that text. */
#ifndef APP_STARTS
#define APP_STARTS 0
#endif
#if APP_STARTS
const char *app_start(void);
#else
static inline const char *app_start(void)
{
    return NULL;
}
#endif

/* Brings up clocks, console, millisecond clock and network. Once, first of all. Panics when a part
 * that the board cannot do without does not answer. */
void board_init(void);

/* Moves what the network has received and runs the network's timers; then, when there is nothing to
 * do, sleeps until the next interrupt: a frame, or the next millisecond. From main's loop only. */
void board_poll(void);

/* Milliseconds since board_init, wrapping at 2^32. Any context. */
uint32_t board_now_ms(void);

/* Fills n bytes for choosing sequence numbers and ports. Returns 1: from a source of entropy, fit
 * for keys; 0: NOT SECURE, they follow from BOARD_TEST_SEED, the device's address and the time.
 * Every board that an emulator runs returns 0; code that makes keys must refuse it. */
int board_entropy(void *buf, size_t n);

/* Seconds since 1970-01-01 UTC, for the dates of certificates; 0: the board does not know. */
uint64_t board_unix_s(void);

/* Writes "nanorpc: panic: TEXT" on the console, turns interrupts off and halts for ever. Any
 * context. */
void board_panic(const char *text) __attribute__((noreturn));

/* Writes text on the board's console, as it is. From main's loop only; waits for the UART. */
void board_print(const char *text);

#endif
