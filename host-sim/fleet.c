/* host-sim/fleet.c - several devices, each a process of its own, under one parent.
 * Layer: board. Source: fork(2), prctl(2), sigwaitinfo(2).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 }; /* for a device that was told to end */

struct device {
    pid_t pid; /* 0: it has ended */
};

struct fleet {
    unsigned n, running;
    struct device *devices;
    int worst; /* exit status so far */
};

static volatile sig_atomic_t stopping;

static void on_stop(int number)
{
    (void)number;
    stopping = 1;
    wire_wake();
}

int fleet_stopping(void)
{
    return stopping;
}

void fleet_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_stop;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN; /* libslirp writes to sockets that may be gone */
    (void)sigaction(SIGPIPE, &action, NULL);
}

static void signal_all(const struct fleet *fleet, int number)
{
    for (unsigned i = 0; i < fleet->n; i++) {
        if (fleet->devices[i].pid != 0) {
            (void)kill(fleet->devices[i].pid, number);
        }
    }
}

/* Takes note of every device that has ended. Returns how many. */
static unsigned reap(struct fleet *fleet)
{
    unsigned ended = 0;
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        unsigned i = 0;
        while (i < fleet->n && fleet->devices[i].pid != pid) {
            i++;
        }
        if (i == fleet->n) {
            continue;
        }
        fleet->devices[i].pid = 0;
        fleet->running--;
        ended++;
        if (WIFSIGNALED(status)) {
            fprintf(stderr, "host-sim: device %u was killed by signal %d\n", i + 1,
                    WTERMSIG(status));
        }
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        fleet->worst = status > fleet->worst ? status : fleet->worst;
    }
    return ended;
}

/* The signals are blocked but in this wait, so none slips in between the look and the wait. */
static void supervise(struct fleet *fleet, const sigset_t *waited)
{
    struct timespec wait = {.tv_sec = 1, .tv_nsec = 0};
    unsigned seconds = 0;
    int told = 0;
    while (fleet->running > 0) {
        int number = sigtimedwait(waited, NULL, &wait);
        unsigned ended = reap(fleet);
        if (told) {
            seconds += number < 0 && errno == EAGAIN;
            if (seconds >= PATIENCE_S) {
                signal_all(fleet, SIGKILL);
            }
        } else if ((number > 0 && number != SIGCHLD) || (ended != 0 && fleet->running > 0)) {
            told = 1;
            signal_all(fleet, SIGTERM);
        }
    }
}

/* Returns 1 in the child, 0 in the parent, -1 when there can be no more. */
static int start(struct device *device, const sigset_t *normal)
{
    pid_t parent = getpid();
    device->pid = fork();
    if (device->pid != 0) {
        int failed = device->pid < 0;
        if (failed) {
            fprintf(stderr, "host-sim: no more processes: %s\n", strerror(errno));
            device->pid = 0;
        }
        return failed ? -1 : 0;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(1); /* it died before that */
    }
    fleet_catch_signals();
    (void)sigprocmask(SIG_SETMASK, normal, NULL);
    return 1;
}

static void add_up(const struct fleet_report *reports, unsigned n, struct fleet_report *total)
{
    memset(total, 0, sizeof *total);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned way = 0; way < WIRE_WAYS; way++) {
            total->count[way].frames += reports[i].count[way].frames;
            total->count[way].bytes += reports[i].count[way].bytes;
            total->count[way].dropped += reports[i].count[way].dropped;
        }
        total->connections += reports[i].connections;
    }
}

int fleet_run(unsigned n,
              int (*run)(const void *context, unsigned number, struct fleet_report *report),
              const void *context, struct fleet_report *total)
{
    struct fleet fleet = {.n = n};
    sigset_t waited, normal;
    size_t bytes = n * sizeof(struct fleet_report);
    struct fleet_report *reports = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fleet.devices = calloc(n, sizeof *fleet.devices);
    if (reports == MAP_FAILED || fleet.devices == NULL) {
        fputs("host-sim: out of memory\n", stderr);
        free(fleet.devices);
        return 1;
    }
    sigemptyset(&waited);
    sigaddset(&waited, SIGINT);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGHUP);
    sigaddset(&waited, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &waited, &normal);
    for (unsigned i = 0; i < n && fleet.worst == 0; i++) {
        int started = start(&fleet.devices[i], &normal);
        if (started == 1) {
            free(fleet.devices);
            exit(run(context, i, &reports[i]));
        }
        fleet.running += started == 0;
        fleet.worst = started < 0;
    }
    if (fleet.worst != 0) {
        signal_all(&fleet, SIGTERM);
    }
    supervise(&fleet, &waited);
    add_up(reports, n, total);
    (void)munmap(reports, bytes);
    free(fleet.devices);
    return fleet.worst;
}
