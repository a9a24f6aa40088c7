/* ports/lwip/nrpc_lwip_sockets_links.h - how a dialled socket becomes a link of the port.
 * Layer: port, internal to ports/lwip. Source: lwIP 2.2 "sockets API".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LWIP_SOCKETS_LINKS_H
#define NRPC_LWIP_SOCKETS_LINKS_H

#include "ports/nrpc_link.h"
#include "ports/lwip/nrpc_lwip_sockets.h"

/* nrpc_lwip_sockets_poll's call to who dials; NULL: nobody does. Returns the milliseconds after
 * which to call again. Who links no dialling pays nothing for it where the image is optimised as a
 * whole (-flto). */
extern uint32_t (*nrpc_lwip_sockets_dials)(void);

/* fd is connected, and from here on it is a link's; or there is none, or no memory: it is closed,
 * and the dial has failed. */
void nrpc_lwip_sockets_link_begin(struct nrpc_dial *dial, int fd);

/* What nrpc_lwip_sockets_tasks.c adds to poll, so that other tasks touch calls while it waits for
 * lwIP; NULL: nobody else does. */
struct nrpc_lwip_sockets_sharing {
    int (*is_ours)(void); /* 1: the caller is the thread that serves */
    /* Lets others in. Returns most_ms, or 0: somebody has woken the port. */
    uint32_t (*rest)(uint32_t most_ms);
    void (*go_on)(int woken); /* keeps them out again; woken: the listener said so */
    void (*tell)(void);       /* a round is over */
};
extern const struct nrpc_lwip_sockets_sharing *nrpc_lwip_sockets_sharing;

/* The socket by which the port is woken: the listener, or one that only stands for it. Returns it,
 * or -1: there is no socket left. */
int nrpc_lwip_sockets_waker(void);

/* 1: poll runs, so the caller, in the same thread, is a handler or an event. */
int nrpc_lwip_sockets_is_inside(void);

/* Closes this connection's link with RST, if it has one. */
void nrpc_lwip_sockets_link_end(const struct nrpc_conn *conn);

#endif
