/* SPDX-License-Identifier: Apache-2.0 */
/* What libraries would need the C library's plug-ins for: looking up names of hosts, services and users, and loading code. The agent is linked
 * statically and works with addresses only, so these say that there is nothing; the linker takes them instead of the C library's own. */
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stddef.h>

#include "config.h"

#ifdef AGENT_IS_STATIC
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    (void)node;
    (void)service;
    (void)hints;
    (void)out;
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

int getnameinfo(const struct sockaddr *sa, socklen_t n, char *host, socklen_t host_size, char *service, socklen_t service_size, int flags)
{
    (void)sa;
    (void)n;
    (void)host;
    (void)host_size;
    (void)service;
    (void)service_size;
    (void)flags;
    return EAI_NONAME;
}

struct hostent *gethostbyname(const char *name)
{
    (void)name;
    return NULL;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    (void)name;
    (void)protocol;
    return NULL;
}

int getpwuid_r(uid_t uid, struct passwd *space, char *buf, size_t size, struct passwd **out)
{
    (void)uid;
    (void)space;
    (void)buf;
    (void)size;
    *out = NULL;
    return 0;
}

int getpwnam_r(const char *name, struct passwd *space, char *buf, size_t size, struct passwd **out)
{
    (void)name;
    (void)space;
    (void)buf;
    (void)size;
    *out = NULL;
    return 0;
}

int getgrgid_r(gid_t gid, struct group *space, char *buf, size_t size, struct group **out)
{
    (void)gid;
    (void)space;
    (void)buf;
    (void)size;
    *out = NULL;
    return 0;
}

void *dlopen(const char *file, int flags)
{
    (void)file;
    (void)flags;
    return NULL;
}
#endif
