/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/whitelist.h"

#include <string.h>

#include "src/io/addr.h"

ERR_DEFINE(ERR_WHITELIST_TOO_LONG, 15033, 400, ERR_FINAL, "whitelist: it has more than 65534 characters.", "白名单长度不能超过 65534 个字符。");
ERR_DEFINE(ERR_WHITELIST_ENTRY, 90601, 400, ERR_FINAL,
           "whitelist: {0} is no IP address, no network like 10.0.0.0/8 and no pattern with % or _.",
           "白名单条目 {0} 不合法：应为 IP 地址、网段（如 10.0.0.0/8）或含 % 和 _ 的模式。");
ERR_DEFINE(ERR_WHITELIST_LOCKOUT, 90602, 400, ERR_FINAL,
           "whitelist: it leaves out {0}, the address from which OCP itself logs in. Add it, or OCP could not manage the tenant any more.",
           "白名单未包含 OCP 的登录地址 {0}，修改后 OCP 将无法管理该租户，请先加入该地址。");

const struct err_row *const whitelist_err_rows[] = { &ERR_WHITELIST_TOO_LONG, &ERR_WHITELIST_ENTRY, &ERR_WHITELIST_LOCKOUT, NULL };

/* Leading ones of a mask as of an IPv4 network; -1 when ones follow zeros. */
static int mask_bits(const struct addr *mask)
{
    uint32_t m = (uint32_t)mask->ip[12] << 24 | (uint32_t)mask->ip[13] << 16 | (uint32_t)mask->ip[14] << 8 | mask->ip[15];
    int n = 0;

    while (n < 32 && (m & 0x80000000u >> n) != 0)
        n++;
    return n == 32 || m << n == 0 ? n : -1;
}

/* "10.0.0.0/255.0.0.0" */
static bool parse_masked(struct slice entry, struct cidr *out)
{
    struct slice rest = entry, ip = slice_cut(&rest, '/');
    struct addr mask;
    int bits;

    if (!addr_parse(rest, &mask) || !addr_is_v4(&mask) || !cidr_parse(ip, out))
        return false;
    bits = mask_bits(&mask);
    out->bits = (uint8_t)(96 + (bits > 0 ? bits : 0));
    return bits >= 0;
}

static bool parse_network(struct slice entry, struct cidr *out)
{
    return cidr_parse(entry, out) || (memchr(entry.s, '/', entry.n) != NULL && parse_masked(entry, out));
}

static bool is_pattern(struct slice entry)
{
    bool wild = false;

    for (size_t i = 0; i < entry.n; i++) {
        wild = wild || entry.s[i] == '%' || entry.s[i] == '_';
        if (strchr("0123456789abcdefABCDEF.:%_", entry.s[i]) == NULL)
            return false;
    }
    return wild;
}

/* As SQL's LIKE does, without escapes: goes back to the last % where the rest does not fit. */
static bool pattern_fits(struct slice p, const char *text)
{
    const char *retry = NULL;
    size_t i = 0, after = 0;

    while (*text != '\0') {
        if (i < p.n && p.s[i] == '%') {
            after = ++i;
            retry = text;
        } else if (i < p.n && (p.s[i] == '_' || p.s[i] == *text)) {
            i++, text++;
        } else if (retry != NULL) {
            i = after;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (i < p.n && p.s[i] == '%')
        i++;
    return i == p.n;
}

int whitelist_check(const char *whitelist, struct err *e)
{
    struct slice rest = { whitelist, strlen(whitelist) };
    struct cidr network;

    if (rest.n > WHITELIST_MAX)
        return err_set(e, &ERR_WHITELIST_TOO_LONG, "");
    do {
        struct slice entry = slice_trim(slice_cut(&rest, ','));

        if (entry.n == 0 || (!parse_network(entry, &network) && !is_pattern(entry)))
            return err_set(e, &ERR_WHITELIST_ENTRY, "'%.*s'", SLICE_FMT(entry));
    } while (rest.n > 0);
    return 0;
}

bool whitelist_allows(const char *whitelist, const char *ip)
{
    struct slice rest = { whitelist, strlen(whitelist) };
    struct addr client;
    bool known = addr_parse((struct slice){ ip, strlen(ip) }, &client);

    while (rest.n > 0) {
        struct slice entry = slice_trim(slice_cut(&rest, ','));
        struct cidr network;

        if (parse_network(entry, &network) ? known && cidr_has(&network, &client) : is_pattern(entry) && pattern_fits(entry, ip))
            return true;
    }
    return false;
}
