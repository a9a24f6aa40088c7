/* ports/mbedtls/nrpc_tls_platform.c - what Mbed TLS asks of a platform: random numbers, time.
 * Layer: port. Source: Mbed TLS 3.6 platform_time.h; H. Hinnant, "chrono-compatible low-level date
 * algorithms".
 * SPDX-License-Identifier: Apache-2.0 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>
#if NRPC_TLS_13
#include <psa/crypto.h>
#endif

#include "ports/mbedtls/nrpc_tls.h"

NRPC_STATIC_ASSERT(NRPC_TLS_HANDSHAKE_MS >= 1 && NRPC_TLS_HANDSHAKE_MS <= 1000,
                   "NRPC_TLS_HANDSHAKE_MS: 1..1000");

static struct {
    mbedtls_ctr_drbg_context random;
    int (*entropy)(void *buf, size_t n);
    uint64_t (*unix_s)(void);
    uint64_t ms;      /* of the port's clock, which wraps in 32 bits */
    uint32_t owed_ms; /* until handshakes have had no more than their share of the time */
    uint8_t seeded, insecure;
} board;

/* --- Random numbers --------------------------------------------------------------------------- */

static int entropy(void *unused, unsigned char *buf, size_t n)
{
    (void)unused;
    if (board.entropy(buf, n)) {
        return 0;
    }
    board.insecure = 1;
    return NRPC_TLS_TEST_SEED ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

int nrpc_tls_random(void *unused, unsigned char *buf, size_t n)
{
    (void)unused;
    return mbedtls_ctr_drbg_random(&board.random, buf, n);
}

#if NRPC_TLS_13
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *unused,
                                             uint8_t *buf, size_t n, size_t *done)
{
    (void)unused;
    *done = n;
    while (n) {
        size_t some = n < MBEDTLS_CTR_DRBG_MAX_REQUEST ? n : MBEDTLS_CTR_DRBG_MAX_REQUEST;
        if (nrpc_tls_random(NULL, buf, some)) {
            return PSA_ERROR_INSUFFICIENT_ENTROPY;
        }
        buf += some;
        n -= some;
    }
    return PSA_SUCCESS;
}
#endif

const char *nrpc_tls_seed(const struct nrpc_tls *tls)
{
    board.unix_s = tls->unix_s ? tls->unix_s : board.unix_s;
    if (board.seeded) {
        return NULL;
    }
    board.entropy = tls->entropy;
    if (!board.entropy) {
        return "no source of entropy was given";
    }
    mbedtls_ctr_drbg_init(&board.random);
    if (mbedtls_ctr_drbg_seed(&board.random, entropy, NULL, NULL, 0)) {
        return "this board has no entropy that is fit for keys (board_entropy gives 0)";
    }
#if NRPC_TLS_13
    if (psa_crypto_init() != PSA_SUCCESS) {
        return "psa_crypto_init failed: NRPC_TLS_MEMORY_BYTES is too little";
    }
#endif
    board.seeded = 1;
    return NULL;
}

int nrpc_tls_insecure(void)
{
    return board.insecure;
}

/* --- Time ------------------------------------------------------------------------------------- */

void nrpc_tls_clock(uint32_t now_ms)
{
    uint32_t passed_ms = now_ms - (uint32_t)board.ms;
    board.ms += passed_ms;
    board.owed_ms -= board.owed_ms < passed_ms ? board.owed_ms : passed_ms;
}

void nrpc_tls_spend(uint32_t ms)
{
    board.owed_ms += ms * 1000 / NRPC_TLS_HANDSHAKE_MS;
}

uint32_t nrpc_tls_wait_ms(void)
{
    return board.owed_ms > 1000 ? board.owed_ms - 1000 : 0;
}

/* Without a clock: since boot, so that tickets age, and no certificate is valid yet. */
int64_t nrpc_tls_unix_time(int64_t *also)
{
    uint64_t unix_s = board.unix_s ? board.unix_s() : 0;
    int64_t now = (int64_t)(unix_s ? unix_s : board.ms / 1000);
    if (also) {
        *also = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)board.ms;
}

/* Years begin in March here, eras have 400 of them. */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *time, struct tm *tm)
{
    uint32_t days = (uint32_t)(*time / 86400) + 719468, seconds = (uint32_t)(*time % 86400);
    uint32_t era = days / 146097, day = days % 146097;
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint32_t month;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    tm->tm_mday = (int)(day - (153 * month + 2) / 5 + 1);
    tm->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    tm->tm_year = (int)(year + era * 400 + (month >= 10)) - 1900;
    tm->tm_hour = (int)(seconds / 3600);
    tm->tm_min = (int)(seconds / 60 % 60);
    tm->tm_sec = (int)(seconds % 60);
    return tm;
}

/* --- A leak of Mbed TLS's, see profile.h ------------------------------------------------------ */

#if NRPC_TLS_13
/* A second time: nothing is left to free. */
void mbedtls_ssl_transform_free(struct mbedtls_ssl_transform *transform);

void nrpc_tls_free_transform(struct mbedtls_ssl_transform *transform)
{
    mbedtls_ssl_transform_free(transform);
    nrpc_tls_free(transform);
}
#endif
