/* nanorpc/hpack/nrpc_key.h - NRPC_KEY: a metadata key, with its place in HPACK's static table,
 * found when compiling.
 * Layer: core, public; nanorpc.h includes it. Source: RFC 7541 appendix A.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_KEY_H
#define NANORPC_KEY_H

#include "nanorpc/config.h"

/* key: a string literal, lower case as header names are: of a-z 0-9 - _ . (others do not compile).
 */
#define NRPC_KEY(key) \
    {.name = key,     \
     .static_index = NRPC_STATIC_NAMES_(NRPC_STATIC_NAME_, key) 0 * NRPC_KEY_IS_CHECKED_(key)}

#ifdef __cplusplus
constexpr bool nrpc_key_is_good(const char *key)
{
    return !*key || (((*key >= 'a' && *key <= 'z') || (*key >= '0' && *key <= '9') || *key == '-' ||
                      *key == '_' || *key == '.') &&
                     nrpc_key_is_good(key + 1));
}
template <bool is_so> struct nrpc_a_metadata_key_is_lower_case;
template <> struct nrpc_a_metadata_key_is_lower_case<true> {
    char c;
};
#define NRPC_KEY_IS_CHECKED_(key) sizeof(nrpc_a_metadata_key_is_lower_case<nrpc_key_is_good(key)>)
#else
#define NRPC_KEY_IS_CHECKED_(key) __extension__ sizeof(struct { NRPC_KEY_CHECKS_(key) char c; })
#define NRPC_KEY_CHECK_(is_good) \
    _Static_assert NRPC_NOTHING_(is_good, "a metadata key is lower case: a-z 0-9 - _ .");
#ifdef __clang__ /* of the functions that would do it knows only strncmp here: so capitals, each \
                    of 64 places */
#define NRPC_KEY_CHECKS_(key) \
    NRPC_KEY_16_(key, 0) NRPC_KEY_16_(key, 16) NRPC_KEY_16_(key, 32) NRPC_KEY_16_(key, 48)
#define NRPC_KEY_16_(key, i) \
    NRPC_KEY_4_(key, i) NRPC_KEY_4_(key, i + 4) NRPC_KEY_4_(key, i + 8) NRPC_KEY_4_(key, i + 12)
#define NRPC_KEY_4_(key, i) \
    NRPC_KEY_1_(key, i) NRPC_KEY_1_(key, i + 1) NRPC_KEY_1_(key, i + 2) NRPC_KEY_1_(key, i + 3)
#define NRPC_KEY_1_(key, i)                                                \
    NRPC_KEY_CHECK_(__builtin_strncmp(NRPC_KEY_AT_(key, i), "A", 1) < 0 || \
                    __builtin_strncmp(NRPC_KEY_AT_(key, i), "Z", 1) > 0)
#define NRPC_KEY_AT_(key, i) (key) + ((i) < sizeof(key) ? (i) : sizeof(key) - 1)
#else
#define NRPC_KEY_CHECKS_(key)                                                           \
    NRPC_KEY_CHECK_(__builtin_strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == \
                    sizeof(key) - 1)
#endif
#endif

#define NRPC_STATIC_NAME_(key, its_name, index) __builtin_strcmp(key, its_name) == 0 ? index:
/* A name a line. */
/* clang-format off */
#define NRPC_STATIC_NAMES_(N, name)            \
    N(name, "accept-charset", 15)              \
    N(name, "accept-encoding", 16)             \
    N(name, "accept-language", 17)             \
    N(name, "accept-ranges", 18)               \
    N(name, "accept", 19)                      \
    N(name, "access-control-allow-origin", 20) \
    N(name, "age", 21)                         \
    N(name, "allow", 22)                       \
    N(name, "authorization", 23)               \
    N(name, "cache-control", 24)               \
    N(name, "content-disposition", 25)         \
    N(name, "content-encoding", 26)            \
    N(name, "content-language", 27)            \
    N(name, "content-location", 29)            \
    N(name, "content-range", 30)               \
    N(name, "cookie", 32)                      \
    N(name, "date", 33)                        \
    N(name, "etag", 34)                        \
    N(name, "expect", 35)                      \
    N(name, "expires", 36)                     \
    N(name, "from", 37)                        \
    N(name, "host", 38)                        \
    N(name, "if-match", 39)                    \
    N(name, "if-modified-since", 40)           \
    N(name, "if-none-match", 41)               \
    N(name, "if-range", 42)                    \
    N(name, "if-unmodified-since", 43)         \
    N(name, "last-modified", 44)               \
    N(name, "link", 45)                        \
    N(name, "location", 46)                    \
    N(name, "max-forwards", 47)                \
    N(name, "proxy-authenticate", 48)          \
    N(name, "proxy-authorization", 49)         \
    N(name, "range", 50)                       \
    N(name, "referer", 51)                     \
    N(name, "refresh", 52)                     \
    N(name, "retry-after", 53)                 \
    N(name, "server", 54)                      \
    N(name, "set-cookie", 55)                  \
    N(name, "strict-transport-security", 56)   \
    N(name, "user-agent", 58)                  \
    N(name, "vary", 59)                        \
    N(name, "via", 60)                         \
    N(name, "www-authenticate", 61)
/* clang-format on */

#endif
