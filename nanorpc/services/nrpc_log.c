/* nanorpc/services/nrpc_log.c - an interceptor: a line of text for each call that has ended.
 * Layer: core, services. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/services/log.h"

#include <string.h>

#include "nanorpc/services/path.h"
#include "nanorpc/http2/nrpc_stream.h"

/* A space and a number in decimal: at most 11 bytes. Returns where they end. */
static char *put_number(char *to, uint32_t number)
{
    uint32_t unit = 1;
    *to++ = ' ';
    while (number / unit >= 10) {
        unit *= 10;
    }
    for (; unit; unit /= 10) {
        *to++ = (char)('0' + number / unit % 10);
    }
    return to;
}

void nrpc_log_end(struct nrpc_call *call, enum nrpc_status status, nrpc_log_line *function)
{
    char line[NRPC_LOG_PATH_MAX + 11 + 11 + sizeof " ms"];
    const struct nrpc_server *server = nrpc_call_conn(call)->server;
    char *end = line + nrpc_method_path(server, nrpc_call_method(call), line, NRPC_LOG_PATH_MAX);
    end = put_number(put_number(end, status), nrpc_call_age_ms(call));
    memcpy(end, " ms", sizeof " ms");
    function(line, (size_t)(end - line) + sizeof " ms" - 1);
}
