/* SPDX-License-Identifier: Apache-2.0 */
#include "src/proto/agent.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/num.h"

ERR_DEFINE(ERR_AGENT_INCARNATION, 90851, 409, ERR_FINAL,
           "The agent was installed anew since: {0} was meant, {1} answers. Ask it afresh, and look at the host before repeating the operation.",
           "代理已重新安装：期望实例 {0}，实际为 {1}。请重新查询，并在重试前检查主机状态。");
ERR_DEFINE(ERR_AGENT_EPOCH, 90852, 409, ERR_RETRY, "The agent has seen a newer leader: epoch {0} is below {1}. If no node leads with that one, its files were altered: install the agent anew.",
           "代理已见过更新的主节点：epoch {0} 低于 {1}。若没有节点以该 epoch 主持，说明其文件被改动，请重新安装代理。");
ERR_DEFINE(ERR_AGENT_EPOCH_WILD, 90853, 400, ERR_FINAL, "Epoch {0} is not one that a cluster reaches; the agent did not follow it. Restore the row leader_epoch of MetaDB from a backup.",
           "epoch {0} 超出合理范围，代理未接受。请从备份恢复 MetaDB 的 leader_epoch 行。");
ERR_DEFINE(ERR_AGENT_DISPATCH, 90854, 409, ERR_FINAL, "The step was dispatched again: dispatch {0} is older than {1}.",
           "该步骤已重新分派：分派号 {0} 早于 {1}。");
ERR_DEFINE(ERR_AGENT_LATE, 90855, 409, ERR_RETRY, "The command was not started: {0}.", "命令未启动：{0}。");
ERR_DEFINE(ERR_AGENT_ALTERED, 90856, 409, ERR_FINAL, "Command {0} is known to the agent with another content.",
           "代理已记录命令 {0}，但内容不同。");
ERR_DEFINE(ERR_AGENT_BURIED, 90857, 409, ERR_FINAL, "Command {0} comes after it was asked for in vain; the agent does not start it any more.",
           "命令 {0} 在被查询未果之后才到达，代理不再执行。");
ERR_DEFINE(ERR_AGENT_FORGOTTEN, 90858, 409, ERR_FINAL, "The result of command {0} was acknowledged and is not kept any more.",
           "命令 {0} 的结果已被确认并清除。");
ERR_DEFINE(ERR_AGENT_OTHER, 90859, 403, ERR_FINAL, "This agent belongs to OCP cluster {0}. Delete the host there first.",
           "该代理属于 OCP 集群 {0}，请先在该集群中删除主机。");
ERR_DEFINE(ERR_AGENT_KIND, 90860, 400, ERR_FINAL, "The agent does not know the command {0}. Upgrade the agent of this host.",
           "代理不支持命令 {0}，请升级该主机的代理。");
ERR_DEFINE(ERR_AGENT_FULL, 90861, 507, ERR_RETRY, "The agent's {0} is full (limit {1}). Make room on the host, or finish running tasks first.",
           "代理的 {0} 已满（上限 {1}），请先释放空间或等待任务结束。");
ERR_DEFINE(ERR_AGENT_PATH, 90862, 400, ERR_FINAL, "The path {0} may not be used: {1}.", "不允许使用路径 {0}：{1}。");
ERR_DEFINE(ERR_AGENT_FILE, 90863, 500, ERR_FINAL, "{0}: {1}. Correct this on the host, then retry.", "{0}：{1}。请在主机上处理后重试。");
ERR_DEFINE(ERR_AGENT_NOT_EMPTY, 90864, 409, ERR_FINAL,
           "The directory {0} is not empty and is not ours. Choose another one, or empty it on the host.",
           "目录 {0} 非空且不属于本操作，请更换目录或在主机上清空。");
ERR_DEFINE(ERR_AGENT_BLOB, 90865, 409, ERR_RETRY, "Package content {0}: {1}. Push it again.", "软件包内容 {0}：{1}，请重新推送。");
ERR_DEFINE(ERR_AGENT_PACKAGE, 90866, 400, ERR_FINAL, "The package {0} cannot be extracted: {1}.", "无法解压软件包 {0}：{1}。");
ERR_DEFINE(ERR_AGENT_PROCESS, 90867, 500, ERR_FINAL, "{0}: {1}. Its log on the host says more.", "{0}：{1}。详情请查看主机上的日志。");
ERR_DEFINE(ERR_AGENT_SCRIPT, 90868, 500, ERR_FINAL, "The script {0} failed: {1}. Its output is in the log of the step.",
           "脚本 {0} 执行失败：{1}，输出见步骤日志。");
ERR_DEFINE(ERR_AGENT_STOPPED, 90869, 409, ERR_FINAL, "Command {0} was ended before it was done.", "命令 {0} 在完成前被终止。");
ERR_DEFINE(ERR_AGENT_UPGRADE, 90870, 500, ERR_FINAL, "The agent stays as it was; version {0} was given up: {1}.",
           "代理保持原版本；版本 {0} 已放弃：{1}。");
ERR_DEFINE(ERR_AGENT_UNKNOWN, 90871, 500, ERR_UNKNOWN,
           "The agent or the host ended in the midst of command {0}: it may or may not have taken effect. Look at the host, then retry or skip the step.",
           "执行命令 {0} 期间代理或主机中断，是否生效未知。请检查主机后重试或跳过该步骤。");

const struct err_row *const agent_err_rows[] = {
    &ERR_AGENT_INCARNATION, &ERR_AGENT_EPOCH, &ERR_AGENT_EPOCH_WILD, &ERR_AGENT_DISPATCH, &ERR_AGENT_LATE, &ERR_AGENT_ALTERED,
    &ERR_AGENT_BURIED, &ERR_AGENT_FORGOTTEN, &ERR_AGENT_OTHER, &ERR_AGENT_KIND, &ERR_AGENT_FULL, &ERR_AGENT_PATH, &ERR_AGENT_FILE,
    &ERR_AGENT_NOT_EMPTY, &ERR_AGENT_BLOB, &ERR_AGENT_PACKAGE, &ERR_AGENT_PROCESS, &ERR_AGENT_SCRIPT, &ERR_AGENT_STOPPED,
    &ERR_AGENT_UPGRADE, &ERR_AGENT_UNKNOWN, NULL,
};

const char *const agent_state_names[] = { "NEVER_HEARD", "RUNNING", "DONE", "UNKNOWN", "FORGOTTEN", NULL };

enum { HEX_ID = AGENT_ID_SIZE - 1, TIMEOUT_MAX_MS = 24 * 3600 * 1000, WAIT_MAX_MS = 60 * 1000, PEM_MAX = 16 * 1024 };

static const char *check_id(const char *s)
{
    return strlen(s) == HEX_ID && strspn(s, "0123456789abcdef") == HEX_ID ? NULL : "must be 32 lower-case hex digits";
}

#define ID(S, M, NAME, ...) F_STRING(S, M, NAME, .check = check_id, ##__VA_ARGS__)
#define COUNT(S, M, NAME) F_INT(S, M, NAME, .flags = FIELD_REQUIRED, .min = 0, .max = INT64_MAX)
#define WAIT(S, M) F_INT(S, M, "waitMs", .def = "0", .min = 0, .max = WAIT_MAX_MS)

const struct field agent_key_fields[] = {
    ID(agent_key, ocp_id, "ocpId", .flags = FIELD_REQUIRED), ID(agent_key, lineage, "lineage", .flags = FIELD_REQUIRED),
    COUNT(agent_key, task, "task"), COUNT(agent_key, step, "step"), COUNT(agent_key, dispatch, "dispatch"), COUNT(agent_key, seq, "seq"),
    FIELD_END,
};
const struct field agent_hello_ask_fields[] = { COUNT(agent_hello_ask, epoch, "epoch"), FIELD_END };
const struct field agent_hello_fields[] = {
    ID(agent_hello, incarnation, "incarnation", .flags = FIELD_REQUIRED), ID(agent_hello, boot, "boot", .flags = FIELD_REQUIRED),
    F_STRING(agent_hello, version, "version"), F_STRING(agent_hello, ocp_id, "ocpId"), F_INT(agent_hello, host_id, "hostId"),
    COUNT(agent_hello, clock_ms, "clockMs"), F_INT(agent_hello, wall_us, "wallUs"), F_INT(agent_hello, epoch, "epoch"),
    F_STRINGS(agent_hello, roots, "roots"), F_STRINGS(agent_hello, kinds, "kinds"), FIELD_END,
};
const struct field agent_call_fields[] = {
    F_OBJECT(agent_call, key, "key", agent_key, agent_key_fields, .flags = FIELD_REQUIRED),
    F_STRING(agent_call, digest, "digest", .flags = FIELD_REQUIRED, .min = 64, .max = 64),
    COUNT(agent_call, epoch, "epoch"),
    ID(agent_call, incarnation, "incarnation", .flags = FIELD_REQUIRED), ID(agent_call, boot, "boot", .flags = FIELD_REQUIRED),
    COUNT(agent_call, start_by, "startBy"),
    F_INT(agent_call, timeout_ms, "timeoutMs", .flags = FIELD_REQUIRED, .min = 1, .max = TIMEOUT_MAX_MS),
    WAIT(agent_call, wait_ms),
    F_STRING(agent_call, kind, "kind", .flags = FIELD_REQUIRED, .max = 32),
    F_JSON(agent_call, args, "args", .flags = FIELD_REQUIRED),
    FIELD_END,
};
const struct field agent_ask_fields[] = {
    ID(agent_ask, incarnation, "incarnation", .flags = FIELD_REQUIRED), COUNT(agent_ask, epoch, "epoch"), WAIT(agent_ask, wait_ms),
    F_LIST(agent_ask, keys, "keys", agent_key, agent_key_fields, .flags = FIELD_REQUIRED, .max = AGENT_KEYS_MAX), FIELD_END,
};
const struct field agent_fence_fields[] = {
    F_OBJECT(agent_fence, key, "key", agent_key, agent_key_fields, .flags = FIELD_REQUIRED),
    ID(agent_fence, incarnation, "incarnation", .flags = FIELD_REQUIRED), COUNT(agent_fence, epoch, "epoch"), FIELD_END,
};
const struct field agent_renewal_fields[] = {
    ID(agent_renewal, incarnation, "incarnation", .flags = FIELD_REQUIRED), COUNT(agent_renewal, epoch, "epoch"),
    F_STRING(agent_renewal, certificate, "certificate", .flags = FIELD_REQUIRED, .max = PEM_MAX),
    F_STRING(agent_renewal, key, "key", .flags = FIELD_REQUIRED, .max = PEM_MAX), FIELD_END,
};
const struct field agent_certificate_fields[] = {
    F_STRING(agent_certificate, serial, "serial", .flags = FIELD_REQUIRED), COUNT(agent_certificate, expires_us, "expiresUs"), FIELD_END,
};
const struct field agent_failure_fields[] = {
    F_INT(agent_failure, code, "code", .flags = FIELD_REQUIRED, .min = 1, .max = 99999),
    F_STRINGS(agent_failure, args, "args", .max = ERR_MAX_ARGS), FIELD_END,
};
const struct field agent_reply_fields[] = {
    F_OBJECT(agent_reply, key, "key", agent_key, agent_key_fields), F_STRING(agent_reply, digest, "digest", .max = 64),
    F_ENUM(agent_reply, state, "state", agent_state_names, .flags = FIELD_REQUIRED), F_STRING(agent_reply, kind, "kind", .max = 32),
    F_OBJECT(agent_reply, failure, "failure", agent_failure, agent_failure_fields), F_JSON(agent_reply, answer, "answer"),
    F_INT(agent_reply, output_bytes, "outputBytes", .def = "0", .min = 0, .max = INT64_MAX),
    F_BOOL(agent_reply, output_cut, "outputCut", .def = "false"),
    F_INT(agent_reply, pid, "pid"), F_INT(agent_reply, start_time, "startTime"), FIELD_END,
};
const struct field agent_replies_fields[] = {
    ID(agent_replies, incarnation, "incarnation", .flags = FIELD_REQUIRED),
    F_LIST(agent_replies, commands, "commands", agent_reply, agent_reply_fields), FIELD_END,
};
const struct field agent_blob_fields[] = {
    COUNT(agent_blob, size, "size"), F_BOOL(agent_blob, complete, "complete", .flags = FIELD_REQUIRED), FIELD_END,
};
const struct field agent_process_fields[] = {
    F_STRING(agent_process, name, "name"), F_STRING(agent_process, group, "group"), F_STRING(agent_process, state, "state"),
    F_STRING(agent_process, note, "note"), F_INT(agent_process, pid, "pid"), F_INT(agent_process, start_time, "startTime"),
    F_INT(agent_process, started_us, "startedUs"), F_INT(agent_process, restarts, "restarts"), F_INT(agent_process, port, "port"),
    F_INT(agent_process, rss_bytes, "rssBytes"), FIELD_END,
};
const struct field agent_status_fields[] = {
    F_STRING(agent_status, incarnation, "incarnation"), F_STRING(agent_status, version, "version"),
    F_STRINGS(agent_status, groups, "groups"), F_LIST(agent_status, processes, "processes", agent_process, agent_process_fields), FIELD_END,
};

const char *agent_key_text(const struct agent_key *k, char buf[AGENT_KEY_SIZE])
{
    (void)snprintf(buf, AGENT_KEY_SIZE, "%.32s.%.32s.%lld.%lld.%lld.%lld", k->ocp_id, k->lineage, (long long)k->task, (long long)k->step,
                   (long long)k->dispatch, (long long)k->seq);
    return buf;
}

bool agent_key_parse(struct slice text, struct arena *arena, struct agent_key *out)
{
    int64_t *const numbers[] = { &out->task, &out->step, &out->dispatch, &out->seq };
    struct slice part = slice_cut(&text, '.');

    out->ocp_id = arena_strndup(arena, part.s, part.n);
    part = slice_cut(&text, '.');
    out->lineage = arena_strndup(arena, part.s, part.n);
    if (out->ocp_id == NULL || out->lineage == NULL || check_id(out->ocp_id) != NULL || check_id(out->lineage) != NULL)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (!num_parse_i64_in(slice_cut(&text, '.'), 0, INT64_MAX, numbers[i]))
            return false;
    return text.n == 0;
}

const char *agent_uri(const char *ocp_id, int64_t host, char buf[AGENT_URI_SIZE])
{
    (void)snprintf(buf, AGENT_URI_SIZE, "ocp-agent:%.32s:%lld", ocp_id, (long long)host);
    return buf;
}

int agent_failure_of(const struct err *e, struct arena *arena, struct agent_failure *out, struct err *why)
{
    *out = (struct agent_failure){ .code = e->row->code, .args = { arena_array(arena, ERR_MAX_ARGS, sizeof(char *)), e->n_args } };
    if (out->args.items == NULL)
        return err_set(why, &ERR_NOMEM, "");
    for (unsigned i = 0; i < e->n_args; i++)
        out->args.items[i] = e->arg[i];
    return 0;
}

/* Those that an agent may answer with; the general ones besides its own. */
static const struct err_row *row_of(int64_t code)
{
    const struct err_row *const *const tables[] = { agent_err_rows, err_rows };

    for (unsigned t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct err_row *const *r = tables[t]; *r != NULL; r++)
            if ((*r)->code == code)
                return *r;
    return NULL;
}

int agent_failure_set(const struct agent_failure *f, struct err *e)
{
    const struct err_row *row = row_of(f->code);

    if (row == NULL)
        return err_set(e, &ERR_UNEXPECTED, "the agent answers error %lld%s%s", (long long)f->code, f->args.n > 0 ? ": " : "",
                       f->args.n > 0 ? f->args.items[0] : "");
    (void)err_set(e, row, "%s", f->args.n > 0 ? f->args.items[0] : "");
    for (size_t i = 1; i < f->args.n && i < ERR_MAX_ARGS; i++)
        (void)err_arg(e, "%s", f->args.items[i]);
    return row->code;
}

int agent_digest(const struct agent_kind *kind, const void *args, char out[AGENT_SHA256_SIZE], struct err *e)
{
    static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };
    unsigned char sum[32];
    unsigned n = 0;
    struct str t;
    int rv = 0;

    str_init(&t, NULL);
    str_printf(&t, "%s\n", kind->name);
    fields_write(&t, kind->args, args, &style);
    if (str_failed(&t))
        rv = err_set(e, &ERR_NOMEM, "");
    else if (EVP_Digest(t.s, t.n, sum, &n, EVP_sha256(), NULL) != 1 || n != sizeof sum)
        rv = err_set(e, &ERR_UNEXPECTED, "SHA-256 failed");
    for (unsigned i = 0; rv == 0 && i < n; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", sum[i]);
    str_fini(&t);
    return rv;
}
