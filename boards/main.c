/* boards/main.c - main of every microcontroller: the server, and a loop. With an RTOS, in a task.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "cpu.h"
#include "nanorpc/nanorpc.h"

extern const struct nrpc_server server; /* the application's */

/* Says once, on the console, where the server is; with DHCP that is not known at the start. */
static int say_ready(void)
{
    const char *where = board_where();
    if (where == NULL) {
        return 0;
    }
    board_print("nanorpc: " APP_TITLE " ready on ");
    board_print(where);
    board_print("\n");
    return 1;
}

#if NRPC_CHECKS
void nrpc_check_failed(const char *function, const char *what)
{
    board_print("nanorpc: ");
    board_print(function);
    board_print(": ");
    board_print(what);
    board_panic("a call was used that is over");
}
#endif

static void need(const char *wrong)
{
    if (wrong != NULL) {
        board_panic(wrong);
    }
}

int BOARD_MAIN(void)
{
    uint32_t most_ms = 1;
    int ready = 0;
    board_init();
    need(app_start());
    need(board_serve(&server));
    for (;;) {
        ready = ready || say_ready();
        board_wait(ready ? most_ms : 1);
        most_ms = app_poll(board_now_ms());
    }
}
