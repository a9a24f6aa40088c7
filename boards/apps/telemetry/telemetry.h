/* boards/apps/telemetry/telemetry.h - between the task that serves and the others.
 * Layer: application. Source: proto/telemetry.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_APPS_TELEMETRY_TELEMETRY_H
#define BOARDS_APPS_TELEMETRY_TELEMETRY_H

#include <stdint.h>

#include "nanorpc/nanorpc.h"
#include "telemetry.nrpc.h"

enum { SOURCES = 3, CALLERS = 3 };

extern struct nrpc_channel channel;

/* --- Of telemetry.c, for whoever may touch calls -----------------------------------------------
 */

/* A sample that was asked for. */
void deliver(telemetry_Source source, uint32_t number);

/* A task has made its calls. message: of the last one that was not good. */
void called(uint32_t good, enum nrpc_status status, const char *message);

/* --- Of tasks.c, for the task that serves --------------------------------------------------------
 */

/* Starts the others. Returns 0, or -1: no memory. */
int tasks_start(void);

/* Asks for one sample; never waits. */
void tasks_ask(telemetry_Source source);

/* Asks the callers to make `calls` calls each. */
void tasks_call(uint32_t calls, uint32_t timeout_ms);

/* The task that fills the queue uses more than its stack, the next time. */
void tasks_overflow(void);

/* Takes what has come, and delivers it. */
void tasks_poll(void);

/* The status of a call that waits, in an interrupt; NRPC_OK: there has been none. */
enum nrpc_status tasks_interrupted(void);

#endif
