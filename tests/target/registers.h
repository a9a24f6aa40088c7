/* tests/target/registers.h - the registers of a model in place of a chip's: -include it before a
 * driver. Layer: tests. Source: boards/cpu.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_REGISTERS_H
#define TESTS_TARGET_REGISTERS_H

#include <stdint.h>

/* Where the model keeps the register; it has done by then what all earlier writes ask of it. */
volatile uint32_t *model_register(uint32_t address);

#define REG(address) (*model_register((uint32_t)(address)))

#endif
