/* tests/fuzz/fuzz_tls.c - a client's TLS records, altered on their way: handshakes and what
 * follows. Layer: test. Source: RFC 8446, RFC 5246.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "certs.h"
#include "fuzz.h"
#include "tests/tls/pair.h"

/* An input: one byte of options, then changes of four bytes each: where in all that the client
 * sends (two bytes, the first the high one), what, a value. A change counts if its place has not
 * been handed over when its turn comes; they come in their order. Without one the call must
 * succeed. Keys and randoms differ from run to run of a program, not from input to input of one:
 * a handshake's texts do not depend on them but for their bytes. */
enum { CLIENTS = 3, NEWER = 4, SHOWS = 8, BYTEWISE = 16, STRANGER = 32 }; /* of the options */
enum { CHANGE = 4 };

static struct pair pair;
static const uint8_t *changes;
static size_t n_changes;

static void change(struct pair *up, size_t at, unsigned what, uint8_t value)
{
    uint8_t *p = up->up + at;
    size_t n = up->n_up - at, m = value < n ? value : n;
    switch (what % 4) {
    case 0: *p = (uint8_t)(*p ^ value); break;
    case 1: *p = value; break;
    case 2: /* without some */
        memmove(p, p + m, n - m);
        up->n_up -= m;
        break;
    default: /* some twice */
        memmove(p + m, p, n);
        up->n_up += m;
        break;
    }
}

static void spoil(struct pair *up)
{
    while (n_changes) {
        size_t at = (size_t)changes[0] << 8 | changes[1];
        if (at >= up->n_up) {
            return;
        }
        if (at >= up->n_fed) {
            change(up, at, changes[2], changes[3]);
        }
        changes += CHANGE;
        n_changes--;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const heard = "1: [200 grpc] 'hi' [status=0] END";
    const struct nrpc_tls_bytes none = {NULL, 0}, own = {certs_client_crt, sizeof certs_client_crt},
                                its_key = {certs_client_key, sizeof certs_client_key},
                                other = {certs_client_stranger_crt,
                                         sizeof certs_client_stranger_crt},
                                other_key = {certs_client_stranger_key,
                                             sizeof certs_client_stranger_key};
    if (!n) {
        return 0;
    }
    const unsigned clients = (data[0] & 3) % CLIENTS, stranger = data[0] & STRANGER;
    const int shows = (data[0] & SHOWS) || stranger;
    const struct pair_options options = {
        .version = versions[data[0] & NEWER ? sizeof versions / sizeof versions[0] - 1 : 0],
        .certificate = stranger ? other
                       : shows  ? own
                                : none,
        .key = stranger ? other_key
               : shows  ? its_key
                        : none,
        .spoil = spoil};
    const struct nrpc_server *server = pair_server((enum nrpc_tls_clients)clients);
    const uint32_t used = pair_memory.used;
    changes = data + 1;
    n_changes = (n - 1) / CHANGE;
    const int is_good = !n_changes && !(stranger && clients != NRPC_TLS_CLIENTS_ANY) &&
                        (shows || clients != NRPC_TLS_CLIENTS_VERIFIED);
    pair.way = data[0] & BYTEWISE ? PAIR_BYTES : PAIR_WHOLE;
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    const char *text = pair_talk(&pair, server, &options);
    if (is_good) {
        CHECK_TEXT(text, heard);
    } else {
        CHECK(strcmp(text, heard) == 0 || !strstr(text, "200"));
    }
    CHECK(pair.failed <= 1);
    CHECK_EQ(pair_memory.used, used);
    fuzz_end();
    return 0;
}
