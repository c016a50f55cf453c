/* SPDX-License-Identifier: Apache-2.0 */
/* Schema of MetaDB. Append only; a row that has been released is never edited. Portable SQL: no foreign keys, no AUTO_INCREMENT,
 * utf8mb4_bin, DATETIME(6) in UTC, a column and a key of an existing table in two statements. */
#include "src/store/migrate.h"

#define STEPS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define TABLE_END ") DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

const struct migration metadb_migrations[] = {
    { 1, "users",
      STEPS("CREATE TABLE user (id BIGINT NOT NULL, username VARCHAR(128) NOT NULL, password_hash VARCHAR(512) NOT NULL, "
            "must_change_password TINYINT NOT NULL, enabled TINYINT NOT NULL, roles VARCHAR(2048) NOT NULL, "
            "credential_version BIGINT NOT NULL, email VARCHAR(255) NOT NULL, description VARCHAR(1024) NOT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, last_login_at DATETIME(6) NULL, "
            "PRIMARY KEY (id), UNIQUE KEY user_username (username)" TABLE_END) },
    { 0 },
};
