/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/step_host.h"

#include <stdlib.h>
#include <string.h>

#include "src/host/agent.h"
#include "src/io/fiber.h"
#include "src/package/push.h"
#include "src/task/domains.h"

ERR_DEFINE(ERR_OBSERVER_SILENT, 13006, 504, ERR_RETRY, "The observer {0} was started, but does not answer: {1} See {2} on its host.",
           "OBServer {0} 已启动但无响应：{1} 请查看主机上的 {2}。");

const struct err_row *const step_host_err_rows[] = { &ERR_OBSERVER_SILENT, NULL };

enum { GRACE_MS = 30000, SETTLE_MS = 1000, DIRECTORY_MODE = 0755, CONNECT_MS = 2000 };
#define STRIP "/home/admin/oceanbase"

/* --- what is installed ----------------------------------------------------------------------------------------------------------- */

static int find_self(struct task_run *r, struct step_install *s, struct err *e)
{
    const char *target = task_target(r);

    for (size_t i = 0; i < s->n_servers; i++)
        if (s->servers[i].id == strtoll(target, NULL, 10)) {
            s->self = &s->servers[i];
            return 0;
        }
    if (target[0] == '\0')
        return 0;
    (void)err_set(e, &ERR_NOT_FOUND, "server");
    return err_arg(e, "%s", target);
}

int step_install(struct task_run *r, struct step_install *out, struct err *e)
{
    struct arena *arena = task_arena(r);
    struct layout_paths paths;
    int rv;

    memset(out, 0, sizeof *out);
    rv = step_cluster(r, &out->cluster, e);
    if (rv == 0)
        rv = store_obinstall_get(task_db(r), out->cluster.id, arena, &out->install, e);
    if (rv == 0)
        rv = store_obinstall_servers(task_db(r), out->cluster.id, arena, &out->servers, &out->n_servers, e);
    if (rv == 0)
        rv = find_self(r, out, e);
    if (rv != 0)
        return rv;
    out->mark = arena_printf(arena, "obcluster %lld", (long long)out->cluster.id);
    paths = (struct layout_paths){ out->install.install_path, out->install.run_path, out->install.data_path, out->install.log_path };
    return out->mark != NULL ? layout_make(&paths, out->cluster.name, out->install.package, arena, &out->layout, e) : err_set(e, &ERR_NOMEM, "");
}

/* --- hosts ---------------------------------------------------------------------------------------------------------------------- */

static int begin(struct task_run *r, struct step_install *s, struct task_host **h, struct err *e)
{
    int rv = step_install(r, s, e);

    return rv == 0 ? host_of_step(r, s->self->host_id, h, e) : rv;
}

static struct agent_process_status by_pid_file(const struct layout *l)
{
    return (struct agent_process_status){ .pid = FIELD_NONE, .start_time = FIELD_NONE, .pid_file = l->pid_file, .exe = l->observer };
}

int step_declare_roots(const struct step_install *s, struct task_host *h, struct err *e)
{
    const char *roots[] = { s->install.install_path, s->install.run_path, s->install.data_path, s->install.log_path };
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < sizeof roots / sizeof roots[0]; i++) {
        struct agent_declare_root args = { .path = roots[i] };

        if (roots[i][0] != '\0')
            rv = task_host_command(h, "declare_root", &args, NULL, e);
    }
    return rv;
}

/* --- directories ----------------------------------------------------------------------------------------------------------------- */

static int make_links(struct task_run *r, struct step_install *s, struct task_host *h, struct err *e)
{
    struct layout_link links[LAYOUT_LINKS];
    int rv = layout_links(&s->layout, task_arena(r), links, e);

    for (unsigned i = 0; rv == 0 && i < LAYOUT_LINKS; i++) {
        struct agent_symlink args = { .path = links[i].path, .target = links[i].target, .replace = 0 };

        rv = task_host_command(h, "symlink", &args, NULL, e);
    }
    return rv;
}

int observer_make_directories(struct task_run *r, struct err *e)
{
    struct field_strings marked, plain;
    struct step_install s;
    struct task_host *h;
    struct agent_mkdirs args = { .mode = DIRECTORY_MODE };
    int rv = begin(r, &s, &h, e);

    if (rv == 0)
        rv = step_declare_roots(&s, h, e);
    if (rv == 0)
        rv = layout_directories(&s.layout, task_arena(r), &marked, &plain, e);
    if (rv != 0)
        return rv;
    args.owner = s.install.os_user;
    args.paths = marked;
    args.mark = s.mark;
    rv = task_host_command(h, "mkdirs", &args, NULL, e);
    args.paths = plain;
    args.mark = NULL;
    if (rv == 0)
        rv = task_host_command(h, "mkdirs", &args, NULL, e);
    if (rv == 0)
        rv = make_links(r, &s, h, e);
    if (rv == 0)
        task_log(r, "%s: the directories of the observer are there", s.self->ip);
    return rv;
}

/* A rollback takes back what the steps have made: what is not ours was there before them. */
static int remove_directory(struct task_run *r, struct step_install *s, struct task_host *h, const char *path, struct err *e)
{
    const struct agent_remove_tree args = { .path = path, .mark = s->mark, .keep = 0 };
    const int operation = task_step_of(r)->operation;
    int rv = task_host_command(h, "remove_tree", &args, NULL, e);

    if (rv == 0 || !err_is(e, &ERR_AGENT_NOT_EMPTY) || (operation != TASK_ROLLBACK && operation != TASK_UNDO))
        return rv;
    task_log(r, "%s: %s is not ours and stays as it is", s->self->ip, path);
    err_clear(e);
    return 0;
}

int observer_remove_directories(struct task_run *r, struct err *e)
{
    struct field_strings marked = { 0 }, plain = { 0 };
    struct step_install s;
    struct task_host *h;
    int rv = begin(r, &s, &h, e);

    if (rv == 0)
        rv = step_declare_roots(&s, h, e);
    if (rv == 0)
        rv = layout_directories(&s.layout, task_arena(r), &marked, &plain, e);
    for (size_t i = marked.n; rv == 0 && i > 0; i--)
        rv = remove_directory(r, &s, h, marked.items[i - 1], e);
    if (rv == 0)
        task_log(r, "%s: the directories of the observer are removed", s.self->ip);
    return rv;
}

/* --- package --------------------------------------------------------------------------------------------------------------------- */

static int extract(struct task_run *r, struct step_install *s, struct task_host *h, int64_t package_id, const char *directory, struct err *e)
{
    const struct domain_graph *g = task_data(r);
    struct agent_client *client;
    struct agent_extract_package args = { .directory = directory, .owner = s->install.os_user, .strip = STRIP };
    struct agent_extract_package_answer done;
    struct package package;
    int rv = host_client(g->hosts, &client, e);

    if (rv == 0)
        rv = task_host_lost(h, package_push(g->packages, task_db(r), client, task_host_at(h), package_id, task_arena(r), &package, e), e);
    if (rv != 0)
        return rv;
    args.sha256 = package.sha256;
    rv = task_host_command(h, "extract_package", &args, &done, e);
    if (rv == 0)
        task_log(r, "%s: %s is in %s (%lld files)", s->self->ip, package.file_name, directory, (long long)done.files);
    return rv;
}

/* Libraries are a package of their own in the community edition. NULL: there is none like it. */
static int find_libraries(struct task_run *r, struct step_install *s, const struct package **out, struct err *e)
{
    struct arena *arena = task_arena(r);
    struct package package, *list;
    struct package_filter f = { .keyword = NULL };
    size_t n;
    int rv = store_package_get(task_db(r), s->install.package_id, arena, &package, e);

    *out = NULL;
    if (rv == 0)
        f.keyword = arena_printf(arena, "%s-libs", package.name);
    if (rv == 0)
        rv = f.keyword != NULL ? store_package_list(task_db(r), &f, NULL, arena, &list, &n, NULL, e) : err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (strcmp(list[i].name, f.keyword) == 0 && strcmp(list[i].version, package.version) == 0 && strcmp(list[i].build, package.build) == 0 &&
            strcmp(list[i].architecture, package.architecture) == 0)
            *out = &list[i];
    return rv;
}

int observer_bring_package(struct task_run *r, struct err *e)
{
    const struct package *libraries;
    struct step_install s;
    struct task_host *h;
    int rv = begin(r, &s, &h, e);

    if (rv == 0)
        rv = step_declare_roots(&s, h, e);
    if (rv == 0)
        rv = extract(r, &s, h, s.install.package_id, s.layout.software, e);
    if (rv == 0)
        rv = find_libraries(r, &s, &libraries, e);
    if (rv == 0 && libraries != NULL)
        rv = extract(r, &s, h, libraries->id, s.layout.libraries, e);
    return rv;
}

/* --- process --------------------------------------------------------------------------------------------------------------------- */

int step_parameters(struct task_run *r, const struct step_install *s, struct layout_parameter **out, size_t *n, struct err *e)
{
    struct slice text = { s->install.parameters, strlen(s->install.parameters) };
    struct layout_parameter *list;
    const char *name;
    json_t *json, *value;
    bool ok = true;
    int rv = json_parse(text, &json, e);

    *n = 0;
    if (rv != 0)
        return rv;
    *out = list = arena_array(task_arena(r), json_object_size(json) + 1, sizeof *list);
    json_object_foreach(json, name, value) {
        if (list == NULL)
            break;
        list[*n] = (struct layout_parameter){ arena_strdup(task_arena(r), name), arena_strdup(task_arena(r), json_string_value(value)) };
        ok &= list[*n].name != NULL && list[*n].value != NULL;
        ++*n;
    }
    json_decref(json);
    return list != NULL && ok ? 0 : err_set(e, &ERR_NOMEM, "");
}

static struct layout_server as_layout(const struct obinstall_server *s)
{
    return (struct layout_server){ s->ip, s->zone, s->port, s->sql_port };
}

static int first_argv(struct task_run *r, struct step_install *s, struct field_strings *argv, struct err *e)
{
    struct layout_start start = { .cluster = s->cluster.name, .cluster_id = s->cluster.ob_cluster_id, .self = as_layout(s->self) };
    struct layout_server *founders = arena_array(task_arena(r), s->n_servers + 1, sizeof *founders);
    struct layout_parameter *given = NULL;
    int rv;

    if (founders == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < s->n_servers; i++)
        if (i == 0 || strcmp(s->servers[i].zone, s->servers[i - 1].zone) != 0)
            founders[start.n_founders++] = as_layout(&s->servers[i]);
    start.founders = founders;
    rv = step_parameters(r, s, &given, &start.n_parameters, e);
    start.parameters = given;
    return rv == 0 ? layout_first_start(&s->layout, &start, task_arena(r), argv, e) : rv;
}

/* It answers with a greeting of the MySQL protocol: whether it lets anybody in is not asked. */
static int wait_answer(struct step_install *s, struct task_host *h, struct err *e)
{
    struct agent_check_port args = { .address = s->self->ip, .port = s->self->sql_port, .connect = 1, .timeout_ms = CONNECT_MS };
    struct agent_process_status status = by_pid_file(&s->layout);
    struct agent_process_seen process;
    struct agent_port seen;

    for (;;) {
        int rv = task_host_command(h, "check_port", &args, &seen, e);

        if (rv != 0 || seen.reachable == 1)
            return rv;
        rv = task_host_command(h, "process_status", &status, &process, e);
        if (rv != 0)
            return rv;
        if (process.running != 1 || fiber_ms_left() < 2 * STEP_LOOK_MS) {
            (void)err_set(e, &ERR_OBSERVER_SILENT, "%s:%lld", s->self->ip, (long long)s->self->sql_port);
            (void)err_arg(e, "%s", process.running != 1 ? "its process has ended." : seen.reason != NULL ? seen.reason : "it took too long.");
            return err_arg(e, "%s/log/observer.log", s->layout.home);
        }
        rv = fiber_sleep(STEP_LOOK_MS, e);
        if (rv != 0)
            return rv;
    }
}

static int start_with(struct task_run *r, struct step_install *s, struct task_host *h, struct field_strings argv, struct err *e)
{
    struct agent_start_process args = { .argv = argv, .cwd = s->layout.home, .user = s->install.os_user, .pid_file = s->layout.pid_file,
                                        .own_pid_file = 1, .settle_ms = SETTLE_MS };
    struct agent_started started;
    int rv = layout_environment(&s->layout, task_arena(r), &args.env, e);

    if (rv == 0)
        rv = task_host_command(h, "start_process", &args, &started, e);
    if (rv == 0)
        task_log(r, "%s: the observer runs as process %lld%s", s->self->ip, (long long)started.pid, started.already == 1 ? " already" : "");
    return rv == 0 ? wait_answer(s, h, e) : rv;
}

int observer_start_first(struct task_run *r, struct err *e)
{
    struct field_strings argv;
    struct step_install s;
    struct task_host *h;
    int rv = begin(r, &s, &h, e);

    if (rv == 0)
        rv = first_argv(r, &s, &argv, e);
    if (rv == 0)
        rv = start_with(r, &s, h, argv, e);
    return rv;
}

int observer_start(struct task_run *r, struct err *e)
{
    struct layout_server self;
    struct field_strings argv;
    struct step_install s;
    struct task_host *h;
    int rv = begin(r, &s, &h, e);

    if (rv != 0)
        return rv;
    self = as_layout(s.self);
    rv = layout_restart(&s.layout, &self, task_arena(r), &argv, e);
    if (rv == 0)
        rv = start_with(r, &s, h, argv, e);
    return rv;
}

int observer_stop(struct task_run *r, struct err *e)
{
    struct agent_stop_process args = { .pid = FIELD_NONE, .start_time = FIELD_NONE, .grace_ms = GRACE_MS };
    struct agent_stopped stopped;
    struct step_install s;
    struct task_host *h;
    int rv = begin(r, &s, &h, e);

    if (rv != 0)
        return rv;
    args.pid_file = s.layout.pid_file;
    args.exe = s.layout.observer;
    rv = task_host_command(h, "stop_process", &args, &stopped, e);
    if (rv == 0)
        task_log(r, "%s: the observer %s", s.self->ip, stopped.was_running == 1 ? "is stopped" : "did not run");
    return rv;
}
