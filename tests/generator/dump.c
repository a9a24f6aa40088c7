/* tests/generator/dump.c - prints generated method tables, and what their functions answer.
 * Layer: tests; -DSERVICES=A_service,B_service -DHEADERS='"all of them"'. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define NRPC_SAME_TOLD_HERE /* there is no core here: see same.h */
#include HEADERS
#include "nanorpc/hpack/nrpc_match.h"

/* What generated code needs of the core; here it only says that it was reached. */
const struct nrpc_codec nrpc_typed;
static int half_closed;

int nrpc_call_half_closed(const struct nrpc_call *call)
{
    (void)call;
    return half_closed;
}

int nrpc_call_send(struct nrpc_call *call, const void *reply)
{
    (void)call;
    (void)reply;
    printf("sent\n");
    return 0;
}

int nrpc_call_reply(struct nrpc_call *call, const void *reply)
{
    (void)call;
    (void)reply;
    printf("replied\n");
    return 0;
}

NRPC_SERVER_DEFINE(server, 3, SERVICES);

static void dump_method(const struct nrpc_method *method)
{
    printf("method kind=%d handler=%d", method->kind,
           (int)method->handler(NULL, &server_memory.request, &server_memory.reply));
    printf(" reply_bytes=%u", (unsigned)method->reply_bytes);
    if (method->next != NULL) {
        for (half_closed = 0; half_closed <= 1; half_closed++) {
            printf(" next=%d", (int)method->next(NULL, &server_memory.reply));
        }
    }
    printf("\n");
    method->cancelled(NULL, NRPC_CANCELLED);
}

/* The names in the list, by the rules of match.h; then what nrpc_match makes of them. */
static size_t dump_names(const char *list)
{
    char name[1024] = "";
    size_t count = 0, length = 0;

    for (const char *at = list; *at != '\377'; at++) {
        length = (size_t)(*at & 0x7f);
        while ((at[1] & 0x80) == 0) {
            name[length++] = *++at;
        }
        name[length] = '\0';

        struct nrpc_match match;
        nrpc_match_begin(&match, list);
        for (size_t i = 0; i < length; i++) {
            nrpc_match_byte(&match, (uint8_t)name[i]);
        }
        printf("name %s %d\n", name, nrpc_match_end(&match));
        count++;
    }
    return count;
}

int main(void)
{
    printf("server rx=%u tx=%u request=%d\n", (unsigned)server.rx_bytes,
           (unsigned)(server.tx_bytes - NRPC_STATUS_MESSAGE_MAX), server.request != NULL);
    for (size_t s = 0; s < server.n_services; s++) {
        const struct nrpc_service *const service = server.services[s];
        printf("service %.*s\n", (int)strlen(service->path) - 2, service->path + 1);
        const size_t count = service->methods ? dump_names(service->method_names) : 0;
        for (size_t m = 0; m < count; m++) {
            dump_method(&service->methods[m]);
        }
    }
    return 0;
}
