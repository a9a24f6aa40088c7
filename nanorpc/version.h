/* nanorpc/version.h - which nanorpc this is; the one place that says so.
 * Layer: core. Source: Semantic Versioning 2.0.0.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_VERSION_H
#define NANORPC_VERSION_H

/* While the first number is 0, the second is raised by what needs changes in an application, the
 * third by all else. CHANGELOG.md says what. */
#define NRPC_VERSION_MAJOR 0
#define NRPC_VERSION_MINOR 9
#define NRPC_VERSION_PATCH 0

/* For comparisons: #if NRPC_VERSION >= NRPC_VERSION_OF(0, 9, 0). Each number is 0..255. */
#define NRPC_VERSION_OF(major, minor, patch) ((major) * 65536 + (minor) * 256L + (patch))
#define NRPC_VERSION NRPC_VERSION_OF(NRPC_VERSION_MAJOR, NRPC_VERSION_MINOR, NRPC_VERSION_PATCH)

/* The same as text, "MAJOR.MINOR.PATCH". */
#define NRPC_VERSION_STRING \
    NRPC_VERSION_TEXT_(NRPC_VERSION_MAJOR, NRPC_VERSION_MINOR, NRPC_VERSION_PATCH)
#define NRPC_VERSION_TEXT_(major, minor, patch) NRPC_VERSION_TEXT__(major, minor, patch)
#define NRPC_VERSION_TEXT__(major, minor, patch) #major "." #minor "." #patch

#endif
