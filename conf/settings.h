/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - what an operator decides about one node. Each setting is one row of `settings_table`; the loader, --check-config,
 * --dump settings, the shipped ocp-server.conf and the manual read the row.
 *
 * Sources in rising precedence: default, file, environment (OCP_DB_PASSWORD for db.password), command line. A secret may be given
 * as a file that holds it: `db.password_file = /etc/ocp-server/db.password`.
 *
 * struct settings is an immutable, counted snapshot; a reload makes another one. */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

struct setting_address {
    const char *host; /* name or address; IPv6 without brackets */
    unsigned port;
};
struct setting_addresses {
    const struct setting_address *items;
    unsigned n;
};

struct settings_db {
    struct setting_addresses endpoints;
    const char *user, *password, *database;  /* password "": none */
    const char *tls_ca;                      /* "": none */
    bool tls_required;
    int64_t pool_size;                       /* sessions of one loop */
    int64_t connect_timeout_ms, statement_timeout_ms;
};

/* Text is never NULL; "" means not given. */
struct settings {
    const char *data_dir;
    const char *key_file;
    struct {
        const char *name, *zone, *idc;       /* name "": take the machine's host name */
    } node;
    struct {
        struct setting_addresses listen;
        bool allow_cleartext;
        const char *tls_certificate, *tls_key;
        int64_t loops;                       /* 0: one per processor */
        const char *trusted_proxies;         /* networks, separated by commas */
        const char *monitoring_allow;        /* likewise */
        bool proxy_protocol;
        const char *console_dir;             /* "": where the console is installed */
        int64_t max_connections, max_connections_per_client, max_streams;
        int64_t max_header_bytes, max_upload_bytes;
        int64_t handshake_timeout_ms, header_timeout_ms, body_timeout_ms, write_timeout_ms, idle_timeout_ms;
    } http;
    struct {
        struct setting_addresses listen;     /* exactly one, an IP address */
        struct setting_addresses address;    /* at most one, an IP address that is no wildcard */
    } peer;
    struct settings_db db, monitordb;        /* monitordb without endpoints was given db's endpoints, user, password and TLS */
    struct {
        bool enabled;
        const char *data_dir;
    } standalone;
    struct {
        int level, format;                   /* enum log_level, enum log_format */
    } log;
    struct {
        int64_t lb_wait_ms, stream_timeout_ms;
    } drain;
    struct {
        int64_t election_timeout_ms;
    } ha;
    struct {
        const char *networks;                /* separated by commas */
    } configurl;
    struct {
        int64_t interval_ms;
    } refresh;
    struct {
        const char *directory, *database;    /* directory "": chunks in the database; database "": MetaDB's name with _package */
    } package;
    struct {
        int64_t session_lifetime_ms, offline_reads_ms;
        int login_key;                       /* index of "off", "1024", "2048" */
    } iam;
    struct {
        int64_t keep_ms;
    } audit;
    struct {
        int64_t keep_ms;
    } tasks;
    struct {
        const char *program_dir;             /* "": that of this program */
        int64_t probe_interval_ms;
    } agent;
};

/* ---- the table ----------------------------------------------------------------------------------------------------- */

enum setting_flags {
    SETTING_RELOAD = 1 << 0,   /* its readers take the snapshot anew for each use, so a reload applies it */
    SETTING_REQUIRED = 1 << 1, /* must be given, unless `standalone` is on */
    SETTING_FILE = 1 << 2,     /* names a file that must be readable */
};

struct setting;

struct setting_type {
    const char *name;   /* "duration" */
    const char *syntax; /* what a value looks like, for people */
    size_t size;        /* of the member in struct settings */
    /* Reads text into the member; what it keeps lies in `arena`. Errors: INVALID (with the reason), NOMEM. */
    int (*read)(const struct setting *s, struct slice text, void *member, struct arena *arena, struct err *e);
    /* Appends text that `read` would understand. */
    void (*write)(const struct setting *s, const void *member, struct str *t);
};

struct setting {
    const char *name;
    const struct setting_type *type;
    size_t offset;             /* of the member in struct settings */
    const char *def;           /* as text; "${data_dir}" in a path stands for that setting */
    const char *min, *max;     /* as text, inclusive; NULL: no limit. Of text: characters */
    unsigned flags;
    const char *const *names;  /* of an enum; NULL-terminated */
    const char *doc;
};

extern const struct setting settings_table[]; /* ends with a NULL name */
/* NULL when there is no such setting. */
const struct setting *settings_find(struct slice name);
/* Never shown, and may come from a file. */
bool setting_is_secret(const struct setting *s);
/* "OCP_DB_PASSWORD" for db.password. */
void setting_add_environment_name(const struct setting *s, struct str *t);
/* Appends the value in force as text; a secret as "******", or nothing when it is empty. */
void setting_add_value(const struct setting *s, const struct settings *from, struct str *t);
/* Appends the whole table as a JSON array, for --dump settings. */
void conf_dump_settings(struct str *t);

/* ---- loading ------------------------------------------------------------------------------------------------------- */

struct settings_sources {
    const char *file;                /* NULL: none */
    bool file_may_be_missing;        /* the default place, which nobody named */
    const char *const *environment;  /* "NAME=value", NULL-terminated; NULL: none */
    const char *const *arguments;    /* "key=value" */
    unsigned n_arguments;
};

struct settings_problem {
    const char *source;  /* file, "environment", "command line" or "default" */
    unsigned line;       /* 0: no line */
    const char *key;     /* as written; "" when there is none */
    const char *reason;  /* what is wrong, and what to do */
    const char *nearest; /* known key that looks like it; NULL */
    bool warning;        /* the settings can be used all the same */
};

/* All problems of one loading, in the order in which they were found. */
struct settings_problems {
    struct settings_problem *items;
    unsigned n, n_warnings, space;
    struct arena arena;  /* holds items and texts */
};
void settings_problems_init(struct settings_problems *p);
void settings_problems_fini(struct settings_problems *p);
/* One line each: "file:line: key: reason (nearest known key: ...)". */
void settings_problems_add_text(const struct settings_problems *p, struct str *t);

/* Reads and checks everything; finds all problems, not only the first. `out` is to be given back with settings_put.
 * Errors: INVALID (there are problems beyond warnings; they are in `problems`), NOMEM. */
MUST_CHECK int settings_load(const struct settings_sources *from, struct settings **out, struct settings_problems *problems,
                             struct err *e);

/* ---- the snapshot in force, and reload ------------------------------------------------------------------------------- */

/* One more owner of the snapshot. Any thread. */
void settings_ref(const struct settings *s);
/* One owner less; the last one wipes its secrets and frees it. NULL is fine. Any thread. */
void settings_put(const struct settings *s);

struct settings_box;

/* Takes `first` (also on failure). Errors: NOMEM. */
MUST_CHECK int settings_box_new(struct settings *first, struct settings_box **out, struct err *e);
void settings_box_free(struct settings_box *b);
/* The snapshot in force, to be given back with settings_put. Any thread. */
const struct settings *settings_get(struct settings_box *b);

struct settings_change {
    const struct setting *setting;
    bool applied;                  /* false: it needs a restart, the former value stays in force */
};

/* Loads again and puts what may change (SETTING_RELOAD) in force; on failure everything stays. `changes` lists each setting whose
 * loaded value differs from the one in force, in `arena`. One thread at a time. Errors: INVALID (see `problems`), NOMEM. */
MUST_CHECK int settings_reload(struct settings_box *b, const struct settings_sources *from, struct settings_problems *problems,
                               struct arena *arena, struct settings_change **changes, unsigned *n_changes, struct err *e);

#endif
