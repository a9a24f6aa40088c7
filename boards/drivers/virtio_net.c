/* boards/drivers/virtio_net.c - virtio-net over MMIO: two queues of whole frames.
 * Layer: board. Source: Virtual I/O Device (VIRTIO) 1.1: 2.6 split queues, 4.2 MMIO, 5.1 network.
 * SPDX-License-Identifier: Apache-2.0 */
#include "virtio_net.h"

#include "../board.h"
#include "../cpu.h"

#ifndef VIRTIO_NET_AT
#error "board.mk must say -DVIRTIO_NET_AT=address"
#endif
#define VIRTIO(offset) REG(VIRTIO_NET_AT + (offset))
#define MAGIC VIRTIO(0x00u)
#define VERSION VIRTIO(0x04u)
#define DEVICE VIRTIO(0x08u)
#define DRIVER_FEATURES VIRTIO(0x20u)
#define DRIVER_FEATURES_SELECT VIRTIO(0x24u)
#define QUEUE_SELECT VIRTIO(0x30u)
#define QUEUE_SIZE VIRTIO(0x38u)
#define QUEUE_READY VIRTIO(0x44u)
#define QUEUE_NOTIFY VIRTIO(0x50u)
#define INTERRUPT_STATUS VIRTIO(0x60u)
#define INTERRUPT_DONE VIRTIO(0x64u)
#define STATUS VIRTIO(0x70u)
#define QUEUE_DESCRIPTORS VIRTIO(0x80u) /* each of the three: the lower half, the upper one */
#define QUEUE_DRIVER VIRTIO(0x90u)
#define QUEUE_DEVICE VIRTIO(0xA0u)

#define MAGIC_VALUE 0x74726976u
#define DEVICE_NETWORK 1u
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define FEATURES_32_VERSION_1 1u /* the only one that is wanted */
#define DESCRIPTOR_WRITE 2u
#define NO_INTERRUPT 1u

enum { RECEIVE, TRANSMIT, QUEUE_LENGTH = 4, HEADER_BYTES = 12, FRAME_BYTES = 1518 };

struct descriptor {
    uint32_t address[2];
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

struct ring_used {
    uint32_t descriptor;
    uint32_t length;
};

/* A descriptor has one buffer for ever, so that its number is the buffer's. */
struct queue {
    struct descriptor descriptors[QUEUE_LENGTH] __attribute__((aligned(16)));
    struct {
        uint16_t flags;
        volatile uint16_t index;
        uint16_t ring[QUEUE_LENGTH];
    } driver;
    struct {
        uint16_t flags;
        volatile uint16_t index;
        volatile struct ring_used ring[QUEUE_LENGTH];
    } device __attribute__((aligned(4)));
    uint16_t seen;
    uint8_t buffers[QUEUE_LENGTH][HEADER_BYTES + FRAME_BYTES] __attribute__((aligned(4)));
};

static struct queue queues[2];

/* What was written before is seen by the device before what is written then. */
static void barrier(void)
{
    __sync_synchronize();
}

static void give(unsigned number, unsigned descriptor)
{
    struct queue *queue = &queues[number];
    queue->driver.ring[queue->driver.index % QUEUE_LENGTH] = (uint16_t)descriptor;
    barrier();
    queue->driver.index = (uint16_t)(queue->driver.index + 1u);
    barrier();
    QUEUE_NOTIFY = number;
}

/* --- Frames ---------------------------------------------------------------------------------- */

void board_isr(void)
{
    INTERRUPT_DONE = INTERRUPT_STATUS;
}

static int frames_waiting(void)
{
    return queues[RECEIVE].device.index != queues[RECEIVE].seen;
}

/* The interrupt is the device's word that a frame came since; it stays until it is taken. */
static int wake_on_frame(void)
{
    barrier();
    return frames_waiting();
}

static struct pbuf *receive(void)
{
    struct queue *queue = &queues[RECEIVE];
    if (!frames_waiting()) {
        return NULL;
    }
    barrier();
    struct ring_used used = queue->device.ring[queue->seen % QUEUE_LENGTH];
    struct pbuf *frame = NULL;
    queue->seen = (uint16_t)(queue->seen + 1u);
    if (used.descriptor >= QUEUE_LENGTH) {
        board_panic("virtio-net: no such descriptor");
    }
    if (used.length > HEADER_BYTES && used.length <= sizeof queue->buffers[0]) {
        u16_t n = (u16_t)(used.length - HEADER_BYTES);
        frame = pbuf_alloc(PBUF_RAW, (u16_t)(n + ETH_PAD_SIZE), PBUF_POOL);
        if (frame != NULL) {
            (void)pbuf_take_at(frame, queue->buffers[used.descriptor] + HEADER_BYTES, n,
                               ETH_PAD_SIZE);
        }
    }
    give(RECEIVE, used.descriptor);
    return frame;
}

static err_t send(struct netif *netif, struct pbuf *frame)
{
    struct queue *queue = &queues[TRANSMIT];
    unsigned at = queue->driver.index % QUEUE_LENGTH;
    (void)netif;
    if ((uint16_t)(queue->driver.index - queue->device.index) >= QUEUE_LENGTH ||
        frame->tot_len > ETH_PAD_SIZE + FRAME_BYTES) {
        return ERR_BUF; /* TCP sends it again */
    }
    u16_t n = pbuf_copy_partial(frame, queue->buffers[at] + HEADER_BYTES, FRAME_BYTES,
                                ETH_PAD_SIZE); /* the header stays zero: nothing is offloaded */
    queue->descriptors[at].length = (uint32_t)HEADER_BYTES + n;
    give(TRANSMIT, at);
    return ERR_OK;
}

/* --- Start ----------------------------------------------------------------------------------- */

static uint16_t phy_read(unsigned number)
{
    (void)number;
    return 0; /* none */
}

static void duplex(int full)
{
    (void)full;
}

static void start_queue(unsigned number)
{
    struct queue *queue = &queues[number];
    for (unsigned i = 0; i < QUEUE_LENGTH; i++) {
        queue->descriptors[i].address[0] = (uint32_t)(uintptr_t)queue->buffers[i];
        queue->descriptors[i].length = sizeof queue->buffers[i];
        queue->descriptors[i].flags = number == RECEIVE ? DESCRIPTOR_WRITE : 0;
    }
    if (number == TRANSMIT) {
        queue->driver.flags = NO_INTERRUPT;
    }
    QUEUE_SELECT = number;
    QUEUE_SIZE = QUEUE_LENGTH;
    (&QUEUE_DESCRIPTORS)[0] = (uint32_t)(uintptr_t)queue->descriptors;
    (&QUEUE_DESCRIPTORS)[1] = 0;
    (&QUEUE_DRIVER)[0] = (uint32_t)(uintptr_t)&queue->driver;
    (&QUEUE_DRIVER)[1] = 0;
    (&QUEUE_DEVICE)[0] = (uint32_t)(uintptr_t)&queue->device;
    (&QUEUE_DEVICE)[1] = 0;
    QUEUE_READY = 1;
}

int virtio_net_start(void)
{
    if (MAGIC != MAGIC_VALUE || VERSION != 2 || DEVICE != DEVICE_NETWORK) {
        return -1;
    }
    STATUS = 0; /* reset */
    STATUS = STATUS_ACKNOWLEDGE;
    STATUS |= STATUS_DRIVER;
    DRIVER_FEATURES_SELECT = 0;
    DRIVER_FEATURES = 0;
    DRIVER_FEATURES_SELECT = 1;
    DRIVER_FEATURES = FEATURES_32_VERSION_1;
    STATUS |= STATUS_FEATURES_OK;
    if ((STATUS & STATUS_FEATURES_OK) == 0) {
        return -1;
    }
    start_queue(RECEIVE);
    start_queue(TRANSMIT);
    STATUS |= STATUS_DRIVER_OK;
    for (unsigned i = 0; i < QUEUE_LENGTH; i++) {
        give(RECEIVE, i);
    }
    cpu_irq_enable(BOARD_IRQ);
    return 0;
}

const struct net_mac virtio_net_driver = {
    .receive = receive,
    .send = send,
    .phy_read = phy_read,
    .duplex = duplex,
    .wake_on_frame = wake_on_frame,
};
