/* host-sim/gateway.h - the far end of the simulated Ethernet: libslirp, a router for one user.
 * Layer: board. Source: libslirp 4.7, <slirp/libslirp.h>.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_GATEWAY_H
#define HOST_SIM_GATEWAY_H

#include <stddef.h>
#include <stdint.h>

/* The network that it makes: the device is GATEWAY_DEVICE, it is GATEWAY_ADDRESS itself, and to the
 * device all of the host's clients come from there; what the device sends there goes to the host's
 * own 127.0.0.1. Names are asked for at GATEWAY_DNS, which passes them on to the server that the
 * host asks. */
#define GATEWAY_NETWORK "10.0.2.0"
#define GATEWAY_NETMASK "255.255.255.0"
#define GATEWAY_ADDRESS "10.0.2.2"
#define GATEWAY_DNS "10.0.2.3"
#define GATEWAY_DEVICE "10.0.2.15"

/* Takes a frame that the gateway sends: borrowed for the call. */
typedef void gateway_send(const uint8_t *frame, size_t n);

/* Forwards 127.0.0.1:port of the host (0: a free one) to device_port of the device. send is called
 * in gateway_input and gateway_wait. Returns the host's port, or -1 with errno. One gateway a
 * process; all from one thread. */
int gateway_open(uint16_t port, uint16_t device_port, gateway_send *send);

/* A frame from the device: borrowed for the call, in which it may be changed. */
void gateway_input(uint8_t *frame, size_t n);

/* Waits until the host's sockets or wake_fd have something, a signal comes or most_us microseconds
 * are over, and serves the sockets. What wake_fd has is read and forgotten. */
void gateway_wait(uint64_t most_us, int wake_fd);

/* Closes all of the host's sockets. */
void gateway_close(void);

#endif
