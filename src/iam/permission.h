/* SPDX-License-Identifier: Apache-2.0 */
/* permission.h - who may do what to which object, as one expression:
 *
 *     DOMAIN[:id|*[:SUBDOMAIN[:id|*]]]:ACTION      CLUSTER:7:UPDATE   CLUSTER:*:TENANT:*:READ   HOST:CREATE
 *     *      every action on every object, but not on what lies below one (a tenant of a cluster)
 *     **     everything
 *
 * An id left out means every object. One action never implies another: who manages something reads it only with READ or "*".
 * TENANT and BACKUP may also stand first: TENANT:9:READ is CLUSTER:*:TENANT:9:READ.
 *
 * What a route asks for may also have "{name}", an id of its path, or "?" for an id: any object of the kind will do, and the caller
 * sees those that they may. Several such expressions with "|" between them: one is enough. Pure; any thread. */
#ifndef IAM_PERMISSION_H
#define IAM_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

ERR_DECLARE(ERR_PERMISSION_EMPTY);
ERR_DECLARE(ERR_PERMISSION_INVALID); /* {0} the expression, {1} what is wrong with it */

/* One row per domain: name, the domain it lies below (or itself), what it is about. */
#define PERMISSION_DOMAINS(X)                                                   \
    X(CLUSTER, CLUSTER, "OceanBase clusters")                                   \
    X(TENANT, CLUSTER, "tenants of a cluster, their databases and users")       \
    X(BACKUP, CLUSTER, "backup and restore of a cluster")                       \
    X(HOST, HOST, "hosts, regions, IDCs and host types")                        \
    X(OBPROXY, OBPROXY, "OBProxy clusters")                                     \
    X(PACKAGE, PACKAGE, "software packages")                                    \
    X(TASK, TASK, "tasks")                                                      \
    X(ALARM, ALARM, "alarms, rules, channels and subscriptions")                \
    X(USER, USER, "users of this service and their logins")                     \
    X(ROLE, ROLE, "roles")                                                      \
    X(PROPERTY, PROPERTY, "system parameters and the nodes of this service")    \
    X(PROFILE, PROFILE, "one's own profile and password box")                   \
    X(AUDIT, AUDIT, "the record of changes")                                    \
    X(INSPECTION, INSPECTION, "inspections and their reports")                  \
    X(ARBITRATION, ARBITRATION, "arbitration services")

enum permission_domain {
#define X(NAME, PARENT, DOC) PERMISSION_##NAME,
    PERMISSION_DOMAINS(X)
#undef X
    PERMISSION_N_DOMAINS,
    PERMISSION_STAR = PERMISSION_N_DOMAINS, /* the expression "*" */
    PERMISSION_ALL,                         /* the expression "**" */
};
enum permission_action { PERMISSION_CREATE, PERMISSION_READ, PERMISSION_UPDATE, PERMISSION_DELETE, PERMISSION_EVERY_ACTION };

enum {
    PERMISSION_ANY = -1,  /* every object */
    PERMISSION_SOME = -2, /* wanted only: at least one object */
};

struct permission {
    int64_t id;       /* object of the top domain; PERMISSION_ANY: every one */
    int64_t sub_id;   /* object of the subdomain, if `sub` is one; PERMISSION_ANY: every one */
    uint8_t domain;   /* enum permission_domain, the top one */
    uint8_t sub;      /* subdomain; equal to `domain` when there is none */
    uint8_t action;   /* enum permission_action */
};

/* What an id segment "{name}" of a route's expression stands for in this call. False: no such parameter. */
typedef bool (*permission_lookup)(void *data, struct slice name, int64_t *id);

/* Reads an expression. With `lookup` an id may be "{name}" or "?". Errors: PERMISSION_EMPTY, PERMISSION_INVALID. */
MUST_CHECK int permission_parse(struct slice text, permission_lookup lookup, void *data, struct permission *out, struct err *e);
/* Appends the expression; what permission_parse reads back as the same. */
void permission_add(struct str *t, const struct permission *p);

/* Does holding `granted` allow `wanted`? A wanted PERMISSION_ANY asks for every object, PERMISSION_SOME for one or more. */
bool permission_match(const struct permission *granted, const struct permission *wanted);
/* Does any of them? */
bool permission_allows(const struct permission *granted, unsigned n, const struct permission *wanted);
/* Does it ask for some objects instead of all or named ones? */
bool permission_is_some(const struct permission *wanted);

const char *permission_domain_name(enum permission_domain domain);
const char *permission_action_name(enum permission_action action);
const char *permission_domain_doc(enum permission_domain domain);
enum permission_domain permission_domain_parent(enum permission_domain domain);

#endif
