/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/iam.h"

#include <string.h>

#include "conf/settings.h"
#include "conf/parameters.h"
#include "src/iam/addressrule.h"
#include "src/iam/authorization.h"
#include "src/iam/inside.h"
#include "src/iam/password.h"
#include "src/iam/user.h"

ERR_DEFINE(ERR_LOGIN_NEEDED, 3000, 401, ERR_FINAL,
           "This needs a login, or the session has ended: log in at the console, or send user name and password by HTTP Basic authentication.",
           "未登录或会话已失效，请登录控制台，或通过 HTTP Basic 认证提供用户名和密码。");
ERR_DEFINE(ERR_LOGIN_WRONG, 3004, 401, ERR_FINAL, "User name or password is wrong; {0} tries are left.", "用户名或密码错误，剩余重试次数：{0}。");
ERR_DEFINE(ERR_LOGIN_BLOCKED, 3007, 401, ERR_RETRY,
           "This user name is blocked after too many failed logins. Try again in {0} minutes.",
           "登录失败次数过多，该用户名已被锁定。请 {0} 分钟后重试。");
ERR_DEFINE(ERR_CLIENT_BLOCKED, 3014, 429, ERR_RETRY,
           "Your address is blocked after too many failed logins. Try again in {0} minutes.", "登录失败次数过多，您的 IP 地址已被限制，请 {0} 分钟后重试。");
ERR_DEFINE(ERR_ACCOUNT_DISABLED, 3001, 401, ERR_FINAL, "This account is disabled. Ask an administrator to enable it.",
           "账号已被禁用，请联系管理员启用。");
ERR_DEFINE(ERR_ACCOUNT_LOCKED, 3003, 401, ERR_FINAL, "This account is locked. Ask an administrator to unlock it.",
           "账号已被锁定，请联系管理员解锁。");
ERR_DEFINE(ERR_LOGIN_AWAY, 90310, 503, ERR_RETRY,
           "The login cannot be checked: {0} does not answer. Logins seen lately count for reading. Try again shortly.",
           "无法校验登录信息：{0} 无响应。最近登录过的用户可执行只读操作，请稍后重试。");
ERR_DEFINE(ERR_SIGNATURE, 90312, 401, ERR_FINAL,
           "The access key is unknown or disabled, or the signature does not fit the request: sign method, MD5 of the body, Content-Type, "
           "Date, Host, x-ocp-* headers and the path with its query exactly as they are sent.",
           "AccessKey 不存在、已禁用，或签名与请求不符：请按实际发送的内容对请求方法、请求体 MD5、Content-Type、Date、Host、x-ocp-* 请求头以及"
           "路径和查询参数进行签名。");
ERR_DEFINE(ERR_SIGNATURE_DATE, 90313, 401, ERR_FINAL,
           "A signed request needs a Date header such as Tue, 17 Jan 2023 09:13:57 GMT, less than 15 minutes away from this server's time.",
           "签名请求需携带 Date 请求头，例如 Tue, 17 Jan 2023 09:13:57 GMT，且与服务器时间相差小于 15 分钟。");
ERR_DEFINE(ERR_CSRF, 90311, 403, ERR_FINAL,
           "This change came without the CSRF token of its session: send the value of the cookie XSRF-TOKEN as header X-XSRF-TOKEN.",
           "该变更请求缺少会话的 CSRF 令牌，请将 Cookie XSRF-TOKEN 的值放入请求头 X-XSRF-TOKEN。");

const struct err_row *const iam_err_rows[] = {
    &ERR_LOGIN_NEEDED,       &ERR_LOGIN_WRONG,     &ERR_LOGIN_BLOCKED, &ERR_CLIENT_BLOCKED, &ERR_ACCOUNT_DISABLED, &ERR_ACCOUNT_LOCKED,
    &ERR_LOGIN_AWAY,         &ERR_SIGNATURE,       &ERR_SIGNATURE_DATE, &ERR_CSRF,          &ERR_PERMISSION_EMPTY,
    &ERR_PERMISSION_INVALID, &ERR_PASSWORD_FORMAT, NULL,
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
    if (m->conf.node == NULL)
        m->conf.node = "";
    rv = lockout_new(&m->lockout, e);
    if (rv != 0)
        goto free_iam;
    rv = login_cache_new(&m->cache, e);
    if (rv != 0)
        goto free_lockout;
    m->versions = (struct login_versions){ -1, -1 };
    rv = ratelimiter_new(&m->rates, e);
    if (rv != 0)
        goto free_cache;
    rv = keyed_init(&m->keyed, e);
    if (rv != 0)
        goto free_rates;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        rv = err_set(e, &ERR_NOMEM, "");
        goto fini_keyed;
    }
    *out = m;
    return 0;

fini_keyed:
    keyed_fini(&m->keyed);
free_rates:
    ratelimiter_free(m->rates);
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
    cidr_list_fini(&m->addresses);
    ratelimiter_free(m->rates);
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
    bool was = atomic_exchange(&m->away, away);

    if (away && !was)
        log_warn(m->conf.log, "MetaDB does not confirm logins -> those seen before count for reads");
    else if (!away && was)
        log_info(m->conf.log, "MetaDB confirms logins again");
}

int64_t iam_offline_ms(const struct iam *m)
{
    const struct settings *now = m->conf.settings != NULL ? settings_get(m->conf.settings) : NULL;
    int64_t ms = now != NULL ? now->iam.offline_reads_ms : LOGIN_KEEP_MS;

    settings_put(now);
    return ms;
}

const char *iam_agent(struct slice text, struct arena *arena)
{
    enum { MAX_AGENT = 255 };
    size_t n = 0, len;

    while (n < text.n && (len = str_utf8_length(text.s + n, text.n - n)) > 0 && n + len <= MAX_AGENT)
        n += len;
    return n > 0 ? arena_strndup(arena, text.s, n) : "";
}

int iam_event(const struct iam *m, const struct iam_request *rq, int64_t user_id, const char *username, int code, struct arena *arena,
              struct login_event *out, struct err *e)
{
    const char *agent = iam_agent(rq->user_agent, arena);
    char *client = arena_alloc(arena, ADDR_TEXT_SIZE);

    if (agent == NULL || client == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *out = (struct login_event){
        .user_id = user_id,
        .username = username,
        .client_ip = addr_text(&rq->client, client),
        .user_agent = agent,
        .method = rq->method != NULL ? rq->method : LOGIN_BY_BASIC,
        .succeeded = code == 0,
        .code = code,
        .node = m->conf.node,
    };
    return 0;
}

int iam_away(struct err *e)
{
    return err_set(e, &ERR_LOGIN_AWAY, "MetaDB");
}

int iam_asked(struct iam *m, int rv, struct err *e)
{
    if (rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || rv == ERR_BUSY.code)
        return rv;
    iam_set_away(m, rv != 0);
    return rv == 0 ? 0 : iam_away(e);
}

int iam_let_in_stale(struct iam *m, const struct iam_request *rq, struct principal *who, struct err *e)
{
    if (rq->changes)
        return iam_away(e);
    who->stale = true;
    pthread_mutex_lock(&m->lock);
    m->stats.stale++;
    pthread_mutex_unlock(&m->lock);
    return 0;
}

int iam_principal(const struct user *user, const struct addr *client, struct arena *arena, struct principal **out, struct err *e)
{
    struct principal *p = arena_zalloc(arena, sizeof *p);

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->user_id = user->id;
    p->name = user->username;
    p->credential_version = user->credential_version;
    p->must_change_password = user->must_change_password;
    p->client = *client;
    *out = p;
    return principal_grants(user, arena, &p->grants, &p->n_grants, e);
}

/* The header says more than a cookie, which browsers send by themselves. */
int iam_authenticate(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out, struct err *e)
{
    struct signature signature;
    int rv;

    if (signature_read(rq->authorization, &signature) != SIGNATURE_ABSENT)
        rv = iam_by_key(m, d, rq, arena, out, e);
    else if (rq->authorization.s != NULL)
        rv = iam_by_basic(m, d, rq, arena, out, e);
    else
        rv = iam_by_session(m, d, rq, arena, out, e);
    if (rv == 0 || rv == ERR_LOGIN_NEEDED.code)
        return rv;
    pthread_mutex_lock(&m->lock);
    m->stats.refused++;
    pthread_mutex_unlock(&m->lock);
    return rv;
}

/* ---- addresses and limits ---------------------------------------------------------------------------------------------- */

static int read_addresses(struct iam *m, struct db *d, struct err *e)
{
    struct cidr_list fresh = { NULL, 0 }, former;
    int rv = addressrule_networks(d, &fresh, e);

    if (rv != 0)
        return rv;
    pthread_mutex_lock(&m->lock);
    former = m->addresses;
    m->addresses = fresh;
    m->limited = fresh.n > 0;
    pthread_mutex_unlock(&m->lock);
    cidr_list_fini(&former);
    return 0;
}

static int read_rates(struct iam *m, struct db *d, struct err *e)
{
    struct ratelimit *limits;
    struct arena arena;
    size_t n;
    int rv;

    arena_init(&arena);
    rv = store_ratelimit_list(d, 0, &arena, &limits, &n, e);
    if (rv == 0)
        rv = ratelimiter_set(m->rates, limits, n, e);
    arena_fini(&arena);
    return rv;
}

int iam_refresh_rules(struct iam *m, struct db *d, struct err *e)
{
    int rv = read_addresses(m, d, e);

    return rv == 0 ? read_rates(m, d, e) : rv;
}

bool iam_lets_in(struct iam *m, const struct addr *client)
{
    bool yes;

    if (!m->limited || addr_is_loopback(client))
        return true;
    pthread_mutex_lock(&m->lock);
    yes = cidr_list_has(&m->addresses, client);
    pthread_mutex_unlock(&m->lock);
    return yes;
}

int iam_count_call(struct iam *m, const struct principal *who, struct rate_state *out, struct err *e)
{
    const struct parameters *p = m->conf.parameters;

    *out = (struct rate_state){ .limited = false };
    if (!parameter_bool(p, PARAM_OCP_IAM_RATE_LIMIT_ENABLED) || !parameter_bool(p, PARAM_OCP_IAM_RATE_LIMIT_ON_USER_ENABLED))
        return 0;
    return ratelimiter_count(m->rates, who->user_id, clock_wall_us(m->conf.clock), out, e);
}

/* Only the watch and the start come here; a change that fails to be read is read at the next look. */
static void follow_rules(struct iam *m, struct db *d, const struct login_versions *now)
{
    struct err e = { 0 };

    if (now->addresses == m->versions.addresses && now->rates == m->versions.rates)
        return;
    if (iam_refresh_rules(m, d, &e) == 0)
        m->versions = *now;
    else
        log_warn(m->conf.log, "rules about addresses and limits could not be read", LOG_E(&e));
}

static void agree(struct iam *m, struct db *d)
{
    int64_t period_ms = parameter_int(m->conf.parameters, PARAM_OCP_IAM_RATE_LIMIT_TASK_SCHEDULE_PERIOD) * 1000;
    int64_t former = fiber_narrow_deadline(WATCH_ASK_MS);
    struct err e = { 0 };

    if (iam_now_ms(m) - m->agreed_ms >= period_ms) {
        m->agreed_ms = iam_now_ms(m);
        if (ratelimiter_agree(m->rates, d, m->conf.node, clock_wall_us(m->conf.clock), &e) != 0)
            log_debug(m->conf.log, "the nodes could not agree on calls", LOG_E(&e));
    }
    fiber_restore_deadline(former);
}

/* One question about everything that is remembered. */
static void confirm(struct iam *m, struct db *d, struct login_state *states)
{
    int64_t asked_ms = iam_now_ms(m), offline_ms = iam_offline_ms(m);
    struct login_versions versions = m->versions;
    struct err e = { 0 };
    int64_t former;
    unsigned n;
    int rv;

    pthread_mutex_lock(&m->lock);
    n = login_cache_list(m->cache, asked_ms, offline_ms > LOGIN_KEEP_MS ? offline_ms : LOGIN_KEEP_MS, states);
    m->stats.logins = n;
    pthread_mutex_unlock(&m->lock);
    former = fiber_narrow_deadline(WATCH_ASK_MS);
    rv = m->conf.source->states(d, states, n, &versions, &e);
    fiber_restore_deadline(former);
    if (rv == ERR_CANCELLED.code)
        return;
    iam_set_away(m, rv != 0);
    if (rv != 0) {
        log_debug(m->conf.log, "asking MetaDB about logins failed", LOG_E(&e));
        return;
    }
    pthread_mutex_lock(&m->lock);
    login_cache_confirm(m->cache, states, n, asked_ms);
    pthread_mutex_unlock(&m->lock);
    follow_rules(m, d, &versions);
}

void iam_watch(struct iam *m, struct db *d)
{
    struct login_state *states = mem_array(LOGIN_CACHE_SIZE, sizeof *states);
    struct err e = { 0 };

    if (states == NULL)
        log_error(m->conf.log, "no memory to watch logins: each asks MetaDB by itself");
    while (states != NULL && fiber_sleep(WATCH_MS, &e) == 0) {
        confirm(m, d, states);
        iam_note_use(m, d);
        agree(m, d);
    }
    mem_free(states);
}

void iam_forget(struct iam *m, int64_t user_id)
{
    pthread_mutex_lock(&m->lock);
    login_cache_forget(m->cache, user_id);
    pthread_mutex_unlock(&m->lock);
}

void iam_forget_key(struct iam *m, int64_t key_id)
{
    pthread_mutex_lock(&m->lock);
    login_cache_forget_object(m->cache, LOGIN_KEY, key_id);
    pthread_mutex_unlock(&m->lock);
}

void iam_use_vault(struct iam *m, const struct vault *vault)
{
    m->vault = vault;
}

static int tx_unlock(struct tx *tx, void *data, struct err *e)
{
    return store_login_failures_forget(tx, data, e);
}

int iam_unlock(struct iam *m, struct db *d, const char *username, struct err *e)
{
    const struct addr nobody = { .known = false };
    int rv = db_transact(d, tx_unlock, (void *)(uintptr_t)username, e);

    if (rv == 0)
        lockout_learn(m->lockout, LOGIN_FAILURE_USER, (struct slice){ username, strlen(username) }, &nobody, 0, iam_now_ms(m));
    return rv;
}

struct iam_stats iam_stats(struct iam *m)
{
    struct iam_stats stats;

    pthread_mutex_lock(&m->lock);
    stats = m->stats;
    pthread_mutex_unlock(&m->lock);
    stats.away = m->away;
    return stats;
}
