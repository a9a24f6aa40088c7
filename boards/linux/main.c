/* boards/linux/main.c - the application as a Linux program: options, a ready line, a clean stop.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board.h"
#include "ports/posix/nrpc_posix.h"

enum { DEFAULT_PORT = 50051, GOODBYE_MS = 2000 };

extern const struct nrpc_server server; /* the application's */

static volatile sig_atomic_t stops; /* how often we were asked to end */

static void on_stop(int number)
{
    (void)number;
    stops = stops + 1;
    nrpc_posix_wake();
}

static void usage(FILE *to, const char *program)
{
    fprintf(to,
            "usage: %s [--address ADDRESS] [--port PORT]\n"
            "Serves " APP_TITLE " over gRPC (no TLS).\n"
            "\n"
            "  --address ADDRESS  a name or number of this machine to listen on; \"any\" for all of\n"
            "                     them, IPv4 and IPv6 (default: localhost, reached from here only)\n"
            "  --port PORT        the TCP port, 0 for a free one (default: %d)\n"
            "  --help             show this text\n"
            "\n"
            "It prints one line when it is ready. Ctrl-C ends it: open calls may finish, for up to\n"
            "%d seconds; a second Ctrl-C ends it at once.\n",
            program, DEFAULT_PORT, GOODBYE_MS / 1000);
}

/* A port number, or -1. */
static int parse_port(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text && !*end && value >= 0 && value <= 65535 ? (int)value : -1;
}

/* Returns -1 to go on, or the program's exit code. */
static int parse(int argc, char **argv, const char **address, int *port)
{
    static const struct option options[] = {{"address", required_argument, NULL, 'a'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "a:p:h", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            *address = optarg;
            break;
        case 'p':
            *port = parse_port(optarg);
            if (*port >= 0)
                break;
            fprintf(stderr, "%s: --port takes a number from 0 to 65535, not '%s'\n", argv[0], optarg);
            return 2;
        case 'h':
            usage(stdout, argv[0]);
            return 0;
        default:
            usage(stderr, argv[0]);
            return 2;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
    usage(stderr, argv[0]);
    return 2;
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_stop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void print_ready(const char *address)
{
    const char *shown = address;

    if (!strcmp(address, "localhost"))
        shown = "127.0.0.1";
    else if (!strcmp(address, "any"))
        shown = "0.0.0.0";
    printf("nanorpc: " APP_TITLE " ready on ");
    printf(strchr(shown, ':') ? "[%s]:%u\n" : "%s:%u\n", shown, (unsigned)nrpc_posix_port());
    fflush(stdout);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say_goodbye(void)
{
    const struct nrpc_posix_stats *stats = nrpc_posix_stats();
    int64_t until = now_ms() + GOODBYE_MS;

    nrpc_posix_shutdown();
    while (stats->open && stops < 2 && now_ms() < until)
        if (nrpc_posix_poll((int)app_poll((uint32_t)now_ms()) / 20) < 0)
            break;
    printf("\nnanorpc: stopped; %" PRIu64 " connections (%" PRIu64 " refused, %" PRIu32
           " cut off), %" PRIu64 " bytes received, %" PRIu64 " sent\n",
           stats->accepted, stats->refused, stats->open, stats->received_bytes, stats->sent_bytes);
    nrpc_posix_close();
}

int main(int argc, char **argv)
{
    const char *address = "localhost";
    int port = DEFAULT_PORT;
    int result = parse(argc, argv, &address, &port);

    if (result >= 0)
        return result;
    if (nrpc_posix_listen(&server, strcmp(address, "any") ? address : NULL, (uint16_t)port)) {
        fprintf(stderr, "%s: %s; choose another with --port or --address\n", argv[0], nrpc_posix_error());
        return 1;
    }
    catch_signals();
    print_ready(address);
    while (!stops) {
        if (nrpc_posix_poll((int)app_poll((uint32_t)now_ms())) < 0) {
            fprintf(stderr, "%s: %s\n", argv[0], nrpc_posix_error());
            return 1;
        }
    }
    say_goodbye();
    return 0;
}
