/* tests/readme/station/main.c - makes all the calls of docs/client.md to server.py beside this
 * file, and fails where something else comes of them than the page says. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "station.h"

#include <stdio.h>
#include <stdlib.h>

#include "ports/posix/nrpc_posix_dial.h"

enum { ROUNDS = 2000 }; /* of 10 ms at most */

static char heard[200];

static void note(const char *text)
{
    (void)snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s ", text);
}

void show(int32_t value)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", (int)value);
    note(text);
}

void complain(enum nrpc_status status, const char *message)
{
    char text[80];
    (void)snprintf(text, sizeof text, "[%d %.18s]", (int)status, message);
    note(text);
}

/* Polls until all of it has been heard. */
static void expect(const char *what, const char *text)
{
    for (int i = 0; i < ROUNDS && strlen(heard) < strlen(text); i++) {
        (void)nrpc_posix_poll(10);
    }
    printf("station: %s: %s\n", what, heard);
    if (strcmp(heard, text) != 0) {
        printf("station: expected %s\n", text);
        exit(1);
    }
    heard[0] = '\0';
}

static void expect_status(const char *what, enum nrpc_status status, enum nrpc_status expected)
{
    if (status != expected) {
        printf("station: %s: status %d\n", what, (int)status);
        exit(1);
    }
}

int main(void)
{
    if (begin("127.0.0.1") != 0 || nrpc_posix_dial(&tagged.dial, "127.0.0.1", STATION_PORT) != 0) {
        return 1;
    }
    ask("case");
    expect("ask", "21500 ");
    ask("cellar");
    expect("ask for what there is not", "[5 no such sensor] ");
    watch();
    expect("watch", "0 1 2 [1 ] ");
    upload();
    expect("upload", "5 [0 ] ");
    expect_status("read", read_and_wait(), NRPC_OK);
    expect("read", "21500 ");
    expect_status("watch", watch_and_wait(), NRPC_CANCELLED);
    expect("watch, waiting", "0 1 2 ");
    expect_status("upload", upload_and_wait(), NRPC_OK);
    expect("upload, waiting", "5 ");
    expect_status("compare", compare_and_wait(), NRPC_OK);
    expect("compare, waiting", "0 10 20 ");
    ask_with_token();
    expect("metadata", "[0 Bearer a token] ");
    for (int i = 0; i < NRPC_MAX_STREAMS + 1; i++) {
        ask("case");
    }
    expect("one call too many", "[8 all calls are in u] 21500 21500 21500 21500 ");
    nrpc_posix_close();
    return 0;
}
