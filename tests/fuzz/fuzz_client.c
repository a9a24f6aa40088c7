/* tests/fuzz/fuzz_client.c - a server's bytes, for our client with a few calls of all kinds.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "raw_client.h"

/* Of the third byte. */
enum { NO_GREETING = 1, HOLD = 2, FAILS = 4, COMPACT = 64 };

static unsigned settings;

static void starts(void)
{
    static const struct nrpc_call_options slow = {.timeout_ms = 9000},
                                          waits = {.wait_for_ready = 1};
    CHECK(raw_start("Echo", "hi", &slow));
    CHECK(raw_start("List", "3", &waits));
    CHECK(raw_start("Bidi", NULL, NULL));
    raw_client.hold = settings & HOLD ? 0x5 : 0;
    raw_client.fails = (settings & FAILS) != 0;
}

static void act(void)
{
    unsigned i = 1 + fuzz_next(raw_client.n_started);
    struct nrpc_call *call = raw_client.calls[i];
    switch (call ? fuzz_next(12) : 11) {
    case 0: (void)nrpc_call_finish(call, NRPC_CANCELLED, "act"); break;
    case 1: (void)nrpc_call_close_writes(call); break;
    case 2: (void)raw_write(i, "more"); break;
    case 3:
        if (raw_client.n_started + 1 < RAW_CLIENT_CALLS) {
            (void)raw_start(fuzz_next(2) ? "Collect" : "Echo", fuzz_next(2) ? "new" : NULL, NULL);
        }
        break;
    case 11: (void)raw_client_tick(wire.now_ms); break;
    default: (void)nrpc_call_wake(call); break;
    }
}

/* Whatever the server has done, every call's owner is told of its end, once. */
static void end_all(void)
{
    for (unsigned i = 1; i <= raw_client.n_started; i++) {
        if (raw_client.calls[i]) {
            (void)nrpc_call_finish(raw_client.calls[i], NRPC_CANCELLED, NULL);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        (void)raw_client_tick(wire.now_ms);
    }
    CHECK_EQ(raw_client.n_done, raw_client.n_started);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    fuzz_begin(data);
    settings = data[2];
    raw_client_begin_bare(starts);
    if (!(settings & NO_GREETING)) {
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
        wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    }
    fuzz_bytes(data + 3, n - 3, settings & COMPACT);
    fuzz_run(act);
    end_all();
    fuzz_end();
    return 0;
}
