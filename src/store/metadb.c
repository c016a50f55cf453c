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
    { 3, "managed clusters",
      STEPS("CREATE TABLE obcluster (id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, ob_cluster_id BIGINT NULL, engine VARCHAR(32) NOT NULL, "
            "type VARCHAR(16) NOT NULL, status TINYINT NOT NULL, address VARCHAR(255) NOT NULL, port INT NOT NULL, "
            "connection_mode VARCHAR(16) NOT NULL, username VARCHAR(255) NOT NULL, password VARBINARY(2048) NOT NULL, "
            "password_version BIGINT NOT NULL, proxyro_password VARBINARY(2048) NOT NULL, instance VARCHAR(128) NOT NULL, "
            "version VARCHAR(64) NOT NULL, full_version VARCHAR(255) NOT NULL, architecture VARCHAR(64) NOT NULL, creator_id BIGINT NOT NULL, "
            "creator_name VARCHAR(128) NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, seen_at DATETIME(6) NULL, "
            "failure VARCHAR(2048) NOT NULL, failed_at DATETIME(6) NULL, PRIMARY KEY (id), UNIQUE KEY obcluster_name (name), "
            "UNIQUE KEY obcluster_address (address, port), UNIQUE KEY obcluster_instance (instance)" TABLE_END,
            "CREATE TABLE obzone (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, region VARCHAR(128) NOT NULL, "
            "idc VARCHAR(128) NOT NULL, inner_status VARCHAR(64) NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY obzone_name (cluster_id, name)" TABLE_END,
            "CREATE TABLE observer (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, zone VARCHAR(128) NOT NULL, ip VARCHAR(255) NOT NULL, "
            "port INT NOT NULL, sql_port INT NOT NULL, version VARCHAR(255) NOT NULL, inner_status VARCHAR(64) NOT NULL, "
            "with_rootserver TINYINT NOT NULL, start_at DATETIME(6) NULL, stop_at DATETIME(6) NULL, cpu_total DOUBLE NULL, "
            "cpu_assigned DOUBLE NULL, memory_total BIGINT NULL, memory_assigned BIGINT NULL, log_disk_total BIGINT NULL, "
            "log_disk_assigned BIGINT NULL, log_disk_used BIGINT NULL, data_disk_total BIGINT NULL, data_disk_used BIGINT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "UNIQUE KEY observer_address (cluster_id, ip, port)" TABLE_END,
            "CREATE TABLE obtenant (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, ob_tenant_id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, "
            "mode VARCHAR(16) NOT NULL, status VARCHAR(64) NOT NULL, charset VARCHAR(64) NOT NULL, collation VARCHAR(64) NOT NULL, "
            "time_zone VARCHAR(64) NOT NULL, primary_zone VARCHAR(512) NOT NULL, locality VARCHAR(1024) NOT NULL, readonly TINYINT NOT NULL, "
            "locked TINYINT NOT NULL, born_at DATETIME(6) NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY obtenant_number (cluster_id, ob_tenant_id)" TABLE_END,
            "CREATE TABLE obparameter_change (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, tenant_id BIGINT NOT NULL, "
            "name VARCHAR(128) NOT NULL, old_value TEXT NULL, new_value TEXT NOT NULL, user_id BIGINT NOT NULL, "
            "user_name VARCHAR(128) NOT NULL, outcome VARCHAR(16) NOT NULL, reason VARCHAR(1024) NOT NULL, changed_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), KEY obparameter_change_at (cluster_id, tenant_id, changed_at)" TABLE_END) },
    { 4, "regions, IDCs, host types, hosts",
      STEPS("CREATE TABLE region (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL, description VARCHAR(1024) NOT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY region_name (name)" TABLE_END,
            "CREATE TABLE idc (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL, description VARCHAR(1024) NOT NULL, region_id BIGINT NOT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY idc_name (name), "
            "KEY idc_region (region_id)" TABLE_END,
            "CREATE TABLE host_type (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL, description VARCHAR(1024) NOT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY host_type_name (name)" TABLE_END,
            "CREATE TABLE host (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL, alias VARCHAR(255) NOT NULL, "
            "description VARCHAR(1024) NOT NULL, operating_system VARCHAR(255) NOT NULL, operating_system_release VARCHAR(255) NOT NULL, "
            "architecture VARCHAR(64) NOT NULL, serial_number VARCHAR(255) NOT NULL, ip VARCHAR(255) NOT NULL, ssh_port INT NOT NULL, "
            "kind VARCHAR(64) NOT NULL, publish_ports VARCHAR(1024) NOT NULL, status VARCHAR(32) NOT NULL, idc_id BIGINT NOT NULL, "
            "type_id BIGINT NOT NULL, credential_id BIGINT NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY host_ip (ip), KEY host_idc (idc_id), KEY host_type_id (type_id)" TABLE_END) },
    { 5, "credentials of users",
      STEPS("CREATE TABLE credential (id BIGINT NOT NULL, user_id BIGINT NOT NULL, target_type VARCHAR(16) NOT NULL, name VARCHAR(255) NOT NULL, "
            "description VARCHAR(1024) NOT NULL, kind VARCHAR(32) NOT NULL, username VARCHAR(255) NOT NULL, secret BLOB NOT NULL, "
            "extra TEXT NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "UNIQUE KEY credential_name (user_id, name)" TABLE_END) },
    { 6, "system parameters and their history",
      STEPS("CREATE TABLE property (name VARCHAR(128) NOT NULL, value TEXT NOT NULL, version BIGINT NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "user_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL, PRIMARY KEY (name)" TABLE_END,
            "CREATE TABLE property_change (id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, old_value TEXT NULL, new_value TEXT NULL, "
            "changed_at DATETIME(6) NOT NULL, user_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL, PRIMARY KEY (id), "
            "KEY property_change_name (name, changed_at)" TABLE_END,
            "INSERT INTO store_sequence (name, next_id) VALUES ('property', 0)") },
    { 7, "audit",
      STEPS("CREATE TABLE audit_event (id BIGINT NOT NULL, operation VARCHAR(255) NOT NULL, event VARCHAR(255) NOT NULL, "
            "type VARCHAR(255) NOT NULL, resource_type VARCHAR(255) NOT NULL, resource_id BIGINT NOT NULL, resource_name VARCHAR(255) NOT NULL, "
            "parent_resource VARCHAR(255) NOT NULL, user_id BIGINT NOT NULL, username VARCHAR(255) NOT NULL, client_ip VARCHAR(255) NOT NULL, "
            "status VARCHAR(32) NOT NULL, code INT NOT NULL, task_id BIGINT NOT NULL, execution VARCHAR(32) NOT NULL, info TEXT NOT NULL, "
            "trace VARCHAR(255) NOT NULL, node VARCHAR(255) NOT NULL, started_at DATETIME(6) NOT NULL, ended_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), KEY audit_event_started (started_at), KEY audit_event_user (user_id, started_at)" TABLE_END) },
    { 8, "request keys",
      STEPS("CREATE TABLE idempotency (user_id BIGINT NOT NULL, request_key VARCHAR(128) NOT NULL, digest VARCHAR(64) NOT NULL, "
            "done TINYINT NOT NULL, status INT NOT NULL, reply MEDIUMTEXT NOT NULL, trace VARCHAR(64) NOT NULL, node VARCHAR(255) NOT NULL, "
            "created_at DATETIME(6) NOT NULL, PRIMARY KEY (user_id, request_key), KEY idempotency_created (created_at)" TABLE_END) },
    { 9, "unit specifications",
      STEPS("CREATE TABLE unitspec (id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, kind VARCHAR(16) NOT NULL, min_cpu DOUBLE NOT NULL, "
            "max_cpu DOUBLE NOT NULL, min_memory_gb BIGINT NOT NULL, max_memory_gb BIGINT NOT NULL, created_at DATETIME(6) NOT NULL, "
            "updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY unitspec_name (name)" TABLE_END,
            "INSERT INTO unitspec (id, name, kind, min_cpu, max_cpu, min_memory_gb, max_memory_gb, created_at, updated_at) VALUES "
            "(1, 'B', 'SYSTEM', 0.25, 0.25, 1, 1, NOW(6), NOW(6)), (2, 'LogOnlyNormal', 'SYSTEM', 1, 1, 2, 2, NOW(6), NOW(6)), "
            "(3, 'LogOnlySystem', 'SYSTEM', 5, 5, 35, 35, NOW(6), NOW(6)), (4, 'S0', 'SYSTEM', 0.5, 0.5, 2, 2, NOW(6), NOW(6)), "
            "(5, 'S1', 'SYSTEM', 1.5, 1.5, 6, 6, NOW(6), NOW(6)), (6, 'S2', 'SYSTEM', 3, 3, 12, 12, NOW(6), NOW(6)), "
            "(7, 'S3', 'SYSTEM', 6, 6, 20, 20, NOW(6), NOW(6)), (8, 'S4', 'SYSTEM', 12, 12, 40, 40, NOW(6), NOW(6))") },
    { 10, "nodes of this OCP",
      STEPS("CREATE TABLE node (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL, zone VARCHAR(128) NOT NULL, idc VARCHAR(128) NOT NULL, "
            "address VARCHAR(255) NOT NULL, version VARCHAR(64) NOT NULL, build_time VARCHAR(64) NOT NULL, draining TINYINT NOT NULL, "
            "started_at DATETIME(6) NOT NULL, seen_at DATETIME(6) NOT NULL, created_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "UNIQUE KEY node_name (name)" TABLE_END) },
    { 11, "what is kept of tenants",
      STEPS("CREATE TABLE obtenant_kept (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, description VARCHAR(1024) NOT NULL, "
            "password VARBINARY(2048) NOT NULL, password_version BIGINT NOT NULL, PRIMARY KEY (id), "
            "KEY obtenant_kept_cluster (cluster_id)" TABLE_END) },
    { 12, "console sessions",
      STEPS("CREATE TABLE user_session (id BIGINT NOT NULL, digest VARCHAR(64) NOT NULL, user_id BIGINT NOT NULL, "
            "client_ip VARCHAR(64) NOT NULL, user_agent VARCHAR(255) NOT NULL, created_at DATETIME(6) NOT NULL, "
            "seen_at DATETIME(6) NOT NULL, expires_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY user_session_digest (digest), "
            "KEY user_session_user (user_id, created_at), KEY user_session_seen (seen_at), KEY user_session_expires (expires_at)" TABLE_END,
            "CREATE TABLE login_key (bits INT NOT NULL, public_key TEXT NOT NULL, private_key VARBINARY(4096) NOT NULL, "
            "created_at DATETIME(6) NOT NULL, PRIMARY KEY (bits)" TABLE_END) },
    { 13, "roles that people make, and more about users",
      STEPS("CREATE TABLE role (id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, description VARCHAR(1024) NOT NULL, "
            "permissions MEDIUMTEXT NOT NULL, version BIGINT NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY role_name (name)" TABLE_END,
            "ALTER TABLE user ADD COLUMN phone VARCHAR(64) NOT NULL DEFAULT ''",
            "ALTER TABLE user ADD COLUMN department VARCHAR(255) NOT NULL DEFAULT ''",
            "ALTER TABLE user ADD COLUMN locked TINYINT NOT NULL DEFAULT 0") },
    { 14, "access keys",
      STEPS("CREATE TABLE access_key (id BIGINT NOT NULL, access_key VARCHAR(64) NOT NULL, user_id BIGINT NOT NULL, "
            "secret VARBINARY(512) NOT NULL, description VARCHAR(1024) NOT NULL, enabled TINYINT NOT NULL, created_at DATETIME(6) NOT NULL, "
            "updated_at DATETIME(6) NOT NULL, used_at DATETIME(6) NULL, PRIMARY KEY (id), UNIQUE KEY access_key_key (access_key), "
            "KEY access_key_user (user_id, created_at)" TABLE_END) },
    { 15, "clusters of several zones and servers",
      STEPS("ALTER TABLE obcluster ADD COLUMN endpoints TEXT NULL", "ALTER TABLE obzone ADD COLUMN type VARCHAR(64) NOT NULL DEFAULT ''",
            "ALTER TABLE observer ADD COLUMN in_rs_list TINYINT NOT NULL DEFAULT 0", "ALTER TABLE observer ADD COLUMN offline_at DATETIME(6) NULL",
            "ALTER TABLE observer ADD COLUMN cpu_max DOUBLE NULL", "ALTER TABLE observer ADD COLUMN cpu_assigned_max DOUBLE NULL",
            "ALTER TABLE obtenant ADD COLUMN former_locality VARCHAR(1024) NOT NULL DEFAULT ''",
            "ALTER TABLE obtenant ADD COLUMN role VARCHAR(64) NOT NULL DEFAULT ''",
            "ALTER TABLE obtenant ADD COLUMN switchover_status VARCHAR(128) NOT NULL DEFAULT ''",
            "ALTER TABLE obtenant ADD COLUMN compatible VARCHAR(64) NOT NULL DEFAULT ''", "ALTER TABLE obtenant ADD COLUMN whitelist TEXT NULL",
            "ALTER TABLE obtenant ADD COLUMN unit_num BIGINT NULL", "ALTER TABLE obtenant ADD COLUMN lower_case_names BIGINT NULL",
            "ALTER TABLE obparameter_change ADD COLUMN scope VARCHAR(16) NOT NULL DEFAULT ''",
            "ALTER TABLE obparameter_change ADD COLUMN target VARCHAR(255) NOT NULL DEFAULT ''",
            "CREATE TABLE obunit (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, ob_unit_id BIGINT NOT NULL, ob_tenant_id BIGINT NULL, "
            "zone VARCHAR(128) NOT NULL, ip VARCHAR(255) NOT NULL, port INT NOT NULL, status VARCHAR(64) NOT NULL, group_id BIGINT NULL, "
            "pool_id BIGINT NULL, pool_name VARCHAR(128) NOT NULL, pool_unit_count BIGINT NULL, config_id BIGINT NULL, "
            "config_name VARCHAR(128) NOT NULL, max_cpu DOUBLE NULL, min_cpu DOUBLE NULL, memory BIGINT NULL, log_disk BIGINT NULL, "
            "max_iops BIGINT NULL, min_iops BIGINT NULL, iops_weight BIGINT NULL, migrate_from_ip VARCHAR(255) NOT NULL, "
            "migrate_from_port BIGINT NULL, manual_migrate TINYINT NOT NULL, log_disk_used BIGINT NULL, data_disk_used BIGINT NULL, "
            "created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "UNIQUE KEY obunit_number (cluster_id, ob_unit_id)" TABLE_END) },
    { 16, "failed logins and the history of logins",
      STEPS("CREATE TABLE login_failure (kind TINYINT NOT NULL, subject VARCHAR(128) NOT NULL, failures BIGINT NOT NULL, "
            "until_at DATETIME(6) NOT NULL, PRIMARY KEY (kind, subject), KEY login_failure_until (until_at)" TABLE_END,
            "CREATE TABLE login_history (id BIGINT NOT NULL, user_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL, "
            "client_ip VARCHAR(64) NOT NULL, user_agent VARCHAR(255) NOT NULL, method VARCHAR(16) NOT NULL, succeeded TINYINT NOT NULL, "
            "code INT NOT NULL, node VARCHAR(255) NOT NULL, happened_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "KEY login_history_happened (happened_at), KEY login_history_user (user_id, happened_at)" TABLE_END) },
    { 17, "addresses that may come in, and how often users may call",
      STEPS("CREATE TABLE address_rule (id BIGINT NOT NULL, network VARCHAR(64) NOT NULL, description VARCHAR(1024) NOT NULL, "
            "enabled TINYINT NOT NULL, creator_name VARCHAR(128) NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY address_rule_network (network)" TABLE_END,
            "CREATE TABLE rate_limit (user_id BIGINT NOT NULL, window_s INT NOT NULL, max_calls BIGINT NOT NULL, "
            "PRIMARY KEY (user_id, window_s)" TABLE_END,
            "CREATE TABLE rate_count (user_id BIGINT NOT NULL, window_s INT NOT NULL, starts_at DATETIME(6) NOT NULL, node VARCHAR(255) NOT NULL, "
            "calls BIGINT NOT NULL, PRIMARY KEY (user_id, window_s, starts_at, node), KEY rate_count_starts (starts_at)" TABLE_END,
            "INSERT INTO store_sequence (name, next_id) VALUES ('address_rule', 0)",
            "INSERT INTO store_sequence (name, next_id) VALUES ('rate_limit', 0)") },
    { 18, "compactions of zones", STEPS("ALTER TABLE obzone ADD COLUMN compaction VARCHAR(32) NOT NULL DEFAULT ''") },
    { 19, "shared credentials",
      STEPS("CREATE TABLE credential_offer (id BIGINT NOT NULL, user_id BIGINT NOT NULL, from_id BIGINT NOT NULL, "
            "from_name VARCHAR(128) NOT NULL, status TINYINT NOT NULL, target_type VARCHAR(16) NOT NULL, name VARCHAR(255) NOT NULL, "
            "description VARCHAR(1024) NOT NULL, kind VARCHAR(32) NOT NULL, username VARCHAR(255) NOT NULL, secret BLOB NOT NULL, "
            "extra TEXT NOT NULL, created_at DATETIME(6) NOT NULL, expires_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "KEY credential_offer_user (user_id, status), KEY credential_offer_expires (expires_at)" TABLE_END) },
    { 20, "leadership",
      STEPS("CREATE TABLE leader_epoch (id INT NOT NULL, generation BIGINT NOT NULL, term BIGINT NOT NULL, epoch BIGINT NOT NULL, "
            "node_id BIGINT NOT NULL, claimed_at DATETIME(6) NOT NULL, PRIMARY KEY (id)" TABLE_END,
            "INSERT INTO leader_epoch (id, generation, term, epoch, node_id, claimed_at) VALUES (1, 1, 0, 0, 0, NOW(6))",
            "CREATE TABLE leader_fence (slot INT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (slot)" TABLE_END,
            "INSERT INTO leader_fence (slot, epoch, n) VALUES "
            "(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0), (5, 0, 0), (6, 0, 0), (7, 0, 0), "
            "(8, 0, 0), (9, 0, 0), (10, 0, 0), (11, 0, 0), (12, 0, 0), (13, 0, 0), (14, 0, 0), (15, 0, 0), "
            "(16, 0, 0), (17, 0, 0), (18, 0, 0), (19, 0, 0), (20, 0, 0), (21, 0, 0), (22, 0, 0), (23, 0, 0), "
            "(24, 0, 0), (25, 0, 0), (26, 0, 0), (27, 0, 0), (28, 0, 0), (29, 0, 0), (30, 0, 0), (31, 0, 0), "
            "(32, 0, 0), (33, 0, 0), (34, 0, 0), (35, 0, 0), (36, 0, 0), (37, 0, 0), (38, 0, 0), (39, 0, 0), "
            "(40, 0, 0), (41, 0, 0), (42, 0, 0), (43, 0, 0), (44, 0, 0), (45, 0, 0), (46, 0, 0), (47, 0, 0), "
            "(48, 0, 0), (49, 0, 0), (50, 0, 0), (51, 0, 0), (52, 0, 0), (53, 0, 0), (54, 0, 0), (55, 0, 0), "
            "(56, 0, 0), (57, 0, 0), (58, 0, 0), (59, 0, 0), (60, 0, 0), (61, 0, 0), (62, 0, 0), (63, 0, 0)") },
    { 21, "the cluster that the nodes of this OCP are",
      STEPS("CREATE TABLE ocp_cluster (id INT NOT NULL, cluster VARCHAR(32) NOT NULL, lineage VARCHAR(32) NOT NULL, founder BIGINT NOT NULL, "
            "authority TEXT NOT NULL, authority_key VARBINARY(2048) NOT NULL, created_at DATETIME(6) NOT NULL, PRIMARY KEY (id)" TABLE_END,
            "CREATE TABLE node_certificate (serial VARCHAR(64) NOT NULL, node_id BIGINT NOT NULL, issued_at DATETIME(6) NOT NULL, "
            "expires_at DATETIME(6) NOT NULL, revoked_at DATETIME(6) NULL, PRIMARY KEY (serial), KEY node_certificate_node (node_id)" TABLE_END,
            "ALTER TABLE node ADD COLUMN peer_address VARCHAR(255) NOT NULL DEFAULT ''",
            "ALTER TABLE node ADD COLUMN witness TINYINT NOT NULL DEFAULT 0",
            "ALTER TABLE node ADD COLUMN drain_wanted TINYINT NOT NULL DEFAULT 0") },
    { 22, "leases of standing work",
      STEPS("CREATE TABLE work_lease (shard INT NOT NULL, node_id BIGINT NOT NULL, next_id BIGINT NOT NULL, view BIGINT NOT NULL, "
            "kicks BIGINT NOT NULL, results BIGINT NOT NULL, expires_at DATETIME(6) NOT NULL, PRIMARY KEY (shard), "
            "KEY work_lease_node (node_id, shard)" TABLE_END,
            "INSERT INTO work_lease (shard, node_id, next_id, view, kicks, results, expires_at) "
            "SELECT a.slot * 4 + b.slot, 0, 0, 0, 0, 0, '2000-01-01' FROM leader_fence a, leader_fence b WHERE b.slot < 4") },
    { 23, "history of leaderships, and the sessions of leaders",
      STEPS("CREATE TABLE leadership (epoch BIGINT NOT NULL, generation BIGINT NOT NULL, term BIGINT NOT NULL, node_id BIGINT NOT NULL, "
            "node_name VARCHAR(255) NOT NULL, cause VARCHAR(32) NOT NULL, claimed_at DATETIME(6) NOT NULL, PRIMARY KEY (epoch)" TABLE_END,
            "CREATE TABLE leader_session (server VARCHAR(255) NOT NULL, connection_id BIGINT NOT NULL, node_id BIGINT NOT NULL, "
            "registered_at DATETIME(6) NOT NULL, PRIMARY KEY (server, connection_id), KEY leader_session_at (registered_at)" TABLE_END) },
    { 24, "nodes that shall renew their certificates", STEPS("ALTER TABLE node ADD COLUMN renew_wanted TINYINT NOT NULL DEFAULT 0") },
    { 25, "who holds the key of a request, and whether it has had an effect", /* older nodes do not say: theirs may have had one */
      STEPS("ALTER TABLE idempotency ADD COLUMN claim VARCHAR(32) NOT NULL DEFAULT ''",
            "ALTER TABLE idempotency ADD COLUMN node_id BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE idempotency ADD COLUMN node_started_at DATETIME(6) NULL",
            "ALTER TABLE idempotency ADD COLUMN effect TINYINT NOT NULL DEFAULT 1",
            "ALTER TABLE idempotency ADD COLUMN task_id BIGINT NOT NULL DEFAULT 0") },
    { 26, "root services of clusters, as the config URL tells them",
      STEPS("CREATE TABLE config_record (name VARCHAR(128) NOT NULL, ob_cluster_id BIGINT NOT NULL, type VARCHAR(16) NOT NULL, "
            "stamp_us BIGINT NOT NULL, servers TEXT NOT NULL, reporter VARCHAR(64) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (name, ob_cluster_id)" TABLE_END,
            "INSERT INTO store_sequence (name, next_id) VALUES ('configurl', 1)") },
    { 27, "agents of hosts",
      STEPS("ALTER TABLE host ADD COLUMN ssh_fingerprint VARCHAR(64) NOT NULL DEFAULT ''",
            "ALTER TABLE host ADD COLUMN ocp_id VARCHAR(32) NOT NULL DEFAULT ''",
            "CREATE TABLE host_agent (id BIGINT NOT NULL, host_id BIGINT NOT NULL, version VARCHAR(64) NOT NULL, "
            "install_home VARCHAR(1024) NOT NULL, listen VARCHAR(64) NOT NULL, manager_port INT NOT NULL, monitor_port INT NOT NULL, "
            "status VARCHAR(32) NOT NULL, incarnation VARCHAR(64) NOT NULL, program_sha256 VARCHAR(64) NOT NULL, "
            "certificate_serial VARCHAR(64) NOT NULL, certificate_expires_at DATETIME(6) NULL, available_at DATETIME(6) NULL, "
            "problem VARCHAR(1024) NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, PRIMARY KEY (id), "
            "UNIQUE KEY host_agent_host (host_id)" TABLE_END,
            "CREATE TABLE host_process (id BIGINT NOT NULL, host_id BIGINT NOT NULL, name VARCHAR(64) NOT NULL, kind VARCHAR(32) NOT NULL, "
            "pid BIGINT NOT NULL, status VARCHAR(32) NOT NULL, note VARCHAR(255) NOT NULL, port INT NOT NULL, started_at DATETIME(6) NULL, "
            "active_at DATETIME(6) NULL, restarts BIGINT NOT NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY host_process_name (host_id, name)" TABLE_END) },
    { 28, "tasks as graphs of steps that run on any node",
      STEPS("ALTER TABLE task ADD COLUMN arguments LONGTEXT NULL", "ALTER TABLE task ADD COLUMN locks TEXT NULL",
            "ALTER TABLE task ADD COLUMN host_id BIGINT NOT NULL DEFAULT -1", "ALTER TABLE task ADD COLUMN operation TINYINT NOT NULL DEFAULT 0",
            "ALTER TABLE task ADD COLUMN type TINYINT NOT NULL DEFAULT 0", "ALTER TABLE task ADD COLUMN undo_on_failure TINYINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN stage BIGINT NOT NULL DEFAULT 0", "ALTER TABLE subtask ADD COLUMN width BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN place BIGINT NOT NULL DEFAULT -1", "ALTER TABLE subtask ADD COLUMN up_first BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN up_last BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN target VARCHAR(255) NOT NULL DEFAULT ''",
            "ALTER TABLE subtask ADD COLUMN label VARCHAR(255) NOT NULL DEFAULT ''",
            "ALTER TABLE subtask ADD COLUMN retries BIGINT NOT NULL DEFAULT 0", "ALTER TABLE subtask ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN declines BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN flags BIGINT NOT NULL DEFAULT 0", "ALTER TABLE subtask ADD COLUMN operation TINYINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN worker_id BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN incarnation BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE subtask ADD COLUMN not_before DATETIME(6) NOT NULL DEFAULT '2000-01-01'",
            "CREATE INDEX subtask_due ON subtask (status, not_before, id)", "CREATE INDEX subtask_worker ON subtask (worker_id, status)",
            "CREATE TABLE task_context (task_id BIGINT NOT NULL, name VARCHAR(191) NOT NULL, value LONGTEXT NOT NULL, "
            "PRIMARY KEY (task_id, name)" TABLE_END,
            "CREATE TABLE task_lock (kind VARCHAR(32) NOT NULL, object_id BIGINT NOT NULL, task_id BIGINT NOT NULL, "
            "locked_at DATETIME(6) NOT NULL, PRIMARY KEY (kind, object_id), KEY task_lock_task (task_id)" TABLE_END,
            "CREATE TABLE task_worker (node_id BIGINT NOT NULL, incarnation BIGINT NOT NULL, name VARCHAR(255) NOT NULL, "
            "draining TINYINT NOT NULL, expires_at DATETIME(6) NOT NULL, PRIMARY KEY (node_id)" TABLE_END,
            "CREATE TABLE task_session (subtask_id BIGINT NOT NULL, server VARCHAR(191) NOT NULL, connection_id BIGINT NOT NULL, "
            "dispatch BIGINT NOT NULL, opened_at DATETIME(6) NOT NULL, PRIMARY KEY (subtask_id, server, connection_id)" TABLE_END) },
    { 29, "software packages",
      STEPS("CREATE TABLE package (id BIGINT NOT NULL, name VARCHAR(128) NOT NULL, version VARCHAR(128) NOT NULL, build_number VARCHAR(128) NOT NULL, "
            "operating_system VARCHAR(64) NOT NULL, architecture VARCHAR(32) NOT NULL, type VARCHAR(64) NOT NULL, file_name VARCHAR(255) NOT NULL, "
            "size_bytes BIGINT NOT NULL, sha1 VARCHAR(40) NOT NULL, sha256 VARCHAR(64) NOT NULL, place TINYINT NOT NULL, "
            "creator VARCHAR(128) NOT NULL, created_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE KEY package_file (file_name), "
            "UNIQUE KEY package_identity (name, version, build_number, operating_system, architecture)" TABLE_END,
            "CREATE TABLE package_blob (id BIGINT NOT NULL, state TINYINT NOT NULL, place TINYINT NOT NULL, taken_bytes BIGINT NOT NULL, "
            "node VARCHAR(255) NOT NULL, touched_at DATETIME(6) NOT NULL, PRIMARY KEY (id), KEY package_blob_state (state, touched_at)" TABLE_END,
            "CREATE TABLE package_host (package_id BIGINT NOT NULL, host_id BIGINT NOT NULL, brought_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (package_id, host_id), KEY package_host_host (host_id)" TABLE_END,
            "CREATE TABLE package_use (package_id BIGINT NOT NULL, task_id BIGINT NOT NULL, PRIMARY KEY (package_id, task_id)" TABLE_END,
            "CREATE TABLE package_quota (id INT NOT NULL, uses BIGINT NOT NULL, PRIMARY KEY (id)" TABLE_END,
            "INSERT INTO package_quota (id, uses) VALUES (1, 0)") },
    { 30, "work by the clock, and the age of steps' logs",
      STEPS("CREATE INDEX subtask_log_at ON subtask_log (logged_at)",
            "CREATE TABLE task_schedule (name VARCHAR(64) NOT NULL, status TINYINT NOT NULL, wanted TINYINT NOT NULL, runs BIGINT NOT NULL, "
            "seen_at DATETIME(6) NOT NULL, began_at DATETIME(6) NULL, ended_at DATETIME(6) NULL, error TEXT NOT NULL, "
            "node VARCHAR(255) NOT NULL, PRIMARY KEY (name)" TABLE_END) },
    { 31, "clusters that are installed here",
      STEPS("CREATE TABLE obinstall (cluster_id BIGINT NOT NULL, install_path VARCHAR(255) NOT NULL, run_path VARCHAR(255) NOT NULL, "
            "data_path VARCHAR(255) NOT NULL, log_path VARCHAR(255) NOT NULL, os_user VARCHAR(64) NOT NULL, package_id BIGINT NOT NULL, "
            "package VARCHAR(255) NOT NULL, primary_zone VARCHAR(512) NOT NULL, parameters TEXT NOT NULL, monitor_password VARBINARY(2048) NOT NULL, "
            "PRIMARY KEY (cluster_id)" TABLE_END,
            "CREATE TABLE obinstall_server (id BIGINT NOT NULL, cluster_id BIGINT NOT NULL, host_id BIGINT NOT NULL, zone VARCHAR(128) NOT NULL, "
            "region VARCHAR(128) NOT NULL, idc VARCHAR(128) NOT NULL, ip VARCHAR(64) NOT NULL, port INT NOT NULL, sql_port INT NOT NULL, "
            "PRIMARY KEY (id), UNIQUE KEY obinstall_server_port (ip, port), UNIQUE KEY obinstall_server_sql_port (ip, sql_port), "
            "KEY obinstall_server_cluster (cluster_id, zone), KEY obinstall_server_host (host_id)" TABLE_END,
            "ALTER TABLE obcluster ADD COLUMN ocp_id VARCHAR(32) NOT NULL DEFAULT ''",
            "UPDATE obcluster SET ocp_id = COALESCE((SELECT cluster FROM ocp_cluster WHERE id = 1), '')") },
    { 32, "service names of tenants",
      STEPS("ALTER TABLE obtenant ADD COLUMN service VARCHAR(64) NULL") },
    { 33, "what steps must not do twice on a host",
      STEPS("CREATE TABLE subtask_once (subtask_id BIGINT NOT NULL, host_id BIGINT NOT NULL, is_back TINYINT NOT NULL, dispatch BIGINT NOT NULL, "
            "incarnation VARCHAR(32) NOT NULL, PRIMARY KEY (subtask_id, host_id, is_back)" TABLE_END) },
    { 34, "tasks of hosts",
      STEPS("CREATE TABLE task_host (host_id BIGINT NOT NULL, task_id BIGINT NOT NULL, PRIMARY KEY (host_id, task_id)" TABLE_END,
            "INSERT INTO task_host (host_id, task_id) SELECT host_id, id FROM task WHERE host_id > 0 "
            "UNION SELECT object_id, task_id FROM task_lock WHERE kind = 'host'") },
    { 35, "long lists of tasks",
      STEPS("CREATE INDEX task_in_order ON task (id, status, type)", "CREATE INDEX task_cluster_name ON task (cluster_name, id)",
            "CREATE INDEX task_tenant_name ON task (tenant_name, id)", "CREATE INDEX task_tenant ON task (tenant_id, id)") },
    { 36, "old tasks go",
      STEPS("CREATE INDEX task_finished ON task (finished_at)", "CREATE INDEX task_host_task ON task_host (task_id)") },
    { 0 },
};
