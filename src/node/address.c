/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/work.h"

static struct addr addr_of(const struct setting_address *from)
{
    struct addr a = { .known = false };

    if (addr_parse((struct slice){ from->host, strlen(from->host) }, &a))
        a.port = (uint16_t)from->port;
    return a;
}

struct addr node_peer_listen(const struct settings *s)
{
    return addr_of(&s->peer.listen.items[0]);
}

static bool is_wildcard(const struct addr *a)
{
    static const uint8_t v6[16], v4[16] = { [10] = 0xff, [11] = 0xff };

    return memcmp(a->ip, v6, sizeof v6) == 0 || memcmp(a->ip, v4, sizeof v4) == 0;
}

static bool is_link_local(const struct addr *a)
{
    return addr_is_v4(a) ? a->ip[12] == 169 && a->ip[13] == 254 : a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* May others be told to come here? `only_v4`: the peer port listens on IPv4 alone. */
static bool is_useful(const struct addr *a, bool only_v4)
{
    return a->known && !is_wildcard(a) && !addr_is_loopback(a) && !is_link_local(a) && (addr_is_v4(a) || !only_v4);
}

/* --- asking the machine, on the pool -------------------------------------------------------------------------------------------- */

struct asking {
    struct work work;
    char host[256], port[8];   /* of MetaDB; host "": it is here */
    bool only_v4;
    struct addr found;         /* not known: none */
};

/* No packet is sent: the kernel says which of our addresses it would take. */
static struct addr source_for(const struct addrinfo *to)
{
    struct sockaddr_storage own;
    socklen_t n = sizeof own;
    struct addr a = { .known = false };
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) == 0 && getsockname(fd, (struct sockaddr *)&own, &n) == 0)
        a = addr_from((const struct sockaddr *)&own);
    if (fd >= 0)
        (void)close(fd);
    return a;
}

static void ask_route(struct asking *k)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_family = k->only_v4 ? AF_INET : AF_UNSPEC };
    struct addrinfo *list = NULL;

    if (k->host[0] == '\0' || getaddrinfo(k->host, k->port, &hints, &list) != 0)
        return;
    for (const struct addrinfo *i = list; i != NULL && !is_useful(&k->found, k->only_v4); i = i->ai_next)
        k->found = source_for(i);
    freeaddrinfo(list);
}

static void ask_interfaces(struct asking *k)
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i != NULL && !is_useful(&k->found, k->only_v4); i = i->ifa_next)
        if (i->ifa_addr != NULL && (i->ifa_flags & IFF_UP) != 0)
            k->found = addr_from(i->ifa_addr);
    freeifaddrs(list);
}

static void ask(struct work *w)
{
    struct asking *k = (struct asking *)w;

    ask_route(k);
    if (!is_useful(&k->found, k->only_v4))
        ask_interfaces(k);
    if (!is_useful(&k->found, k->only_v4))
        (void)addr_parse((struct slice){ "127.0.0.1", 9 }, &k->found); /* cannot fail */
}

static void drop(struct work *w)
{
    mem_free(w);
}

static int ask_machine(const struct settings *s, const struct addr *listen, struct work_pool *pool, struct addr *out, struct err *e)
{
    struct asking *k = mem_zalloc(sizeof *k);
    int rv;

    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    k->work = (struct work){ .run = ask, .drop = drop };
    k->only_v4 = addr_is_v4(listen);
    if (s->db.endpoints.n > 0) {
        (void)snprintf(k->host, sizeof k->host, "%s", s->db.endpoints.items[0].host);
        (void)snprintf(k->port, sizeof k->port, "%u", s->db.endpoints.items[0].port);
    }
    rv = work_run(pool, &k->work, e);
    if (rv != 0)
        return rv;
    *out = k->found;
    out->port = listen->port;
    mem_free(k);
    return 0;
}

int node_peer_address(const struct settings *s, struct work_pool *pool, struct addr *out, struct err *e)
{
    struct addr listen = node_peer_listen(s);

    *out = s->peer.address.n > 0 ? addr_of(&s->peer.address.items[0]) : listen;
    return is_wildcard(out) ? ask_machine(s, &listen, pool, out, e) : 0;
}
