/* host-sim/wire.c - the simulated Ethernet from device to gateway: its weather, its capture.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "gateway.h"

struct frame {
    struct frame *next, *before;
    uint64_t due_us;
    size_t n;
    uint8_t bytes[];
};

/* What is under way in one direction, in the order of arrival. */
struct way {
    struct weather weather;
    struct frame *first, *last;
    uint32_t frames;
    struct wire_count *count;
};

/* The lock is for what wire_send shares with wire_poll: the ways and the capture. */
static struct {
    pthread_mutex_t lock;
    struct way ways[WIRE_WAYS];
    wire_receiver *receiver;
    uint64_t began_us;
    int wake, open;
} wire = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1};

/* Microseconds since the wire was opened. */
static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u - wire.began_us;
}

/* --- Frames under way ------------------------------------------------------------------------- */

/* Behind all that arrive earlier or at the same time: nearly always that is the end. */
static void insert(struct way *way, struct frame *frame)
{
    struct frame *before = way->last;
    while (before != NULL && before->due_us > frame->due_us) {
        before = before->before;
    }
    frame->before = before;
    frame->next = before == NULL ? way->first : before->next;
    if (before == NULL) {
        way->first = frame;
    } else {
        before->next = frame;
    }
    if (frame->next == NULL) {
        way->last = frame;
    } else {
        frame->next->before = frame;
    }
    way->frames++;
}

/* Takes out the first frame when it has arrived. Returns it, to be freed, or NULL. */
static struct frame *arrived(struct way *way, uint64_t now_us)
{
    struct frame *frame = way->first;
    if (frame == NULL || frame->due_us > now_us) {
        return NULL;
    }
    way->first = frame->next;
    if (way->first == NULL) {
        way->last = NULL;
    } else {
        way->first->before = NULL;
    }
    way->frames--;
    return frame;
}

/* A frame sets out. With the lock. */
static void set_out(struct way *way, const uint8_t *bytes, size_t n)
{
    struct frame *frame = NULL;
    uint64_t due_us;
    way->count->frames++;
    way->count->bytes += n;
    if (weather_fate(&way->weather, clock_us(), n, &due_us) && way->frames < WIRE_FRAMES_MAX) {
        frame = malloc(sizeof *frame + n);
    }
    if (frame == NULL) {
        way->count->dropped++;
        return;
    }
    frame->due_us = due_us;
    frame->n = n;
    memcpy(frame->bytes, bytes, n);
    insert(way, frame);
}

void wire_send(const uint8_t *bytes, size_t n)
{
    pthread_mutex_lock(&wire.lock);
    if (wire.open) { /* the device's threads live on when the wire has been closed */
        capture_frame(bytes, n);
        set_out(&wire.ways[WIRE_FROM_DEVICE], bytes, n);
    }
    pthread_mutex_unlock(&wire.lock);
    wire_wake();
}

static void gateway_sent(const uint8_t *bytes, size_t n)
{
    pthread_mutex_lock(&wire.lock);
    set_out(&wire.ways[WIRE_TO_DEVICE], bytes, n);
    pthread_mutex_unlock(&wire.lock);
}

/* --- Arrival ---------------------------------------------------------------------------------- */

static void reach_device(const struct frame *frame)
{
    if (!wire.receiver(frame->bytes, frame->n)) {
        pthread_mutex_lock(&wire.lock);
        wire.ways[WIRE_TO_DEVICE].count->dropped++;
        pthread_mutex_unlock(&wire.lock);
    }
}

/* Both ends may answer in the call, so the lock is not held meanwhile. Returns 1 when a frame
 * arrived. */
static int deliver(unsigned which)
{
    struct frame *frame;
    pthread_mutex_lock(&wire.lock);
    frame = arrived(&wire.ways[which], clock_us());
    if (frame != NULL && which == WIRE_TO_DEVICE) {
        capture_frame(frame->bytes, frame->n);
    }
    pthread_mutex_unlock(&wire.lock);
    if (frame == NULL) {
        return 0;
    }
    if (which == WIRE_TO_DEVICE) {
        reach_device(frame);
    } else {
        gateway_input(frame->bytes, frame->n);
    }
    free(frame);
    return 1;
}

/* Microseconds until the next frame arrives, at most most_us. */
static uint64_t until_arrival(uint64_t most_us)
{
    uint64_t now_us = clock_us();
    pthread_mutex_lock(&wire.lock);
    for (unsigned i = 0; i < WIRE_WAYS; i++) {
        const struct frame *frame = wire.ways[i].first;
        if (frame != NULL && frame->due_us < now_us + most_us) {
            most_us = frame->due_us > now_us ? frame->due_us - now_us : 0;
        }
    }
    capture_flush();
    pthread_mutex_unlock(&wire.lock);
    return most_us;
}

/* --- The wire --------------------------------------------------------------------------------- */

int wire_open(const struct weather_settings *settings, struct wire_count *count, uint16_t port,
              uint16_t device_port, wire_receiver *receiver, const char *pcap)
{
    int taken, error;
    wire.began_us = clock_us();
    wire.receiver = receiver;
    for (unsigned i = 0; i < WIRE_WAYS; i++) {
        weather_begin(&wire.ways[i].weather, settings, i);
        wire.ways[i].count = &count[i];
    }
    wire.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    taken = wire.wake < 0 ? -1 : gateway_open(port, device_port, gateway_sent);
    if (taken < 0) {
        error = errno;
        fprintf(stderr, "host-sim: cannot listen on 127.0.0.1:%u: %s\n", (unsigned)port,
                strerror(error));
        if (error == EADDRINUSE || error == EACCES) {
            fputs("host-sim: choose another port with --port, or let me find a free one with "
                  "--port 0\n",
                  stderr);
        }
        return -1;
    }
    error = pcap == NULL ? 0 : capture_open(pcap);
    if (error != 0) {
        fprintf(stderr, "host-sim: cannot write '%s': %s; name another file with --pcap\n", pcap,
                strerror(error));
        return -1;
    }
    wire.open = 1;
    return taken;
}

void wire_poll(uint32_t most_ms)
{
    gateway_wait(until_arrival(most_ms * 1000ull), wire.wake);
    /* Bounded, so that the device's own timers run under a flood. */
    for (unsigned i = 0; i < 64; i++) {
        int moved = deliver(WIRE_FROM_DEVICE);
        moved |= deliver(WIRE_TO_DEVICE);
        if (!moved) {
            break;
        }
    }
}

void wire_wake(void)
{
    const uint64_t one = 1;
    int error = errno;
    if (write(wire.wake, &one, sizeof one) < 0) {
        errno = error; /* a wake is pending already */
    }
}

void wire_close(void)
{
    gateway_close();
    pthread_mutex_lock(&wire.lock);
    wire.open = 0;
    for (unsigned i = 0; i < WIRE_WAYS; i++) {
        struct frame *frame;
        while ((frame = arrived(&wire.ways[i], UINT64_MAX)) != NULL) {
            free(frame);
        }
    }
    capture_close();
    pthread_mutex_unlock(&wire.lock);
}
