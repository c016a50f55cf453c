/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the flows of the tests. */
#include "api/api.h"
#include "api/task.h"
#include "src/base/clock.h"
#include "src/iam/principal.h"
#include "src/task/domains.h"
#include "tests/flows/certificate.h"
#include "tests/flows/flows.h"
#include "tests/flows/more.h"

const struct task_flow *const test_flows[] = { &flow_greet, &flow_trial, &flow_errand, NULL };

struct start_in {
    struct field_strings targets;
    int64_t width, length, count, lock;
    int chain, brief;
    const char *text;
};
static const struct field start_fields[] = {
    F_STRINGS(start_in, targets, "targets", DOC("Targets.")),
    F_INT(start_in, width, "width", .def = "0", DOC("How many at once.")),
    F_INT(start_in, length, "length", .def = "0", DOC("Idle steps.")),
    F_INT(start_in, count, "count", .def = "1", DOC("How many tasks.")),
    F_INT(start_in, lock, "lock", .def = "0", DOC("What it locks.")),
    F_BOOL(start_in, chain, "chain", .def = "false", DOC("A second step for each target.")),
    F_BOOL(start_in, brief, "brief", .def = "false", DOC("Steps have a second.")),
    F_STRING(start_in, text, "text", .def = "Hello", DOC("For the guest book.")),
    FIELD_END,
};

static struct task_target *targets_of(struct call *c, const struct start_in *in)
{
    struct task_target *targets = arena_array(c->arena, in->targets.n + 1, sizeof *targets);

    for (size_t i = 0; targets != NULL && i < in->targets.n; i++)
        targets[i] = (struct task_target){ in->targets.items[i], NULL };
    return targets;
}

/* {"NAME":TEXT}; NULL when memory is out. */
static const char *one_argument(struct call *c, const char *name, const char *text)
{
    struct str t;

    str_init(&t, c->arena);
    str_printf(&t, "{\"%s\":", name);
    json_add_string(&t, text);
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : str_c(&t);
}

static int start_greeting(struct call *c, struct err *e)
{
    const struct start_in *in = c->body;
    struct greeting g = { .people = targets_of(c, in), .n = in->targets.n, .book = in->lock, .user_id = c->user->user_id, .username = c->user->name,
                          .node = c->api->shared->node->name };
    int64_t id;
    int rv;

    g.arguments = one_argument(c, "text", in->text);
    if (g.people == NULL || g.arguments == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = greet_start(c->db, c->api->shared->tasks, &g, c->arena, &id, e);
    return rv == 0 ? api_task_reply(c, id, e) : rv;
}

struct trial_start {
    struct task_new task;
    struct task_prepared prepared;
    struct arena *arena;
};

static int trial_body(struct tx *tx, void *data, struct err *e)
{
    struct trial_start *s = data;

    return task_insert(tx, &s->prepared, &s->task, s->arena, e);
}

static int start_trials(struct call *c, struct err *e)
{
    const struct start_in *in = c->body;
    struct trial t = { targets_of(c, in), in->targets.n, (unsigned)in->width, in->chain == 1, in->brief == 1, (unsigned)in->length };
    struct task_lock_want lock = { "trial", in->lock };
    struct trial_start s = {
        .task = { .flow = &flow_trial, .name = "Trial", .creator_id = c->user->user_id, .creator_name = c->user->name, .plan_data = &t, .locks = &lock,
                  .n_locks = in->lock > 0 ? 1 : 0, .node = c->api->shared->node->name, .now_us = clock_wall_us(&clock_system) },
        .arena = c->arena,
    };
    int rv = t.targets != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (int64_t i = 0; rv == 0 && i < in->count; i++) {
        rv = task_prepare(c->db, &s.task, c->arena, &s.prepared, e);
        if (rv == 0)
            rv = db_transact(c->db, trial_body, &s, e);
    }
    if (rv != 0)
        return rv;
    task_kick(c->api->shared->tasks);
    return api_task_reply(c, s.prepared.id, e);
}

/* "targets": ids of hosts; "text": the script. */
static int start_errand(struct call *c, struct err *e)
{
    const struct start_in *in = c->body;
    struct errand t = { targets_of(c, in), in->targets.n };
    struct trial_start s = {
        .task = { .flow = &flow_errand, .name = "Errand", .creator_id = c->user->user_id, .creator_name = c->user->name, .plan_data = &t,
                  .arguments = one_argument(c, "script", in->text), .node = c->api->shared->node->name, .now_us = clock_wall_us(&clock_system) },
        .arena = c->arena,
    };
    int rv = t.hosts != NULL && s.task.arguments != NULL ? task_prepare(c->db, &s.task, c->arena, &s.prepared, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = db_transact(c->db, trial_body, &s, e);
    if (rv != 0)
        return rv;
    task_kick(c->api->shared->tasks);
    return api_task_reply(c, s.prepared.id, e);
}

struct pem_view {
    const char *text;
};
static const struct field pem_fields[] = {
    F_STRING(pem_view, text, "text", DOC("Certificate and key.")),
    FIELD_END,
};

/* "lock": id of a host. */
static int make_ended_certificate(struct call *c, struct err *e)
{
    const struct start_in *in = c->body;
    struct pem_view view;
    int rv = ended_certificate(c->db, c->api->shared->domains->hosts, in->lock, c->arena, &view.text, e);

    return rv == 0 ? call_object(c, &view, e) : rv;
}

const struct route test_routes[] = {
    ROUTE("test-certificate", "POST", "/api/v2/test/certificates", "TASK:*:UPDATE", make_ended_certificate, REPLY_OBJECT, ROUTE_OWN,
          "A certificate of an agent that has ended.", .tag = "Tests", ROUTE_BODY(start_in, start_fields), ROUTE_OUT(pem_view, pem_fields)),
    ROUTE("test-greet", "POST", "/api/v2/test/greetings", "TASK:*:UPDATE", start_greeting, REPLY_OBJECT, ROUTE_OWN, "Greet people.", .tag = "Tests",
          ROUTE_BODY(start_in, start_fields), ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("test-trial", "POST", "/api/v2/test/trials", "TASK:*:UPDATE", start_trials, REPLY_OBJECT, ROUTE_OWN, "Try steps.", .tag = "Tests",
          ROUTE_BODY(start_in, start_fields), ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("test-errand", "POST", "/api/v2/test/errands", "TASK:*:UPDATE", start_errand, REPLY_OBJECT, ROUTE_OWN, "Run a script on hosts.", .tag = "Tests",
          ROUTE_BODY(start_in, start_fields), ROUTE_OUT(task_started, task_started_fields)),
    ROUTE_END,
};
