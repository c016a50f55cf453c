/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.h - versioned schema changes. A const table, append only; each row is run once, by one node, in order.
 * Steps are single DDL or DML statements that are safe to repeat: "already there" (1050, 1060, 1061, 1091, 1517, 1062) counts as done, since DDL
 * commits by itself everywhere and a node may die between two steps. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "src/store/db.h"

struct migration {
    unsigned version;            /* 1, 2, 3 ... without gaps */
    const char *name;            /* what it does, in a few words */
    const char *const *steps;    /* NULL-terminated statements, portable SQL (reference: OceanBase, MariaDB 10.6+, MySQL 8) */
};

ERR_DECLARE(ERR_SCHEMA_NEWER);   /* {0} database, {1} its version, {2} ours: the binary is too old; install the newer version */
ERR_DECLARE(ERR_SCHEMA_CHANGED); /* {0} database, {1} migration: its checksum differs from the one that was run */

/* MetaDB's and MonitorDB's tables; end with version 0. Declared in src/store/metadb.c and src/store/monitordb.c. */
extern const struct migration metadb_migrations[];
extern const struct migration monitordb_migrations[];

/* Brings the database to the last version of `migrations`. Any number of nodes may call it at the same moment: a lease row decides who
 * works, the others wait; a node that died in the middle is taken over when its lease (30 s, renewed) has run out. Runs outside transactions.
 * Creates the database's own tables schema_migration, schema_lease, store_outcome, store_sequence first. One query when there is nothing
 * to do. MetaDB and MonitorDB may be one database: rows carry the name of `d`.
 * Errors: SCHEMA_NEWER, SCHEMA_CHANGED, DB_AWAY, SQL_*, TIMEOUT (the fiber's deadline), CANCELLED. */
MUST_CHECK int migrate(struct db *d, const struct migration *migrations, const char *node, struct err *e);
/* The same with a lease of `lease_ms`. */
MUST_CHECK int migrate_leased(struct db *d, const struct migration *migrations, const char *node, unsigned lease_ms, struct err *e);

/* SHA-256 of a migration's name and steps in hex; `buf` holds 65 bytes. False when memory is out. */
MUST_CHECK bool migration_checksum(const struct migration *m, char *buf);

/* Appends all migrations as a JSON array (version, name, checksum), for --dump migrations. */
void migrations_dump(struct str *t, const char *database, const struct migration *migrations);

#endif
