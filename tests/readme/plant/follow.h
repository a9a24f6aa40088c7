/* tests/readme/plant/follow.h - what main.c calls of docs/handlers.md's follow.c.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdint.h>

void follow_isr(int32_t sample);
void follow_poll(void);

#endif
