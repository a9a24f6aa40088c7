/* host-sim/fleet.h - several devices, each a process of its own, under one parent.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_FLEET_H
#define HOST_SIM_FLEET_H

#include <stdint.h>

#include "wire.h"

/* What a device tells its parent, in memory that they share. */
struct fleet_report {
    struct wire_count count[WIRE_WAYS];
    uint64_t connections;
};

/* Set by SIGINT, SIGTERM and SIGHUP once fleet_catch_signals was called, which also wakes
 * the wire. */
int fleet_stopping(void);
void fleet_catch_signals(void);

/* Runs n devices (1 or more), each as run(context, number from 0, its report) in a process of its
 * own, and adds up the reports in *total. Ends when they have all ended; one that ends by itself,
 * or a signal, ends the others. run returns an exit status. Returns the worst of them. */
int fleet_run(unsigned n,
              int (*run)(const void *context, unsigned number, struct fleet_report *report),
              const void *context, struct fleet_report *total);

#endif
