/* tests/unit/guard.c - where memory cannot be protected, test_guarded is a plain copy.
 * Layer: test; taken from the library only where host.c is not linked.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "test.h"

const uint8_t *test_guarded(const void *data, size_t n)
{
    static uint8_t copy[TEST_GUARDED_MAX];
    return memcpy(copy + sizeof copy - n, data, n);
}

uint8_t *test_guarded_room(size_t n)
{
    static uint8_t room[TEST_GUARDED_MAX];
    return room + sizeof room - n;
}
