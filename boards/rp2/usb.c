/* boards/rp2/usb.c - what a Pico says of itself to a USB host, and USB's part of the loop.
 * Layer: board. Source: USB 2.0 chapter 9; CDC 1.2, PSTN 1.2, NCM 1.0; TinyUSB 0.18.0.
 * SPDX-License-Identifier: Apache-2.0 */
#include "usb.h"

#include <string.h>

#include "../board.h"
#include "../cpu.h"
#include "device/dcd.h"
#include "pico/unique_id.h"
#include "rp2.h"
#include "tusb.h"

/* Whose numbers these are. The serial port has those of the Pico SDK's own serial port: Raspberry
 * Pi lets its SDK's programs have them, and hosts know them. The network card has a number that
 * TinyUSB's examples take for tests, and nobody owns. A product needs numbers of its own:
 * -DBOARD_USB_VENDOR= and -DBOARD_USB_PRODUCT=. */
#ifdef BOARD_USB_CDC
#define USB_VENDOR 0x2E8A
#define USB_PRODUCT (PICO_RP2040 ? 0x000A : 0x0009)
#define USB_NAME "nanorpc serial port"
#else
#define USB_VENDOR 0xCAFE
#define USB_PRODUCT 0x4020
#define USB_NAME "nanorpc network"
#endif
#ifndef BOARD_USB_VENDOR
#define BOARD_USB_VENDOR USB_VENDOR
#endif
#ifndef BOARD_USB_PRODUCT
#define BOARD_USB_PRODUCT USB_PRODUCT
#endif

enum { STRING_LANGUAGE, STRING_MAKER, STRING_NAME, STRING_SERIAL, STRING_STATION };
enum { INTERFACE_CONTROL, INTERFACE_DATA, INTERFACES };
enum { ENDPOINT_NOTIFY = 0x81, ENDPOINT_OUT = 0x02, ENDPOINT_IN = 0x82, ENDPOINT_BYTES = 64 };

static const tusb_desc_device_t device = {
    .bLength = sizeof device,
    .bDescriptorType = TUSB_DESC_DEVICE,
    .bcdUSB = 0x0200,
    .bDeviceClass = TUSB_CLASS_MISC,
    .bDeviceSubClass = MISC_SUBCLASS_COMMON,
    .bDeviceProtocol = MISC_PROTOCOL_IAD,
    .bMaxPacketSize0 = CFG_TUD_ENDPOINT0_SIZE,
    .idVendor = BOARD_USB_VENDOR,
    .idProduct = BOARD_USB_PRODUCT,
    .bcdDevice = 0x0100,
    .iManufacturer = STRING_MAKER,
    .iProduct = STRING_NAME,
    .iSerialNumber = STRING_SERIAL,
    .bNumConfigurations = 1,
};

/* Powered by the host, 100 mA at most. */
static const uint8_t configuration[] = {
#ifdef BOARD_USB_CDC
    TUD_CONFIG_DESCRIPTOR(1, INTERFACES, 0, TUD_CONFIG_DESC_LEN + TUD_CDC_DESC_LEN, 0, 100),
    TUD_CDC_DESCRIPTOR(INTERFACE_CONTROL, STRING_NAME, ENDPOINT_NOTIFY, 8, ENDPOINT_OUT,
                       ENDPOINT_IN, ENDPOINT_BYTES),
#else
    TUD_CONFIG_DESCRIPTOR(1, INTERFACES, 0, TUD_CONFIG_DESC_LEN + TUD_CDC_NCM_DESC_LEN, 0, 100),
    TUD_CDC_NCM_DESCRIPTOR(INTERFACE_CONTROL, STRING_NAME, STRING_STATION, ENDPOINT_NOTIFY, 64,
                           ENDPOINT_OUT, ENDPOINT_IN, ENDPOINT_BYTES, CFG_TUD_NET_MTU),
#endif
};

const uint8_t *tud_descriptor_device_cb(void)
{
    return (const uint8_t *)&device;
}

const uint8_t *tud_descriptor_configuration_cb(uint8_t index)
{
    return index == 0 ? configuration : NULL;
}

#ifdef BOARD_USB_NCM
/* The host's address on this network: what the board's own has, with the lowest bit turned. */
static void put_station(char *to)
{
    for (unsigned i = 0; i < 12; i++) {
        unsigned byte = board_station()[i / 2] ^ (i / 2 == 5);
        to[i] = "0123456789ABCDEF"[i % 2 == 0 ? byte >> 4 : byte & 15u];
    }
    to[12] = '\0';
}
#endif

const uint16_t *tud_descriptor_string_cb(uint8_t index, uint16_t language)
{
    static uint16_t descriptor[1 + 32]; /* its head, and characters of UTF-16 */
    char text[33] = "";
    size_t n;
    (void)language;
    switch (index) {
    case STRING_LANGUAGE:
        descriptor[1] = 0x0409; /* English */
        descriptor[0] = TUSB_DESC_STRING << 8 | 4;
        return descriptor;
    case STRING_MAKER: strcpy(text, "nanorpc"); break;
    case STRING_NAME: strcpy(text, USB_NAME); break;
    case STRING_SERIAL: pico_get_unique_board_id_string(text, sizeof text); break;
#ifdef BOARD_USB_NCM
    case STRING_STATION: put_station(text); break;
#endif
    default: return NULL;
    }
    n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        descriptor[1 + i] = (uint16_t)text[i];
    }
    descriptor[0] = (uint16_t)(TUSB_DESC_STRING << 8 | (2 * n + 2));
    return descriptor;
}

void usb_start(void)
{
    static const tusb_rhport_init_t as_device = {.role = TUSB_ROLE_DEVICE,
                                                 .speed = TUSB_SPEED_FULL};
    if (!tusb_init(0, &as_device)) {
        board_panic("no USB");
    }
}

static int irq_is_off(void)
{
    uint32_t primask;
    __asm__ volatile("mrs %0, primask" : "=r"(primask));
    return (primask & 1u) != 0;
}

void usb_task(void)
{
    if (irq_is_off()) {
        dcd_int_handler(0);
    }
    tud_task();
}

int usb_has_work(void)
{
    return tud_task_event_ready();
}
