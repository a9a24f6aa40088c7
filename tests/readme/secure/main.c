/* tests/readme/secure/main.c - serves, guards and calls the thermometer over TLS, with the files of
 * docs/tls.md. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "boards/board.h"
#include "ports/mbedtls/nrpc_tls.h"
#include "ports/posix/nrpc_posix_dial.h"
#include "thermometer.client.h"
#include "thermometer.nrpc.h"

extern const struct nrpc_server server, guarded;
extern struct nrpc_channel channel;
void start_tls(void);
void start_caller(void);

enum nrpc_status Thermometer_Read(struct nrpc_call *call, const ReadRequest *request,
                                  Reading *reply)
{
    (void)call;
    (void)request;
    reply->millidegrees = 21500;
    return NRPC_OK;
}

static enum nrpc_status got(struct nrpc_call *call, const Reading *reading)
{
    (void)call;
    printf("called %d\n", (int)reading->millidegrees);
    return NRPC_OK;
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    (void)call;
    if (status != NRPC_OK) {
        printf("called: %d %s\n", (int)status, message);
    }
    fflush(stdout);
}

static const struct Thermometer_Read_events events = {.reply = got, .on = {.done = done}};

/* The program calls itself: one loop moves both ends. */
int main(void)
{
    const struct nrpc_call_options options = {.timeout_ms = 60000, .wait_for_ready = 1};
    const ReadRequest request = {.sensor = "case"};
    const char *wrong;
    start_tls();
    start_caller();
    wrong = nrpc_tls_start(&guarded);
    if (wrong != NULL) {
        board_panic(wrong);
    }
    if (nrpc_posix_listen(&guarded, "localhost", 0) != 0) {
        board_panic(nrpc_posix_error());
    }
    printf("guarded %u\n", (unsigned)nrpc_posix_port());
    fflush(stdout);
    if (nrpc_posix_listen(&server, "localhost", SECURE_PORT) != 0 ||
        nrpc_posix_dial(&channel.dial, "localhost", SECURE_PORT) != 0) {
        board_panic(nrpc_posix_error());
    }
    (void)Thermometer_Read_start(&channel, &options, &request, &events);
    while (nrpc_posix_poll(1000) >= 0) {
    }
    return 1;
}
