/* host-sim/main.c - the simulator: one device, or a fleet of them, and a summary at the end.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board.h"
#include "fleet.h"
#include "ports/lwip/nrpc_lwip_dial.h"
#include "ports/lwip/nrpc_lwip_sockets_dial.h"
#include "options.h"
#include "serial.h"
#include "sim.h"

extern const struct nrpc_server server; /* the application's */

/* What the sanitizers do unless ASAN_OPTIONS says otherwise. The search for leaks at the end stops
 * every thread, and hangs when a SIGCONT comes meanwhile, as it does from timeout(1); the tests,
 * which send none, ask for it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static double clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* FILE, or for one of several devices FILE with its number before the ending. To be freed. */
static char *pcap_name(const struct options *options, unsigned number)
{
    const char *path = options->pcap, *slash, *dot;
    char *name;
    size_t room;
    if (path == NULL) {
        return NULL;
    }
    slash = strrchr(path, '/');
    dot = strrchr(path, '.');
    if (dot == NULL || dot == path || (slash != NULL && dot <= slash + 1)) {
        dot = path + strlen(path);
    }
    room = strlen(path) + 8;
    name = malloc(room);
    if (name == NULL) {
        board_panic("out of memory");
    }
    if (options->devices == 1) {
        snprintf(name, room, "%s", path);
    } else {
        snprintf(name, room, "%.*s-%u%s", (int)(dot - path), path, number + 1, dot);
    }
    return name;
}

/* --- One device ------------------------------------------------------------------------------- */

static struct nrpc_reverse uplinks[OPTIONS_LINKS_MAX];
static enum options_api api_used;
static int on_serial;                /* nobody can be dialled there, and there are no ports */
static struct nrpc_server listening; /* the application's, with --connections */

int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    if (on_serial) {
        return NRPC_E_LIMIT;
    }
    (void)board_entropy(&dial->random, sizeof dial->random);
    return (api_used == OPTIONS_RAW ? nrpc_lwip_dial : nrpc_lwip_sockets_dial)(dial, host, port);
}

void board_undial(struct nrpc_dial *dial)
{
    (api_used == OPTIONS_RAW ? nrpc_lwip_undial : nrpc_lwip_sockets_undial)(dial);
}

int board_listen(const struct nrpc_server *another, uint16_t port)
{
    if (on_serial) {
        return NRPC_E_LIMIT;
    }
    return api_used == OPTIONS_RAW ? nrpc_lwip_listen(another, port)
                                   : nrpc_lwip_sockets_listen(another, port);
}

void board_wait(uint32_t most_ms)
{
    if (on_serial) {
        serial_poll(most_ms);
        return;
    }
    if (api_used == OPTIONS_SOCKETS) {
        if (nrpc_lwip_sockets_poll(most_ms) != 0) {
            board_panic("the sockets port has given up");
        }
        return;
    }
    board_poll();
    (void)nrpc_lwip_poll(board_now_ms());
}

/* Links to the relay. */
static void dial_relay(const struct options *options)
{
    for (unsigned i = 0; options->relay != NULL && i < options->links; i++) {
        uplinks[i] = (struct nrpc_reverse)NRPC_REVERSE(server);
        if (board_dial(&uplinks[i].dial, options->relay, options->relay_port) != 0) {
            board_panic("no memory to dial");
        }
    }
}

/* The thread of the sockets API. */
static void *serve_sockets(void *unused)
{
    (void)unused;
    while (nrpc_lwip_sockets_poll(app_poll(board_now_ms())) == 0) {
    }
    board_panic("the sockets port has given up");
}

static void start_app(void)
{
    const char *wrong = app_start();
    if (wrong != NULL) {
        board_panic(wrong);
    }
}

static void limit_connections(uint16_t connections)
{
    listening = server;
    if (connections != 0 && connections < server.n_conns) {
        listening.n_conns = connections;
    }
}

static void start_server(enum options_api api)
{
    pthread_t thread;
    if (api == OPTIONS_RAW) {
        if (nrpc_lwip_listen(&listening, SIM_DEVICE_PORT) != 0) {
            board_panic("no memory to listen");
        }
    } else if (nrpc_lwip_sockets_listen(&listening, SIM_DEVICE_PORT) != 0 ||
               pthread_create(&thread, NULL, serve_sockets, NULL) != 0) {
        board_panic("no socket, or no thread");
    }
}

static void say_ready(int port)
{
    char text[64];
    snprintf(text, sizeof text, "nanorpc: " APP_TITLE " ready on 127.0.0.1:%d\n", port);
    board_print(text);
}

/* The same for the one on a serial line. */
static int run_serial(const struct options *options)
{
    char where[64], text[128];
    const int port = options->serial == OPTIONS_TCP ? options->port : -1;
    on_serial = 1;
    limit_connections(options->connections);
    if (!serial_open(&options->line, &listening, port, where, sizeof where)) {
        return 1;
    }
    start_app();
    snprintf(text, sizeof text, "nanorpc: " APP_TITLE " ready on %s\n", where);
    board_print(text);
    while (!fleet_stopping()) {
        board_wait(app_poll(board_now_ms()));
    }
    printf("\nnanorpc: stopped\n");
    return 0;
}

/* A device from power-on to power-off. Returns an exit status. */
static int run_device(const void *context, unsigned number, struct fleet_report *report)
{
    struct options options = *(const struct options *)context;
    char *pcap = pcap_name(&options, number);
    int port;
    options.weather.seed += number;
    port = wire_open(&options.weather, report->count,
                     (uint16_t)(options.port == 0 ? 0 : options.port + number), SIM_DEVICE_PORT,
                     sim_receive, pcap);
    free(pcap);
    if (port < 0) {
        wire_close();
        return 1;
    }
    sim_threads(options.api == OPTIONS_SOCKETS);
    if (options.dns != NULL && !sim_dns(options.dns, options.dns_port)) {
        fprintf(stderr,
                "host-sim: --dns takes an address in numbers, not '%s'; --help explains it\n",
                options.dns);
        wire_close();
        return 2;
    }
    sim_preempt(options.preempt_us, options.weather.seed);
    api_used = options.api;
    board_init();
    start_app();
    dial_relay(&options);
    limit_connections(options.connections);
    start_server(options.api);
    say_ready(port);
    while (!fleet_stopping()) {
        if (options.api == OPTIONS_SOCKETS) {
            board_poll();
        } else {
            board_wait(1);
            (void)app_poll(board_now_ms());
        }
    }
    report->connections = sim_connections();
    wire_close();
    return 0;
}

/* --- The end ---------------------------------------------------------------------------------- */

static void print_way(const char *name, const struct wire_count *count)
{
    printf("; %s %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64 " dropped", name, count->frames,
           count->bytes, count->dropped);
}

static void print_summary(const struct options *options, const struct fleet_report *report,
                          double seconds)
{
    printf("\nnanorpc: stopped after %.1f s; %u device%s; %" PRIu64 " connection%s", seconds,
           (unsigned)options->devices, options->devices == 1 ? "" : "s", report->connections,
           report->connections == 1 ? "" : "s");
    print_way("to the device", &report->count[WIRE_TO_DEVICE]);
    print_way("from it", &report->count[WIRE_FROM_DEVICE]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct options options;
    struct fleet_report report;
    double began = clock_s();
    int result = options_parse(&options, argc, argv);
    if (result >= 0) {
        return result;
    }
    memset(&report, 0, sizeof report);
    if (options.serial != OPTIONS_NO_SERIAL) {
        fleet_catch_signals();
        return run_serial(&options);
    }
    if (options.devices == 1) {
        fleet_catch_signals();
        result = run_device(&options, 0, &report);
    } else {
        result = fleet_run(options.devices, run_device, &options, &report);
    }
    if (result == 0) {
        print_summary(&options, &report, clock_s() - began);
    }
    return result;
}
