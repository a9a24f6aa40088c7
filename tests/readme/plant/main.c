/* tests/readme/plant/main.c - runs the handlers of docs/handlers.md on Linux: sensors that are made
 * up, a signal in the place of an interrupt, and the loop. Layer: test. Source: setitimer(2).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "follow.h"
#include "ports/posix/nrpc_posix.h"
#include "sensor.h"

extern const struct nrpc_server server;

static uint32_t calibrated_ms;
static volatile sig_atomic_t samples;

static uint32_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* Sensor 0 counts hundredths of a second, so that there is something new to look at. */
int32_t sensor_read(uint32_t sensor)
{
    return sensor == 0 ? (int32_t)(now_ms() / 10 & 0xffffff) : 1000 * (int32_t)sensor;
}

void sensor_calibrate(uint32_t sensor)
{
    (void)sensor;
    calibrated_ms = now_ms() + CALIBRATION_MS;
}

int sensor_is_calibrated(int32_t *value)
{
    *value = 42;
    return (int32_t)(now_ms() - calibrated_ms) >= 0;
}

/* Samples are 0, 1, 2 and so on: one that is missing or comes twice shows. */
static void on_sample(int number)
{
    (void)number;
    follow_isr(samples);
    samples = samples + 1;
    nrpc_posix_wake();
}

int main(int argc, char **argv)
{
    const struct itimerval every = {{0, 500}, {0, 500}};
    struct sigaction action = {.sa_handler = on_sample, .sa_flags = SA_RESTART};
    if (argc != 2 || nrpc_posix_listen(&server, "localhost", (uint16_t)atoi(argv[1])) != 0) {
        fprintf(stderr, "plant: %s\n", nrpc_posix_error());
        return 1;
    }
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    for (;;) {
        if (nrpc_posix_poll(10) < 0) {
            return 1;
        }
        calibrate_poll();
        follow_poll();
        newest_poll();
    }
}
