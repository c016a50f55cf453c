/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/state.h"

enum {
    BOTH = SIM_V_GLOBAL | SIM_V_SESSION,
    GLOBAL = SIM_V_GLOBAL,
    SESSION = SIM_V_SESSION,
    FIXED = BOTH | SIM_V_FIXED,
    AT_CREATION = BOTH | SIM_V_FIXED | SIM_V_AT_CREATION,
};

#define INT(NAME, FLAGS, DEFAULT, MIN, MAX, INFO) { NAME, SIM_V_INT, FLAGS, DEFAULT, MIN, MAX, NULL, INFO }
#define BOOL(NAME, FLAGS, DEFAULT, INFO) { NAME, SIM_V_BOOL, FLAGS, DEFAULT, NULL, NULL, NULL, INFO }
#define STRING(NAME, FLAGS, DEFAULT, WORDS, INFO) { NAME, SIM_V_STRING, FLAGS, DEFAULT, NULL, NULL, WORDS, INFO }
#define CHARSET(NAME, FLAGS, DEFAULT) { NAME, SIM_V_CHARSET, FLAGS, DEFAULT, NULL, NULL, NULL, "" }
#define COLLATION(NAME, FLAGS, DEFAULT) { NAME, SIM_V_COLLATION, FLAGS, DEFAULT, NULL, NULL, NULL, "" }
#define ISOLATION "READ-UNCOMMITTED|READ-COMMITTED|REPEATABLE-READ|SERIALIZABLE"

/* Sorted by name. */
const struct sim_variable sim_variables[] = {
    INT("auto_increment_cache_size", BOTH, "1000000", "1", "100000000", "service variable of auto increment"),
    INT("auto_increment_increment", BOTH, "1", "1", "65535", ""),
    INT("auto_increment_offset", BOTH, "1", "1", "65535", ""),
    BOOL("autocommit", BOTH, "ON", ""),
    BOOL("automatic_sp_privileges", GLOBAL, "ON", ""),
    CHARSET("character_set_client", BOTH, "utf8mb4"),
    CHARSET("character_set_connection", BOTH, "utf8mb4"),
    CHARSET("character_set_database", BOTH, "utf8mb4"),
    CHARSET("character_set_filesystem", BOTH, "binary"),
    CHARSET("character_set_results", BOTH, "utf8mb4"),
    CHARSET("character_set_server", BOTH, "utf8mb4"),
    CHARSET("character_set_system", FIXED, "utf8mb4"),
    COLLATION("collation_connection", BOTH, "utf8mb4_general_ci"),
    COLLATION("collation_database", BOTH, "utf8mb4_general_ci"),
    COLLATION("collation_server", BOTH, "utf8mb4_general_ci"),
    INT("connect_timeout", GLOBAL, "10", "2", "31536000", ""),
    STRING("datadir", FIXED, "store", NULL, ""),
    INT("default_password_lifetime", GLOBAL, "0", "0", "65535", "password lifetime of an account in days"),
    STRING("default_storage_engine", BOTH, "OceanBase", NULL, ""),
    INT("div_precision_increment", BOTH, "4", "0", "30", ""),
    BOOL("explicit_defaults_for_timestamp", BOTH, "ON", ""),
    BOOL("foreign_key_checks", BOTH, "ON", ""),
    INT("group_concat_max_len", BOTH, "1024", "4", "18446744073709551615", ""),
    STRING("init_connect", GLOBAL, "", NULL, ""),
    INT("interactive_timeout", BOTH, "28800", "1", "31536000", ""),
    INT("last_insert_id", SESSION, "0", "0", NULL, ""),
    STRING("license", FIXED, "", NULL, ""),
    INT("lower_case_table_names", AT_CREATION, "1", "0", "2", "how table database names are stored and compared, 0 means stored using the "
        "lettercase in the CREATE_TABLE or CREATE_DATABASE statement. Name comparisons are case sensitive; 1 means that table and database "
        "names are stored in lowercase abd name comparisons are not case sensitive."),
    INT("max_allowed_packet", BOTH, "16777216", "1024", "1073741824", "Max packet length to send to or receive from the server"),
    INT("max_connections", GLOBAL, "4294967295", "1", "4294967295", ""),
    INT("max_execution_time", BOTH, "0", NULL, NULL, ""),
    INT("max_user_connections", BOTH, "0", "0", "4294967295", ""),
    INT("net_buffer_length", BOTH, "16384", "1024", "1048576", ""),
    INT("net_read_timeout", BOTH, "30", "1", "31536000", ""),
    INT("net_write_timeout", BOTH, "60", "1", "31536000", ""),
    STRING("ob_compatibility_mode", AT_CREATION, "MYSQL", "MYSQL|ORACLE", "What DBMS is OceanBase compatible with? MYSQL means it behaves like "
           "MySQL while ORACLE means it behaves like Oracle."),
    INT("ob_default_lob_inrow_threshold", BOTH, "8192", "0", "786432", ""),
    BOOL("ob_enable_jit", BOTH, "ON", ""),
    BOOL("ob_enable_plan_cache", BOTH, "ON", "enable use of plan cache, 1:yes, 0:no"),
    BOOL("ob_enable_sql_audit", BOTH, "ON", ""),
    BOOL("ob_enable_transformation", BOTH, "ON", ""),
    BOOL("ob_enable_truncate_flashback", BOTH, "OFF", "enable truncate flashback"),
    STRING("ob_log_level", BOTH, "disabled", NULL, ""),
    INT("ob_max_parallel_degree", BOTH, "16", NULL, NULL, "max parallel degree"),
    INT("ob_plan_cache_evict_high_percentage", GLOBAL, "90", "0", "100", "memory usage percentage of plan_cache_limit at which plan cache "
        "eviction will be trigger"),
    INT("ob_plan_cache_evict_low_percentage", GLOBAL, "50", "0", "100", "memory usage percentage  of plan_cache_limit at which plan cache "
        "eviction will be stopped"),
    INT("ob_plan_cache_percentage", GLOBAL, "5", "0", "100", "percentage of tenant memory resources that can be used by plan cache"),
    INT("ob_query_timeout", BOTH, "10000000", "1", "3216672000000000", "Query timeout in microsecond(us)"),
    STRING("ob_read_consistency", BOTH, "STRONG", "FROZEN|WEAK|STRONG", "read consistency level: 3=STRONG, 2=WEAK, 1=FROZEN"),
    INT("ob_sql_audit_percentage", GLOBAL, "3", "0", "80", "The limited percentage of tenant memory for sql audit"),
    INT("ob_sql_work_area_percentage", GLOBAL, "5", "0", "100", "The percentage limitation of tenant memory for SQL execution."),
    STRING("ob_tcp_invited_nodes", GLOBAL, "127.0.0.1,::1", NULL, "ip white list for tenant, support % and _ and multi ip(separated by "
           "commas), support ip match and wild match"),
    STRING("ob_timestamp_service", GLOBAL, "GTS", "LTS|GTS|HA_GTS", ""),
    INT("ob_trx_idle_timeout", BOTH, "86400000000", "100000", NULL, "The stmt interval timeout of transaction(us)"),
    INT("ob_trx_lock_timeout", BOTH, "-1", NULL, NULL, "wait lock timeout (us)"),
    INT("ob_trx_timeout", BOTH, "86400000000", "1", NULL, "The max duration of one transaction"),
    INT("parallel_servers_target", GLOBAL, "10", "0", "9223372036854775807", ""),
    INT("port", FIXED, "2881", "0", "65535", ""),
    BOOL("read_only", GLOBAL, "OFF", "In certain situations, read-only transactions can be executed"),
    BOOL("recyclebin", BOTH, "OFF", "Whether deleted objects go to the recycle bin"),
    INT("secure_auth", GLOBAL, "1", "0", "1", ""),
    STRING("secure_file_priv", GLOBAL, "", NULL, ""),
    INT("server_id", GLOBAL, "0", "0", "4294967295", ""),
    STRING("server_uuid", FIXED, "00000000-0000-4000-8000-000000000000", NULL, ""),
    STRING("sql_mode", BOTH, "STRICT_ALL_TABLES", NULL, ""),
    BOOL("sql_notes", BOTH, "ON", ""),
    INT("sql_select_limit", BOTH, "9223372036854775807", "0", "9223372036854775807", ""),
    BOOL("sql_warnings", BOTH, "OFF", ""),
    STRING("ssl_ca", FIXED, "", NULL, ""),
    STRING("system_time_zone", FIXED, "+08:00", NULL, ""),
    STRING("time_zone", BOTH, "+08:00", NULL, ""),
    INT("timestamp", SESSION, "0", NULL, NULL, ""),
    STRING("transaction_isolation", BOTH, "READ-COMMITTED", ISOLATION, "Transaction Isolation Levels: READ-UNCOMMITTED READ-COMMITTED "
           "REPEATABLE-READ SERIALIZABLE"),
    BOOL("transaction_read_only", BOTH, "OFF", ""),
    STRING("tx_isolation", BOTH, "READ-COMMITTED", ISOLATION, "Transaction Isolation Levels: READ-UNCOMMITTED READ-COMMITTED "
           "REPEATABLE-READ SERIALIZABLE"),
    BOOL("tx_read_only", BOTH, "OFF", "Transaction access mode"),
    INT("undo_retention", GLOBAL, "1800", "0", "4294967295", ""),
    BOOL("unique_checks", BOTH, "ON", ""),
    BOOL("validate_password_check_user_name", GLOBAL, "OFF", ""),
    INT("validate_password_length", GLOBAL, "0", "0", "2147483647", ""),
    STRING("validate_password_policy", GLOBAL, "low", "low|medium", ""),
    STRING("version", FIXED, "", NULL, ""),
    STRING("version_comment", FIXED, "", NULL, ""),
    INT("wait_timeout", BOTH, "28800", "1", "31536000", ""),
};
const size_t sim_variables_n = sizeof sim_variables / sizeof sim_variables[0];

const struct sim_collation sim_collations[] = {
    { "big5_chinese_ci", "big5", 1, true },
    { "binary", "binary", 63, true },
    { "gb18030_chinese_ci", "gb18030", 248, true },
    { "gb18030_bin", "gb18030", 249, false },
    { "gbk_chinese_ci", "gbk", 28, true },
    { "gbk_bin", "gbk", 87, false },
    { "latin1_swedish_ci", "latin1", 8, true },
    { "latin1_bin", "latin1", 47, false },
    { "utf16_general_ci", "utf16", 54, true },
    { "utf16_bin", "utf16", 55, false },
    { "utf8mb4_general_ci", "utf8mb4", 45, true },
    { "utf8mb4_bin", "utf8mb4", 46, false },
    { "utf8mb4_unicode_ci", "utf8mb4", 224, false },
};
const size_t sim_collations_n = sizeof sim_collations / sizeof sim_collations[0];

const struct sim_collation *sim_collation_find(struct slice name)
{
    for (size_t i = 0; i < sim_collations_n; i++)
        if (slice_is_nocase(name, sim_collations[i].name))
            return &sim_collations[i];
    return NULL;
}

const struct sim_collation *sim_charset_find(struct slice name)
{
    if (slice_is_nocase(name, "utf8"))
        name = SLICE("utf8mb4");
    for (size_t i = 0; i < sim_collations_n; i++)
        if (sim_collations[i].is_default && slice_is_nocase(name, sim_collations[i].charset))
            return &sim_collations[i];
    return NULL;
}

const struct sim_variable *sim_variable_find(struct slice name)
{
    for (size_t i = 0; i < sim_variables_n; i++)
        if (slice_is_nocase(name, sim_variables[i].name))
            return &sim_variables[i];
    return NULL;
}

const char *sim_variable_value(const struct sim_tenant *t, const struct sim_values *session, const struct sim_variable *v)
{
    const char *value = session != NULL && (v->flags & SIM_V_SESSION) != 0 ? sim_values_get(session, v->name) : NULL;

    if (value == NULL && t != NULL && (v->flags & SIM_V_GLOBAL) != 0)
        value = sim_values_get(&t->variables, v->name);
    return value != NULL ? value : v->default_value;
}

enum { WRONG_VALUE = 1231, WRONG_TYPE = 1232, UNKNOWN_CHARSET = 1115, UNKNOWN_COLLATION = 1273, UNKNOWN_ZONE = 1298 };

/* Out of range becomes the bound, as a warning. */
static int accept_int(const struct sim_variable *v, struct slice value, bool is_text, struct str *out)
{
    int64_t number, bound;

    if (is_text || !num_parse_i64(value, &number))
        return WRONG_TYPE;
    if (v->min != NULL && num_parse_i64(sim_slice(v->min), &bound) && number < bound)
        number = bound;
    if (v->max != NULL && num_parse_i64(sim_slice(v->max), &bound) && number > bound)
        number = bound;
    str_add_i64(out, number);
    return 0;
}

static int accept_bool(struct slice value, struct str *out)
{
    bool on = slice_is_nocase(value, "ON") || slice_is_nocase(value, "true") || slice_is(value, "1");

    if (!on && !slice_is_nocase(value, "OFF") && !slice_is_nocase(value, "false") && !slice_is(value, "0"))
        return WRONG_VALUE;
    str_add(out, on ? "ON" : "OFF");
    return 0;
}

static int accept_word(const char *words, struct slice value, struct str *out)
{
    struct slice rest = sim_slice(words);

    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, '|');

        if (word.n == value.n && strncasecmp(word.s, value.s, word.n) == 0) {
            str_add_n(out, word.s, word.n);
            return 0;
        }
    }
    return WRONG_VALUE;
}

/* "SYSTEM", or an offset: names of zones are not loaded. */
static int accept_time_zone(struct slice value, struct str *out)
{
    struct slice rest = value, hours;
    int64_t h, m;

    if (!slice_is_nocase(value, "SYSTEM")) {
        if (value.n < 4 || (value.s[0] != '+' && value.s[0] != '-'))
            return UNKNOWN_ZONE;
        rest = (struct slice){ value.s + 1, value.n - 1 };
        hours = slice_cut(&rest, ':');
        if (!num_parse_i64_in(hours, 0, 14, &h) || rest.n != 2 || !num_parse_i64_in(rest, 0, 59, &m))
            return UNKNOWN_ZONE;
        str_printf(out, "%c%02d:%02d", value.s[0], (int)h, (int)m);
        return 0;
    }
    str_add(out, "SYSTEM");
    return 0;
}

static int accept_sql_mode(struct slice value, struct str *out)
{
    static const char words[] =
        "ALLOW_INVALID_DATES|ANSI|ANSI_QUOTES|ERROR_FOR_DIVISION_BY_ZERO|HIGH_NOT_PRECEDENCE|IGNORE_SPACE|NO_AUTO_CREATE_USER|"
        "NO_AUTO_VALUE_ON_ZERO|NO_BACKSLASH_ESCAPES|NO_ENGINE_SUBSTITUTION|NO_UNSIGNED_SUBTRACTION|NO_ZERO_DATE|NO_ZERO_IN_DATE|"
        "ONLY_FULL_GROUP_BY|PAD_CHAR_TO_FULL_LENGTH|PIPES_AS_CONCAT|REAL_AS_FLOAT|STRICT_ALL_TABLES|STRICT_TRANS_TABLES|TRADITIONAL|"
        "ERROR_ON_RESOLVE_CAST|TIME_TRUNCATE_FRACTIONAL|ORACLE";
    struct slice rest = value;

    while (rest.n > 0) {
        struct slice word = slice_trim(slice_cut(&rest, ','));

        if (out->n > 0)
            str_add_c(out, ',');
        if (word.n > 0 && accept_word(words, word, out) != 0)
            return WRONG_VALUE;
    }
    return 0;
}

int sim_variable_accept(const struct sim_variable *v, struct slice value, bool is_text, struct str *out)
{
    const struct sim_collation *c;

    switch (v->type) {
    case SIM_V_INT:
        return accept_int(v, value, is_text, out);
    case SIM_V_BOOL:
        return accept_bool(value, out);
    case SIM_V_CHARSET:
        c = sim_charset_find(value);
        str_add(out, c != NULL ? c->charset : "");
        return c != NULL ? 0 : UNKNOWN_CHARSET;
    case SIM_V_COLLATION:
        c = sim_collation_find(value);
        str_add(out, c != NULL ? c->name : "");
        return c != NULL ? 0 : UNKNOWN_COLLATION;
    case SIM_V_STRING:
        break;
    }
    if (v->words != NULL)
        return accept_word(v->words, value, out);
    if (strcmp(v->name, "time_zone") == 0)
        return accept_time_zone(value, out);
    if (strcmp(v->name, "sql_mode") == 0)
        return accept_sql_mode(value, out);
    str_add_n(out, value.s, value.n);
    return 0;
}
