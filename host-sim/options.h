/* host-sim/options.h - the simulator's command line.
 * Layer: board. Source: getopt_long(3).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_OPTIONS_H
#define HOST_SIM_OPTIONS_H

#include <stdint.h>

#include "serial.h"
#include "weather.h"

enum options_api { OPTIONS_RAW, OPTIONS_SOCKETS };
enum options_serial { OPTIONS_NO_SERIAL, OPTIONS_PTY, OPTIONS_TCP };

struct options {
    struct weather_settings weather;
    const char *pcap;  /* of argv; NULL: none */
    const char *relay; /* to dial, of argv; NULL: none */
    const char *dns;   /* of argv; NULL: the gateway's */
    enum options_api api;
    enum options_serial serial;
    struct serial_line line; /* its seed and loss are those of the weather */
    uint32_t preempt_us;
    uint16_t port;    /* 0: any free one */
    uint16_t devices; /* 1..OPTIONS_DEVICES_MAX */
    uint16_t relay_port, dns_port, links;
    uint16_t connections; /* 0: all that the server has */
};

#define OPTIONS_PORT 50051
#define OPTIONS_DEVICES_MAX 256
#define OPTIONS_BAUD 115200
#define OPTIONS_LINKS 2
#define OPTIONS_LINKS_MAX 16

/* Fills *options. Returns -1 to go on, or the exit status: 0 after --help on stdout; 2 after a
 * message on stderr that says what was wrong and what is right. */
int options_parse(struct options *options, int argc, char **argv);

#endif
