/* tests/readme/station/station.h - what the functions of docs/client.md call, and what main.c calls
 * of them. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STATION_H
#define STATION_H

#include <string.h>

#include "nanorpc/client.h"

/* main.c's: both note what they are told. */
void show(int32_t value);
void complain(enum nrpc_status status, const char *message);

extern struct nrpc_channel tagged;

int begin(const char *host);
void ask(const char *sensor);
void watch(void);
void upload(void);
enum nrpc_status read_and_wait(void);
enum nrpc_status watch_and_wait(void);
enum nrpc_status upload_and_wait(void);
enum nrpc_status compare_and_wait(void);
void ask_with_token(void);

#endif
