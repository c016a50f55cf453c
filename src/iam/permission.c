/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/permission.h"

#include <string.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_PERMISSION_EMPTY, 3101, 400, ERR_FINAL, "The permission expression is empty.", "权限表达式不能为空。");
ERR_DEFINE(ERR_PERMISSION_INVALID, 3102, 400, ERR_FINAL,
           "The permission expression {0} is invalid: {1}. It is written DOMAIN:id:ACTION, for example CLUSTER:*:READ.",
           "权限表达式 {0} 不合法：{1}。格式为 DOMAIN:id:ACTION，例如 CLUSTER:*:READ。");

static const struct {
    const char *name;
    enum permission_domain parent;
    const char *doc;
} domains[] = {
#define X(NAME, PARENT, DOC) [PERMISSION_##NAME] = { #NAME, PERMISSION_##PARENT, DOC },
    PERMISSION_DOMAINS(X)
#undef X
};
static const char *const actions[] = { "CREATE", "READ", "UPDATE", "DELETE", "*" };

enum { N_ACTIONS = sizeof actions / sizeof actions[0], MAX_SEGMENTS = 5 };

const char *permission_domain_name(enum permission_domain domain)
{
    return domains[domain].name;
}

const char *permission_domain_doc(enum permission_domain domain)
{
    return domains[domain].doc;
}

enum permission_domain permission_domain_parent(enum permission_domain domain)
{
    return domains[domain].parent;
}

const char *permission_action_name(enum permission_action action)
{
    return actions[action];
}

static bool parse_domain(struct slice s, uint8_t *out)
{
    for (uint8_t i = 0; i < PERMISSION_N_DOMAINS; i++) {
        if (slice_is(s, domains[i].name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_action(struct slice s, uint8_t *out)
{
    for (uint8_t i = 0; i < N_ACTIONS; i++) {
        if (slice_is(s, actions[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_id(struct slice s, permission_lookup lookup, void *data, int64_t *out)
{
    if (slice_is(s, "*")) {
        *out = PERMISSION_ANY;
        return true;
    }
    if (lookup != NULL && slice_is(s, "?")) {
        *out = PERMISSION_SOME;
        return true;
    }
    if (lookup != NULL && s.n > 2 && s.s[0] == '{' && s.s[s.n - 1] == '}')
        return lookup(data, (struct slice){ s.s + 1, s.n - 2 }, out);
    return num_parse_i64_in(s, 0, INT64_MAX, out);
}

static int invalid(struct err *e, struct slice text, const char *reason)
{
    int n = text.n < 64 ? (int)text.n : 64;

    (void)err_set(e, &ERR_PERMISSION_INVALID, "%.*s", n, text.s);
    return err_arg(e, "%s", reason);
}

/* TENANT:9 stands for CLUSTER:*:TENANT:9. */
static void put_below_parent(struct permission *p)
{
    p->sub = p->domain;
    p->sub_id = p->id;
    p->domain = (uint8_t)domains[p->domain].parent;
    p->id = PERMISSION_ANY;
}

static int parse_segments(struct slice text, const struct slice *seg, unsigned n, permission_lookup lookup, void *data,
                          struct permission *p, struct err *e)
{
    if (!parse_domain(seg[0], &p->domain))
        return invalid(e, text, "unknown domain");
    if (n >= 3 && !parse_id(seg[1], lookup, data, &p->id))
        return invalid(e, text, "the second part is neither an id nor *");
    p->sub = p->domain;
    if (n >= 4) {
        if (!parse_domain(seg[2], &p->sub) || domains[p->sub].parent != p->domain || p->sub == p->domain)
            return invalid(e, text, "the third part is not a subdomain of the first");
        if (n == 5 && !parse_id(seg[3], lookup, data, &p->sub_id))
            return invalid(e, text, "the fourth part is neither an id nor *");
    } else if (domains[p->domain].parent != p->domain) {
        put_below_parent(p);
    }
    if (!parse_action(seg[n - 1], &p->action))
        return invalid(e, text, "the last part is not CREATE, READ, UPDATE, DELETE or *");
    return 0;
}

int permission_parse(struct slice text, permission_lookup lookup, void *data, struct permission *out, struct err *e)
{
    struct permission p = { .id = PERMISSION_ANY, .sub_id = PERMISSION_ANY, .action = PERMISSION_EVERY_ACTION };
    struct slice seg[MAX_SEGMENTS];
    struct slice rest = text;
    unsigned n = 0;
    int rv;

    if (text.n == 0)
        return err_set(e, &ERR_PERMISSION_EMPTY, "");
    if (slice_is(text, "*") || slice_is(text, "**")) {
        p.domain = p.sub = text.n == 1 ? PERMISSION_STAR : PERMISSION_ALL;
        *out = p;
        return 0;
    }
    for (bool more = true; more; n++) {
        if (n == MAX_SEGMENTS)
            return invalid(e, text, "it has more than five parts");
        more = memchr(rest.s, ':', rest.n) != NULL;
        seg[n] = slice_cut(&rest, ':');
    }
    if (n < 2)
        return invalid(e, text, "the action is missing");
    rv = parse_segments(text, seg, n, lookup, data, &p, e);
    if (rv == 0)
        *out = p;
    return rv;
}

static void add_id(struct str *t, int64_t id)
{
    if (id < 0)
        str_add_c(t, id == PERMISSION_ANY ? '*' : '?');
    else
        str_add_i64(t, id);
    str_add_c(t, ':');
}

void permission_add(struct str *t, const struct permission *p)
{
    if (p->domain >= PERMISSION_N_DOMAINS) {
        str_add(t, p->domain == PERMISSION_STAR ? "*" : "**");
        return;
    }
    str_add(t, domains[p->domain].name);
    str_add_c(t, ':');
    add_id(t, p->id);
    if (p->sub != p->domain) {
        str_add(t, domains[p->sub].name);
        str_add_c(t, ':');
        add_id(t, p->sub_id);
    }
    str_add(t, actions[p->action]);
}

static bool covers(int64_t granted, int64_t wanted)
{
    return granted == PERMISSION_ANY || wanted == PERMISSION_SOME || granted == wanted;
}

bool permission_match(const struct permission *granted, const struct permission *wanted)
{
    if (granted->domain == PERMISSION_ALL)
        return true;
    if (granted->domain == PERMISSION_STAR)
        return wanted->domain != PERMISSION_ALL && wanted->sub == wanted->domain;
    return granted->domain == wanted->domain && granted->sub == wanted->sub &&
           (granted->action == PERMISSION_EVERY_ACTION || granted->action == wanted->action) && covers(granted->id, wanted->id) &&
           (granted->sub == granted->domain || covers(granted->sub_id, wanted->sub_id));
}

bool permission_allows(const struct permission *granted, unsigned n, const struct permission *wanted)
{
    for (unsigned i = 0; i < n; i++) {
        if (permission_match(&granted[i], wanted))
            return true;
    }
    return false;
}

bool permission_is_some(const struct permission *wanted)
{
    return wanted->id == PERMISSION_SOME || (wanted->sub != wanted->domain && wanted->sub_id == PERMISSION_SOME);
}
