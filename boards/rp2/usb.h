/* boards/rp2/usb.h - the USB device of a Pico, whatever it is to its host.
 * Layer: board. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_RP2_USB_H
#define BOARDS_RP2_USB_H

/* Shows the board to the host. Once, after rp2_start. */
void usb_start(void);

/* Moves what has come and what is to go; callbacks of TinyUSB run in it. From main's loop, or,
 * when interrupts are off (a panic), from anywhere. */
void usb_task(void);

/* 1: usb_task has something to do. */
int usb_has_work(void);

#endif
