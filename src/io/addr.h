/* SPDX-License-Identifier: Apache-2.0 */
/* addr.h - IP addresses and networks as values: parse, print, match. Pure; any thread. */
#ifndef IO_ADDR_H
#define IO_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

/* An IPv4 address is kept as ::ffff:a.b.c.d, so that both families compare and hash alike. */
struct addr {
    uint8_t ip[16];
    uint16_t port;   /* host order; 0: none */
    bool known;      /* false: no address at all (a Unix socket, a PROXY header that names none) */
};

struct sockaddr;
/* From what the kernel gives; not `known` for other families than IPv4 and IPv6. */
struct addr addr_from(const struct sockaddr *sa);
struct sockaddr_storage;
/* What the kernel takes, with this port (host order; that of `a` does not matter). Returns its length. */
unsigned addr_to(const struct addr *a, unsigned port, struct sockaddr_storage *out);

/* "10.1.2.3", "::1" or "[::1]", without a port. False when it is not exactly an address. */
bool addr_parse(struct slice text, struct addr *out);
/* As addr_parse, with an optional ":port" after an IPv4 or a bracketed IPv6 address. */
bool addr_parse_port(struct slice text, struct addr *out);
/* One to five digits, at most 65535. */
bool port_parse(struct slice text, uint16_t *port);

enum { ADDR_TEXT_SIZE = 56 };
/* "10.1.2.3" or "2001:db8::1" (IPv4 never in its mapped form); "-" when unknown. `buf` holds ADDR_TEXT_SIZE bytes. */
const char *addr_text(const struct addr *a, char *buf);
/* With the port: "10.1.2.3:80", "[2001:db8::1]:80". */
const char *addr_text_port(const struct addr *a, char *buf);

bool addr_is_v4(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Same address, whatever the port. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* A network: "10.0.0.0/8", "2001:db8::/32", or a single address. */
struct cidr {
    uint8_t ip[16];
    uint8_t bits;    /* of 128 */
};
/* False when it is not a network; bits right of the prefix are ignored. */
bool cidr_parse(struct slice text, struct cidr *out);
bool cidr_has(const struct cidr *c, const struct addr *a);

/* Networks separated by commas or spaces. */
struct cidr_list {
    struct cidr *item; /* owned */
    unsigned n;
};
/* Errors: INVALID naming the entry that is no network, NOMEM. On failure the list is empty. */
MUST_CHECK int cidr_list_parse(struct slice text, struct cidr_list *out, struct err *e);
void cidr_list_fini(struct cidr_list *list);
/* False for an unknown address. `list` may be NULL: nobody is in it. */
bool cidr_list_has(const struct cidr_list *list, const struct addr *a);

#endif
