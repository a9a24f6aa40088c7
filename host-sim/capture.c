/* host-sim/capture.c - a pcap file of all frames that the device sends and receives, for Wireshark.
 * Layer: board. Source: the pcap format, draft-ietf-opsawg-pcap.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINKTYPE_ETHERNET = 1, SNAP_BYTES = 65535 };

static FILE *file;
static int unflushed;

static void give_up(void)
{
    fprintf(stderr, "host-sim: the pcap file ends here: %s\n", strerror(errno));
    fclose(file);
    file = NULL;
}

/* Numbers are in the host's byte order; the magic number tells the reader which that is. */
static void put(const uint32_t *words, size_t n)
{
    if (fwrite(words, sizeof *words, n, file) != n) {
        give_up();
    }
}

int capture_open(const char *path)
{
    /* magic number: microseconds; version 2.4 as two halves; two unused; longest frame;
     * what frames */
    const uint16_t version[2] = {2, 4};
    uint32_t header[6] = {0xa1b2c3d4u, 0, 0, 0, SNAP_BYTES, LINKTYPE_ETHERNET};
    memcpy(&header[1], version, sizeof version);
    file = fopen(path, "wb");
    if (file == NULL) {
        return errno;
    }
    put(header, 6);
    unflushed = 1;
    capture_flush();
    return 0;
}

void capture_frame(const uint8_t *frame, size_t n)
{
    struct timespec now;
    uint32_t header[4];
    if (file == NULL) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    header[0] = (uint32_t)now.tv_sec;
    header[1] = (uint32_t)(now.tv_nsec / 1000);
    header[2] = header[3] = (uint32_t)n;
    put(header, 4);
    if (file != NULL && fwrite(frame, 1, n, file) != n) {
        give_up();
    }
    unflushed = 1;
}

void capture_flush(void)
{
    if (file != NULL && unflushed && fflush(file) != 0) {
        give_up();
    }
    unflushed = 0;
}

void capture_close(void)
{
    capture_flush();
    if (file != NULL && fclose(file) != 0) {
        fprintf(stderr, "host-sim: the pcap file may be incomplete: %s\n", strerror(errno));
    }
    file = NULL;
}
