/* tests/readme/services/guarded.h - what docs/services.md's guarded.c calls, and what main.c calls
 * of it. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARDED_H
#define GUARDED_H

#include <stddef.h>
#include <stdint.h>

void print(const char *line, size_t n);
int is_night(void);
uint32_t calls_that_failed(void);
void sensor_is_lost(int lost);

#endif
