/* boards/apps/reporter/reporter.c - a device that calls a collector every second.
 * Layer: application. Source: proto/reporter.proto; nanorpc/client.h.
 * SPDX-License-Identifier: Apache-2.0 */
/* The collector is host-sim/collector.py; the calls go on through its restarts. The Greeter's
 * server is in the same image. */
#include <string.h>

#include "board.h"
#include "reporter.client.h"

/* Where the collector is; -D gives another. 10.0.2.2 is the host of an emulated board. */
#ifndef REPORTER_HOST
#define REPORTER_HOST "10.0.2.2"
#endif
#ifndef REPORTER_PORT
#define REPORTER_PORT 50053
#endif

/* Readings that are kept while the collector is not there. */
#ifndef REPORTER_READINGS
#define REPORTER_READINGS 64
#endif

enum { TIMEOUT_MS = 20000, PAUSE_MS = 1000 };

/* Not folded into the code, so that an image can be given another collector after it was linked:
 * the mark tells where (tests/calls/test_reporter.py does that). */
static const volatile struct {
    char mark[8], host[52];
    uint32_t port, period_ms;
} settings = {"@REPORT", REPORTER_HOST, REPORTER_PORT, 1000};

struct reading {
    uint32_t sequence, taken_ms;
    int32_t millidegrees;
};

static struct {
    struct reading kept[REPORTER_READINGS];
    unsigned first, n;
    uint32_t sequence, lost; /* of the last reading; readings that found no room */
    uint32_t now_ms;
    uint32_t next_ms, try_ms; /* the next reading; after a failure: the next report */
    uint8_t reports;          /* a call is open that reports kept[first] */
    char host[sizeof settings.host];
} state;

NRPC_CHANNEL_DEFINE(channel, state.host, reporter_Collector_client);

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message);
static const struct reporter_Collector_Report_events events = {.on = {.done = done}};

/* The oldest reading goes first, and stays until the collector has said that it has it. */
static void report(uint32_t now_ms)
{
    static const struct nrpc_call_options options = {.timeout_ms = TIMEOUT_MS, .wait_for_ready = 1};
    const struct reading *oldest = &state.kept[state.first];
    reporter_Reading request = {
        .device = "reporter",
        .sequence = oldest->sequence,
        .millidegrees = oldest->millidegrees,
        .age_ms = now_ms - oldest->taken_ms,
        .lost = state.lost,
    };
    state.reports = reporter_Collector_Report_start(&channel, &options, &request, &events) != NULL;
}

static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{
    (void)call;
    (void)message;
    state.reports = 0;
    if (status == NRPC_OK) {
        state.first = (state.first + 1) % REPORTER_READINGS;
        state.n--;
    } else {
        state.try_ms = state.now_ms + PAUSE_MS;
    }
}

static void take(uint32_t now_ms)
{
    struct reading *reading = &state.kept[(state.first + state.n) % REPORTER_READINGS];
    if (state.n == REPORTER_READINGS) {
        state.lost++; /* what is kept is kept */
        return;
    }
    state.n++;
    reading->sequence = ++state.sequence;
    reading->taken_ms = now_ms;
    reading->millidegrees = 21000 + (int32_t)(state.sequence * 37 % 500);
}

static void begin(uint32_t now_ms)
{
    for (unsigned i = 0; i < sizeof state.host - 1; i++) {
        state.host[i] = settings.host[i];
    }
    state.next_ms = state.try_ms = now_ms;
    if (board_dial(&channel.dial, state.host, (uint16_t)settings.port) != 0) {
        board_panic("cannot dial");
    }
}

uint32_t app_poll(uint32_t now_ms)
{
    state.now_ms = now_ms;
    if (!state.host[0]) {
        begin(now_ms);
    }
    if ((int32_t)(now_ms - state.next_ms) >= 0) {
        take(now_ms);
        state.next_ms += settings.period_ms;
    }
    if (!state.reports && state.n && (int32_t)(now_ms - state.try_ms) >= 0) {
        report(now_ms);
    }
    uint32_t left = state.next_ms - now_ms;
    return left < PAUSE_MS ? left : 0; /* behind: several are due */
}
