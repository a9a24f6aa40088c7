/* host-sim/weather.c - what befalls a frame: loss, delay, reordering, rate, a pulled cable.
 * Layer: board, pure. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators".
 * SPDX-License-Identifier: Apache-2.0 */
#include "weather.h"

enum { DRAW_LOSS, DRAW_REORDER, DRAW_HOLD, DRAWS };

#define CABLE_KEY 0x6361626c65u

/* SplitMix64's output function: a number that looks random from one that does not. A generator with
 * a state would make each fate depend on how many numbers were drawn before. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Evenly 0..limit - 1. */
static uint32_t draw(uint64_t key, uint64_t index, uint32_t limit)
{
    return (uint32_t)(((mix(key ^ mix(index)) >> 32) * limit) >> 32);
}

/* The moment of an outage follows from the seed and from which period it is. */
static int cable_is_out(const struct weather_settings *settings, uint64_t now_us)
{
    uint64_t period_us = settings->disconnect_s * 1000000ull, begin;
    if (period_us <= WEATHER_OUTAGE_US) {
        return period_us != 0;
    }
    begin = now_us / period_us * period_us;
    begin += 1000ull * draw(mix(settings->seed ^ CABLE_KEY), begin,
                            (uint32_t)((period_us - WEATHER_OUTAGE_US) / 1000));
    return now_us >= begin && now_us - begin < WEATHER_OUTAGE_US;
}

void weather_begin(struct weather *weather, const struct weather_settings *settings,
                   unsigned direction)
{
    weather->settings = settings;
    weather->key = mix(mix(settings->seed) + direction);
    weather->frames = 0;
    weather->busy_until_us = 0;
}

int weather_fate(struct weather *weather, uint64_t now_us, size_t bytes, uint64_t *due_us)
{
    const struct weather_settings *settings = weather->settings;
    uint64_t index = weather->frames++ * DRAWS, due = now_us;
    if (draw(weather->key, index + DRAW_LOSS, 1000000) < settings->loss_ppm ||
        cable_is_out(settings, now_us)) {
        return 0;
    }
    if (settings->rate_kbit != 0) {
        uint64_t begin = weather->busy_until_us > now_us ? weather->busy_until_us : now_us;
        if ((begin - now_us) * settings->rate_kbit / 8000 > WEATHER_BACKLOG_BYTES) {
            return 0;
        }
        weather->busy_until_us = begin + bytes * 8000ull / settings->rate_kbit;
        due = weather->busy_until_us;
    }
    due += settings->delay_ms * 1000ull;
    if (draw(weather->key, index + DRAW_REORDER, 1000000) < settings->reorder_ppm) {
        due += WEATHER_REORDER_MIN_US + draw(weather->key, index + DRAW_HOLD,
                                             WEATHER_REORDER_MAX_US - WEATHER_REORDER_MIN_US);
    }
    *due_us = due;
    return 1;
}
