/* ports/posix/nrpc_posix_sockets.c - listening on every address of a name.
 * Layer: port. Source: getaddrinfo(3), ipv6(7).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ports/posix/nrpc_posix_sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nanorpc/nanorpc.h"

enum { FREE_PORT_TRIES = 4 };

static int socket_fail(struct nrpc_posix_error *error, const char *address, uint16_t port,
                       int number)
{
    const char *where = address ? address : "any address";

    if (number == EADDRINUSE)
        snprintf(error->text, sizeof error->text,
                 "port %u is taken: another program listens on it (%.64s)", (unsigned)port, where);
    else if (number == EACCES)
        snprintf(error->text, sizeof error->text,
                 "port %u of %.64s: this user may not listen on it", (unsigned)port, where);
    else
        snprintf(error->text, sizeof error->text, "cannot listen on %.64s port %u: %s", where,
                 (unsigned)port, strerror(number));
    return NRPC_E_LINK;
}

static void set_port(struct addrinfo *info, uint16_t port)
{
    if (info->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)info->ai_addr)->sin_port = htons(port);
}

static uint16_t get_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t n = sizeof address;

    if (getsockname(fd, &address.any, &n))
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* A listening socket for one address, or -errno. */
static int listening(const struct addrinfo *info)
{
    int on = 1, number;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6) /* IPv4 has a socket of its own */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, SOMAXCONN))
        return fd;
    number = errno;
    close(fd);
    return -number;
}

/* Returns how many sockets were opened, or -errno. */
static int listen_each(struct addrinfo *info, uint16_t *port, int *fds, int room)
{
    int count = 0, number = EADDRNOTAVAIL;

    for (; info; info = info->ai_next) {
        int fd;

        if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
            continue;
        set_port(info, *port);
        fd = count == room ? -ENOSPC : listening(info);
        if (fd >= 0) {
            *port = *port ? *port : get_port(fd);
            fds[count++] = fd;
            continue;
        }
        number = -fd;
        if (number == EAFNOSUPPORT || number == EADDRNOTAVAIL)
            continue;
        while (count)
            close(fds[--count]);
        return -number;
    }
    return count ? count : -number;
}

int nrpc_posix_sockets(const char *address, uint16_t *port, int *fds, int room,
                       struct nrpc_posix_error *error)
{
    struct addrinfo hint = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    uint16_t wanted = *port;
    int result;

    /* Clients may take "localhost" for ::1 even where /etc/hosts does not (RFC 6761 6.3). Without a
     * name and without AI_PASSIVE, getaddrinfo gives both loopback addresses. */
    if (!address)
        hint.ai_flags = AI_PASSIVE;
    result = getaddrinfo(address && strcmp(address, "localhost") ? address : NULL, "0", &hint,
                         &list);
    if (result) {
        snprintf(error->text, sizeof error->text, "address %.64s: %s", address ? address : "any",
                 gai_strerror(result));
        return NRPC_E_LINK;
    }
    /* A port that is free for ::1 may be taken for 127.0.0.1: let the system choose again. */
    for (int tries = FREE_PORT_TRIES; tries > 0; tries--) {
        *port = wanted;
        result = listen_each(list, port, fds, room);
        if (wanted || result != -EADDRINUSE)
            break;
    }
    freeaddrinfo(list);
    if (result == -ENOSPC) {
        snprintf(error->text, sizeof error->text,
                 "all listening sockets are in use: see NRPC_POSIX_LISTENERS");
        return NRPC_E_LIMIT;
    }
    return result > 0 ? result : socket_fail(error, address, *port, -result);
}
