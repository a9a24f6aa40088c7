/* host-sim/weather.h - what befalls a frame: loss, delay, reordering, rate, a pulled cable.
 * Layer: board, pure: no I/O, no clock, no memory of its own. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_WEATHER_H
#define HOST_SIM_WEATHER_H

#include <stddef.h>
#include <stdint.h>

/* The same settings give frame number n of a direction the same fate, whatever came before it; only
 * rate and disconnection also depend on the time at which it comes. */
struct weather_settings {
    uint64_t seed;
    uint32_t loss_ppm;     /* frames of a million that are lost, 0..1000000 */
    uint32_t reorder_ppm;  /* frames of a million that others overtake, 0..1000000 */
    uint32_t delay_ms;     /* each way */
    uint32_t rate_kbit;    /* kilobits a second, each way; 0: unlimited */
    uint32_t disconnect_s; /* in every so many seconds the cable is out for one; 0: never */
};

/* A frame that reordering holds back waits this much longer, in microseconds. */
#define WEATHER_REORDER_MIN_US 5000u
#define WEATHER_REORDER_MAX_US 25000u

/* What a limited rate lets wait, as a router's memory would, in bytes; a frame beyond is lost. */
#define WEATHER_BACKLOG_BYTES 65536u

/* How long the cable is out, in microseconds. */
#define WEATHER_OUTAGE_US 1000000u

/* One direction. */
struct weather {
    const struct weather_settings *settings;
    uint64_t key;
    uint64_t frames;        /* that have come so far */
    uint64_t busy_until_us; /* the line is taken by the frames before */
};

/* settings: kept. direction: 0 or 1, which have nothing in common but the cable. */
void weather_begin(struct weather *weather, const struct weather_settings *settings,
                   unsigned direction);

/* The next frame of the direction, of so many bytes, at now_us (microseconds from any start, never
 * backwards). Returns 1: it arrives at *due_us, now_us or later; 0: it is lost. */
int weather_fate(struct weather *weather, uint64_t now_us, size_t bytes, uint64_t *due_us);

#endif
