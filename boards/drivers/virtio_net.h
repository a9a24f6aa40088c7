/* boards/drivers/virtio_net.h - an emulator's network card: virtio-net over MMIO, version 2.
 * Layer: board. Source: Virtual I/O Device (VIRTIO) 1.1: 2.6 split queues, 4.2 MMIO, 5.1 network.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_DRIVERS_VIRTIO_NET_H
#define BOARDS_DRIVERS_VIRTIO_NET_H

#include "../net/net.h"

extern const struct net_mac virtio_net_driver;

/* Starts the device at VIRTIO_NET_AT. Returns 0, or -1: there is none, or it is of version 1. */
int virtio_net_start(void);

#endif
