/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded into a browser: it is not told of changes of this machine's networks, at each of which it would end all its connections
 * (ERR_NETWORK_CHANGED), although those to 127.0.0.1 never change. Tests make networks for their hosts beside it. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
    if (domain == AF_NETLINK) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
