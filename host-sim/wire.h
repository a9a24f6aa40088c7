/* host-sim/wire.h - the simulated Ethernet from device to gateway: its weather, its capture.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_WIRE_H
#define HOST_SIM_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "weather.h"

/* One way's frames and their bytes, as they were sent; and how many of them did not arrive. */
struct wire_count {
    uint64_t frames, bytes, dropped;
};

enum { WIRE_TO_DEVICE, WIRE_FROM_DEVICE, WIRE_WAYS };

/* Frames of one way that may be under way at once; one more is dropped. */
#define WIRE_FRAMES_MAX 4096u

/* Takes a frame that reaches the device: borrowed for the call. Returns 1, or 0: no memory
 * for it. */
typedef int wire_receiver(const uint8_t *frame, size_t n);

/* Opens the wire and the gateway behind it. settings and count (WIRE_WAYS of them, zeroed): kept.
 * port: see gateway_open. receiver is called in wire_poll only. pcap: a file to capture to, as the
 * device's own interface would see it, or NULL. Returns the host's port, or -1 after a message on
 * stderr. */
int wire_open(const struct weather_settings *settings, struct wire_count *count, uint16_t port,
              uint16_t device_port, wire_receiver *receiver, const char *pcap);

/* The device sends a frame: borrowed for the call. From any thread. */
void wire_send(const uint8_t *frame, size_t n);

/* Waits for something to happen, at most most_ms, and moves what moves. From one thread. */
void wire_poll(uint32_t most_ms);

/* Ends the wait of wire_poll. From anywhere, signal handlers too. */
void wire_wake(void);

/* Closes all. What is under way is forgotten, what the device sends from now on too; count
 * is free. */
void wire_close(void);

#endif
