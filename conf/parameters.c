/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parameters.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "conf/parameter_read.h"
#include "src/base/json.h"

/* ---- the table ------------------------------------------------------------------------------------------------------- */

#define PARAMETER(ID, NAME, GROUP, TYPE, EFFECT, DEFAULT, EN, ZH, ...) \
    [PARAM_##ID] = { NAME, PARAMETER_##GROUP, PARAMETER_##TYPE, PARAMETER_##EFFECT, DEFAULT, { EN, ZH }, ##__VA_ARGS__ },
const struct parameter parameter_table[N_PARAMETERS] = {
#define check_url parameter_check_url
#define check_path parameter_check_path
#define check_timezone parameter_check_timezone
#include "conf/parameter_rows.h"
};
#undef PARAMETER

const char *const parameter_group_names[N_PARAMETER_GROUPS][2] = {
    [PARAMETER_GLOBAL] = { "Global configuration", "全局配置" },
    [PARAMETER_SECURITY] = { "Security and logon", "安全与登录" },
    [PARAMETER_METADB] = { "OCP MetaDB connections", "MetaDB 连接" },
    [PARAMETER_MONITORDB] = { "OCP MonitorDB connections", "MonitorDB 连接" },
    [PARAMETER_SQL] = { "SQL performance", "SQL 性能" },
    [PARAMETER_HOST] = { "Host operations", "主机运维" },
    [PARAMETER_ALARM] = { "Alerting", "告警" },
    [PARAMETER_BACKUP] = { "Backup and recovery", "备份恢复" },
    [PARAMETER_AGENT] = { "OCP-Agent", "OCP-Agent" },
    [PARAMETER_TASK] = { "Background tasks and scheduling", "后台任务与调度" },
    [PARAMETER_CONNECTION] = { "OceanBase connections", "OceanBase 连接" },
    [PARAMETER_LOG] = { "Logs", "日志" },
    [PARAMETER_FILE] = { "File management", "文件管理" },
    [PARAMETER_FLOW] = { "Flow control", "流量控制" },
    [PARAMETER_MONITOR] = { "Monitoring", "监控" },
    [PARAMETER_ANALYSIS] = { "Log analysis", "日志分析" },
    [PARAMETER_INSPECTION] = { "Inspection", "巡检" },
    [PARAMETER_MULTI_CLUSTER] = { "Multi-cluster", "多集群" },
};

const char *parameter_type_name(enum parameter_type type)
{
    static const char *const names[] = {
        [PARAMETER_STRING] = "string", [PARAMETER_SECRET] = "secret",     [PARAMETER_INT] = "int",
        [PARAMETER_DOUBLE] = "float",  [PARAMETER_BOOL] = "bool",         [PARAMETER_DURATION] = "duration",
        [PARAMETER_SIZE] = "size",     [PARAMETER_ENUM] = "enum",         [PARAMETER_JSON] = "json",
    };

    return names[type];
}

enum parameter_id parameter_find(struct slice name)
{
    unsigned id = 0;

    while (id < N_PARAMETERS && !slice_is(name, parameter_table[id].name))
        id++;
    return (enum parameter_id)id;
}

int parameter_check(const struct parameter *row, struct slice text, struct err *e)
{
    struct parameter_number ignored;

    return parameter_read(row, text, &ignored, e);
}

/* ---- values in force ------------------------------------------------------------------------------------------------- */

struct value {
    _Atomic int64_t number;   /* what the type makes of the text; a double's bits */
    _Atomic bool pending;
    char *text;               /* owned; in force. Guarded by the lock; its writer reads it without */
    char *seen;               /* owned; as last handed to parameters_apply, also when refused or pending. The writer's own */
};

struct parameters {
    pthread_mutex_t lock;     /* of the texts in force */
    bool started;             /* parameters_apply was called */
    struct value values[N_PARAMETERS];
};

/* A value's texts and number before they are put in force. */
struct next {
    bool changed, in_force, pending;
    char *text, *seen;        /* owned until taken over; text NULL: the one in force stays */
    int64_t number;
};

static void free_text(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s)); /* it may be a secret */
    mem_free(s);
}

static int set_default(struct value *v, const struct parameter *row, struct err *e)
{
    struct parameter_number number;
    int rv = parameter_read(row, (struct slice){ row->def, strlen(row->def) }, &number, e);

    if (rv != 0)
        return rv;
    v->text = mem_strdup(row->def);
    v->seen = mem_strdup(row->def);
    atomic_init(&v->number, number.bits);
    return v->text != NULL && v->seen != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int parameters_new(struct parameters **out, struct err *e)
{
    struct parameters *p = mem_zalloc(sizeof *p);
    int rv = 0;

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)pthread_mutex_init(&p->lock, NULL); /* cannot fail without attributes */
    for (unsigned i = 0; rv == 0 && i < N_PARAMETERS; i++)
        rv = set_default(&p->values[i], &parameter_table[i], e);
    if (rv != 0) {
        parameters_free(p);
        return rv;
    }
    *out = p;
    return 0;
}

void parameters_free(struct parameters *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < N_PARAMETERS; i++) {
        free_text(p->values[i].text);
        free_text(p->values[i].seen);
    }
    (void)pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

static int64_t number(const struct parameters *p, enum parameter_id id)
{
    return atomic_load_explicit(&p->values[id].number, memory_order_relaxed);
}

int64_t parameter_int(const struct parameters *p, enum parameter_id id)
{
    enum parameter_type type = parameter_table[id].type;

    assert(type == PARAMETER_INT || type == PARAMETER_DURATION || type == PARAMETER_SIZE || type == PARAMETER_ENUM);
    (void)type;
    return number(p, id);
}

bool parameter_bool(const struct parameters *p, enum parameter_id id)
{
    assert(parameter_table[id].type == PARAMETER_BOOL);
    return number(p, id) != 0;
}

double parameter_double(const struct parameters *p, enum parameter_id id)
{
    struct parameter_number n = { .bits = number(p, id) };

    assert(parameter_table[id].type == PARAMETER_DOUBLE);
    return parameter_number_double(n);
}

int parameter_text(struct parameters *p, enum parameter_id id, struct arena *arena, const char **out, struct err *e)
{
    (void)pthread_mutex_lock(&p->lock);
    *out = arena_strdup(arena, p->values[id].text);
    (void)pthread_mutex_unlock(&p->lock);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

bool parameter_is_pending(const struct parameters *p, enum parameter_id id)
{
    return atomic_load_explicit(&p->values[id].pending, memory_order_relaxed);
}

/* ---- taking values over ---------------------------------------------------------------------------------------------- */

struct apply {
    struct parameters *p;
    struct arena *arena;
    struct next *next;                 /* one per row */
    struct parameter_change *changes;  /* room for one per row */
    size_t n_changes;
};

static void note(struct apply *a, const struct parameter *row, enum parameter_news news, const char *reason)
{
    a->changes[a->n_changes++] = (struct parameter_change){ row, news, reason };
}

static int refuse(struct apply *a, const struct parameter *row, const struct err *why)
{
    const char *reason = arena_strdup(a->arena, why->arg[0]);

    if (reason == NULL)
        return ERR_NOMEM.code;
    note(a, row, PARAMETER_REFUSED, reason);
    return 0;
}

/* Prepares what `text` means for one parameter, if it is news. */
static int prepare(struct apply *a, unsigned id, const char *text)
{
    const struct parameter *row = &parameter_table[id];
    const struct value *v = &a->p->values[id];
    struct next *next = &a->next[id];
    struct parameter_number n;
    struct err why;
    int rv;

    if (strcmp(text, v->seen) == 0)
        return 0;
    next->changed = true;
    next->seen = mem_strdup(text);
    if (next->seen == NULL)
        return ERR_NOMEM.code;
    next->pending = atomic_load_explicit(&v->pending, memory_order_relaxed);
    rv = parameter_read(row, (struct slice){ text, strlen(text) }, &n, &why);
    if (rv != 0)
        return rv == ERR_NOMEM.code ? rv : refuse(a, row, &why);
    next->pending = row->effect == PARAMETER_RESTART && a->p->started && strcmp(text, v->text) != 0;
    note(a, row, next->pending ? PARAMETER_PENDING : PARAMETER_APPLIED, NULL);
    if (next->pending)
        return 0;
    next->number = n.bits;
    next->text = mem_strdup(text);
    return next->text != NULL ? 0 : ERR_NOMEM.code;
}

static void commit(struct parameters *p, struct next *next)
{
    (void)pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < N_PARAMETERS; i++) {
        struct value *v = &p->values[i];
        char *former = v->text;

        if (!next[i].changed)
            continue;
        if (next[i].text != NULL) {
            v->text = next[i].text;
            next[i].text = former; /* freed with the rest */
            atomic_store_explicit(&v->number, next[i].number, memory_order_relaxed);
        }
        former = v->seen;
        v->seen = next[i].seen;
        next[i].seen = former;
        atomic_store_explicit(&v->pending, next[i].pending, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&p->lock);
    p->started = true;
}

/* What the caller says about each row; its default where he says nothing. */
static int sort_values(const struct parameter_value *values, size_t n, struct arena *arena, const char ***out)
{
    const char **texts = arena_array(arena, N_PARAMETERS, sizeof *texts);

    if (texts == NULL)
        return ERR_NOMEM.code;
    for (unsigned i = 0; i < N_PARAMETERS; i++)
        texts[i] = parameter_table[i].def;
    for (size_t i = 0; i < n; i++) {
        unsigned id = parameter_find((struct slice){ values[i].name, strlen(values[i].name) });

        if (id < N_PARAMETERS && parameter_table[id].effect != PARAMETER_FIXED)
            texts[id] = values[i].text;
    }
    *out = texts;
    return 0;
}

int parameters_apply(struct parameters *p, const struct parameter_value *values, size_t n, struct arena *arena,
                     struct parameter_change **changes, size_t *n_changes, struct err *e)
{
    struct apply a = { .p = p, .arena = arena };
    const char **texts = NULL;
    int rv = sort_values(values, n, arena, &texts);

    a.changes = arena_array(arena, N_PARAMETERS, sizeof *a.changes);
    a.next = mem_array(N_PARAMETERS, sizeof *a.next);
    if (rv == 0 && (a.changes == NULL || a.next == NULL))
        rv = ERR_NOMEM.code;
    for (unsigned i = 0; rv == 0 && i < N_PARAMETERS; i++)
        rv = prepare(&a, i, texts[i]);
    if (rv == 0) {
        commit(p, a.next);
        *changes = a.changes;
        *n_changes = a.n_changes;
    } else {
        (void)err_set(e, &ERR_NOMEM, "");
    }
    for (unsigned i = 0; a.next != NULL && i < N_PARAMETERS; i++) {
        free_text(a.next[i].text);
        free_text(a.next[i].seen);
    }
    mem_free(a.next);
    return rv;
}

/* ---- --dump parameters ----------------------------------------------------------------------------------------------- */

static void add_text(struct str *t, const char *key, const char *value)
{
    json_add_key(t, key);
    json_add_string(t, value);
}

static void add_number(struct str *t, const char *key, int64_t value)
{
    json_add_key(t, key);
    str_add_i64(t, value);
}

static void add_sentences(struct str *t, const char *key, const char *const texts[2])
{
    json_add_key(t, key);
    str_add_c(t, '{');
    add_text(t, "en", texts[ERR_EN]);
    add_text(t, "zh", texts[ERR_ZH]);
    str_add_c(t, '}');
}

static void add_values(struct str *t, const char *values)
{
    struct slice rest = { values, strlen(values) };

    json_add_key(t, "values");
    str_add_c(t, '[');
    while (rest.n > 0) {
        struct slice value = slice_cut(&rest, '|');

        json_add_comma(t);
        json_add_string_n(t, value.s, value.n);
    }
    str_add_c(t, ']');
}

static void dump_parameter(struct str *t, const struct parameter *row)
{
    static const char *const effects[] = { "live", "restart", "inert", "fixed" };

    str_add_c(t, '{');
    add_text(t, "name", row->name);
    add_sentences(t, "group", parameter_group_names[row->group]);
    add_text(t, "type", parameter_type_name(row->type));
    add_text(t, "default", row->def);
    if (row->unit != NULL)
        add_text(t, "unit", row->unit);
    if (row->values != NULL)
        add_values(t, row->values);
    if (row->type == PARAMETER_INT || row->type == PARAMETER_DOUBLE || row->type == PARAMETER_DURATION ||
        row->type == PARAMETER_SIZE) {
        add_number(t, "min", row->min);
        add_number(t, "max", row->max);
    }
    add_text(t, "effect", effects[row->effect]);
    add_sentences(t, "doc", row->doc);
    str_add_c(t, '}');
}

void conf_dump_parameters(struct str *t)
{
    str_add_c(t, '[');
    for (unsigned i = 0; i < N_PARAMETERS; i++) {
        json_add_comma(t);
        dump_parameter(t, &parameter_table[i]);
    }
    str_add(t, "]\n");
}
