/* nanorpc/services/nrpc_auth.c - an interceptor: lets in calls that carry a bearer token.
 * Layer: core, services. Source: RFC 6750 2.1; RFC 9110 11.1, 11.6.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/auth.h"

#include <string.h>

const struct nrpc_key nrpc_auth_key = NRPC_KEY("authorization");

/* 0: they are the same. Looks at all of what was sent, wherever the first difference is. */
static unsigned differs(const uint8_t *sent, size_t n, const char *token)
{
    size_t length = strlen(token);
    unsigned difference = n != length;
    for (size_t i = 0; i < n; i++) {
        difference |= sent[i] ^ (uint8_t)token[i < length ? i : length];
    }
    return difference;
}

/* Whether the n bytes begin with "Bearer ", in whatever case; a scheme is no secret. */
static int is_bearer(const uint8_t *sent, size_t n)
{
    static const char scheme[] = "bearer ";
    size_t i = 0;
    while (i < sizeof scheme - 1 && i < n && (sent[i] | 0x20) == (uint8_t)scheme[i]) {
        i++;
    }
    return i == sizeof scheme - 1;
}

enum nrpc_status nrpc_auth_begin(struct nrpc_call *call, const char *const *tokens, unsigned n)
{
    size_t n_sent, n_more;
    const uint8_t *sent = nrpc_call_metadata(call, &nrpc_auth_key, 0, &n_sent);
    unsigned good = 0;
    if (sent && is_bearer(sent, n_sent) && !nrpc_call_metadata(call, &nrpc_auth_key, 1, &n_more)) {
        const uint8_t *end = sent + n_sent;
        for (sent += 7; sent < end && *sent == ' ';) {
            sent++;
        }
        for (unsigned i = 0; i < n; i++) {
            good |= !differs(sent, (size_t)(end - sent), tokens[i]);
        }
    }
    return good ? NRPC_OK
                : nrpc_call_fail(call, NRPC_UNAUTHENTICATED, "a valid bearer token is needed");
}
