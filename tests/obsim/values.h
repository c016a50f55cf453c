/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - the parameters and system variables of the simulated kernel: tables of what there is, and who has which value.
 * Part of state.h, which it is read with. */
#ifndef OBSIM_VALUES_H
#define OBSIM_VALUES_H

#include "tests/obsim/list.h"

struct sim_cluster;
struct sim_server;
struct sim_tenant;

enum sim_parameter_type { SIM_P_INT, SIM_P_DOUBLE, SIM_P_BOOL, SIM_P_CAPACITY, SIM_P_TIME, SIM_P_MOMENT, SIM_P_STRING, SIM_P_STRING_LIST };
enum sim_parameter_edit { SIM_DYNAMIC, SIM_STATIC, SIM_READ_ONLY };

struct sim_parameter {
    const char *name;                 /* lower case */
    enum sim_parameter_type type;
    const char *default_value;
    bool of_tenant;                   /* SCOPE TENANT, else CLUSTER */
    enum sim_parameter_edit edit;
    const char *min, *max;            /* as values are written; NULL: no bound. INT, DOUBLE, CAPACITY, TIME */
    const char *words;                /* STRING: allowed ones, "|" between them, any case, NULL: all. Numbers: allowed beyond the range */
    const char *section, *info;
};
extern const struct sim_parameter sim_parameters[];
extern const size_t sim_parameters_n;
const struct sim_parameter *sim_parameter_find(struct slice name);
const char *sim_parameter_type_name(enum sim_parameter_type type);
const char *sim_parameter_edit_name(enum sim_parameter_edit edit);
/* Does the type, the range, the list of words admit `value`? */
bool sim_parameter_accepts(const struct sim_parameter *p, struct slice value);
/* What is configured on the server (cluster scope; tenant is not looked at) or for the tenant (tenant scope; NULL: the default). */
const char *sim_parameter_value(const struct sim_cluster *c, const struct sim_parameter *p, const struct sim_server *s,
                                const struct sim_tenant *t);
/* What is in force: differs for STATIC_EFFECTIVE between its change and the start of the process. */
const char *sim_parameter_in_force(const struct sim_cluster *c, const struct sim_parameter *p, const struct sim_server *s,
                                   const struct sim_tenant *t);

enum sim_variable_type { SIM_V_INT, SIM_V_BOOL, SIM_V_STRING, SIM_V_CHARSET, SIM_V_COLLATION };
enum { SIM_V_GLOBAL = 1, SIM_V_SESSION = 2, SIM_V_FIXED = 4, SIM_V_AT_CREATION = 8 };

struct sim_variable {
    const char *name;                 /* lower case */
    enum sim_variable_type type;
    unsigned flags;
    const char *default_value;        /* as SHOW VARIABLES has it: ON, utf8mb4, ... */
    const char *min, *max;            /* INT; NULL: no bound */
    const char *words;                /* STRING: allowed ones, "|" between them, any case; NULL: all */
    const char *info;
};
extern const struct sim_variable sim_variables[];
extern const size_t sim_variables_n;
const struct sim_variable *sim_variable_find(struct slice name);
/* The value of a tenant (session NULL) or of a session, whose own values are `session`. */
const char *sim_variable_value(const struct sim_tenant *t, const struct sim_values *session, const struct sim_variable *v);
/* 0, or the MySQL error: 1231 wrong value, 1232 wrong type, 1115 unknown character set, 1273 unknown collation,
 * 1298 unknown time zone. `out` receives the value as
 * it is kept (1 becomes ON, out of range becomes the bound). `is_text`: the value was given as a quoted text. */
int sim_variable_accept(const struct sim_variable *v, struct slice value, bool is_text, struct str *out);

/* Character sets and collations that the kernel has. */
struct sim_collation {
    const char *name, *charset;
    int id;
    bool is_default;
};
extern const struct sim_collation sim_collations[];
extern const size_t sim_collations_n;
const struct sim_collation *sim_collation_find(struct slice name);
/* The default collation of a character set, NULL: no such set. */
const struct sim_collation *sim_charset_find(struct slice name);

#endif
