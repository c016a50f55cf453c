/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster that OCP's own nodes are. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/ctl/ctl.h"
#include "src/ctl/print.h"
#include "src/io/fiber.h"

enum { WATCH_MS = 1000 };

static const struct column cluster_columns[] = {
    { "cluster", "clusterId" }, { "generation", "generation" }, { "term", "term" },           { "epoch", "epoch" },
    { "leader", "leaderName" }, { "losses survived", "tolerates" }, { "changing", "changing" }, { NULL, NULL },
};
static const struct column member_columns[] = {
    { "ID", "id" },           { "NAME", "name" },    { "ROLE", "role" },       { "WHY NO VOTE", "waitReason" }, { "LEADER", "leader" },     { "ALIVE", "alive" },
    { "LAG", "lag" },         { "STATUS", "status" }, { "DRAIN", "drainWanted" }, { "WITNESS", "witness" },     { "VERSION", "version" }, { "PEER ADDRESS", "peerAddress" },
    { "CERTIFICATE ENDS", "certificateExpireTime" }, { NULL, NULL },
};

/* --- status -------------------------------------------------------------------------------------------------------------------------- */

static int get_cluster(struct ctl *c, struct arena *arena, json_t **root, const json_t **data, struct err *e)
{
    return remote_data(c->remote, "GET", "/api/v2/ocp/cluster", NULL, arena, root, data, e);
}

static int show_cluster(struct ctl *c, const json_t *data, struct err *e)
{
    int rv;

    if (c->is_json)
        return ctl_show(c, data, cluster_columns, e);
    rv = ctl_show(c, data, cluster_columns, e);
    if (rv == 0)
        (void)puts("");
    return rv == 0 ? ctl_show(c, json_object_get(data, "members"), member_columns, e) : rv;
}

static void add_word(struct str *t, const json_t *data, const char *title, const char *path)
{
    str_printf(t, " %s=", title);
    print_value(t, data, path);
}

/* What is worth a line when it changes. */
static void summary(const json_t *data, struct str *t)
{
    const json_t *members = json_object_get(data, "members");

    add_word(t, data, "leader", "leaderName");
    add_word(t, data, "term", "term");
    add_word(t, data, "epoch", "epoch");
    add_word(t, data, "generation", "generation");
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *m = json_array_get(members, i);

        str_add(t, " | ");
        print_value(t, m, "name");
        str_add_c(t, ' ');
        print_value(t, m, "role");
        str_add(t, json_is_true(json_object_get(m, "alive")) ? "" : " silent");
    }
}

/* A line at the beginning and at each change: for a terminal, a log, and whoever looks at a failover. */
static int say_change(const char *line, char *last, size_t size, struct err *e)
{
    char now[CLOCK_TEXT_SIZE];

    if (strncmp(line, last, size - 1) == 0)
        return 0;
    (void)snprintf(last, size, "%s", line);
    return printf("%s%s\n", clock_iso(clock_wall_us(&clock_system), 0, now), line) > 0 && fflush(stdout) == 0
               ? 0
               : err_set(e, &ERR_IO, "standard output");
}

static int look_once(struct ctl *c, char *last, size_t size, struct err *e)
{
    struct err why = { .row = NULL };
    const json_t *data;
    struct arena arena;
    char text[512];
    struct str t;
    json_t *root;
    int rv;

    arena_init(&arena); /* of this look */
    str_init(&t, &arena);
    if (get_cluster(c, &arena, &root, &data, &why) == 0) {
        summary(data, &t);
        json_decref(root);
    } else {
        str_printf(&t, " %s", c->message[0] != '\0' ? c->message : err_text(&why, ERR_EN, text, sizeof text));
    }
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : say_change(str_c(&t), last, size, e);
    arena_fini(&arena);
    return rv;
}

static int watch(struct ctl *c, struct err *e)
{
    char last[2048] = "";
    int rv = 0;

    while (rv == 0) {
        rv = look_once(c, last, sizeof last, e);
        if (rv == 0)
            rv = fiber_sleep(WATCH_MS, e);
    }
    return rv;
}

int ctl_cluster_status(struct ctl *c, struct err *e)
{
    const json_t *data;
    json_t *root;
    int rv;

    if (ctl_option(c, OPT_WATCH) != NULL)
        return watch(c, e);
    rv = get_cluster(c, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = show_cluster(c, data, e);
    json_decref(root);
    return rv;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------- */

static int save(const char *path, const char *text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good;

    if (f == NULL)
        return err_set(e, &ERR_IO, "%s cannot be made: %s; call this again with --out for a new bundle", path, strerror(errno));
    good = fputs(text, f) >= 0 && fflush(f) == 0;
    good = fclose(f) == 0 && good;
    return good ? 0 : err_set(e, &ERR_IO, "%s cannot be written: %s", path, strerror(errno));
}

/* "./10.0.0.4_8081.bundle" */
static const char *bundle_path(struct ctl *c)
{
    char *path = arena_printf(&c->arena, "%s.bundle", ctl_operand(c, 0));

    for (char *p = path; p != NULL && *p != '\0'; p++)
        if (strchr(":[]/", *p) != NULL)
            *p = '_';
    return ctl_option(c, OPT_OUT) != NULL ? ctl_option(c, OPT_OUT) : path;
}

static int take_bundle(struct ctl *c, const json_t *data, struct err *e)
{
    const char *path = bundle_path(c), *bundle = json_string_value(json_object_get(data, "bundle"));
    const char *secret = json_string_value(json_object_get(data, "secret")), *sentence;
    int rv;

    if (c->is_json)
        return ctl_done(c, data, "", e);
    if (path == NULL || bundle == NULL || secret == NULL)
        return err_set(e, &ERR_UNEXPECTED, "the answer has no join bundle");
    rv = save(path, bundle, e);
    sentence = arena_printf(&c->arena,
                            "Node %" JSON_INTEGER_FORMAT " was added. Take %s to its machine and run there: ocp-server --join FILE, then start ocp-server.\n"
                            "Join secret, shown this once: %s",
                            json_integer_value(json_object_get(data, "id")), path, secret);
    if (rv == 0)
        rv = sentence != NULL ? ctl_done(c, data, sentence, e) : err_set(e, &ERR_NOMEM, "");
    return rv;
}

int ctl_cluster_add(struct ctl *c, struct err *e)
{
    json_t *body = json_pack("{s:s, s:b}", "peerAddress", ctl_operand(c, 0), "witness", ctl_option(c, OPT_WITNESS) != NULL), *root;
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    const json_t *data;
    int rv;

    json_decref(body);
    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = remote_data(c->remote, "POST", "/api/v2/ocp/nodes", text, &c->arena, &root, &data, e);
    mem_free(text);
    if (rv != 0)
        return rv;
    rv = take_bundle(c, data, e);
    json_decref(root);
    return rv;
}

/* A change of the node that the operand names. */
static int change(struct ctl *c, const char *method, const char *path, const char *sentence, struct err *e)
{
    const char *expanded;
    const json_t *data;
    json_t *root;
    int rv = ctl_path(c, path, &expanded, e);

    if (rv == 0)
        rv = remote_data(c->remote, method, expanded, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_done(c, data, sentence, e);
    json_decref(root);
    return rv;
}

int ctl_cluster_remove(struct ctl *c, struct err *e)
{
    return change(c, "DELETE", "/api/v2/ocp/nodes/{NODE}", "The node was removed; its certificate counts no more.", e);
}

int ctl_cluster_transfer(struct ctl *c, struct err *e)
{
    static const char prefix[] = "/api/v2/ocp/nodes/";
    const char *path, *body;
    const json_t *data;
    json_t *root;
    int rv = ctl_path(c, "/api/v2/ocp/nodes/{NODE}", &path, e);

    if (rv != 0)
        return rv;
    body = arena_printf(&c->arena, "{\"nodeId\":%s}", path + sizeof prefix - 1);
    if (body == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = remote_data(c->remote, "POST", "/api/v2/ocp/leader/transfer", body, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_done(c, data, "The node leads.", e);
    json_decref(root);
    return rv;
}

int ctl_node_drain(struct ctl *c, struct err *e)
{
    return change(c, "POST", "/api/v2/ocp/nodes/{NODE}/drain", "The node drains: within seconds it is not ready, does not lead and has no work.", e);
}

int ctl_node_resume(struct ctl *c, struct err *e)
{
    return change(c, "POST", "/api/v2/ocp/nodes/{NODE}/resume", "The node works again within seconds.", e);
}

int ctl_node_renew(struct ctl *c, struct err *e)
{
    return change(c, "POST", "/api/v2/ocp/nodes/{NODE}/renewCertificate", "The node renews its certificate within seconds.", e);
}
