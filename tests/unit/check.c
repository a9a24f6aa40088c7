/* tests/unit/check.c - what a use of a dead call says. Apart, since only programs that set
 * test_on_check have it: ports have one, too.
 * Layer: test. Source: nanorpc/ref.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CHECKS
void (*test_on_check)(const char *function, const char *what);

void nrpc_check_failed(const char *function, const char *what)
{
    if (test_on_check) {
        test_on_check(function, what);
    }
    test_print(function);
    test_print(": ");
    test_print(what);
    test_print("\n");
}
#endif
