/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/addressrule.h"

#include <string.h>

ERR_DEFINE(ERR_ADDRESS_DENIED, 90316, 403, ERR_FINAL,
           "The address {0} may not come in: no rule of the address allow-list has it. Ask an administrator.",
           "地址 {0} 不在访问白名单中，请联系管理员。");
ERR_DEFINE(ERR_ADDRESS_LOCKOUT, 90317, 400, ERR_FINAL,
           "This change would shut out your own address {0}. First add a rule that has it.", "该变更会导致您当前的地址 {0} 无法访问，请先添加包含该地址的规则。");
ERR_DEFINE(ERR_ADDRESS_LIMIT, 90318, 400, ERR_FINAL, "There may be {0} address rules. Delete one, or join several networks in one.",
           "地址规则最多 {0} 条，请删除或合并已有规则。");

const struct err_row *const addressrule_err_rows[] = { &ERR_ADDRESS_DENIED, &ERR_ADDRESS_LOCKOUT, &ERR_ADDRESS_LIMIT, NULL };

static bool parse(const char *network, struct cidr *out)
{
    return cidr_parse((struct slice){ network, strlen(network) }, out);
}

const char *addressrule_problem(const char *network)
{
    struct cidr c;

    return parse(network, &c) ? NULL : "must be a network such as 10.0.0.0/8 or 2001:db8::/32, or one address";
}

/* Who makes the change must get in afterwards. */
static int accept_client(const struct addressrule *rules, size_t n, void *data, struct err *e)
{
    const struct addr *client = data;
    char text[ADDR_TEXT_SIZE];
    bool limited = false;
    struct cidr c;

    if (n > ADDRESSRULE_MAX)
        return err_set(e, &ERR_ADDRESS_LIMIT, "%d", ADDRESSRULE_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!rules[i].enabled)
            continue;
        limited = true;
        if (parse(rules[i].network, &c) && cidr_has(&c, client))
            return 0;
    }
    return !limited || addr_is_loopback(client) ? 0 : err_set(e, &ERR_ADDRESS_LOCKOUT, "%s", addr_text(client, text));
}

static int write_rule(struct db *d, enum addressrule_write what, const struct addr *client, const struct addressrule *rule, struct err *e)
{
    struct addr copy = *client;

    return store_addressrule_write(d, what, rule, accept_client, &copy, e);
}

int addressrule_create(struct db *d, const struct addr *client, struct addressrule *rule, struct err *e)
{
    int rv = db_next_id(d, &rule->id, e);

    return rv == 0 ? write_rule(d, ADDRESSRULE_INSERT, client, rule, e) : rv;
}

int addressrule_update(struct db *d, const struct addr *client, const struct addressrule *rule, struct err *e)
{
    return write_rule(d, ADDRESSRULE_UPDATE, client, rule, e);
}

int addressrule_delete(struct db *d, const struct addr *client, const struct addressrule *rule, struct err *e)
{
    return write_rule(d, ADDRESSRULE_DELETE, client, rule, e);
}

int addressrule_networks(struct db *d, struct cidr_list *out, struct err *e)
{
    struct addressrule *rules;
    struct arena arena;
    struct str text;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    rv = store_addressrule_list(d, &arena, &rules, &n, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (rules[i].enabled)
            str_printf(&text, "%s ", rules[i].network);
    if (rv == 0 && str_failed(&text))
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = cidr_list_parse((struct slice){ str_c(&text), text.n }, out, e);
    arena_fini(&arena);
    return rv;
}
