/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/identity.h"

#include <stdio.h>
#include <string.h>

#include "tests/obsim/world.h"

/* Its build version is "4.2.1.0_100000102023092807-<hash>(Sep 28 2023 07:25:28)"; before it has one, that of the cluster. */
static struct slice own_version(const struct sim_observer *o, struct slice *build)
{
    *build = sim_slice(o->server->build_version);
    if (build->n > 0)
        return slice_cut(build, '_');
    *build = sim_slice(o->deployment->cluster->build);
    return sim_slice(o->deployment->cluster->version);
}

const char *identity_version(const struct sim_observer *o, char *buf, size_t size)
{
    struct slice build, version = own_version(o, &build);

    if (o->version[0] != '\0')
        return o->version;
    (void)snprintf(buf, size, "5.7.25-OceanBase%s-v%.*s", o->deployment->cluster->is_enterprise ? "" : "_CE", SLICE_FMT(version));
    return buf;
}

const char *identity_ob_version(const struct sim_observer *o, char *buf, size_t size)
{
    struct slice build, version = own_version(o, &build);

    (void)snprintf(buf, size, "%.*s", SLICE_FMT(version));
    return buf;
}

const char *identity_comment(const struct sim_observer *o, char *buf, size_t size)
{
    struct slice when, version = own_version(o, &when), revision = slice_cut(&when, '('), built = slice_cut(&when, ')');

    if (o->comment[0] != '\0')
        return o->comment;
    (void)snprintf(buf, size, "OceanBase%s %.*s (r%.*s) (Built %.*s)", o->deployment->cluster->is_enterprise ? "" : "_CE", SLICE_FMT(version),
                   SLICE_FMT(revision), SLICE_FMT(built));
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
