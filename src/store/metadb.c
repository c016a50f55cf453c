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
    { 2, "tasks",
      STEPS("CREATE TABLE task (id BIGINT NOT NULL, flow VARCHAR(64) NOT NULL, name VARCHAR(255) NOT NULL, definition_id BIGINT NOT NULL, "
            "cluster_id BIGINT NOT NULL, ob_cluster_id BIGINT NOT NULL, tenant_id BIGINT NOT NULL, cluster_name VARCHAR(255) NOT NULL, "
            "tenant_name VARCHAR(255) NOT NULL, creator_id BIGINT NOT NULL, creator_name VARCHAR(128) NOT NULL, status TINYINT NOT NULL, "
            "prohibit_rollback TINYINT NOT NULL, executor VARCHAR(255) NOT NULL, context LONGTEXT NOT NULL, created_at DATETIME(6) NOT NULL, "
            "started_at DATETIME(6) NULL, finished_at DATETIME(6) NULL, PRIMARY KEY (id), KEY task_status (status, id), "
            "KEY task_cluster (cluster_id, id)" TABLE_END,
            "CREATE TABLE subtask (id BIGINT NOT NULL, task_id BIGINT NOT NULL, series BIGINT NOT NULL, dispatch BIGINT NOT NULL, "
            "name VARCHAR(255) NOT NULL, description VARCHAR(1024) NOT NULL, timeout_s BIGINT NOT NULL, status TINYINT NOT NULL, "
            "worker VARCHAR(255) NOT NULL, error TEXT NOT NULL, created_at DATETIME(6) NOT NULL, started_at DATETIME(6) NULL, "
            "finished_at DATETIME(6) NULL, PRIMARY KEY (id), UNIQUE KEY subtask_series (task_id, series)" TABLE_END,
            "CREATE TABLE subtask_log (subtask_id BIGINT NOT NULL, seq BIGINT NOT NULL, logged_at DATETIME(6) NOT NULL, text TEXT NOT NULL, "
            "PRIMARY KEY (subtask_id, seq)" TABLE_END) },
    { 0 },
};
