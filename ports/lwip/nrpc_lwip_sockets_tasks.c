/* ports/lwip/nrpc_lwip_sockets_tasks.c - other tasks beside the one that serves: a lock, and a
 * wake. Layer: port. Source: lwIP 2.2 "sockets API", "tcpip_callback_fn".
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/lwip/nrpc_lwip_sockets_tasks.h"

#include "lwip/api.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"
#include "nanorpc/wait.h"
#include "ports/lwip/nrpc_lwip_sockets_links.h"

#ifndef NRPC_LWIP_SOCKETS_SELF
#error "lwipopts.h: NRPC_LWIP_SOCKETS_SELF(): what tells one task from another, NULL in interrupts"
#endif

/* A task in nrpc_lwip_sockets_wait; on its stack. */
struct waiter {
    sys_sem_t told;
    struct waiter *next;
};

/* wanted, posted: also the interrupts'. holder: a task compares it with itself, so it does not
 * matter when another one's change is seen; all below it has the lock. */
static struct {
    sys_mutex_t lock;
    struct tcpip_callback_msg *message;
    void *server;            /* the thread that serves; NULL: not shared */
    int waker;               /* a socket of the port, by which lwip_poll is woken */
    volatile uint8_t wanted; /* somebody has woken the port, which has not noticed */
    volatile uint8_t posted; /* the message is on its way to lwIP's thread */
    void *volatile holder;
    unsigned depth;   /* of enter */
    unsigned resting; /* the same of the thread that serves, while it waits for lwIP */
    struct waiter *waiters;
} tasks;

/* --- Waking ---------------------------------------------------------------------------------- */

/* That a socket may send is a mark that lwIP waits for and that costs no memory. It means nothing
 * for one that listens or that never was connected, so there it is ours to set. With the core's
 * lock, where lwIP has one. */
static void mark(enum netconn_evt event)
{
    struct lwip_sock *socket = lwip_socket_dbg_get_socket(tasks.waker);
    if (socket != NULL && socket->conn != NULL) {
        API_EVENT(socket->conn, event, 0);
    }
}

void nrpc_lwip_sockets_wake(void)
{
    tasks.wanted = 1;
    if (tasks.server != NULL) {
        LOCK_TCPIP_CORE();
        mark(NETCONN_EVT_SENDPLUS);
        UNLOCK_TCPIP_CORE();
    }
}

static void pass_on(void *unused) /* in lwIP's thread */
{
    (void)unused;
    tasks.posted = 0;
    mark(NETCONN_EVT_SENDPLUS);
}

int nrpc_lwip_sockets_wake_from_isr(void)
{
    err_t err;
    tasks.wanted = 1;
    if (tasks.server == NULL || tasks.posted) {
        return 0;
    }
    tasks.posted = 1;
    err = tcpip_callbackmsg_trycallback_fromisr(tasks.message);
    if (err >= ERR_OK) {
        return err > ERR_OK; /* ERR_NEED_SCHED in some of lwIP's layers over an RTOS */
    }
    tasks.posted = 0;
    return NRPC_E_AGAIN;
}

/* --- The lock -------------------------------------------------------------------------------- */

static void take(void *self)
{
    sys_mutex_lock(&tasks.lock);
    tasks.holder = self;
}

static void give(void)
{
    tasks.holder = NULL;
    sys_mutex_unlock(&tasks.lock);
}

int nrpc_lwip_sockets_enter(void)
{
    void *self = NRPC_LWIP_SOCKETS_SELF();
    if (self == NULL || tasks.server == NULL) {
        return NRPC_E_STATE;
    }
    if (tasks.holder != self) {
        take(self);
    }
    tasks.depth++;
    return 0;
}

void nrpc_lwip_sockets_leave(void)
{
    if (--tasks.depth == 0 && tasks.holder != tasks.server) {
        nrpc_lwip_sockets_wake();
        give();
    }
}

/* --- Waiting for a call ---------------------------------------------------------------------- */

static int enter_to_wait(void)
{
    void *self = NRPC_LWIP_SOCKETS_SELF();
    if (self != NULL && self == tasks.server && nrpc_lwip_sockets_is_inside()) {
        return NRPC_E_STATE; /* nobody else would poll */
    }
    return nrpc_lwip_sockets_enter();
}

const struct nrpc_threads nrpc_lwip_sockets_threads = {
    .enter = enter_to_wait,
    .leave = nrpc_lwip_sockets_leave,
};

static void forget(const struct waiter *waiter)
{
    struct waiter **at = &tasks.waiters;
    while (*at != NULL && *at != waiter) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = waiter->next;
    }
}

/* As another task, which has entered: lets go until a round is over. */
static void wait_for_round(void *self, uint32_t most_ms)
{
    struct waiter me = {.next = tasks.waiters};
    unsigned depth = tasks.depth;
    int is_told = sys_sem_new(&me.told, 0) == ERR_OK;
    if (is_told) {
        tasks.waiters = &me;
    }
    tasks.depth = 0;
    nrpc_lwip_sockets_wake();
    give();
    if (is_told) {
        (void)sys_arch_sem_wait(&me.told, most_ms == 0 ? 1 : most_ms); /* 0: for ever */
    } else {
        sys_msleep(1);
    }
    take(self);
    tasks.depth = depth;
    if (is_told) {
        forget(&me);
        sys_sem_free(&me.told);
    }
}

void nrpc_lwip_sockets_wait(uint32_t most_ms)
{
    void *self = NRPC_LWIP_SOCKETS_SELF();
    if (self != NULL && self == tasks.holder) {
        if (self == tasks.server) {
            (void)nrpc_lwip_sockets_poll(most_ms);
        } else {
            wait_for_round(self, most_ms);
        }
    }
}

/* --- For the thread that serves -------------------------------------------------------------- */

static int is_ours(void)
{
    return NRPC_LWIP_SOCKETS_SELF() == tasks.server;
}

static uint32_t rest(uint32_t most_ms)
{
    tasks.resting = tasks.depth;
    tasks.depth = 0;
    give();
    return tasks.wanted ? 0 : most_ms;
}

static void go_on(int woken)
{
    take(tasks.server);
    tasks.depth = tasks.resting;
    if (tasks.wanted || woken) {
        tasks.wanted = 0; /* before the mark: what comes between the two is seen by rest */
        LOCK_TCPIP_CORE();
        mark(NETCONN_EVT_SENDMINUS);
        UNLOCK_TCPIP_CORE();
    }
}

static void tell(void)
{
    while (tasks.waiters != NULL) {
        struct waiter *waiter = tasks.waiters;
        tasks.waiters = waiter->next;
        sys_sem_signal(&waiter->told);
    }
}

static const struct nrpc_lwip_sockets_sharing sharing = {
    .is_ours = is_ours,
    .rest = rest,
    .go_on = go_on,
    .tell = tell,
};

int nrpc_lwip_sockets_share(void)
{
    if (tasks.server != NULL) {
        return 0;
    }
    tasks.waker = nrpc_lwip_sockets_waker();
    if (tasks.waker < 0) {
        return NRPC_E_LIMIT;
    }
    if (tasks.message == NULL) {
        tasks.message = tcpip_callbackmsg_new(pass_on, NULL);
    }
    if (tasks.message == NULL || sys_mutex_new(&tasks.lock) != ERR_OK) {
        return NRPC_E_LIMIT;
    }
    take(NRPC_LWIP_SOCKETS_SELF());
    tasks.server = tasks.holder;
    nrpc_lwip_sockets_sharing = &sharing;
    return 0;
}
