/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void set_v4(uint8_t ip[16], const void *four)
{
    memcpy(ip, mapped, sizeof mapped);
    memcpy(ip + 12, four, 4);
}

struct addr addr_from(const struct sockaddr *sa)
{
    struct addr a = { .known = false };

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

        set_v4(a.ip, &in->sin_addr);
        a.port = ntohs(in->sin_port);
        a.known = true;
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;

        memcpy(a.ip, &in->sin6_addr, sizeof a.ip);
        a.port = ntohs(in->sin6_port);
        a.known = true;
    }
    return a;
}

unsigned addr_to(const struct addr *a, unsigned port, struct sockaddr_storage *out)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    struct sockaddr_in *four = (struct sockaddr_in *)out;

    memset(out, 0, sizeof *out);
    if (addr_is_v4(a)) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        memcpy(&four->sin_addr, a->ip + 12, 4);
        return sizeof *four;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    memcpy(&six->sin6_addr, a->ip, 16);
    return sizeof *six;
}

bool addr_parse(struct slice text, struct addr *out)
{
    bool bracketed = text.n >= 2 && text.s[0] == '[' && text.s[text.n - 1] == ']';
    char buf[INET6_ADDRSTRLEN];
    struct in_addr four;

    *out = (struct addr){ .known = false };
    if (bracketed)
        text = (struct slice){ text.s + 1, text.n - 2 };
    if (text.n == 0 || text.n >= sizeof buf || memchr(text.s, '\0', text.n) != NULL)
        return false;
    memcpy(buf, text.s, text.n);
    buf[text.n] = '\0';
    if (!bracketed && inet_pton(AF_INET, buf, &four) == 1)
        set_v4(out->ip, &four);
    else if (inet_pton(AF_INET6, buf, out->ip) != 1)
        return false;
    out->known = true;
    return true;
}

bool port_parse(struct slice text, uint16_t *port)
{
    unsigned v = 0;

    if (text.n == 0 || text.n > 5)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] < '0' || text.s[i] > '9')
            return false;
        v = v * 10 + (unsigned)(text.s[i] - '0');
    }
    *port = (uint16_t)v;
    return v <= UINT16_MAX;
}

bool addr_parse_port(struct slice text, struct addr *out)
{
    const char *colon = text.n > 0 ? memrchr(text.s, ':', text.n) : NULL;
    struct slice host;
    uint16_t port;

    if (addr_parse(text, out))
        return true;
    if (colon == NULL)
        return false;
    host = (struct slice){ text.s, (size_t)(colon - text.s) };
    if (memchr(host.s, ':', host.n) != NULL && host.s[0] != '[')
        return false;
    if (!port_parse((struct slice){ colon + 1, text.n - host.n - 1 }, &port) || !addr_parse(host, out))
        return false;
    out->port = port;
    return true;
}

const char *addr_text(const struct addr *a, char *buf)
{
    if (!a->known)
        (void)memcpy(buf, "-", 2);
    else if (addr_is_v4(a))
        (void)inet_ntop(AF_INET, a->ip + 12, buf, ADDR_TEXT_SIZE); /* the buffer is large enough */
    else
        (void)inet_ntop(AF_INET6, a->ip, buf, ADDR_TEXT_SIZE);
    return buf;
}

const char *addr_text_port(const struct addr *a, char *buf)
{
    char ip[ADDR_TEXT_SIZE];

    (void)snprintf(buf, ADDR_TEXT_SIZE, !a->known || addr_is_v4(a) ? "%s:%u" : "[%s]:%u", addr_text(a, ip), a->port);
    return buf;
}

bool addr_is_v4(const struct addr *a)
{
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = { [15] = 1 };

    return a->known && (addr_is_v4(a) ? a->ip[12] == 127 : memcmp(a->ip, one, sizeof one) == 0);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->known == b->known && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool parse_bits(struct slice text, unsigned most, unsigned *bits)
{
    unsigned v = 0;

    if (text.n == 0 || text.n > 3)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] < '0' || text.s[i] > '9')
            return false;
        v = v * 10 + (unsigned)(text.s[i] - '0');
    }
    *bits = v;
    return v <= most;
}

static void clear_right_of(uint8_t ip[16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits > i * 8 ? bits - i * 8 : 0;

        if (kept < 8)
            ip[i] = (uint8_t)(ip[i] & ~(0xffu >> kept));
    }
}

bool cidr_parse(struct slice text, struct cidr *out)
{
    const char *slash = text.n > 0 ? memchr(text.s, '/', text.n) : NULL;
    struct slice host = { text.s, slash != NULL ? (size_t)(slash - text.s) : text.n };
    unsigned bits;
    struct addr a;
    bool v4;

    if (!addr_parse(host, &a))
        return false;
    v4 = memchr(host.s, ':', host.n) == NULL;
    bits = v4 ? 32 : 128;
    if (slash != NULL && !parse_bits((struct slice){ slash + 1, text.n - host.n - 1 }, bits, &bits))
        return false;
    bits += v4 ? 96 : 0;
    memcpy(out->ip, a.ip, sizeof out->ip);
    out->bits = (uint8_t)bits;
    clear_right_of(out->ip, bits);
    return true;
}

bool cidr_has(const struct cidr *c, const struct addr *a)
{
    unsigned whole = c->bits / 8, rest = c->bits % 8;

    if (!a->known || memcmp(c->ip, a->ip, whole) != 0)
        return false;
    return rest == 0 || ((c->ip[whole] ^ a->ip[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

static struct slice next_entry(struct slice *rest)
{
    struct slice entry;
    size_t n = 0;

    while (rest->n > 0 && (rest->s[0] == ' ' || rest->s[0] == ',' || rest->s[0] == '\t')) {
        rest->s++;
        rest->n--;
    }
    while (n < rest->n && rest->s[n] != ' ' && rest->s[n] != ',' && rest->s[n] != '\t')
        n++;
    entry = (struct slice){ rest->s, n };
    rest->s += n;
    rest->n -= n;
    return entry;
}

int cidr_list_parse(struct slice text, struct cidr_list *out, struct err *e)
{
    struct slice rest = text;
    unsigned n = 0;

    *out = (struct cidr_list){ .n = 0 };
    while (next_entry(&rest).n > 0)
        n++;
    if (n == 0)
        return 0;
    out->item = mem_array(n, sizeof *out->item);
    if (out->item == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (rest = text; out->n < n; out->n++) {
        struct slice entry = next_entry(&rest);

        if (!cidr_parse(entry, &out->item[out->n])) {
            cidr_list_fini(out);
            return err_set(e, &ERR_INVALID, "%.*s is not a network such as 10.0.0.0/8 or 2001:db8::/32", SLICE_FMT(entry));
        }
    }
    return 0;
}

void cidr_list_fini(struct cidr_list *list)
{
    mem_free(list->item);
    *list = (struct cidr_list){ .n = 0 };
}

bool cidr_list_has(const struct cidr_list *list, const struct addr *a)
{
    for (unsigned i = 0; list != NULL && i < list->n; i++) {
        if (cidr_has(&list->item[i], a))
            return true;
    }
    return false;
}
