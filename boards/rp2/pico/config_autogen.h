/* boards/rp2/pico/config_autogen.h - which board the Pico SDK is for: its CMake would write this.
 * Layer: board. Read by the assembler, too.
 * SPDX-License-Identifier: Apache-2.0 */
#if PICO_RP2040
#include "boards/pico.h"
#else
#include "boards/pico2.h"
#endif
