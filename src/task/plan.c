/* SPDX-License-Identifier: Apache-2.0 */
/* Steps are numbered stage by stage, so what a step waits for is always a range of numbers: the whole stage before it, or one step of that. */
#include "src/task/plan.h"

#include <string.h>

struct plan {
    const struct task_flow *flow;
    struct arena *arena;
    struct subtask *steps;
    size_t n, space;
    size_t last;                 /* index of the first step of the last stage */
    int64_t stages;
    int rv;                      /* the first mistake */
    struct err *e;
};

const struct task_step *plan_step(const struct task_flow *flow, const char *name)
{
    for (const struct task_step *step = flow->steps; step->name != NULL; step++)
        if (strcmp(step->name, name) == 0)
            return step;
    return NULL;
}

static bool make_room(struct plan *p, size_t n)
{
    size_t space = p->space > 0 ? p->space : 16;
    struct subtask *steps;

    if (n > PLAN_MAX_STEPS || p->n + n > PLAN_MAX_STEPS) {
        p->rv = err_set(p->e, &ERR_INVALID, "the task would have more than %d steps; do it in several parts", PLAN_MAX_STEPS);
        return false;
    }
    if (p->n + n <= p->space)
        return true;
    while (space < p->n + n)
        space *= 2;
    steps = arena_array(p->arena, space, sizeof *steps);
    if (steps == NULL) {
        p->rv = err_set(p->e, &ERR_NOMEM, "");
        return false;
    }
    if (p->n > 0)
        memcpy(steps, p->steps, p->n * sizeof *steps);
    p->steps = steps;
    p->space = space;
    return true;
}

static const char *copy(struct plan *p, const char *text)
{
    const char *s = text != NULL ? arena_strdup(p->arena, text) : "";

    if (p->rv == 0 && s == NULL)
        p->rv = err_set(p->e, &ERR_NOMEM, "");
    if (p->rv == 0 && strlen(s) > PLAN_TARGET_SIZE)
        p->rv = err_set(p->e, &ERR_INVALID, "the target %.40s... of a step is too long", s);
    return s;
}

static void add(struct plan *p, const struct task_step *step, const char *target, const char *label, unsigned width)
{
    p->steps[p->n] = (struct subtask){
        .series = (int64_t)p->n + 1,
        .stage = p->stages,
        .width = width,
        .place = -1,
        .name = step->name,
        .description = step->description,
        .target = target,
        .label = label,
        .timeout_s = step->timeout_s,
        .retries = step->retries,
        .flags = (int64_t)step->flags | (step->rollback != NULL ? SUBTASK_UNDOABLE : 0),
        .worker = "",
        .error = "",
    };
    p->n++;
}

/* Room for a stage of n steps after what came last; *first gets its first index. NULL: a mistake, or nothing to add. */
static const struct task_step *begin(struct plan *p, const char *name, size_t n, size_t *first)
{
    const struct task_step *step = plan_step(p->flow, name);

    if (p->rv != 0 || n == 0 || !make_room(p, n))
        return NULL;
    if (step == NULL) {
        p->rv = err_set(p->e, &ERR_INVALID, "flow %s has no step %s", p->flow->name, name);
        return NULL;
    }
    *first = p->n;
    p->stages++;
    return step;
}

static void wait_for_all(struct plan *p, size_t first)
{
    if (first == 0)
        return;
    for (size_t i = first; i < p->n; i++) {
        p->steps[i].up_first = (int64_t)p->last + 1;
        p->steps[i].up_last = (int64_t)first;
    }
}

static void number(struct plan *p, size_t first)
{
    for (size_t i = first; i < p->n && p->n - first > 1; i++)
        p->steps[i].place = (int64_t)(i - first);
    p->last = first;
}

void plan_each(struct plan *p, const char *name, const struct task_target *targets, size_t n, unsigned width)
{
    size_t first;
    const struct task_step *step = begin(p, name, n, &first);

    if (step == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const char *id = copy(p, targets[i].id);

        add(p, step, id, targets[i].label != NULL ? copy(p, targets[i].label) : id, width);
    }
    wait_for_all(p, first);
    number(p, first);
}

void plan_then(struct plan *p, const char *name, const struct task_target *target)
{
    static const struct task_target none = { "", "" };

    plan_each(p, name, target != NULL ? target : &none, 1, 0);
}

void plan_on(struct plan *p, const char *name, unsigned width)
{
    size_t first, former = p->last, n = p->n - p->last;
    const struct task_step *step = begin(p, name, n, &first);

    if (step == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        add(p, step, p->steps[former + i].target, p->steps[former + i].label, width);
        p->steps[first + i].up_first = p->steps[first + i].up_last = (int64_t)(former + i) + 1;
    }
    number(p, first);
}

static void plan_in_order(struct plan *p)
{
    for (const struct task_step *step = p->flow->steps; step->name != NULL; step++)
        plan_then(p, step->name, NULL);
}

int plan_make(const struct task_flow *flow, const void *data, struct arena *arena, struct subtask **out, size_t *n, struct err *e)
{
    struct plan p = { .flow = flow, .arena = arena, .e = e };

    if (flow->plan != NULL)
        flow->plan(&p, data);
    else
        plan_in_order(&p);
    if (p.rv == 0 && p.n == 0)
        return err_set(e, &ERR_INVALID, "flow %s has nothing to do", flow->name);
    *out = p.steps;
    *n = p.n;
    return p.rv;
}
