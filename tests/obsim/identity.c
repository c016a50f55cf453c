/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/identity.h"

#include <stdio.h>
#include <string.h>

#include "tests/obsim/world.h"

const char *identity_version(const struct sim_observer *o, char *buf, size_t size)
{
    const struct sim_cluster *c = o->deployment->cluster;

    if (o->version[0] != '\0')
        return o->version;
    (void)snprintf(buf, size, "5.7.25-OceanBase%s-v%s", c->is_enterprise ? "" : "_CE", c->version);
    return buf;
}

/* The build is "100000102023092807-<hash>(Sep 28 2023 07:25:28)". */
const char *identity_comment(const struct sim_observer *o, char *buf, size_t size)
{
    const struct sim_cluster *c = o->deployment->cluster;
    const char *when = strchr(c->build, '(');
    int n = when != NULL ? (int)(when - c->build) : (int)strlen(c->build);

    if (o->comment[0] != '\0')
        return o->comment;
    (void)snprintf(buf, size, "OceanBase%s %s (r%.*s) (Built %.*s)", c->is_enterprise ? "" : "_CE", c->version, n, c->build,
                   when != NULL ? (int)strcspn(when + 1, ")") : 0, when != NULL ? when + 1 : "");
    return buf;
}

const char *identity_variable(const struct sim_session *s, struct slice name, char *buf, size_t size)
{
    if (slice_is_nocase(name, "version"))
        return identity_version(s->observer, buf, size);
    if (slice_is_nocase(name, "version_comment"))
        return identity_comment(s->observer, buf, size);
    if (slice_is_nocase(name, "port"))
        (void)snprintf(buf, size, "%d", s->server->sql_port);
    else if (slice_is_nocase(name, "hostname"))
        (void)snprintf(buf, size, "%s", s->server->ip);
    else
        return NULL;
    return buf;
}
