/* boards/apps/admin/admin.c - a second server on a second port, with a connection of its own.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "helloworld/greeter.nrpc.h"

/* Where; 0, on Linux only: on a free one. */
#ifndef ADMIN_PORT
#define ADMIN_PORT 50052
#endif

/* Whoever fills the connections of `server` leaves this one alone. The handlers are greeter.c's. */
NRPC_SERVER_DEFINE(admin, 1 /* connection */, helloworld_Greeter_service);

const char *app_start(void)
{
    return board_listen(&admin, ADMIN_PORT) == 0 ? NULL : "cannot listen on the second port";
}
