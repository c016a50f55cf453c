/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/setting_type.h"

#include <arpa/inet.h>
#include <string.h>

#include "src/base/num.h"

static int refuse(const struct setting *s, struct slice text, struct err *e)
{
    return err_set(e, &ERR_INVALID, "\"%.*s\" is not %s", (int)(text.n < 60 ? text.n : 60), text.s, s->type->syntax);
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

static int keep(struct slice text, void *member, struct arena *arena, struct err *e)
{
    const char *copy = arena_strndup(arena, text.s, text.n);

    if (copy == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *(const char **)member = copy;
    return 0;
}

static int check_length(const struct setting *s, struct slice text, struct err *e)
{
    int64_t max;

    if (s->min != NULL && text.n == 0)
        return err_set(e, &ERR_INVALID, "it must not be empty");
    if (s->max != NULL && num_parse_i64((struct slice){ s->max, strlen(s->max) }, &max) && text.n > (size_t)max)
        return err_set(e, &ERR_INVALID, "longer than %s characters", s->max);
    return 0;
}

static int read_string(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    int rv;

    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.s[i] < 0x20 || text.s[i] == 0x7f)
            return err_set(e, &ERR_INVALID, "control characters are not allowed");
    }
    rv = check_length(s, text, e);
    return rv != 0 ? rv : keep(text, member, arena, e);
}

static int read_secret(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    int rv;

    if (memchr(text.s, '\0', text.n) != NULL)
        return err_set(e, &ERR_INVALID, "a NUL byte is not allowed");
    rv = check_length(s, text, e);
    return rv != 0 ? rv : keep(text, member, arena, e);
}

static int read_path(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    if (text.n > 0 && text.s[0] != '/')
        return err_set(e, &ERR_INVALID, "a path must be absolute");
    return read_string(s, text, member, arena, e);
}

static void write_string(const struct setting *s, const void *member, struct str *t)
{
    const char *text = *(const char *const *)member;

    (void)s;
    str_add(t, text != NULL ? text : "");
}

const struct setting_type setting_string = { "string", "text", sizeof(char *), read_string, write_string };
const struct setting_type setting_secret = { "secret", "text", sizeof(char *), read_secret, write_string };
const struct setting_type setting_path = { "path", "an absolute path", sizeof(char *), read_path, write_string };

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* Is v within the limits, which are written as the value itself is? */
static int check_range(const struct setting *s, int64_t v, bool (*parse)(struct slice text, int64_t *v), struct err *e)
{
    int64_t min = INT64_MIN, max = INT64_MAX;
    bool limits_ok = (s->min == NULL || parse((struct slice){ s->min, strlen(s->min) }, &min)) &&
                     (s->max == NULL || parse((struct slice){ s->max, strlen(s->max) }, &max));

    if (!limits_ok)
        return err_set(e, &ERR_UNEXPECTED, "limits of %s", s->name);
    if (v < min)
        return err_set(e, &ERR_INVALID, "less than the least allowed, %s", s->min);
    if (v > max)
        return err_set(e, &ERR_INVALID, "more than the most allowed, %s", s->max);
    return 0;
}

static int read_number(const struct setting *s, struct slice text, void *member, bool (*parse)(struct slice text, int64_t *v),
                       struct err *e)
{
    int64_t v;
    int rv;

    if (!parse(text, &v))
        return refuse(s, text, e);
    rv = check_range(s, v, parse, e);
    if (rv == 0)
        *(int64_t *)member = v;
    return rv;
}

static int read_int(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    (void)arena;
    return read_number(s, text, member, num_parse_i64, e);
}

static int read_duration(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    (void)arena;
    return read_number(s, text, member, num_parse_duration_ms, e);
}

static int read_size(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    (void)arena;
    return read_number(s, text, member, num_parse_size, e);
}

static void write_int(const struct setting *s, const void *member, struct str *t)
{
    (void)s;
    str_add_i64(t, *(const int64_t *)member);
}

static void write_duration(const struct setting *s, const void *member, struct str *t)
{
    (void)s;
    num_add_duration(t, *(const int64_t *)member);
}

static void write_size(const struct setting *s, const void *member, struct str *t)
{
    (void)s;
    num_add_size(t, *(const int64_t *)member);
}

const struct setting_type setting_int = { "integer", "a whole number", sizeof(int64_t), read_int, write_int };
const struct setting_type setting_duration = { "duration", "a number with its unit: ms, s, m, h or d", sizeof(int64_t),
                                               read_duration, write_duration };
const struct setting_type setting_size = { "size", "a number with its unit: B, KiB, MiB, GiB or TiB", sizeof(int64_t), read_size,
                                           write_size };

/* ---- choices --------------------------------------------------------------------------------------------------------- */

static int read_bool(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    (void)arena;
    if (!num_parse_bool(text, member))
        return refuse(s, text, e);
    return 0;
}

static void write_bool(const struct setting *s, const void *member, struct str *t)
{
    (void)s;
    str_add(t, *(const bool *)member ? "true" : "false");
}

static int read_enum(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    char all[ERR_ARG_SIZE] = "";
    size_t n = 0;

    (void)arena;
    for (int i = 0; s->names[i] != NULL; i++) {
        size_t len = strlen(s->names[i]);

        if (slice_is_nocase(text, s->names[i])) {
            *(int *)member = i;
            return 0;
        }
        if (n + len + 2 < sizeof all) {
            memcpy(all + n, s->names[i], len + 1);
            memcpy(all + n + len, ", ", 3);
            n += len + 2;
        }
    }
    return err_set(e, &ERR_INVALID, "\"%.*s\" is not one of %.*s", (int)(text.n < 60 ? text.n : 60), text.s,
                   (int)(n > 2 ? n - 2 : 0), all);
}

static void write_enum(const struct setting *s, const void *member, struct str *t)
{
    str_add(t, s->names[*(const int *)member]);
}

const struct setting_type setting_bool = { "boolean", "true or false", sizeof(bool), read_bool, write_bool };
const struct setting_type setting_enum = { "choice", "one of the values named", sizeof(int), read_enum, write_enum };

/* ---- lists ----------------------------------------------------------------------------------------------------------- */

static bool is_name(struct slice host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return host.n > 0 && host.n <= 253;
}

/* Bits of an address of the family that `text` is of; 0 when it is no address. */
static int address_bits(struct slice text)
{
    char buf[INET6_ADDRSTRLEN];
    unsigned char ip[16];

    if (text.n >= sizeof buf)
        return 0;
    memcpy(buf, text.s, text.n);
    buf[text.n] = '\0';
    return inet_pton(AF_INET, buf, ip) == 1 ? 32 : inet_pton(AF_INET6, buf, ip) == 1 ? 128 : 0;
}

/* "host:port" or "[v6]:port". */
static bool parse_address(struct slice text, struct slice *host, int64_t *port)
{
    bool bracket = text.n > 0 && text.s[0] == '[';
    struct slice rest = bracket ? (struct slice){ text.s + 1, text.n - 1 } : text;

    *host = slice_cut(&rest, bracket ? ']' : ':');
    if (bracket) {
        if (rest.n == 0 || rest.s[0] != ':' || address_bits(*host) != 128)
            return false;
        rest = (struct slice){ rest.s + 1, rest.n - 1 };
    } else if (!is_name(*host)) {
        return false;
    }
    return num_parse_i64_in(rest, 1, 65535, port);
}

static unsigned count_items(struct slice text)
{
    unsigned n = 0;

    while (text.n > 0)
        n += slice_trim(slice_cut(&text, ',')).n > 0;
    return n;
}

static int read_addresses(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    struct setting_address *items = arena_array(arena, count_items(text), sizeof *items);
    unsigned n = 0;

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (text.n > 0) {
        struct slice item = slice_trim(slice_cut(&text, ','));
        struct slice host;
        int64_t port;

        if (item.n == 0)
            continue;
        if (!parse_address(item, &host, &port))
            return refuse(s, item, e);
        if (keep(host, &items[n].host, arena, e) != 0)
            return ERR_NOMEM.code;
        items[n++].port = (unsigned)port;
    }
    *(struct setting_addresses *)member = (struct setting_addresses){ items, n };
    return 0;
}

static void write_addresses(const struct setting *s, const void *member, struct str *t)
{
    const struct setting_addresses *list = member;

    (void)s;
    for (unsigned i = 0; i < list->n; i++) {
        bool v6 = strchr(list->items[i].host, ':') != NULL;

        str_printf(t, "%s%s%s%s:%u", i > 0 ? ", " : "", v6 ? "[" : "", list->items[i].host, v6 ? "]" : "",
                   list->items[i].port);
    }
}

/* Kept as text, for whoever matches addresses reads it with a parser of its own. */
static int read_networks(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e)
{
    struct slice rest = text;

    while (rest.n > 0) {
        struct slice item = slice_trim(slice_cut(&rest, ','));
        struct slice bits = item;
        struct slice ip = slice_cut(&bits, '/');
        int64_t v;

        if (item.n > 0 && (address_bits(ip) == 0 || (ip.n < item.n && !num_parse_i64_in(bits, 0, address_bits(ip), &v))))
            return refuse(s, item, e);
    }
    return keep(text, member, arena, e);
}

const struct setting_type setting_addresses = { "addresses", "host:port or [IPv6]:port, several separated by commas",
                                                sizeof(struct setting_addresses), read_addresses, write_addresses };
const struct setting_type setting_networks = { "networks", "an address or network (10.0.0.0/8), several separated by commas",
                                               sizeof(char *), read_networks, write_string };
