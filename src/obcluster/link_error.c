/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a session to a managed cluster, in words that name the cluster and say what to do. */
#include <stdio.h>

#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"

ERR_DEFINE(ERR_OBCLUSTER_PASSWORD, 11100, 409, ERR_FINAL,
           "The cluster {0} refuses the password kept here for its user {1}: it was changed elsewhere. Give the present one with "
           "POST /api/v2/ob/clusters/{2}/changePassword as newPassword, or as oldPassword to set another.",
           "集群 {0} 拒绝使用此处保存的用户 {1} 的密码：密码已在其他地方修改。请调用 POST /api/v2/ob/clusters/{2}/changePassword，"
           "以 newPassword 提供当前密码，或以 oldPassword 提供当前密码并设置新密码。");
ERR_DEFINE(ERR_OBCLUSTER_AWAY, 11101, 503, ERR_RETRY, "The cluster {0} cannot be reached: {1}. Nothing was changed; try again when it runs.",
           "无法连接集群 {0}：{1}。未发生任何变更，请在集群恢复运行后重试。");
ERR_DEFINE(ERR_OBCLUSTER_TIMEOUT, 11102, 504, ERR_RETRY,
           "The cluster {0} took the request but did not answer within {1} seconds: it hangs or is overloaded.",
           "集群 {0} 已接收请求，但在 {1} 秒内未应答：集群可能无响应或负载过高。");
ERR_DEFINE(ERR_OBCLUSTER_UNKNOWN, 90501, 504, ERR_UNKNOWN,
           "The cluster {0} was lost while a change was under way ({1}). It may have been made: look before repeating it.",
           "变更执行期间与集群 {0} 的连接中断（{1}）。变更可能已经生效，重试前请先确认。");
ERR_DEFINE(ERR_OBCLUSTER_REFUSED, 11080, 400, ERR_FINAL, "The cluster {0} refuses: {1}.", "集群 {0} 拒绝执行：{1}。");

const struct err_row *const link_err_rows[] = {
    &ERR_OBCLUSTER_AWAY, &ERR_OBCLUSTER_PASSWORD, &ERR_OBCLUSTER_TIMEOUT, &ERR_OBCLUSTER_UNKNOWN, &ERR_OBCLUSTER_REFUSED,
    &ERR_OBTENANT_GONE, &ERR_OBTENANT_CLOSED, &ERR_OBTENANT_PASSWORD, NULL,
};

static int word(struct err *e, const struct err_row *row, const char *name, const char *reason)
{
    int number = e->lib_code;
    char kept[ERR_ARG_SIZE];

    (void)snprintf(kept, sizeof kept, "%s", reason);
    (void)err_set(e, row, "%s", name);
    e->lib_code = number;
    return err_arg(e, "%s", kept);
}

int link_word_connect(struct err *e, const struct obcluster *c)
{
    if (err_is(e, &ERR_SQL_DENIED)) {
        (void)word(e, &ERR_OBCLUSTER_PASSWORD, c->name, c->username);
        return err_arg(e, "%lld", (long long)c->id);
    }
    if (err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_RETRY) || err_is(e, &ERR_SQL_READONLY) ||
        err_is(e, &ERR_IO))
        return word(e, &ERR_OBCLUSTER_AWAY, c->name, e->row == &ERR_IO ? e->arg[0] : e->arg[1]);
    if (err_is(e, &ERR_TIMEOUT))
        return word(e, &ERR_OBCLUSTER_AWAY, c->name, "it accepts no login in time");
    return e->row->code;
}

int link_word_use(struct err *e, const char *name)
{
    char seconds[24];

    (void)snprintf(seconds, sizeof seconds, "%d", LINK_TIMEOUT_MS / 1000);
    if (err_is(e, &ERR_SQL_LOST))
        return word(e, &ERR_OBCLUSTER_AWAY, name, e->arg[1]);
    if (err_is(e, &ERR_TIMEOUT))
        return word(e, &ERR_OBCLUSTER_TIMEOUT, name, seconds);
    if (err_is(e, &ERR_SQL_UNKNOWN))
        return word(e, &ERR_OBCLUSTER_UNKNOWN, name, e->arg[1]);
    if (err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_RETRY) || err_is(e, &ERR_SQL_READONLY) || err_is(e, &ERR_SQL_DENIED) ||
        err_is(e, &ERR_SQL_DUPLICATE))
        return word(e, &ERR_OBCLUSTER_REFUSED, name, e->arg[1]);
    return e->row->code;
}
