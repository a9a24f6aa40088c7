/* nanorpc/services/counters.h - an interceptor: how many calls each method has had, and how long
 * they took.
 * Layer: core, services, public; include nanorpc.h. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_COUNTERS_H
#define NANORPC_COUNTERS_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/*     NRPC_COUNTERS_DEFINE(counters, 4);
 *     static const struct nrpc_interceptor chain[] = {NRPC_COUNTERS(counters)};
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.interceptors = chain, .n_interceptors = 1),
 *         Greeter_service);
 *
 * makes `struct nrpc_counter counters[5]`: one for each of the first 4 methods that are called, in
 * that order, and the last for all others, with `method` NULL; as it is in places not yet taken.
 * First in a chain it also counts what the others refuse. The application reads them where handlers
 * may run, and may set the numbers to 0 while no call is open; nrpc_method_path (path.h) says what
 * a method is called. RAM: 24 bytes each. */
struct nrpc_counter {
    const struct nrpc_method *method;
    uint32_t begun, ended; /* begun - ended calls are open. All numbers wrap */
    uint32_t failed;       /* of those ended: with another status than OK */
    uint32_t total_ms;     /* that those ended took, from headers to the end */
    uint32_t longest_ms;
};

#define NRPC_COUNTERS_DEFINE(name, methods)                                         \
    static struct nrpc_counter name[(methods) + 1];                                 \
    static enum nrpc_status name##_begin(struct nrpc_call *call)                    \
    {                                                                               \
        nrpc_counters_find(name, (methods), call)->begun++;                         \
        return NRPC_OK;                                                             \
    }                                                                               \
    static void name##_end(struct nrpc_call *call, enum nrpc_status status)         \
    {                                                                               \
        nrpc_counters_end(nrpc_counters_find(name, (methods), call), call, status); \
    }                                                                               \
    NRPC_STATIC_ASSERT(1, "")
#define NRPC_COUNTERS(name) {.begin = name##_begin, .end = name##_end}

/* The call's counter, one of n + 1. */
struct nrpc_counter *nrpc_counters_find(struct nrpc_counter *counters, unsigned n,
                                        const struct nrpc_call *call);
void nrpc_counters_end(struct nrpc_counter *counter, const struct nrpc_call *call,
                       enum nrpc_status status);

NRPC_END_C

#endif
