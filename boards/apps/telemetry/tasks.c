/* boards/apps/telemetry/tasks.c - the tasks that take samples and make calls, and an interrupt.
 * Layer: application. Source: lwIP 2.2 "sys_arch": whatever RTOS is below.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board.h"
#include "lwip/sys.h"
#include "ports/lwip/nrpc_lwip_sockets_tasks.h"
#include "simpletest.client.h"
#include "telemetry.h"

enum { QUEUE = 8, STACK_BYTES = 512, CALLER_STACK_BYTES = 1280, PRIO = 1, SERVER_LIST = 5 };

#if BOARD_RTOS
#include "rtos.h"
#else
int app_tick(void);
#endif

static struct {
    sys_mbox_t queue; /* of source and number, in one pointer */
    sys_sem_t asked[2];
    sys_sem_t ordered[CALLERS];
    volatile uint8_t tick_is_asked;
    volatile uint8_t interrupted;
    volatile uint8_t overflows;
    uint32_t calls, timeout_ms;
} tasks;

static void *pack(telemetry_Source source, uint32_t number)
{
    return (void *)(uintptr_t)(number * SOURCES + (uint32_t)source + 1); /* not NULL */
}

/* --- Samples: of one each ------------------------------------------------------------------------
 */

/* The kernel sees it when this task next waits. */
static __attribute__((noinline)) void use_stack(void)
{
    volatile uint8_t space[STACK_BYTES];
    for (unsigned i = 0; i < sizeof space; i++) {
        space[i] = (uint8_t)i;
    }
}

static void by_queue(void *unused)
{
    (void)unused;
    for (uint32_t number = 1;; number++) {
        sys_arch_sem_wait(&tasks.asked[telemetry_Source_QUEUE], 0);
        (void)sys_mbox_trypost(&tasks.queue, pack(telemetry_Source_QUEUE, number));
        nrpc_lwip_sockets_wake();
        if (tasks.overflows) {
            use_stack();
        }
    }
}

static void by_entering(void *unused)
{
    (void)unused;
    for (uint32_t number = 1;; number++) {
        sys_arch_sem_wait(&tasks.asked[telemetry_Source_DIRECT], 0);
        if (nrpc_lwip_sockets_enter() == 0) {
            deliver(telemetry_Source_DIRECT, number);
            nrpc_lwip_sockets_leave();
        }
    }
}

/* What nobody should do: it is refused. */
static enum nrpc_status misuse(void)
{
    const simpletest_RequestOne request = simpletest_RequestOne_init_zero;
    simpletest_ResponseOne reply;
    return simpletest_SimpleTest_GetOne_wait(&channel, NULL, &request, &reply);
}

/* In the interrupt of the RTOS's tick. Returns 1: look which task is next. */
int app_tick(void)
{
    static uint32_t number;
    int look = 0;
    if (!tasks.tick_is_asked) {
        return 0;
    }
    tasks.tick_is_asked = 0;
    if (!tasks.interrupted && NRPC_LWIP_SOCKETS_SELF() == NULL) {
        tasks.interrupted = (uint8_t)misuse();
    }
    look = sys_mbox_trypost_fromisr(&tasks.queue, pack(telemetry_Source_INTERRUPT, ++number)) > 0;
    return nrpc_lwip_sockets_wake_from_isr() == 1 || look;
}

#if !BOARD_RTOS
static void as_interrupt(void *unused) /* the simulator has none */
{
    (void)unused;
    for (;;) {
        sys_msleep(1);
        (void)app_tick();
    }
}
#endif

/* --- Calls
 * ---------------------------------------------------------------------------------------- */

static int is_answer(const char *reply, const char *request)
{
    static const char begin[] = "Hello !! ";
    return strncmp(reply, begin, sizeof begin - 1) == 0 &&
           strcmp(reply + sizeof begin - 1, request) == 0;
}

static int call_unary(const struct nrpc_call_options *options, const simpletest_RequestOne *request,
                      enum nrpc_status *status)
{
    simpletest_ResponseOne reply;
    *status = simpletest_SimpleTest_GetOne_wait(&channel, options, request, &reply);
    return *status == NRPC_OK && is_answer(reply.result, request->hello);
}

static int call_list(const struct nrpc_call_options *options, const simpletest_RequestOne *request,
                     enum nrpc_status *status)
{
    struct nrpc_wait wait;
    simpletest_ResponseList reply;
    unsigned n = 0;
    if (simpletest_SimpleTest_GetList_open(&wait, &channel, options, request) == 0) {
        while (simpletest_SimpleTest_GetList_get(&wait, &reply)) {
            n += reply.resultlist[sizeof "test" - 1] == (char)('0' + n);
        }
    }
    *status = nrpc_wait_end(&wait, NULL);
    return *status == NRPC_OK && n == SERVER_LIST;
}

static void call(void *own)
{
    const unsigned i = (unsigned)(uintptr_t)own;
    for (;;) {
        char message[NRPC_STATUS_MESSAGE_MAX], bad_message[NRPC_STATUS_MESSAGE_MAX] = "";
        enum nrpc_status status, bad = NRPC_OK;
        uint32_t good = 0;
        sys_arch_sem_wait(&tasks.ordered[i], 0);
        const struct nrpc_call_options options = {.timeout_ms = tasks.timeout_ms,
                                                  .message = message};
        for (uint32_t n = 0; n < tasks.calls; n++) {
            simpletest_RequestOne request = {"call 0.0 of task 0"};
            request.hello[sizeof "call " - 1] = (char)('0' + n / 10 % 10);
            request.hello[sizeof "call 0." - 1] = (char)('0' + n % 10);
            request.hello[sizeof "call 0.0 of task " - 1] = (char)('0' + i);
            if ((n % 2 ? call_list : call_unary)(&options, &request, &status)) {
                good++;
            } else {
                bad = status;
                strcpy(bad_message, message);
            }
        }
        if (nrpc_lwip_sockets_enter() == 0) {
            called(good, bad, bad_message);
            nrpc_lwip_sockets_leave();
        }
    }
}

/* --- For the task that serves
 * --------------------------------------------------------------------- */

int tasks_start(void)
{
    channel.poll = nrpc_lwip_sockets_wait;
    channel.threads = &nrpc_lwip_sockets_threads;
    if (nrpc_lwip_sockets_share() != 0 || sys_mbox_new(&tasks.queue, QUEUE) != ERR_OK ||
        sys_sem_new(&tasks.asked[0], 0) != ERR_OK || sys_sem_new(&tasks.asked[1], 0) != ERR_OK) {
        return -1;
    }
    (void)sys_thread_new("queue", by_queue, NULL, STACK_BYTES, PRIO);
    (void)sys_thread_new("direct", by_entering, NULL, STACK_BYTES, PRIO);
    for (unsigned i = 0; i < CALLERS; i++) {
        if (sys_sem_new(&tasks.ordered[i], 0) != ERR_OK) {
            return -1;
        }
        (void)sys_thread_new("caller", call, (void *)(uintptr_t)i, CALLER_STACK_BYTES, PRIO);
    }
#if !BOARD_RTOS
    (void)sys_thread_new("interrupt", as_interrupt, NULL, STACK_BYTES, PRIO);
#endif
    return 0;
}

void tasks_ask(telemetry_Source source)
{
    if (source == telemetry_Source_INTERRUPT) {
        tasks.tick_is_asked = 1;
    } else {
        sys_sem_signal(&tasks.asked[source]);
    }
}

void tasks_call(uint32_t calls, uint32_t timeout_ms)
{
    tasks.calls = calls;
    tasks.timeout_ms = timeout_ms;
    for (unsigned i = 0; i < CALLERS; i++) {
        sys_sem_signal(&tasks.ordered[i]);
    }
}

void tasks_overflow(void)
{
    tasks.overflows = 1;
}

void tasks_poll(void)
{
    void *packed;
    while (sys_arch_mbox_tryfetch(&tasks.queue, &packed) != SYS_MBOX_EMPTY) {
        uint32_t both = (uint32_t)(uintptr_t)packed - 1;
        deliver((telemetry_Source)(both % SOURCES), both / SOURCES);
    }
}

enum nrpc_status tasks_interrupted(void)
{
    return (enum nrpc_status)tasks.interrupted;
}
