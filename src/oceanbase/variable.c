/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/variable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_OB_VARIABLE_UNKNOWN, 90405, 404, ERR_FINAL, "The tenant has no variable {0}.", "租户变量 {0} 不存在。");
ERR_DEFINE(ERR_OB_VARIABLE_VALUE, 90406, 400, ERR_FINAL, "The tenant does not accept {1} for its variable {0}.",
           "租户变量 {0} 不接受取值 {1}。");
ERR_DEFINE(ERR_OB_VARIABLE_READ_ONLY, 90407, 400, ERR_FINAL, "The variable {0} cannot be changed for the whole tenant.",
           "变量 {0} 不能在租户级别修改。");

const struct err_row *const ob_variable_err_rows[] = { &ERR_OB_VARIABLE_UNKNOWN, &ERR_OB_VARIABLE_VALUE, &ERR_OB_VARIABLE_READ_ONLY, NULL };

static const struct sql_field columns[] = {
    SQL_FIELD(ob_variable, name, "name", SQL_C_TEXT),
    SQL_FIELD(ob_variable, value, "value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, min, "min_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, max, "max_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, scope, "scope", SQL_C_TEXT),
    SQL_FIELD(ob_variable, info, "info", SQL_C_TEXT),
    SQL_FIELD(ob_variable, default_value, "default_value", SQL_C_TEXT),
    { NULL },
};

int ob_variables_list(struct sql *s, struct arena *arena, struct ob_variable **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SELECT v.name, COALESCE(g.variable_value, v.value) AS value, NULLIF(v.min_value, '') AS min_value, "
                     "NULLIF(v.max_value, '') AS max_value, v.scope, NULLIF(v.info, '') AS info, "
                     "CASE WHEN v.default_value = v.value THEN COALESCE(g.variable_value, v.value) "
                     "WHEN g.variable_value IN ('ON', 'OFF') AND v.default_value IN ('0', '1') THEN IF(v.default_value = '1', 'ON', 'OFF') "
                     "WHEN v.name LIKE 'collation%' THEN COALESCE(c.collation_name, v.default_value) "
                     "WHEN v.name LIKE 'character%' THEN COALESCE(c.character_set_name, v.default_value) "
                     "ELSE v.default_value END AS default_value FROM oceanbase.DBA_OB_SYS_VARIABLES v "
                     "LEFT JOIN information_schema.GLOBAL_VARIABLES g ON g.variable_name = v.name "
                     "LEFT JOIN information_schema.collations c ON c.id = v.default_value "
                     "AND (v.name LIKE 'collation%' OR v.name LIKE 'character%') ORDER BY v.name",
                     NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        (*out)[i].value = "";
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
}

/* Those that the kernel refuses to change (1238), as found by trying; its views do not tell. */
static const char *const fixed[] = {
    "Ndb_system_name", "auto_generate_certs", "back_log", "basedir", "bind_address", "binlog_checksum", "binlog_format",
    "binlog_gtid_simple_recovery", "binlog_rows_query_log_events", "character_set_system", "character_sets_dir", "core_file", "datadir",
    "date_format", "datetime_format", "disconnect_on_expired_password", "gtid_executed", "gtid_owned", "have_compress",
    "have_query_cache", "have_statement_timeout", "have_symlink", "ignore_builtin_innodb", "ignore_db_dirs", "init_file",
    "innodb_api_disable_rowlock", "innodb_api_enable_binlog", "innodb_autoinc_lock_mode", "innodb_buffer_pool_chunk_size",
    "innodb_buffer_pool_instances", "innodb_buffer_pool_load_at_startup", "innodb_checksums", "innodb_doublewrite",
    "innodb_file_format_check", "innodb_flush_method", "innodb_force_load_corrupted", "innodb_locks_unsafe_for_binlog",
    "innodb_log_buffer_size", "innodb_log_file_size", "innodb_log_files_in_group", "innodb_log_group_home_dir", "innodb_open_files",
    "innodb_page_cleaners", "innodb_page_size", "innodb_purge_threads", "innodb_read_io_threads", "innodb_read_only",
    "innodb_rollback_on_timeout", "innodb_sort_buffer_size", "innodb_stats_auto_recalc", "innodb_sync_array_size", "innodb_sync_debug",
    "innodb_undo_directory", "innodb_undo_tablespaces", "innodb_use_native_aio", "innodb_version", "innodb_write_io_threads", "language",
    "large_files_support", "lc_messages_dir", "license", "locked_in_memory", "log_bin", "log_bin_basename", "log_bin_index", "log_error",
    "lower_case_file_system", "lower_case_table_names", "max_digest_length", "myisam_mmap_size", "mysqlx_bind_address", "mysqlx_port",
    "mysqlx_port_open_timeout", "mysqlx_socket", "mysqlx_ssl_ca", "mysqlx_ssl_capath", "mysqlx_ssl_cert", "mysqlx_ssl_cipher",
    "mysqlx_ssl_crl", "mysqlx_ssl_crlpath", "mysqlx_ssl_key", "named_pipe", "named_pipe_full_access_group", "ndb_batch_size",
    "ndb_cluster_connection_pool", "ndb_cluster_connection_pool_nodeids", "ndb_log_apply_status", "ndb_log_bin", "ndb_log_fail_terminate",
    "ndb_log_orig", "ndb_log_transaction_id", "ndb_optimized_node_selection", "ndb_use_copying_alter_table", "ndb_version",
    "ndb_version_string", "ndb_wait_connected", "ndb_wait_setup", "ndbinfo_database", "ndbinfo_table_prefix", "ndbinfo_version", "old",
    "open_files_limit", "performance_schema_accounts_size", "performance_schema_digests_size",
    "performance_schema_events_stages_history_long_size", "performance_schema_events_stages_history_size",
    "performance_schema_events_statements_history_long_size", "performance_schema_events_statements_history_size",
    "performance_schema_events_transactions_history_long_size", "performance_schema_events_transactions_history_size",
    "performance_schema_events_waits_history_long_size", "performance_schema_events_waits_history_size", "performance_schema_hosts_size",
    "performance_schema_max_cond_classes", "performance_schema_max_cond_instances", "performance_schema_max_digest_length",
    "performance_schema_max_file_classes", "performance_schema_max_file_handles", "performance_schema_max_file_instances",
    "performance_schema_max_index_stat", "performance_schema_max_memory_classes", "performance_schema_max_metadata_locks",
    "performance_schema_max_mutex_classes", "performance_schema_max_mutex_instances",
    "performance_schema_max_prepared_statements_instances", "performance_schema_max_program_instances",
    "performance_schema_max_rwlock_classes", "performance_schema_max_rwlock_instances", "performance_schema_max_socket_classes",
    "performance_schema_max_socket_instances", "performance_schema_max_sql_text_length", "performance_schema_max_stage_classes",
    "performance_schema_max_statement_classes", "performance_schema_max_statement_stack", "performance_schema_max_table_handles",
    "performance_schema_max_table_instances", "performance_schema_max_table_lock_stat", "performance_schema_max_thread_classes",
    "performance_schema_max_thread_instances", "performance_schema_session_connect_attrs_size", "performance_schema_setup_actors_size",
    "performance_schema_setup_objects_size", "performance_schema_users_size", "pid_file", "port", "query_cache_type", "relay_log",
    "relay_log_basename", "relay_log_index", "relay_log_info_file", "relay_log_recovery", "relay_log_space_limit", "report_host",
    "report_password", "report_port", "report_user", "server_id_bits", "server_uuid", "sha256_password_auto_generate_rsa_keys",
    "sha256_password_private_key_path", "sha256_password_public_key_path", "shared_memory", "shared_memory_base_name",
    "skip_external_locking", "skip_name_resolve", "skip_networking", "skip_show_database", "socket", "super_read_only",
    "system_time_zone", "table_open_cache_instances", "thread_handling", "thread_pool_algorithm", "thread_pool_size", "thread_stack",
    "version", "version_comment", "version_tokens_session_number",
};

static int by_name(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

bool ob_variable_is_fixed(const struct ob_variable *v)
{
    return (v->scope != NULL && strcmp(v->scope, "SESSION_ONLY") == 0) ||
           bsearch(v->name, fixed, sizeof fixed / sizeof fixed[0], sizeof fixed[0], by_name) != NULL;
}

static bool is_word(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 128 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static const struct err_row *row_of(int number)
{
    switch (number) {
    case 1193:
        return &ERR_OB_VARIABLE_UNKNOWN;
    case 1231:
    case 1232:
        return &ERR_OB_VARIABLE_VALUE;
    case 1228:
    case 1238:
        return &ERR_OB_VARIABLE_READ_ONLY;
    default:
        return NULL;
    }
}

int ob_variable_refused(int rv, const char *name, const char *value, struct err *e)
{
    const struct err_row *row = rv != 0 ? row_of(e->lib_code) : NULL;

    if (row == NULL)
        return rv;
    (void)err_set(e, row, "%s", name);
    return err_arg(e, "%s", value);
}

int ob_variable_set(struct sql *s, const char *name, const char *value, struct err *e)
{
    struct sql_value v = sql_v_s(value);
    struct arena arena;
    char text[256];
    int64_t number;
    int rv;

    if (!is_word(name))
        return err_set(e, &ERR_OB_VARIABLE_UNKNOWN, "%s", name);
    if (num_parse_i64((struct slice){ value, strlen(value) }, &number)) /* '10' would be refused where a number is wanted */
        v = SQL_V_I(number);
    (void)snprintf(text, sizeof text, "SET GLOBAL %s = ?", name);
    arena_init(&arena);
    rv = sql_run(s, text, &v, 1, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return ob_variable_refused(rv, name, value, e);
}
