/* boards/rp2/cdc.c - a Pico that is a serial port at its host's USB (CDC ACM), which is the link.
 * Layer: board. Source: CDC 1.2, PSTN 1.2 (line state, line coding); TinyUSB 0.18.0.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../board.h"
#include "../cpu.h"
#include "../uart.h"
#include "hardware/gpio.h"
#include "hardware/timer.h"
#include "pico/bootrom.h"
#include "rp2.h"
#include "tusb.h"
#include "usb.h"

/* A program that has the port open and does not read for so long: what waits for it is dropped,
 * so that text never stops the board. Microseconds. */
#define DEAF_US 500000u
/* A program that sets this rate wants the board to wait for a new image, as Arduino's do. */
#define BAUD_OF_BOOTSEL 1200u

static uint32_t heard_us; /* when the loop was here, or there was room */

int board_line_is_open(void)
{
    return tud_cdc_connected();
}

size_t board_line_read(uint8_t *to, size_t room)
{
    heard_us = time_us_32();
    usb_task();
    return tud_cdc_read(to, (uint32_t)room);
}

/* While no program has the port open there is room: TinyUSB then drops the oldest. */
size_t board_line_room(void)
{
    usb_task();
    size_t room = tud_cdc_connected() ? tud_cdc_write_available() : CFG_TUD_CDC_TX_BUFSIZE;
    if (room == 0 && time_us_32() - heard_us > DEAF_US) {
        (void)tud_cdc_write_clear();
        room = tud_cdc_write_available();
    }
    if (room != 0) {
        heard_us = time_us_32();
    }
    return room;
}

void board_line_write(const uint8_t *bytes, size_t n)
{
    (void)tud_cdc_write(bytes, (uint32_t)n);
    (void)tud_cdc_write_flush();
}

int board_line_has_work(void)
{
    return usb_has_work() || tud_cdc_available() != 0;
}

/* The light is on while a program has the port open. When it closes it, what it has not read is
 * nothing to the next one. */
void tud_cdc_line_state_cb(uint8_t port, bool dtr, bool rts)
{
    (void)port;
    (void)rts;
    gpio_put(PICO_DEFAULT_LED_PIN, dtr);
    if (!dtr) {
        (void)tud_cdc_write_clear();
    }
}

void tud_cdc_line_coding_cb(uint8_t port, const cdc_line_coding_t *coding)
{
    (void)port;
    if (coding->bit_rate == BAUD_OF_BOOTSEL) {
        rom_reset_usb_boot(0, 0);
    }
}

void board_init(void)
{
    rp2_start();
    gpio_init(PICO_DEFAULT_LED_PIN);
    gpio_set_dir(PICO_DEFAULT_LED_PIN, GPIO_OUT);
    usb_start();
}
