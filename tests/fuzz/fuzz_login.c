/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds the value of an Authorization header, and the same bytes as a permission expression. */
#include <stdlib.h>
#include <string.h>

#include "src/iam/authorization.h"
#include "src/iam/permission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

static void check_login(struct slice text)
{
    struct basic_login login;

    if (basic_read(text, &login) != BASIC_OK)
        return;
    MUST(login.user.n > 0 && login.user.n <= BASIC_MAX_NAME);
    MUST(login.user.s == login.bytes && login.password.s == login.user.s + login.user.n + 1);
    MUST(login.password.s + login.password.n <= login.bytes + sizeof login.bytes);
    MUST(memchr(login.user.s, ':', login.user.n) == NULL);
    for (size_t i = 0; i < login.user.n + 1 + login.password.n; i++)
        MUST((unsigned char)login.bytes[i] >= 0x20 && login.bytes[i] != 0x7f);
}

static bool look_up(void *data, struct slice name, int64_t *id)
{
    (void)data;
    *id = (int64_t)name.n;
    return name.n < 8;
}

/* What is read is written so that it reads the same, allows itself, and is allowed by everything. */
static void check_permission(struct slice text)
{
    static const struct permission all = { .domain = PERMISSION_ALL, .sub = PERMISSION_ALL };
    struct permission p, again;
    struct err e;
    struct str t;

    if (permission_parse(text, look_up, NULL, &p, &e) != 0)
        return;
    str_init(&t, NULL);
    permission_add(&t, &p);
    MUST(permission_parse((struct slice){ t.s, t.n }, NULL, NULL, &again, &e) == 0);
    MUST(p.domain == again.domain && p.sub == again.sub && p.action == again.action && p.id == again.id && p.sub_id == again.sub_id);
    MUST(permission_match(&p, &p) && permission_match(&all, &p) && !permission_is_some(&p));
    MUST(permission_match(&p, &all) == (p.domain == PERMISSION_ALL));
    str_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1); /* no more, so that reading beyond it is noticed */

    MUST(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    check_login((struct slice){ copy, size });
    check_permission((struct slice){ copy, size });
    free(copy);
    return 0;
}
