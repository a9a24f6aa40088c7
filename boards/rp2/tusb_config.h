/* boards/rp2/tusb_config.h - TinyUSB: a device, without an operating system; BOARD_USB says which.
 * Layer: board. Source: TinyUSB 0.18.0, src/tusb_option.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARDS_RP2_TUSB_CONFIG_H
#define BOARDS_RP2_TUSB_CONFIG_H

#define CFG_TUSB_MCU OPT_MCU_RP2040 /* the RP2350's controller is the same */
#define CFG_TUSB_OS OPT_OS_NONE
#define CFG_TUSB_DEBUG 0
#define CFG_TUSB_RHPORT0_MODE OPT_MODE_DEVICE
#define CFG_TUD_ENDPOINT0_SIZE 64

/* What the Pico SDK asks for, too: errata E15 (bulk transfers near a frame's end) and, with the
 * first chips (B0, B1), E5 (a device that is not the only one at the bus). */
#if PICO_RP2040
#define TUD_OPT_RP2040_USB_DEVICE_UFRAME_FIX 1
#define TUD_OPT_RP2040_USB_DEVICE_ENUMERATION_FIX 1
#endif

/* A serial port. Sending: what is printed before a program opens the port is kept up to this. */
#ifdef BOARD_USB_CDC
#define CFG_TUD_CDC 1
#define CFG_TUD_CDC_RX_BUFSIZE 256
#define CFG_TUD_CDC_TX_BUFSIZE 512
#endif

/* A network card, CDC NCM: a transfer holds an Ethernet frame or more, each way. */
#ifdef BOARD_USB_NCM
#define CFG_TUD_NCM 1
#define CFG_TUD_NCM_IN_NTB_MAX_SIZE 2048
#define CFG_TUD_NCM_OUT_NTB_MAX_SIZE 2048
#define CFG_TUD_NCM_IN_NTB_N 2
#define CFG_TUD_NCM_OUT_NTB_N 2
#endif

#endif
