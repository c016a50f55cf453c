/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/str.h"

ERR_DEFINE(ERR_INVALID, 1001, 400, ERR_FINAL, "Illegal argument: {0}.", "参数不合法：{0}。");
ERR_DEFINE(ERR_NOT_FOUND, 1002, 404, ERR_FINAL, "The {0} {1} does not exist.", "{0} {1} 不存在。");
ERR_DEFINE(ERR_REQUEST, 1003, 400, ERR_FINAL, "Invalid request: {0}.", "请求无效：{0}。");
ERR_DEFINE(ERR_TIMEOUT, 1004, 504, ERR_UNKNOWN,
           "The request did not finish in time ({0}). Look whether it took effect before repeating it.",
           "请求处理超时（{0}）。重试前请先确认操作是否已生效。");
ERR_DEFINE(ERR_NAME_USED, 1006, 409, ERR_FINAL, "The {0} name {1} is already used. Choose another name.",
           "{0} 名称 {1} 已被使用，请更换名称。");
ERR_DEFINE(ERR_UNEXPECTED, 1115, 500, ERR_UNKNOWN,
           "An unexpected error occurred: {0}. The server log has more under the trace id of this reply.",
           "发生未预期的错误：{0}。请用本次响应的 traceId 在服务日志中查看详情。");
ERR_DEFINE(ERR_NOMEM, 90001, 503, ERR_RETRY, "This server is short of memory. Try again later.", "服务内存不足，请稍后重试。");
ERR_DEFINE(ERR_CANCELLED, 90002, 503, ERR_UNKNOWN, "The operation was cancelled before it finished.", "操作在完成前被取消。");
ERR_DEFINE(ERR_BUSY, 90003, 503, ERR_RETRY, "This server is busy ({0}). Try again shortly.", "服务繁忙（{0}），请稍后重试。");
ERR_DEFINE(ERR_CONFLICT, 90004, 409, ERR_FINAL, "Someone else changed the {0} {1} first. Read it again, then repeat the change.",
           "{0} {1} 已被他人先行修改，请重新读取后再试。");
ERR_DEFINE(ERR_IO, 90005, 500, ERR_UNKNOWN, "Input or output failed: {0}.", "输入输出失败：{0}。");
ERR_DEFINE(ERR_DENIED, 3100, 403, ERR_FINAL, "Permission denied: {0} is needed.", "没有权限：需要 {0}。");

const struct err_row *const err_rows[] = {
    &ERR_INVALID,   &ERR_NOT_FOUND, &ERR_REQUEST, &ERR_TIMEOUT,  &ERR_NAME_USED, &ERR_UNEXPECTED, &ERR_NOMEM,
    &ERR_CANCELLED, &ERR_BUSY,      &ERR_CONFLICT, &ERR_IO,      &ERR_DENIED,    NULL,
};

/* A text that fills its buffer may have been cut inside a UTF-8 sequence: drop the incomplete rest. */
static void utf8_trim(char *s, size_t size)
{
    size_t n = strlen(s);
    size_t back = 1;
    unsigned char lead;

    if (n + 1 < size || n == 0)
        return;
    while (back < n && back < 4 && ((unsigned char)s[n - back] & 0xc0) == 0x80)
        back++;
    lead = (unsigned char)s[n - back];
    if ((lead >= 0xf0 && back < 4) || (lead >= 0xe0 && back < 3) || (lead >= 0xc0 && back < 2))
        s[n - back] = '\0';
}

static void format_to(char *buf, size_t size, const char *fmt, va_list ap)
{
    if (vsnprintf(buf, size, fmt, ap) < 0)
        buf[0] = '\0';
    utf8_trim(buf, size);
    str_clean(buf);
}

int err_set(struct err *e, const struct err_row *row, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return row->code;
    e->row = row;
    e->lib_code = 0;
    e->trail[0] = '\0';
    e->n_args = fmt[0] != '\0' ? 1 : 0;
    va_start(ap, fmt);
    format_to(e->arg[0], sizeof e->arg[0], fmt, ap);
    va_end(ap);
    return row->code;
}

int err_arg(struct err *e, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL || e->row == NULL)
        return ERR_UNEXPECTED.code;
    if (e->n_args < ERR_MAX_ARGS) {
        va_start(ap, fmt);
        format_to(e->arg[e->n_args], sizeof e->arg[0], fmt, ap);
        va_end(ap);
        e->n_args++;
    }
    return e->row->code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char head[ERR_TRAIL_SIZE];
    char old[ERR_TRAIL_SIZE];
    va_list ap;

    if (e == NULL || e->row == NULL)
        return ERR_UNEXPECTED.code;
    va_start(ap, fmt);
    format_to(head, sizeof head, fmt, ap);
    va_end(ap);
    memcpy(old, e->trail, sizeof old);
    (void)snprintf(e->trail, sizeof e->trail, "%.*s: %.*s", ERR_TRAIL_SIZE / 2, head, ERR_TRAIL_SIZE / 2, old);
    utf8_trim(e->trail, sizeof e->trail);
    return e->row->code;
}

bool err_is(const struct err *e, const struct err_row *row)
{
    return e->row == row;
}

void err_clear(struct err *e)
{
    e->row = NULL;
    e->n_args = 0;
    e->lib_code = 0;
    e->trail[0] = '\0';
}

const char *err_text(const struct err *e, enum err_lang lang, char *buf, size_t size)
{
    const char *p = e->row != NULL ? e->row->text[lang] : "";
    size_t n = 0;

    while (*p != '\0' && n + 1 < size) {
        if (p[0] == '{' && p[1] >= '0' && p[1] < '0' + ERR_MAX_ARGS && p[2] == '}') {
            unsigned i = (unsigned)(p[1] - '0');
            size_t len = i < e->n_args ? strnlen(e->arg[i], ERR_ARG_SIZE) : 0;

            len = len < size - 1 - n ? len : size - 1 - n;
            memcpy(buf + n, e->arg[i], len);
            n += len;
            p += 3;
        } else {
            buf[n++] = *p++;
        }
    }
    buf[n] = '\0';
    utf8_trim(buf, size);
    return buf;
}

const char *err_log_text(const struct err *e, char *buf, size_t size)
{
    size_t n = strnlen(e->trail, sizeof e->trail);

    n = n < size - 1 ? n : size - 1;
    memcpy(buf, e->trail, n);
    (void)err_text(e, ERR_EN, buf + n, size - n);
    return buf;
}
