/* nanorpc/services/auth.h - an interceptor: lets in calls that carry a bearer token.
 * Layer: core, services, public; include nanorpc.h. Source: RFC 6750 2.1.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_AUTH_H
#define NANORPC_AUTH_H

#include "nanorpc/nanorpc.h"

NRPC_BEGIN_C

/* Needs NRPC_METADATA_BYTES of 16 and the longest token at least, and more for what else calls
 * carry:
 *
 *     NRPC_AUTH_DEFINE(auth, "token of one client", "token of another");
 *     static const struct nrpc_interceptor chain[] = {NRPC_AUTH(auth)};
 *     static const struct nrpc_key *const keys[] = {&nrpc_auth_key};
 *     NRPC_SERVER_DEFINE_WITH(server, 2, (.keys = keys, .n_keys = 1, .interceptors = chain,
 *         .n_interceptors = 1), Greeter_service);
 *
 * A call without "authorization: Bearer TOKEN" and one of the tokens ends with UNAUTHENTICATED
 * before its handler sees anything of it. Over plain TCP everybody on the way can read the token.
 */
#define NRPC_AUTH_DEFINE(name, ...)                                                              \
    NRPC_STATIC_ASSERT(NRPC_METADATA_BYTES > 0, "a token is metadata: set NRPC_METADATA_BYTES"); \
    static const char *const name##_tokens[] = {__VA_ARGS__};                                    \
    static enum nrpc_status name##_begin(struct nrpc_call *call)                                 \
    {                                                                                            \
        return nrpc_auth_begin(call, name##_tokens,                                              \
                               sizeof name##_tokens / sizeof name##_tokens[0]);                  \
    }                                                                                            \
    NRPC_STATIC_ASSERT(1, "")
#define NRPC_AUTH(name) {.begin = name##_begin, .end = NULL}

/* "authorization": one of the server's keys. */
extern const struct nrpc_key nrpc_auth_key;

/* The same for tokens that are not known when compiling, for an interceptor's `begin`. tokens: n of
 * them, ending in NUL, borrowed for the call. Returns NRPC_OK, or NRPC_UNAUTHENTICATED with the
 * call finished. How long it takes depends on the lengths of the tokens and of what was sent, and
 * on nothing else of them. */
enum nrpc_status nrpc_auth_begin(struct nrpc_call *call, const char *const *tokens, unsigned n);

NRPC_END_C

#endif
