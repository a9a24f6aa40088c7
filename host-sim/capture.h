/* host-sim/capture.h - a pcap file of all frames that the device sends and receives, for Wireshark.
 * Layer: board. Source: the pcap format, draft-ietf-opsawg-pcap.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIM_CAPTURE_H
#define HOST_SIM_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/* One file a process. None of these is reentrant; without an open file the others do nothing. */

/* Begins the file anew. path: borrowed for the call. Returns 0, or errno. */
int capture_open(const char *path);

/* Adds an Ethernet frame of n bytes (without checksum), with the time of the call. When the file
 * cannot be written any more, says so on stderr, once, and ends it. */
void capture_frame(const uint8_t *frame, size_t n);

/* Writes out what is buffered, so that somebody who reads along sees it. */
void capture_flush(void);
void capture_close(void);

#endif
