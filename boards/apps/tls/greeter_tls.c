/* boards/apps/tls/greeter_tls.c - the TLS Greeter: a certificate from flash, who may call what.
 * Layer: application. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "greeter_tls.h"

#include <string.h>

#include "board.h"
#include "certs.h" /* build/certs, by `make certs`: keys that everybody knows */
#include "helloworld/greeter.nrpc.h"

#ifdef __linux__
#include <stdlib.h>
#endif

/* --- What happens, on the console ------------------------------------------------------------- */

static void print_number(uint32_t number)
{
    char text[12], *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
    } while ((number /= 10) != 0);
    board_print(at);
}

/* Views of a certificate have no NUL; and a name is the peer's choice. */
static void print_name(const char *name, size_t n)
{
    char text[33];
    size_t i;
    for (i = 0; i < n && i < sizeof text - 1; i++) {
        text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    }
    text[i] = '\0';
    board_print(text);
}

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    (void)conn;
    board_print("tls: ");
    board_print(nrpc_tls_reason(failure));
    board_print(" (");
    print_number((uint32_t)(failure->error < 0 ? -failure->error : failure->error));
    board_print(")\n");
}

/* --- Who may call what: Test is for clients that have shown who they are ---------------------- */

static enum nrpc_status begin(struct nrpc_call *call)
{
    size_t n;
    const char *name = nrpc_tls_peer_name(call, NRPC_TLS_COMMON_NAME, 0, &n);
    if (name != NULL) {
        board_print("tls: a call of ");
        print_name(name, n);
        board_print("\n");
    }
    if (nrpc_call_method(call) == &helloworld_Greeter_service.methods[2] &&
        !nrpc_tls_peer_verified(call)) {
        return nrpc_call_fail(call, NRPC_UNAUTHENTICATED, "show a certificate");
    }
    return NRPC_OK;
}

const struct nrpc_interceptor greeter_interceptor = {.begin = begin};

/* --- The server's end of TLS ------------------------------------------------------------------ */

#define BYTES(array) {array, sizeof array}
#define OPTIONS                                                                         \
    .certificate = BYTES(certs_server_crt), .key = BYTES(certs_server_key),             \
    .authority = BYTES(certs_ca_crt), .entropy = board_entropy, .unix_s = board_unix_s, \
    .now_ms = board_now_ms, .failed = failed, .clients = GREETER_TLS_CLIENTS,           \
    .undated = GREETER_TLS_UNDATED

#ifndef __linux__
NRPC_TLS_DEFINE(greeter_tls, GREETER_CONNECTIONS, OPTIONS);

static void choose(void)
{
}
#else
/* Where there is an environment, tests choose from it. */
NRPC_TLS_DEFINE(chosen_from, GREETER_CONNECTIONS, OPTIONS);
struct nrpc_tls greeter_tls;

static void choose(void)
{
    static const struct {
        const char *name;
        struct nrpc_tls_bytes certificate, key;
    } servers[] = {
        {"rsa_signed", BYTES(certs_rsa_signed_crt), BYTES(certs_rsa_signed_key)},
        {"p384_signed", BYTES(certs_p384_signed_crt), BYTES(certs_p384_signed_key)},
        {"cross_signed", BYTES(certs_cross_signed_crt), BYTES(certs_cross_signed_key)},
        {"sha384_signed", BYTES(certs_sha384_signed_crt), BYTES(certs_sha384_signed_key)},
        {"expired", BYTES(certs_expired_crt), BYTES(certs_expired_key)},
        {"elsewhere", BYTES(certs_elsewhere_crt), BYTES(certs_elsewhere_key)},
        {"stranger", BYTES(certs_stranger_crt), BYTES(certs_stranger_key)}};
    const char *certificate = getenv("GREETER_TLS_CERTIFICATE"),
               *clients = getenv("GREETER_TLS_CLIENTS");
    greeter_tls = chosen_from;
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        if (certificate != NULL && strcmp(certificate, servers[i].name) == 0) {
            greeter_tls.certificate = servers[i].certificate;
            greeter_tls.key = servers[i].key;
        }
    }
    if (clients != NULL && strcmp(clients, "verified") == 0) {
        greeter_tls.clients = NRPC_TLS_CLIENTS_VERIFIED;
    }
    if (clients != NULL && strcmp(clients, "any") == 0) {
        greeter_tls.clients = NRPC_TLS_CLIENTS_ANY;
    }
    if (getenv("GREETER_TLS_NO_ENTROPY") != NULL) {
        greeter_tls.entropy = NULL;
    }
}
#endif

const char *app_start(void)
{
    const char *wrong;
    choose();
    wrong = nrpc_tls_start(&server);
    if (wrong == NULL && nrpc_tls_insecure()) {
        board_print(
            "tls: NOT SECURE: keys follow from this board's TEST SEED (NRPC_TLS_TEST_SEED)\n");
    }
    return wrong;
}

/* Says how much of its memory Mbed TLS has needed, whenever that was more than ever before. */
uint32_t app_poll(uint32_t now_ms)
{
    static uint32_t said, said_ms;
    uint32_t peak = nrpc_tls_memory()->peak;
    if (peak != said && now_ms - said_ms >= 1000) {
        said = peak;
        said_ms = now_ms;
        board_print("tls: memory: peak ");
        print_number(peak);
        board_print(" of ");
        print_number(NRPC_TLS_MEMORY_BYTES);
        board_print(" bytes\n");
    }
    return 1000;
}
