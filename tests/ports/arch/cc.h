/* tests/ports/arch/cc.h - what lwIP asks of a compiler: nothing here.
 * Layer: test.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PORTS_ARCH_CC_H
#define TESTS_PORTS_ARCH_CC_H
#include <stdlib.h>
#endif
