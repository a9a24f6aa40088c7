/* host-sim/sim.h - what the simulated device is made of, beside board.h: set before board_init.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_SIM_H
#define HOST_SIM_SIM_H

#include <stddef.h>
#include <stdint.h>

/* The device's port. */
#define SIM_DEVICE_PORT 50051

/* threads 1: board_init starts lwIP's own thread, for the sockets API, and board_poll only moves
 * frames; 0: everything happens in board_poll. */
void sim_threads(int threads);

/* Keeps the server's thread of the sockets API from lwIP for 0..most_us microseconds (0..100000)
 * before each of its calls, while lwIP's own thread goes on: what the other tasks of an RTOS do now
 * and then. */
void sim_preempt(uint32_t most_us, uint64_t seed);

/* Which server to ask for names: a number, and its port. Returns 1, or 0: it is no number. */
int sim_dns(const char *address, uint16_t port);

/* A frame for the device; see wire_receiver. After board_init. */
int sim_receive(const uint8_t *frame, size_t n);

/* TCP connections that have reached the device so far, those that it refused included. */
uint32_t sim_connections(void);

#endif
