/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "src/base/num.h"
#include "src/obcluster/inside.h"

/* One that failed. There are as many as there are servers that failed lately. */
struct sick {
    char name[ENDPOINT_NAME_SIZE];
    int64_t until_ms;
    struct sick *next;
};

/* --- what failed lately ------------------------------------------------------------------------------------------------------- */

/* The place of `name`; those whose time is over are taken out on the way. The lock is held. */
static struct sick **find_sick(struct obclusters *o, const char *name)
{
    int64_t now = clock_now_ms(o->conf.clock);
    struct sick **at = &o->sick;

    while (*at != NULL && strcmp((*at)->name, name) != 0) {
        struct sick *k = *at;

        if (k->until_ms > now) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        mem_free(k);
    }
    return at;
}

static bool is_sick(struct obclusters *o, const char *name)
{
    struct sick *k;
    bool sick;

    (void)pthread_mutex_lock(&o->lock);
    k = *find_sick(o, name);
    sick = k != NULL && k->until_ms > clock_now_ms(o->conf.clock);
    (void)pthread_mutex_unlock(&o->lock);
    return sick;
}

/* Without memory the server just is not known to be sick. */
static struct sick *new_sick(const char *name)
{
    struct sick *k = mem_zalloc(sizeof *k);

    if (k != NULL)
        (void)snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

void endpoint_note(struct obclusters *o, const char *name, bool is_well)
{
    struct sick **at, *k;

    (void)pthread_mutex_lock(&o->lock);
    at = find_sick(o, name);
    k = *at;
    if (is_well && k != NULL) {
        *at = k->next;
        mem_free(k);
    } else if (!is_well) {
        if (k == NULL)
            k = *at = new_sick(name);
        if (k != NULL)
            k->until_ms = clock_now_ms(o->conf.clock) + ENDPOINT_SICK_MS;
    }
    (void)pthread_mutex_unlock(&o->lock);
}

void endpoints_forget(struct obclusters *o)
{
    while (o->sick != NULL) {
        struct sick *k = o->sick;

        o->sick = k->next;
        mem_free(k);
    }
}

/* --- the list ----------------------------------------------------------------------------------------------------------------- */

static void set_name(struct endpoint *p)
{
    (void)snprintf(p->name, sizeof p->name, strchr(p->host, ':') != NULL ? "[%s]:%u" : "%s:%u", p->host, p->port);
}

/* "-10.0.0.1:2881", "[::1]:2881" */
static bool read_endpoint(struct slice text, struct endpoint *out)
{
    const char *colon;
    struct slice host;
    int64_t port;

    *out = (struct endpoint){ .state = ENDPOINT_WELL };
    if (text.n > 0 && text.s[0] == '-') {
        out->state = ENDPOINT_IDLE;
        text = (struct slice){ text.s + 1, text.n - 1 };
    }
    colon = text.n > 0 ? memrchr(text.s, ':', text.n) : NULL;
    if (colon == NULL || !num_parse_i64((struct slice){ colon + 1, (size_t)(text.s + text.n - colon - 1) }, &port) || port < 1 || port > 65535)
        return false;
    host = (struct slice){ text.s, (size_t)(colon - text.s) };
    if (host.n > 2 && host.s[0] == '[' && host.s[host.n - 1] == ']')
        host = (struct slice){ host.s + 1, host.n - 2 };
    if (host.n == 0 || host.n >= sizeof out->host)
        return false;
    memcpy(out->host, host.s, host.n);
    out->port = (unsigned)port;
    set_name(out);
    return true;
}

static struct endpoint home_of(const struct obcluster *c)
{
    struct endpoint p = { .port = (unsigned)c->port };

    (void)snprintf(p.host, sizeof p.host, "%s", c->address);
    set_name(&p);
    return p;
}

/* Calls `each` for the servers the cluster has told of, until it returns false. */
static void walk(const struct obcluster *c, bool (*each)(void *data, const struct endpoint *p), void *data)
{
    const char *text = c->endpoints != NULL ? c->endpoints : "";
    struct slice rest = { text, strlen(text) };
    bool proxy = c->connection_mode != NULL && strcmp(c->connection_mode, "proxy") == 0, go_on = !proxy;

    while (go_on && rest.n > 0) {
        struct endpoint p;

        if (read_endpoint(slice_trim(slice_cut(&rest, ',')), &p))
            go_on = each(data, &p);
    }
}

struct gathering {
    struct obclusters *o;
    struct endpoint home, *out;
    size_t n;
    int wanted;              /* the state that is gathered */
};

static bool is_home_idle(void *data, const struct endpoint *p)
{
    struct gathering *g = data;

    if (strcmp(p->name, g->home.name) != 0)
        return true;
    g->home.state = p->state;
    return false;
}

static void add(struct gathering *g, const struct endpoint *p)
{
    int state = p->state == ENDPOINT_WELL && is_sick(g->o, p->name) ? ENDPOINT_SICK : (int)p->state;

    if (state != g->wanted || g->n == ENDPOINT_MAX)
        return;
    g->out[g->n] = *p;
    g->out[g->n++].state = state;
}

static bool add_other(void *data, const struct endpoint *p)
{
    struct gathering *g = data;

    if (strcmp(p->name, g->home.name) != 0)
        add(g, p);
    return g->n < ENDPOINT_MAX;
}

size_t endpoints_of(struct obclusters *o, const struct obcluster *c, struct endpoint *out)
{
    struct gathering g = { .o = o, .home = home_of(c), .out = out };

    walk(c, is_home_idle, &g);
    for (g.wanted = ENDPOINT_WELL; g.wanted <= ENDPOINT_IDLE; g.wanted++) {
        add(&g, &g.home);
        walk(c, add_other, &g);
    }
    return g.n;
}

bool endpoint_is_worse(struct obclusters *o, const struct obcluster *c, const char *name)
{
    struct endpoint all[ENDPOINT_MAX];
    size_t n = endpoints_of(o, c, all);

    if (all[0].state != ENDPOINT_WELL)
        return false; /* none is better */
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].state != ENDPOINT_WELL;
    return is_sick(o, name);
}
