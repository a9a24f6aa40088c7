/* host-sim/options.c - the simulator's command line.
 * Layer: board. Source: getopt_long(3).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nanorpc/version.h"

static const char help_text[] =
    "Simulates a small device that serves gRPC: Greeter, helloworld.Greeter and\n"
    "simpletest.SimpleTest, on lwIP, behind a simulated Ethernet. No root is needed.\n"
    "Clients on this machine call it at localhost:50051, without TLS.\n"
    "\n"
    "usage: host-sim [OPTION]...          or: make sim ARGS=\"[OPTION]...\"\n"
    "\n"
    "The device\n"
    "  --port N          the port on 127.0.0.1 that leads to the device; 0 takes a free one\n"
    "                    (default: 50051)\n"
    "  --api raw         lwIP's raw API in one loop, as on bare metal (the default)\n"
    "  --api sockets     lwIP's sockets API on threads, as on an RTOS\n"
    "  --connections N   as if there were memory for N connections only (default: all)\n"
    "  --preempt US      other tasks of the RTOS keep the server's thread from lwIP before each\n"
    "                    call, for up to so many microseconds, 0 to 100000, while lwIP's own\n"
    "                    thread goes on; for --api sockets (default: 0)\n"
    "  --devices N       N devices, 1 to 256, each a process of its own, on ports PORT,\n"
    "                    PORT+1, ...; device K has seed SEED+K-1 (default: 1)\n"
    "  --pcap FILE       write every frame that the device sends or receives to FILE, for\n"
    "                    Wireshark; with --devices, device K writes to FILE with -K before\n"
    "                    its ending\n"
    "  --reverse HOST:PORT\n"
    "                    dial a relay there (host-sim/relay.py), and serve its clients as well;\n"
    "                    to the device this machine is 10.0.2.2\n"
    "  --links N         so many of the relay's clients at once, 1 to 16 (default: 2)\n"
    "  --dns HOST:PORT   ask this server for names, not the one that this machine asks\n"
    "\n"
    "A serial line in the place of the Ethernet, for the Python package nanorpc\n"
    "  --serial          a pseudo-terminal, whose name is printed\n"
    "  --serial=tcp      --port on 127.0.0.1 is the line, for one program at a time\n"
    "  --baud N          bits a second, 1200 to 10000000; 0: as fast as it goes, as USB\n"
    "                    (default: 115200)\n"
    "  --noise PERCENT   so many of all bytes become others; --loss is of bytes, too\n"
    "                    (default: 0)\n"
    "\n"
    "The weather between client and device; it befalls each way for itself\n"
    "  --loss PERCENT    so many of all frames are lost, 0 to 100, also 0.5 (default: 0)\n"
    "  --delay MS        every frame takes so long, 0 to 5000; a round trip takes twice as\n"
    "                    long (default: 0)\n"
    "  --reorder PERCENT so many of all frames take 5 to 25 ms longer, so that later ones\n"
    "                    overtake them (default: 0)\n"
    "  --rate KBIT/S     so many kilobits a second pass, 1 to 10000000; 64 KB may wait, more\n"
    "                    is lost (default: no limit)\n"
    "  --disconnect S    once in every S seconds the cable is out for one, 2 to 86400\n"
    "                    (default: never)\n"
    "  --seed N          another N is other weather; the same N is the same weather again: it\n"
    "                    decides which frames are lost, first, second, ... (default: 1)\n"
    "\n"
    "  --version         show the version\n"
    "  --help            show this text\n"
    "\n"
    "When it is ready it prints \"nanorpc: Greeter ready on 127.0.0.1:PORT\". Ctrl-C stops it,\n"
    "with a summary of what passed over the wire.\n"
    "\n"
    "  make sim ARGS=\"--loss 5 --delay 50 --pcap weather.pcap\"\n"
    "  make sim ARGS=\"--port 6000 --devices 10\"\n"
    "  make sim ARGS=\"--serial --baud 9600\"\n";

static int complain(const char *option, const char *right, const char *wrong)
{
    fprintf(stderr, "host-sim: --%s takes %s, not '%s'; --help explains it\n", option, right,
            wrong);
    return 2;
}

/* A whole decimal number from min to max. Returns 1, or 0: it is none. */
static int whole(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return 0;
    }
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value >= min && *value <= max;
}

/* A percentage, as parts of a million. Returns 1, or 0: it is none. */
static int percent(const char *text, uint32_t *ppm)
{
    char *end;
    double value;
    if (text[strspn(text, "0123456789.")] != '\0') {
        return 0;
    }
    value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value <= 100)) {
        return 0;
    }
    *ppm = (uint32_t)(value * 10000 + 0.5);
    return 1;
}

enum {
    PORT = 1,
    DEVICES,
    DELAY,
    RATE,
    DISCONNECT,
    SEED,
    LINKS,
    PREEMPT,
    CONNECTIONS,
    LOSS,
    REORDER,
    API,
    PCAP,
    REVERSE,
    DNS,
    SERIAL,
    BAUD,
    NOISE,
    VERSION,
    HELP
};

/* The options that are whole numbers: what they may be, in numbers and in words. */
static const struct {
    const char *name, *right;
    uint64_t min, max;
} numbers[] = {
    [PORT] = {"port", "a number from 0 to 65535", 0, 65535},
    [DEVICES] = {"devices", "a number from 1 to 256", 1, OPTIONS_DEVICES_MAX},
    [DELAY] = {"delay", "whole milliseconds from 0 to 5000", 0, 5000},
    [RATE] = {"rate", "whole kilobits a second from 1 to 10000000", 1, 10000000},
    [DISCONNECT] = {"disconnect", "whole seconds from 2 to 86400", 2, 86400},
    [LINKS] = {"links", "a number from 1 to 16", 1, OPTIONS_LINKS_MAX},
    [CONNECTIONS] = {"connections", "a number from 1 to 65535", 1, 65535},
    [PREEMPT] = {"preempt", "whole microseconds from 0 to 100000", 0, 100000},
    [BAUD] = {"baud", "bits a second from 1200 to 10000000, or 0", 0, 10000000},
    [SEED] = {"seed", "a whole number from 0 to 18446744073709551615", 0, UINT64_MAX},
};

/* Returns 0, or 2 after a message. */
static int set_number(struct options *options, int which, const char *text)
{
    uint64_t value;
    if (!whole(text, numbers[which].min, numbers[which].max, &value)) {
        return complain(numbers[which].name, numbers[which].right, text);
    }
    switch (which) {
    case PORT: options->port = (uint16_t)value; break;
    case DEVICES: options->devices = (uint16_t)value; break;
    case DELAY: options->weather.delay_ms = (uint32_t)value; break;
    case RATE: options->weather.rate_kbit = (uint32_t)value; break;
    case LINKS: options->links = (uint16_t)value; break;
    case PREEMPT: options->preempt_us = (uint32_t)value; break;
    case CONNECTIONS: options->connections = (uint16_t)value; break;
    case BAUD: options->line.baud = (uint32_t)value; break;
    case DISCONNECT: options->weather.disconnect_s = (uint32_t)value; break;
    default: options->weather.seed = value; break;
    }
    return 0;
}

static int set_percent(uint32_t *ppm, const char *name, const char *text)
{
    return percent(text, ppm)
               ? 0
               : complain(name, "a percentage from 0 to 100, such as 5 or 0.5", text);
}

static int set_api(struct options *options, const char *text)
{
    if (strcmp(text, "raw") == 0) {
        options->api = OPTIONS_RAW;
    } else if (strcmp(text, "sockets") == 0) {
        options->api = OPTIONS_SOCKETS;
    } else {
        return complain("api", "'raw' or 'sockets'", text);
    }
    return 0;
}

/* text: NULL: none. */
static int set_serial(struct options *options, const char *text)
{
    if (text != NULL && strcmp(text, "tcp") != 0) {
        return complain("serial", "nothing, or '=tcp'", text);
    }
    options->serial = text == NULL ? OPTIONS_PTY : OPTIONS_TCP;
    return 0;
}

/* HOST:PORT, cut in two. Returns 0, or 2 after a message. */
static int set_place(const char *name, char *text, const char **host, uint16_t *port)
{
    char *colon = strrchr(text, ':');
    uint64_t value;
    if (colon == NULL || colon == text || !whole(colon + 1, 1, 65535, &value)) {
        return complain(name, "HOST:PORT, such as 10.0.2.2:50052", text);
    }
    *colon = '\0';
    *host = text;
    *port = (uint16_t)value;
    return 0;
}

/* What getopt_long itself finds wrong. */
static int reject(int found, char **argv)
{
    if (found == ':') {
        fprintf(stderr, "host-sim: %s needs a value after it; --help explains it\n",
                argv[optind - 1]);
    } else if (optopt > 0 && optopt < 128) {
        fprintf(stderr, "host-sim: there is no option '-%c'; --help lists them all\n", optopt);
    } else {
        fprintf(stderr, "host-sim: there is no option '%s'; --help lists them all\n",
                argv[optind - 1]);
    }
    return 2;
}

/* What only one of the two has, an Ethernet and a serial line. Returns its name, or NULL. */
static const char *misplaced(const struct options *options)
{
    const struct weather_settings *weather = &options->weather;
    if (options->serial == OPTIONS_NO_SERIAL) {
        return options->line.baud != OPTIONS_BAUD ? "baud"
               : options->line.noise_ppm != 0     ? "noise"
                                                  : NULL;
    }
    return options->pcap != NULL         ? "pcap"
           : options->relay != NULL      ? "reverse"
           : options->dns != NULL        ? "dns"
           : options->api != OPTIONS_RAW ? "api"
           : weather->delay_ms           ? "delay"
           : weather->reorder_ppm        ? "reorder"
           : weather->rate_kbit          ? "rate"
           : weather->disconnect_s       ? "disconnect"
           : options->devices > 1        ? "devices"
                                         : NULL;
}

/* What is wrong only in combination. Returns -1, or 2 after a message. */
static int check(const struct options *options)
{
    const char *name = misplaced(options);
    if (name != NULL) {
        fprintf(stderr, "host-sim: --%s is for %s; --help explains it\n", name,
                options->serial == OPTIONS_NO_SERIAL ? "--serial"
                                                     : "an Ethernet, not for --serial");
        return 2;
    }
    if (options->line.baud != 0 && options->line.baud < 1200) {
        fprintf(stderr, "host-sim: --baud takes %s; --help explains it\n", numbers[BAUD].right);
        return 2;
    }
    if (options->port != 0 && options->port + options->devices - 1 > 65535) {
        fprintf(stderr,
                "host-sim: %u devices from port %u on would need ports above 65535; choose --port "
                "%u or less\n",
                (unsigned)options->devices, (unsigned)options->port, 65536u - options->devices);
        return 2;
    }
    return -1;
}

/* Takes one option. Returns 0, 1: it was --help or --version; or 2 after a message. */
static int set(struct options *options, int which, char *text, char **argv)
{
    switch (which) {
    case LOSS: return set_percent(&options->weather.loss_ppm, "loss", text);
    case REORDER: return set_percent(&options->weather.reorder_ppm, "reorder", text);
    case NOISE: return set_percent(&options->line.noise_ppm, "noise", text);
    case API: return set_api(options, text);
    case SERIAL: return set_serial(options, text);
    case PCAP: options->pcap = text; return 0;
    case REVERSE: return set_place("reverse", text, &options->relay, &options->relay_port);
    case DNS: return set_place("dns", text, &options->dns, &options->dns_port);
    case VERSION: puts("nanorpc " NRPC_VERSION_STRING); return 1;
    case HELP: fputs(help_text, stdout); return 1;
    case ':':
    case '?': return reject(which, argv);
    default: return set_number(options, which, text);
    }
}

int options_parse(struct options *options, int argc, char **argv)
{
    static const struct option list[] = {
        {"port", required_argument, NULL, PORT},
        {"devices", required_argument, NULL, DEVICES},
        {"delay", required_argument, NULL, DELAY},
        {"rate", required_argument, NULL, RATE},
        {"disconnect", required_argument, NULL, DISCONNECT},
        {"seed", required_argument, NULL, SEED},
        {"loss", required_argument, NULL, LOSS},
        {"reorder", required_argument, NULL, REORDER},
        {"api", required_argument, NULL, API},
        {"pcap", required_argument, NULL, PCAP},
        {"reverse", required_argument, NULL, REVERSE},
        {"links", required_argument, NULL, LINKS},
        {"dns", required_argument, NULL, DNS},
        {"serial", optional_argument, NULL, SERIAL},
        {"baud", required_argument, NULL, BAUD},
        {"noise", required_argument, NULL, NOISE},
        {"preempt", required_argument, NULL, PREEMPT},
        {"connections", required_argument, NULL, CONNECTIONS},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    int found, result;

    memset(options, 0, sizeof *options);
    options->port = OPTIONS_PORT;
    options->devices = 1;
    options->links = OPTIONS_LINKS;
    options->weather.seed = 1;
    options->line.baud = OPTIONS_BAUD;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", list, NULL)) != -1) {
        result = set(options, found, optarg, argv);
        if (result != 0) {
            return result == 1 ? 0 : result;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "host-sim: '%s' belongs to no option; --help lists them all\n",
                argv[optind]);
        return 2;
    }
    options->line.seed = options->weather.seed;
    options->line.loss_ppm = options->weather.loss_ppm;
    return check(options);
}
