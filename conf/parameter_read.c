/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parameter_read.h"

#include <string.h>

#include "src/base/json.h"
#include "src/base/num.h"

enum { SHOWN = 60, MAX_TEXT_BYTES = 4096, MAX_JSON_BYTES = 65536 };

double parameter_number_double(struct parameter_number n)
{
    double d;

    memcpy(&d, &n.bits, sizeof d);
    return d;
}

static int shown(struct slice text)
{
    return (int)(text.n < SHOWN ? text.n : SHOWN);
}

static int refuse(struct slice text, const char *syntax, struct err *e)
{
    return err_set(e, &ERR_INVALID, "\"%.*s\" is not %s", shown(text), text.s, syntax);
}

/* A limit as people write it. */
static void add_limit(const struct parameter *row, int64_t v, struct str *t)
{
    if (row->type == PARAMETER_DURATION)
        num_add_duration(t, v);
    else if (row->type == PARAMETER_SIZE)
        num_add_size(t, v);
    else
        str_add_i64(t, v);
    if (row->unit != NULL)
        str_printf(t, " %s", row->unit);
}

static int out_of_range(const struct parameter *row, struct slice text, struct err *e)
{
    struct str t;
    int rv;

    str_init(&t, NULL);
    add_limit(row, row->min, &t);
    str_add(&t, " and ");
    add_limit(row, row->max, &t);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "")
                        : err_set(e, &ERR_INVALID, "\"%.*s\" is not between %s", shown(text), text.s, str_c(&t));
    str_fini(&t);
    return rv;
}

static int read_number(const struct parameter *row, struct slice text, bool (*parse)(struct slice text, int64_t *v),
                       const char *syntax, struct parameter_number *n, struct err *e)
{
    if (!parse(text, &n->bits))
        return refuse(text, syntax, e);
    return n->bits < row->min || n->bits > row->max ? out_of_range(row, text, e) : 0;
}

static int read_double(const struct parameter *row, struct slice text, struct parameter_number *n, struct err *e)
{
    double v;

    if (!num_parse_double(text, &v))
        return refuse(text, "a decimal number", e);
    memcpy(&n->bits, &v, sizeof v);
    return v < (double)row->min || v > (double)row->max ? out_of_range(row, text, e) : 0;
}

static int read_bool(struct slice text, struct parameter_number *n, struct err *e)
{
    bool v;

    if (!num_parse_bool(text, &v))
        return refuse(text, "true or false", e);
    n->bits = v;
    return 0;
}

static int read_enum(const struct parameter *row, struct slice text, struct parameter_number *n, struct err *e)
{
    struct slice rest = { row->values, strlen(row->values) };

    for (n->bits = 0; rest.n > 0; n->bits++) {
        struct slice value = slice_cut(&rest, '|');

        if (value.n == text.n && memcmp(value.s, text.s, text.n) == 0)
            return 0;
    }
    return err_set(e, &ERR_INVALID, "\"%.*s\" is not one of %s", shown(text), text.s, row->values);
}

static int read_json(struct slice text, struct err *e)
{
    struct err inner;
    json_t *value;
    bool object;
    int rv;

    if (text.n > MAX_JSON_BYTES)
        return err_set(e, &ERR_INVALID, "longer than %d bytes", MAX_JSON_BYTES);
    rv = json_parse(text, &value, &inner);
    if (rv != 0)
        return rv == ERR_NOMEM.code ? err_set(e, &ERR_NOMEM, "") : err_set(e, &ERR_INVALID, "not JSON: %s", inner.arg[0]);
    object = json_is_object(value);
    json_decref(value);
    return object ? 0 : err_set(e, &ERR_INVALID, "not a JSON object");
}

static int read_string(const struct parameter *row, struct slice text, struct err *e)
{
    size_t max = row->max > 0 ? (size_t)row->max : MAX_TEXT_BYTES;
    const char *wrong;

    if (text.n > max)
        return err_set(e, &ERR_INVALID, "longer than %zu bytes", max);
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.s[i] < 0x20 && text.s[i] != '\n' && text.s[i] != '\t')
            return err_set(e, &ERR_INVALID, "control characters are not allowed");
    }
    wrong = row->check != NULL && text.n > 0 ? row->check(text) : NULL;
    return wrong != NULL ? err_set(e, &ERR_INVALID, "\"%.*s\" %s", shown(text), text.s, wrong) : 0;
}

int parameter_read(const struct parameter *row, struct slice text, struct parameter_number *n, struct err *e)
{
    n->bits = 0;
    switch (row->type) {
    case PARAMETER_INT:
        return read_number(row, text, num_parse_i64, "a whole number", n, e);
    case PARAMETER_DURATION:
        return read_number(row, text, num_parse_duration_ms, "a number with its unit: ms, s, m, h or d", n, e);
    case PARAMETER_SIZE:
        return read_number(row, text, num_parse_size, "a number with its unit: B, KB, MB, GB or TB", n, e);
    case PARAMETER_DOUBLE:
        return read_double(row, text, n, e);
    case PARAMETER_BOOL:
        return read_bool(text, n, e);
    case PARAMETER_ENUM:
        return read_enum(row, text, n, e);
    case PARAMETER_JSON:
        return read_json(text, e);
    case PARAMETER_STRING:
    case PARAMETER_SECRET:
        break;
    }
    return read_string(row, text, e);
}

/* ---- checks ---------------------------------------------------------------------------------------------------------- */

static bool is_all_of(struct slice text, const char *others)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.s[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!word && strchr(others, c) == NULL)
            return false;
    }
    return true;
}

/* Takes a host name, an IPv4 address or an [IPv6] address off the front. */
static bool cut_host(struct slice *rest)
{
    bool bracket = rest->n > 0 && rest->s[0] == '[';
    const char *end = rest->n > 0 ? memchr(rest->s, bracket ? ']' : ':', rest->n) : NULL;
    struct slice host = { rest->s + bracket, (end != NULL ? (size_t)(end - rest->s) : rest->n) - bracket };
    size_t n = bracket + host.n + bracket;

    if ((bracket && end == NULL) || host.n == 0 || !is_all_of(host, bracket ? ":." : "-_."))
        return false;
    *rest = (struct slice){ rest->s + n, rest->n - n };
    return true;
}

const char *parameter_check_url(struct slice text)
{
    static const char wrong[] = "is not a base URL such as https://ocp.example:8443, without a slash at its end";
    size_t scheme = slice_starts(text, "https://") ? 8 : slice_starts(text, "http://") ? 7 : 0;
    struct slice rest = { text.s + scheme, text.n - scheme };
    int64_t port;

    if (scheme == 0 || !cut_host(&rest))
        return wrong;
    if (rest.n == 0)
        return NULL;
    return rest.s[0] == ':' && num_parse_i64_in((struct slice){ rest.s + 1, rest.n - 1 }, 1, 65535, &port) ? NULL : wrong;
}

const char *parameter_check_path(struct slice text)
{
    return text.s[0] == '/' && memchr(text.s, '\0', text.n) == NULL ? NULL : "is not an absolute path";
}

/* The name of a zone of the tz database, or an offset; that the machine knows the zone shows when it is used. */
const char *parameter_check_timezone(struct slice text)
{
    return text.n < 64 && text.s[0] != '/' && is_all_of(text, "/_+-:") ? NULL : "is not a time zone such as Asia/Shanghai";
}
