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

#include "board.h"
#include "ports/posix/nrpc_posix_dial.h"

enum { DEFAULT_PORT = 50051, GOODBYE_MS = 2000, LINKS = 4, LINKS_MAX = NRPC_POSIX_DIALS };

extern const struct nrpc_server server; /* the application's */

struct options {
    const char *address;
    char *relay;          /* host, of argv; NULL: none */
    int port, relay_port; /* -1: none */
    int links;
    int connections; /* 0: all that the server has */
};

static struct nrpc_reverse uplinks[LINKS_MAX];
static volatile sig_atomic_t stops; /* how often we were asked to end */

static void on_stop(int number)
{
    (void)number;
    stops = stops + 1;
    nrpc_posix_wake();
}

static void usage(FILE *to, const char *program)
{
    fprintf(
        to,
        "usage: %s [--address ADDRESS] [--port PORT] [--connections N]\n"
        "       [--reverse HOST:PORT [--links N]]\n"
        "Serves " APP_TITLE " over gRPC.\n"
        "\n"
        "  --address ADDRESS  a name or number of this machine to listen on; \"any\" for all of\n"
        "                     them, IPv4 and IPv6 (default: localhost, reached from here only)\n"
        "  --port PORT        the TCP port, 0 for a free one (default: %d)\n"
        "  --connections N    as if there were memory for N only (default: what there is)\n"
        "  --reverse HOST:PORT  dial a relay there (host-sim/relay.py) and serve its clients; "
        "without\n"
        "                     --port or --address nothing else is listened on\n"
        "  --links N          so many clients at once by way of the relay, 1 to %d (default: %d)\n"
        "  --version          show the version\n"
        "  --help             show this text\n"
        "\n"
        "It prints one line when it is ready. Ctrl-C ends it: open calls may finish, for up to\n"
        "%d seconds; a second Ctrl-C ends it at once.\n",
        program, DEFAULT_PORT, LINKS_MAX, LINKS, GOODBYE_MS / 1000);
}

/* A whole number from min to max, or -1. */
static int parse_number(const char *text, long min, long max)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text && !*end && value >= min && value <= max ? (int)value : -1;
}

/* HOST:PORT or [HOST]:PORT. Returns 1, or 0: it is neither. */
static int parse_relay(struct options *options, char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon)
        return 0;
    *colon = 0;
    if (*text == '[' && colon[-1] == ']') {
        text++;
        colon[-1] = 0;
    }
    options->relay = text;
    options->relay_port = parse_number(colon + 1, 1, 65535);
    return *text && options->relay_port > 0;
}

/* Returns 1, or 0 after a message. */
static int parse_option(struct options *options, int option, char *text, const char *program)
{
    const char *right;

    switch (option) {
    case 'a': options->address = text; return 1;
    case 'p':
        options->port = parse_number(text, 0, 65535);
        right = "--port takes a number from 0 to 65535, not";
        if (options->port >= 0)
            return 1;
        break;
    case 'r':
        right = "--reverse takes HOST:PORT, not";
        if (parse_relay(options, text))
            return 1;
        break;
    case 'c':
        options->connections = parse_number(text, 1, NRPC_CONNECTIONS_MAX);
        right = "--connections takes a number from 1 to 1000000, not";
        if (options->connections > 0)
            return 1;
        break;
    case 'l':
        options->links = parse_number(text, 1, LINKS_MAX);
        right = "--links takes a small number, 1 or more, not";
        if (options->links > 0)
            return 1;
        break;
    default: usage(stderr, program); return 0;
    }
    fprintf(stderr, "%s: %s '%s'\n", program, right, text);
    return 0;
}

/* Returns -1 to go on, or the program's exit code. */
static int parse(int argc, char **argv, struct options *parsed)
{
    static const struct option options[] = {{"address", required_argument, NULL, 'a'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"reverse", required_argument, NULL, 'r'},
                                            {"links", required_argument, NULL, 'l'},
                                            {"connections", required_argument, NULL, 'c'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *parsed = (struct options){.port = -1, .links = LINKS};
    while ((option = getopt_long(argc, argv, "a:p:h", options, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout, argv[0]);
            return 0;
        }
        if (option == 'v') {
            puts("nanorpc " NRPC_VERSION_STRING);
            return 0;
        }
        if (!parse_option(parsed, option, optarg, argv[0]))
            return 2;
    }
    if (optind != argc) {
        fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
        usage(stderr, argv[0]);
        return 2;
    }
    if (parsed->port < 0 && (parsed->address || !parsed->relay))
        parsed->port = DEFAULT_PORT;
    if (!parsed->address)
        parsed->address = "localhost";
    return -1;
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

int board_dial(struct nrpc_dial *dial, const char *host, uint16_t port)
{
    return nrpc_posix_dial(dial, host, port);
}

void board_undial(struct nrpc_dial *dial)
{
    nrpc_posix_undial(dial);
}

static const char *address; /* NULL: all */

int board_listen(const struct nrpc_server *another, uint16_t port)
{
    int error = nrpc_posix_listen(another, address, port);
    if (error == 0) {
        printf("nanorpc: listens on port %u as well\n", (unsigned)nrpc_posix_port());
    }
    return error;
}

void board_wait(uint32_t most_ms)
{
    if (nrpc_posix_poll((int)most_ms) < 0)
        board_panic(nrpc_posix_error());
}

static void say_goodbye(void)
{
    const struct nrpc_posix_stats *stats = nrpc_posix_stats();
    uint32_t begun = board_now_ms();

    nrpc_posix_shutdown();
    while (stats->open && stops < 2 && board_now_ms() - begun < GOODBYE_MS)
        if (nrpc_posix_poll((int)app_poll(board_now_ms()) / 20) < 0)
            break;
    printf("\nnanorpc: stopped; %" PRIu64 " connections (%" PRIu64 " refused, %" PRIu32
           " cut off), %" PRIu64 " bytes received, %" PRIu64 " sent\n",
           stats->accepted, stats->refused, stats->open, stats->received_bytes, stats->sent_bytes);
    nrpc_posix_close();
}

/* Returns 0, or the program's exit code after a message. */
static int start(const struct options *options, const char *program)
{
    const char *wrong;
    static struct nrpc_server listening; /* the application's, with --connections */

    address = strcmp(options->address, "any") ? options->address : NULL;
    wrong = app_start();
    if (wrong) {
        fprintf(stderr, "%s: %s\n", program, wrong);
        return 1;
    }

    listening = server;
    if (options->connections && (nrpc_conns_size)options->connections < server.n_conns)
        listening.n_conns = (nrpc_conns_size)options->connections;
    if (options->port >= 0 && nrpc_posix_listen(&listening, address, (uint16_t)options->port)) {
        fprintf(stderr, "%s: %s; choose another with --port or --address\n", program,
                nrpc_posix_error());
        return 1;
    }
    if (*nrpc_posix_warning())
        fprintf(stderr, "%s: %s\n", program, nrpc_posix_warning());
    for (int i = 0; options->relay && i < options->links; i++) {
        uplinks[i] = (struct nrpc_reverse)NRPC_REVERSE(server);
        if (nrpc_posix_dial(&uplinks[i].dial, options->relay, (uint16_t)options->relay_port)) {
            fprintf(stderr, "%s: --reverse: %s\n", program, nrpc_posix_error());
            return 1;
        }
    }
    catch_signals();
    if (options->port >= 0)
        print_ready(options->address);
    return 0;
}

/* Says on the console when the relay is reached, and why it is not: what is new of it. */
static void watch_relay(const struct options *options)
{
    static char said[160];
    static int was_linked;
    const char *error = nrpc_posix_dial_error(&uplinks[0].dial);
    int linked = uplinks[0].dial.state == NRPC_DIAL_LINKED;

    if (linked && !was_linked) {
        printf("nanorpc: " APP_TITLE " linked to %s port %d\n", options->relay,
               options->relay_port);
        said[0] = 0;
    } else if (!linked && *error && strcmp(error, said)) {
        printf("nanorpc: %s; it is tried again\n", error);
        snprintf(said, sizeof said, "%s", error);
    }
    was_linked = linked;
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct options options;
    int result = parse(argc, argv, &options);

    if (result >= 0)
        return result;
    result = start(&options, argv[0]);
    if (result)
        return result;
    while (!stops) {
        if (nrpc_posix_poll((int)app_poll(board_now_ms())) < 0) {
            fprintf(stderr, "%s: %s\n", argv[0], nrpc_posix_error());
            return 1;
        }
        if (options.relay)
            watch_relay(&options);
    }
    say_goodbye();
    return 0;
}
