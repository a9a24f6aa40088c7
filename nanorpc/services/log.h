/* nanorpc/services/log.h - an interceptor: a line of text for each call that has ended.
 * Layer: core, services, public; include nanorpc.h. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_LOG_H
#define NANORPC_LOG_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/*     static void print(const char *line, size_t n)
 *     { board_print(line); board_print("\n"); (void)n; }
 *     NRPC_LOG_DEFINE(log, print);
 *     static const struct nrpc_interceptor chain[] = {NRPC_LOG(log)};
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.interceptors = chain, .n_interceptors = 1),
 *         Greeter_service);
 *
 * gives "/helloworld.Greeter/SayHello 0 12 ms": path, status, milliseconds from the request's
 * headers to the end. First in a chain it also sees what the others refuse. Calls of methods that
 * the server does not have are not seen. */

/* line: n bytes and a NUL, without a line's end; borrowed for the call. In the context of handlers;
 * it must not act on calls. */
typedef void nrpc_log_line(const char *line, size_t n);

/* A longer path is cut. Bytes; on the stack. */
enum { NRPC_LOG_PATH_MAX = 80 };

#define NRPC_LOG_DEFINE(name, function)                                     \
    static void name##_end(struct nrpc_call *call, enum nrpc_status status) \
    {                                                                       \
        nrpc_log_end(call, status, function);                               \
    }                                                                       \
    NRPC_STATIC_ASSERT(1, "")
#define NRPC_LOG(name) {.begin = NULL, .end = name##_end}

/* For an interceptor's `end`. */
void nrpc_log_end(struct nrpc_call *call, enum nrpc_status status, nrpc_log_line *function);

NRPC_END_C

#endif
