/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/iam.h"

#include <string.h>

#include "src/iam/inside.h"
#include "src/iam/password.h"
#include "src/iam/user.h"

ERR_DEFINE(ERR_LOGIN_NEEDED, 3000, 401, ERR_FINAL,
           "This needs a login: send user name and password by HTTP Basic authentication.", "未登录，请通过 HTTP Basic 认证提供用户名和密码。");
ERR_DEFINE(ERR_LOGIN_WRONG, 3004, 401, ERR_FINAL, "User name or password is wrong; {0} tries are left.", "用户名或密码错误，剩余重试次数：{0}。");
ERR_DEFINE(ERR_LOGIN_BLOCKED, 3007, 401, ERR_RETRY,
           "This user name is blocked after too many failed logins. Try again in {0} minutes.",
           "登录失败次数过多，该用户名已被锁定。请 {0} 分钟后重试。");
ERR_DEFINE(ERR_CLIENT_BLOCKED, 3014, 429, ERR_RETRY,
           "Your address is blocked after too many failed logins. Try again in {0} minutes.", "登录失败次数过多，您的 IP 地址已被限制，请 {0} 分钟后重试。");
ERR_DEFINE(ERR_ACCOUNT_DISABLED, 3001, 401, ERR_FINAL, "This account is disabled. Ask an administrator to enable it.",
           "账号已被禁用，请联系管理员启用。");
ERR_DEFINE(ERR_LOGIN_AWAY, 90310, 503, ERR_RETRY,
           "The login cannot be checked: {0} does not answer. Logins seen before count for reading, for 15 minutes. Try again shortly.",
           "无法校验登录信息：{0} 无响应。此前已登录的用户可在 15 分钟内执行只读操作，请稍后重试。");

const struct err_row *const iam_err_rows[] = {
    &ERR_LOGIN_NEEDED,    &ERR_LOGIN_WRONG,     &ERR_LOGIN_BLOCKED,      &ERR_CLIENT_BLOCKED,  &ERR_ACCOUNT_DISABLED,
    &ERR_LOGIN_AWAY,      &ERR_PERMISSION_EMPTY, &ERR_PERMISSION_INVALID, &ERR_PASSWORD_FORMAT, NULL,
};

enum { WATCH_MS = 1000, WATCH_ASK_MS = 1500 };

int iam_new(const struct iam_conf *conf, struct iam **out, struct err *e)
{
    struct iam *m = mem_zalloc(sizeof *m);
    int rv;

    if (m == NULL)
        return err_set(e, &ERR_NOMEM, "");
    m->conf = *conf;
    if (m->conf.source == NULL)
        m->conf.source = &iam_from_metadb;
    rv = lockout_new(&m->lockout, e);
    if (rv != 0)
        goto free_iam;
    rv = login_cache_new(&m->cache, e);
    if (rv != 0)
        goto free_lockout;
    rv = keyed_init(&m->keyed, e);
    if (rv != 0)
        goto free_cache;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        rv = err_set(e, &ERR_NOMEM, "");
        goto fini_keyed;
    }
    *out = m;
    return 0;

fini_keyed:
    keyed_fini(&m->keyed);
free_cache:
    login_cache_free(m->cache);
free_lockout:
    lockout_free(m->lockout);
free_iam:
    mem_free(m);
    return rv;
}

void iam_free(struct iam *m)
{
    if (m == NULL)
        return;
    pthread_mutex_destroy(&m->lock);
    keyed_fini(&m->keyed);
    login_cache_free(m->cache);
    lockout_free(m->lockout);
    mem_free(m);
}

int64_t iam_now_ms(const struct iam *m)
{
    return clock_now_ms(m->conf.clock);
}

void iam_set_away(struct iam *m, bool away)
{
    bool was;

    pthread_mutex_lock(&m->lock);
    was = m->stats.away;
    m->stats.away = away;
    pthread_mutex_unlock(&m->lock);
    if (away && !was)
        log_warn(m->conf.log, "MetaDB does not confirm logins -> those seen before count for reads");
    else if (!away && was)
        log_info(m->conf.log, "MetaDB confirms logins again");
}

/* One question about all remembered users. */
static void confirm_users(struct iam *m, struct db *d, int64_t *ids, int64_t *versions)
{
    int64_t asked_ms = iam_now_ms(m);
    struct err e = { 0 };
    unsigned n;
    int rv = 0;

    pthread_mutex_lock(&m->lock);
    n = login_cache_users(m->cache, asked_ms, ids);
    m->stats.users = n;
    pthread_mutex_unlock(&m->lock);
    if (n > 0) {
        int64_t former = fiber_narrow_deadline(WATCH_ASK_MS);

        rv = m->conf.source->versions(d, ids, n, versions, &e);
        fiber_restore_deadline(former);
    }
    if (rv == ERR_CANCELLED.code)
        return;
    iam_set_away(m, rv != 0);
    if (rv != 0) {
        log_debug(m->conf.log, "asking MetaDB about users failed", LOG_E(&e));
        return;
    }
    pthread_mutex_lock(&m->lock);
    login_cache_confirm(m->cache, ids, versions, n, asked_ms);
    pthread_mutex_unlock(&m->lock);
}

void iam_watch(struct iam *m, struct db *d)
{
    int64_t *ids = mem_array(2 * LOGIN_CACHE_USERS, sizeof *ids);
    struct err e = { 0 };

    if (ids == NULL)
        log_error(m->conf.log, "no memory to watch users: each login asks MetaDB by itself");
    while (ids != NULL && fiber_sleep(WATCH_MS, &e) == 0)
        confirm_users(m, d, ids, ids + LOGIN_CACHE_USERS);
    mem_free(ids);
}

void iam_forget(struct iam *m, int64_t user_id)
{
    pthread_mutex_lock(&m->lock);
    login_cache_forget(m->cache, user_id);
    pthread_mutex_unlock(&m->lock);
}

void iam_unlock(struct iam *m, const char *username)
{
    lockout_forget_user(m->lockout, (struct slice){ username, strlen(username) });
}

struct iam_stats iam_stats(struct iam *m)
{
    struct lockout_stats failures = lockout_stats(m->lockout);
    struct iam_stats stats;

    pthread_mutex_lock(&m->lock);
    stats = m->stats;
    pthread_mutex_unlock(&m->lock);
    stats.failures = failures.failures;
    stats.blocked_users = failures.blocks[LOCKOUT_USER];
    stats.blocked_clients = failures.blocks[LOCKOUT_CLIENT];
    return stats;
}
