/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/inside.h"

#include <string.h>

#include "src/oceanbase/probe.h"

ERR_DEFINE(ERR_OBCLUSTER_STATE, 11007, 409, ERR_FINAL, "The cluster {0} is {1}: {2} is not possible now.", "集群 {0} 当前状态为 {1}，无法执行：{2}。");
ERR_DEFINE(ERR_OBCLUSTER_OLD_PASSWORD, 11011, 400, ERR_FINAL, "The old password is wrong.", "旧密码错误。");
ERR_DEFINE(ERR_OBCLUSTER_NAME_TAKEN, 11014, 409, ERR_FINAL, "Another cluster has the name {0} already. Give one in clusterName.",
           "集群名称 {0} 已被占用，请通过 clusterName 指定其他名称。");
ERR_DEFINE(ERR_OBCLUSTER_TASK, 11020, 409, ERR_FINAL, "The cluster {0} has a task that is not finished: {1}.", "集群 {0} 存在未完成的任务：{1}。");
ERR_DEFINE(ERR_OBCLUSTER_NEW_PASSWORD, 11029, 400, ERR_FINAL, "The new password cannot be used: {0}.", "新密码不可用：{0}。");
ERR_DEFINE(ERR_OBCLUSTER_NAME, 11038, 400, ERR_FINAL,
           "{0} cannot be the name of a cluster: a letter, then letters, digits and underscores, 2 to 48 characters.",
           "集群名称 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 48 个字符。");
ERR_DEFINE(ERR_OBCLUSTER_MODE, 11040, 400, ERR_FINAL, "connectionMode must be direct or proxy, not {0}.", "connectionMode 只能为 direct 或 proxy，不支持 {0}。");
ERR_DEFINE(ERR_OBCLUSTER_PROXY_NAME, 11041, 400, ERR_FINAL, "connectionMode proxy needs clusterName.", "以 proxy 方式连接时必须提供 clusterName。");
ERR_DEFINE(ERR_TAKE_OVER_AWAY, 11042, 400, ERR_RETRY, "{0} does not answer: {1}. Check address and port, and that the server runs and lets this host in.",
           "{0} 无响应：{1}。请检查地址和端口，并确认服务正在运行且允许本机访问。");
ERR_DEFINE(ERR_TAKE_OVER_DENIED, 11042, 400, ERR_FINAL,
           "{0} refuses the user {1}: the password is wrong, or this host may not log in, or it is no OceanBase.",
           "{0} 拒绝用户 {1} 登录：密码错误、本机无登录权限，或者它不是 OceanBase。");
ERR_DEFINE(ERR_TAKE_OVER_OTHER, 11006, 404, ERR_FINAL, "The cluster at {0} has the number {2}, not {1}. Correct obClusterId or the address.",
           "{0} 上的集群编号为 {2}，而不是 {1}。请更正 obClusterId 或地址。");
ERR_DEFINE(ERR_TAKE_OVER_SERVERS, 11050, 409, ERR_FINAL,
           "Not all servers of the cluster are there: {0}. Start them, or delete them from the cluster, then try again.",
           "集群中存在异常的 OBServer：{0}。请先启动或从集群中删除，然后重试。");
ERR_DEFINE(ERR_OBCLUSTER_SCOPE, 11057, 400, ERR_FINAL, "The parameter {0} cannot be set there: {1}.", "参数 {0} 不能在该范围内设置：{1}。");
ERR_DEFINE(ERR_OBCLUSTER_READ_ONLY, 11058, 400, ERR_FINAL, "The parameter {0} cannot be changed.", "参数 {0} 不可修改。");

const struct err_row *const obcluster_err_rows[] = {
    &ERR_OBCLUSTER_STATE,  &ERR_OBCLUSTER_OLD_PASSWORD, &ERR_OBCLUSTER_NAME_TAKEN, &ERR_OBCLUSTER_TASK,
    &ERR_OBCLUSTER_NEW_PASSWORD, &ERR_OBCLUSTER_NAME, &ERR_OBCLUSTER_MODE, &ERR_OBCLUSTER_PROXY_NAME,
    &ERR_TAKE_OVER_AWAY,   &ERR_TAKE_OVER_DENIED,       &ERR_TAKE_OVER_OTHER,    &ERR_TAKE_OVER_SERVERS,
    &ERR_OBCLUSTER_SCOPE,  &ERR_OBCLUSTER_READ_ONLY,
    NULL,
};

int obclusters_new(const struct obclusters_conf *conf, struct obclusters **out, struct err *e)
{
    struct obclusters *o = mem_zalloc(sizeof *o);

    if (o == NULL)
        return err_set(e, &ERR_NOMEM, "");
    o->conf = *conf;
    o->log = *conf->log;
    (void)pthread_mutex_init(&o->lock, NULL); /* default attributes: cannot fail on Linux */
    *out = o;
    return 0;
}

void obclusters_free(struct obclusters *o)
{
    if (o == NULL)
        return;
    endpoints_forget(o);
    (void)pthread_mutex_destroy(&o->lock);
    mem_free(o);
}

const struct obclusters_conf *obclusters_conf(const struct obclusters *o)
{
    return &o->conf;
}

struct vault_place obcluster_place(int64_t id)
{
    return (struct vault_place){ "obcluster", id, "password" };
}

struct vault_place obcluster_monitor_place(int64_t id)
{
    return (struct vault_place){ "obcluster", id, "monitor" };
}

struct vault_place obcluster_proxyro_place(int64_t id)
{
    return (struct vault_place){ "obcluster", id, "proxyro" };
}

int64_t obclusters_interval_ms(struct obclusters *o)
{
    const struct settings *now = settings_get(o->conf.settings);
    int64_t ms = now->refresh.interval_ms;

    settings_put(now);
    return ms;
}

bool obcluster_is_one_server(const struct obcluster *c)
{
    return strcmp(c->engine, ob_engine_names[OB_ENGINE_SEEKDB]) == 0;
}

int obcluster_require_running(const struct obcluster *c, const char *what, struct err *e)
{
    if (c->status == OBCLUSTER_RUNNING)
        return 0;
    (void)err_set(e, &ERR_OBCLUSTER_STATE, "%s", c->name);
    (void)err_arg(e, "%s", obcluster_status_names[c->status]);
    return err_arg(e, "%s", what);
}
