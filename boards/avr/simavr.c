/* boards/avr/simavr.c - runs an AVR's image here, with libsimavr: its UART is a TCP port, or its
 * output and exit are registers. A program of the host, not of any image.
 * Layer: board, tool. Source: libsimavr's headers; ATmega1284P and ATmega2560 data sheets.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

/* Use: simavr-run MCU HZ IMAGE [127.0.0.1:PORT[,wait=on]]
 * With a port the image runs as fast as the chip would, and whoever connects there is at the other
 * end of UART 0; with wait=on it begins when the first one does. Without, it runs as fast as this
 * machine can: what it writes to GPIOR1 is printed, and what it writes to GPIOR2 ends it, with that
 * status. Ends with 2 where the image does what the chip would not survive. */
enum { GPIOR1 = 0x4a, GPIOR2 = 0x4b, STATUS_CRASHED = 2 };

/* XMEM: where the memory outside of the chip ends, if the chip has pins for it. Our unit tests need
 * more than any AVR has inside. */
enum { XMEM_END = 0xffff };

static struct {
    avr_t *avr;
    uint32_t data_end; /* the stack must not come below it */
    int listener, client;
    int may_send; /* the UART's FIFO takes another byte */
    uint64_t began_us;
    uint8_t from[4096]; /* what came and has not gone into the UART */
    size_t n_from, at_from;
} sim = {.listener = -1, .client = -1};

static void fail(const char *what)
{
    fprintf(stderr, "simavr-run: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(STATUS_CRASHED);
}

/* --- Without a port: output and exit ------------------------------------------------------- */

static void on_print(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)avr;
    (void)address;
    (void)param;
    putchar(value);
}

static void on_exit_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)avr;
    (void)address;
    (void)param;
    fflush(stdout);
    exit(value);
}

/* Time is of no use to a unit test. */
static void sleep_not(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    (void)cycles;
}

/* --- With one: the UART, and time ---------------------------------------------------------- */

static void on_uart(struct avr_irq_t *irq, uint32_t value, void *param)
{
    uint8_t byte = (uint8_t)value;
    (void)irq;
    (void)param;
    if (sim.client >= 0 && send(sim.client, &byte, 1, MSG_NOSIGNAL) != 1) {
        close(sim.client); /* the next one may come */
        sim.client = -1;
    }
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    (void)param;
    sim.may_send = 1;
    while (sim.may_send && sim.at_from < sim.n_from) {
        avr_raise_irq(avr_io_getirq(sim.avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT),
                      sim.from[sim.at_from++]);
    }
}

static void on_xoff(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    (void)param;
    sim.may_send = 0;
}

/* A client, or bytes of it, within so many milliseconds; -1: for ever. */
static void look(int ms)
{
    struct pollfd fd = {.fd = sim.client >= 0 ? sim.client : sim.listener, .events = POLLIN};
    if (sim.at_from < sim.n_from) { /* those first */
        fd.events = 0;
    }
    if (poll(&fd, 1, ms) <= 0 || !(fd.revents & ~POLLOUT)) {
        return;
    }
    if (sim.client < 0) {
        int one = 1;
        sim.client = accept(sim.listener, NULL, NULL);
        setsockopt(sim.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return;
    }
    ssize_t n = recv(sim.client, sim.from, sizeof sim.from, 0);
    if (n <= 0) {
        close(sim.client);
        sim.client = -1;
        return;
    }
    sim.at_from = 0;
    sim.n_from = (size_t)n;
    if (sim.may_send) {
        on_xon(NULL, 0, NULL);
    }
}

static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* The chip's time is not ahead of ours; where this machine is too slow it comes to be behind, and
 * does not run after it for more than a moment. */
static void keep_time(void)
{
    enum { BEHIND_US = 100000 };
    uint64_t chip = sim.avr->cycle * 1000000u / sim.avr->frequency,
             here = clock_us() - sim.began_us;
    if (here > chip + BEHIND_US) {
        sim.began_us += here - chip;
    }
    look(chip > here ? (int)((chip - here + 999) / 1000) : 0);
}

static void sleep_here(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    (void)cycles;
    keep_time();
}

static void start_uart(avr_t *avr, const char *where)
{
    static const char host[] = "127.0.0.1:";
    struct sockaddr_in address = {.sin_family = AF_INET};
    uint32_t flags = 0;
    int one = 1;
    if (strncmp(where, host, sizeof host - 1) != 0) {
        fail("the port must be 127.0.0.1:PORT");
    }
    address.sin_port = htons((uint16_t)strtoul(where + sizeof host - 1, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sim.listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(sim.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (sim.listener < 0 || bind(sim.listener, (struct sockaddr *)&address, sizeof address) ||
        listen(sim.listener, 1)) {
        fail("cannot listen there");
    }
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    struct avr_irq_t *irq = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    avr_irq_register_notify(irq + UART_IRQ_OUTPUT, on_uart, NULL);
    avr_irq_register_notify(irq + UART_IRQ_OUT_XON, on_xon, NULL);
    avr_irq_register_notify(irq + UART_IRQ_OUT_XOFF, on_xoff, NULL);
    fprintf(stderr, "simavr-run: waiting for connection on %s\n", where);
    while (strstr(where, ",wait=on") && sim.client < 0) {
        look(-1);
    }
    sim.began_us = clock_us();
}

/* --- Both ----------------------------------------------------------------------------------- */

static avr_t *load(const char *mcu, uint32_t hz, const char *path, int has_port)
{
    static elf_firmware_t firmware;
    avr_t *avr = avr_make_mcu_by_name(mcu);
    if (!avr || elf_read_firmware(path, &firmware)) {
        fail(avr ? "this is no image" : "libsimavr does not know this chip");
    }
    if (!has_port) {
        avr->ramend = XMEM_END;
    }
    avr->log = LOG_ERROR;
    avr_init(avr);
    firmware.frequency = hz;
    avr_load_firmware(avr, &firmware);
    avr->frequency = hz;
    sim.data_end = avr->ioend + 1u + firmware.datasize + firmware.bsssize;
    if (firmware.flashsize > avr->flashend + 1u) {
        fail("the image is larger than the flash");
    }
    return avr;
}

int main(int argc, char **argv)
{
    enum { OFTEN = 4000 }; /* instructions between two looks at the clock: 0.3 ms of the chip's */
    if (argc < 4) {
        fprintf(stderr, "use: simavr-run MCU HZ IMAGE [127.0.0.1:PORT[,wait=on]]\n");
        return STATUS_CRASHED;
    }
    avr_t *avr = load(argv[1], (uint32_t)strtoul(argv[2], NULL, 10), argv[3], argc > 4);
    sim.avr = avr;
    avr->sleep = argc > 4 ? sleep_here : sleep_not;
    if (argc > 4) {
        start_uart(avr, argv[4]);
    } else {
        avr_register_io_write(avr, GPIOR1, on_print, NULL);
        avr_register_io_write(avr, GPIOR2, on_exit_status, NULL);
    }
    for (unsigned n = 0;; n++) {
        int state = avr_run(avr);
        unsigned stack = avr->data[R_SPL] | (unsigned)avr->data[R_SPH] << 8;
        if (state == cpu_Done || state == cpu_Crashed) {
            fail(state == cpu_Done ? "it sleeps for ever" : "it has crashed");
        }
        if (stack < sim.data_end && stack > avr->ioend) {
            fail("the stack has run into the data");
        }
        if (argc > 4 && n % OFTEN == 0) {
            keep_time();
        }
    }
}
