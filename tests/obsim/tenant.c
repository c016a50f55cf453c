/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/like.h"
#include "tests/obsim/state.h"

enum { D = SIM_ON_DATABASE, T = SIM_ON_DATABASE | SIM_ON_TABLE, R = SIM_ON_DATABASE | SIM_ON_ROUTINE };

const struct sim_privilege sim_privileges[SIM_PRIVILEGE_N] = {
#define X(NAME, WORDS, LEVELS) { WORDS, LEVELS },
    SIM_PRIVILEGES(X)
#undef X
};

uint64_t sim_privileges_all(unsigned level)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < SIM_PRIVILEGE_N; i++)
        if (level == 0 || (sim_privileges[i].levels & level) != 0)
            all |= UINT64_C(1) << i;
    return all & ~SIM_P(GRANT_OPTION);
}

const char *sim_tenant_type_name(enum sim_tenant_type type)
{
    static const char *const names[] = { "SYS", "META", "USER" };

    return names[type];
}

const char *sim_tenant_status_name(enum sim_tenant_status status)
{
    static const char *const names[] = { "CREATING", "NORMAL", "DROPPING" };

    return names[status];
}

const char *sim_object_kind_name(enum sim_object_kind kind)
{
    static const char *const names[] = { "TABLE", "VIEW", "INDEX", "PROCEDURE", "FUNCTION" };

    return names[kind];
}

struct sim_user *sim_user_find(struct sim_tenant *t, const char *name, const char *host)
{
    for (size_t i = 0; i < t->users.n; i++)
        if (strcmp(t->users.items[i]->name, name) == 0 && strcasecmp(t->users.items[i]->host, host) == 0)
            return t->users.items[i];
    return NULL;
}

struct sim_database *sim_database_find(struct sim_tenant *t, const char *name)
{
    for (size_t i = 0; i < t->databases.n; i++)
        if (strcasecmp(t->databases.items[i]->name, name) == 0)
            return t->databases.items[i];
    return NULL;
}

struct sim_object *sim_object_find(struct sim_tenant *t, const char *database, const char *name, enum sim_object_kind kind)
{
    for (size_t i = 0; i < t->objects.n; i++) {
        struct sim_object *o = t->objects.items[i];

        if (o->kind == kind && strcasecmp(o->database, database) == 0 && strcasecmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

/* --- addresses ------------------------------------------------------------------------------------------------------------------- */

static int read_address(const char *ip, unsigned char bytes[16])
{
    if (inet_pton(AF_INET, ip, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, ip, bytes) == 1 ? 16 : 0;
}

/* "10.0.0.0/8", "10.0.0.0/255.0.0.0". */
static bool in_network(struct slice network, const char *ip)
{
    unsigned char mask[16] = { 0 }, net[16], address[16];
    struct slice rest = network, base = slice_cut(&rest, '/');
    char text[64], bits_text[64];
    int64_t bits;
    int n;

    sim_short(text, sizeof text, base);
    sim_short(bits_text, sizeof bits_text, rest);
    n = read_address(text, net);
    if (rest.n == 0 || n == 0 || read_address(ip, address) != n)
        return false;
    if (num_parse_i64_in(rest, 0, 8 * n, &bits)) {
        for (int i = 0; i < bits; i++)
            mask[i / 8] = (unsigned char)(mask[i / 8] | 0x80 >> i % 8);
    } else if (read_address(bits_text, mask) != n) {
        return false;
    }
    for (int i = 0; i < n; i++)
        if ((net[i] & mask[i]) != (address[i] & mask[i]))
            return false;
    return true;
}

static bool admits(struct slice pattern, const char *ip)
{
    return in_network(pattern, ip) || sim_like(pattern, sim_slice(ip));
}

bool sim_tenant_invites(const struct sim_tenant *t, const char *ip)
{
    struct slice rest = sim_slice(sim_variable_value(t, NULL, sim_variable_find(SLICE("ob_tcp_invited_nodes"))));

    while (rest.n > 0)
        if (admits(slice_trim(slice_cut(&rest, ',')), ip))
            return true;
    return false;
}

/* --- logins ---------------------------------------------------------------------------------------------------------------------- */

/* How much a host says before its first wildcard. */
static size_t precision(const char *host)
{
    size_t n = strcspn(host, "%_");

    return host[n] == '\0' ? SIM_NAME : n;
}

struct sim_user *sim_user_match(struct sim_tenant *t, const char *name, const char *ip)
{
    struct sim_user *best = NULL;

    for (size_t i = 0; i < t->users.n; i++) {
        struct sim_user *u = t->users.items[i];

        if (u->is_role || !admits(sim_slice(u->host), ip))
            continue;
        if (t->is_oracle ? strcasecmp(u->name, name) != 0 : strcmp(u->name, name) != 0)
            continue;
        if (best == NULL || precision(u->host) > precision(best->host))
            best = u;
    }
    return best;
}

bool sim_user_proves(const struct sim_user *u, const unsigned char *challenge, const unsigned char *answer, size_t n_answer)
{
    unsigned char both[40], key[20], stage1[20], stage2[20];

    if (!u->has_password)
        return n_answer == 0;
    if (n_answer != 20)
        return false;
    memcpy(both, challenge, 20);
    memcpy(both + 20, u->password, 20);
    (void)SHA1(both, sizeof both, key); /* fails only where it has no place to write to */
    for (int i = 0; i < 20; i++)
        stage1[i] = answer[i] ^ key[i];
    (void)SHA1(stage1, sizeof stage1, stage2);
    return memcmp(stage2, u->password, 20) == 0;
}

void sim_user_set_password(struct sim_user *u, struct slice password, int64_t now_us)
{
    unsigned char stage1[20];

    u->has_password = password.n > 0;
    (void)SHA1((const unsigned char *)password.s, password.n, stage1);
    (void)SHA1(stage1, sizeof stage1, u->password);
    u->password_changed_us = u->modified_us = now_us;
}

/* `depth` ends circles: roles may be granted to roles. */
static uint64_t held(struct sim_tenant *t, const struct sim_user *u, const char *database, int depth)
{
    uint64_t all = u->privileges;

    for (size_t i = 0; i < u->grants.n && database[0] != '\0'; i++) {
        const struct sim_grant *g = u->grants.items[i];

        if (g->object[0] == '\0' && sim_like(sim_slice(g->database), sim_slice(database)))
            all |= g->privileges;
    }
    for (size_t i = 0; i < u->roles.n && depth > 0; i++) {
        const struct sim_role_edge *edge = u->roles.items[i];
        const struct sim_user *role = sim_user_find(t, edge->role, edge->host);

        if (role != NULL && (edge->is_default || u->is_role))
            all |= held(t, role, database, depth - 1);
    }
    return all;
}

uint64_t sim_user_privileges(struct sim_tenant *t, const struct sim_user *u, const char *database)
{
    enum { DEPTH = 8 };

    return held(t, u, database, DEPTH);
}
