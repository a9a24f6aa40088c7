/* nanorpc/ref.h - a call that is kept beyond the function that it was given to.
 * Layer: core, public; nanorpc.h includes it. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_REF_H
#define NANORPC_REF_H

#include <stdint.h>

#include "nanorpc/call.h"

NRPC_BEGIN_C

/* A call is a slot of its connection, and the slot is used again: a pointer that was kept too long
 * is another client's call. So keep this, which is the application's own and may be copied as it
 * likes, and ask for the call each time. All zero: no call. Two are the same if both members are.
 */
struct nrpc_call_ref {
    uint32_t slot, generation;
};

/* To keep a call of either role. call: one that is not over. Returns what nrpc_call_of takes. */
#ifdef __cplusplus /* there a function may not have a struct's name in silence */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
struct nrpc_call_ref nrpc_call_ref(const struct nrpc_call *call);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* The call, to be used until the port is polled next; NULL: it is over, or it has finished, or the
 * application has given it up; or ref is all zero. For as long as the program runs, whoever has the
 * slot or its connection by then. From the context that runs the port. (Exact until that slot has
 * had 2^32 calls. On 64-bit machines connections must lie in the program's own memory, as those of
 * NRPC_SERVER_DEFINE and NRPC_CHANNEL_DEFINE do.) */
struct nrpc_call *nrpc_call_of(struct nrpc_call_ref ref);

/* With NRPC_CHECKS=1: a function was given a call that is over (all but one of 65535 such uses are
 * found on 64-bit machines, of 15 on others). function: which; what: why, in
 * words. Defined by the port or the application, to tell it to somebody; it must not return. Where
 * there is none, or if it does, the processor traps. */
void nrpc_check_failed(const char *function, const char *what);

NRPC_END_C

#endif
