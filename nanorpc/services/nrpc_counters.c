/* nanorpc/services/nrpc_counters.c - an interceptor: how many calls each method has had, and how
 * long they took.
 * Layer: core, services. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/counters.h"

struct nrpc_counter *nrpc_counters_find(struct nrpc_counter *counters, unsigned n,
                                        const struct nrpc_call *call)
{
    const struct nrpc_method *method = nrpc_call_method(call);
    for (; n; n--, counters++) {
        if (!counters->method) {
            counters->method = method;
        }
        if (counters->method == method) {
            break;
        }
    }
    return counters;
}

void nrpc_counters_end(struct nrpc_counter *counter, const struct nrpc_call *call,
                       enum nrpc_status status)
{
    uint32_t took_ms = nrpc_call_age_ms(call);
    counter->ended++;
    counter->failed += status != NRPC_OK;
    counter->total_ms += took_ms;
    if (took_ms > counter->longest_ms) {
        counter->longest_ms = took_ms;
    }
}
