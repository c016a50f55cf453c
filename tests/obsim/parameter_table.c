/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/state.h"

#define CLUSTER false
#define TENANT true

/* Values as a kernel of 4.2 has them by default; what a server was started with is set on top. */
const struct sim_parameter sim_parameters[] = {
#define INT(NAME, DEFAULT, OF, EDIT, MIN, MAX, SECTION, INFO) { NAME, SIM_P_INT, DEFAULT, OF, EDIT, MIN, MAX, NULL, SECTION, INFO },
#define DOUBLE(NAME, DEFAULT, OF, EDIT, MIN, MAX, SECTION, INFO) { NAME, SIM_P_DOUBLE, DEFAULT, OF, EDIT, MIN, MAX, NULL, SECTION, INFO },
#define CAPACITY(NAME, DEFAULT, OF, EDIT, MIN, MAX, SECTION, INFO) { NAME, SIM_P_CAPACITY, DEFAULT, OF, EDIT, MIN, MAX, NULL, SECTION, INFO },
#define TIME(NAME, DEFAULT, OF, EDIT, MIN, MAX, SECTION, INFO) { NAME, SIM_P_TIME, DEFAULT, OF, EDIT, MIN, MAX, NULL, SECTION, INFO },
#define BOOL(NAME, DEFAULT, OF, EDIT, SECTION, INFO) { NAME, SIM_P_BOOL, DEFAULT, OF, EDIT, NULL, NULL, NULL, SECTION, INFO },
#define STRING(NAME, DEFAULT, OF, EDIT, WORDS, SECTION, INFO) { NAME, SIM_P_STRING, DEFAULT, OF, EDIT, NULL, NULL, WORDS, SECTION, INFO },
#define LIST(NAME, DEFAULT, OF, EDIT, SECTION, INFO) { NAME, SIM_P_STRING_LIST, DEFAULT, OF, EDIT, NULL, NULL, NULL, SECTION, INFO },
#define MOMENT(NAME, DEFAULT, OF, EDIT, SECTION, INFO) { NAME, SIM_P_MOMENT, DEFAULT, OF, EDIT, NULL, NULL, NULL, SECTION, INFO },
    /* identity: told at the start of the process */
    STRING("cluster", "obcluster", CLUSTER, SIM_READ_ONLY, NULL, "OBSERVER", "Name of the cluster")
    INT("cluster_id", "1", CLUSTER, SIM_DYNAMIC, "1", "4294901759", "OBSERVER", "ID of the cluster. Range: [1, 4294901759] in integer")
    STRING("zone", "zone1", CLUSTER, SIM_READ_ONLY, NULL, "OBSERVER", "specifies the zone name")
    STRING("local_ip", "", CLUSTER, SIM_READ_ONLY, NULL, "OBSERVER", "the IP address of the machine on which the observer runs")
    STRING("devname", "lo", CLUSTER, SIM_READ_ONLY, NULL, "OBSERVER", "name of network adapter")
    INT("mysql_port", "2881", CLUSTER, SIM_DYNAMIC, "1025", "65535", "OBSERVER",
        "port number for mysql connection. Range: (1024, 65536) in integer")
    INT("rpc_port", "2882", CLUSTER, SIM_READ_ONLY, "1025", "65535", "OBSERVER",
        "the port number for RPC protocol. Range: (1024, 65536) in integer")
    STRING("data_dir", "store", CLUSTER, SIM_READ_ONLY, NULL, "SSTABLE", "the directory for the data file")
    STRING("redo_dir", "", CLUSTER, SIM_READ_ONLY, NULL, "SSTABLE", "the directory for the redo log file")
    LIST("rootservice_list", "", CLUSTER, SIM_DYNAMIC, "ROOT_SERVICE",
         "a list of servers against which election candidate is checked for validation")
    LIST("config_additional_dir", "etc2;etc3", CLUSTER, SIM_DYNAMIC, "OBSERVER", "additional directories of configure file")
    STRING("obconfig_url", "", CLUSTER, SIM_DYNAMIC, NULL, "OBSERVER", "URL for OBConfig service")
    STRING("min_observer_version", "4.2.1.0", CLUSTER, SIM_READ_ONLY, NULL, "ROOT_SERVICE", "the min observer version")
    BOOL("enable_upgrade_mode", "False", CLUSTER, SIM_READ_ONLY, "ROOT_SERVICE",
         "specifies whether upgrade mode is turned on. If turned on, daily merger and balancer will be disabled. Value: True: turned "
         "on; False: turned off;")
    /* resources of a server */
    { "memory_limit", SIM_P_CAPACITY, "0M", CLUSTER, SIM_DYNAMIC, "1G", NULL, "0M|0|0G", "OBSERVER",
      "the size of the memory reserved for internal use (for testing purpose), 0 means follow memory_limit_percentage. Range: 0, "
      "[1G,)" },
    INT("memory_limit_percentage", "80", CLUSTER, SIM_DYNAMIC, "10", "95", "OBSERVER",
        "the size of the memory reserved for internal use (for testing purpose). Range: [10, 95]")
    CAPACITY("system_memory", "0M", CLUSTER, SIM_DYNAMIC, "0M", NULL, "OBSERVER",
             "the memory reserved for internal use which cannot be allocated to any outer-tenant, and should be determined to guarantee "
             "every server functions normally. Range: [0M,)")
    INT("cpu_count", "0", CLUSTER, SIM_DYNAMIC, "0", NULL, "OBSERVER",
        "the number of CPU's in the system. If the parameter is set to zero, the number will be set according to sysconf; otherwise, "
        "this "
        "parameter is used. Range: [0,+infinity) in integer")
    DOUBLE("cpu_quota_concurrency", "4", TENANT, SIM_DYNAMIC, "1", "20", "TENANT",
           "max allowed concurrency for 1 CPU quota. Range: [1,20]")
    INT("resource_hard_limit", "100", CLUSTER, SIM_DYNAMIC, "100", "10000", "LOAD_BALANCE",
        "Used along with resource_soft_limit in unit allocation. If server utility is less than resource_soft_limit, a policy of 'best "
        "fit' "
        "will be used for unit allocation. Range: [100, 10000] in integer")
    CAPACITY("__min_full_resource_pool_memory", "5G", CLUSTER, SIM_DYNAMIC, "1G", NULL, "LOAD_BALANCE",
             "the min memory value which is specified for a full resource pool. Range: [1073741824,)")
    CAPACITY("datafile_size", "0M", CLUSTER, SIM_DYNAMIC, "0M", NULL, "SSTABLE", "size of the data file. Range: [0, +infinity)")
    INT("datafile_disk_percentage", "0", CLUSTER, SIM_DYNAMIC, "0", "99", "SSTABLE",
        "the percentage of disk space used by the data files. Range: [0,99] in integer")
    CAPACITY("datafile_next", "0M", CLUSTER, SIM_DYNAMIC, "0M", NULL, "SSTABLE", "the auto extend step. Range: [0, +infinity)")
    CAPACITY("datafile_maxsize", "0M", CLUSTER, SIM_DYNAMIC, "0M", NULL, "SSTABLE", "the auto extend max size. Range: [0, +infinity)")
    CAPACITY("log_disk_size", "0M", CLUSTER, SIM_DYNAMIC, "0M", NULL, "LOGSERVICE",
             "the size of disk space used by the log files. Range: [0, +infinity)")
    INT("log_disk_percentage", "0", CLUSTER, SIM_DYNAMIC, "0", "99", "LOGSERVICE",
        "the percentage of disk space used by the log files. Range: [0,99] in integer")
    /* log files */
    STRING("syslog_level", "WDIAG", CLUSTER, SIM_DYNAMIC, NULL, "OBSERVER",
           "specifies the current level of logging. There are DEBUG, TRACE, WDIAG, EDIAG, INFO, WARN, ERROR, seven different log levels.")
    BOOL("enable_syslog_recycle", "False", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "specifies whether log file recycling is turned on. Value: True: turned on; False: turned off")
    BOOL("enable_syslog_wf", "False", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "specifies whether any log message with a log level higher than 'WARN' would be printed into a separate file with a suffix of "
         "'wf'")
    BOOL("enable_async_syslog", "True", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "specifies whether use async log for observer.log, elec.log and rs.log")
    INT("max_syslog_file_count", "0", CLUSTER, SIM_DYNAMIC, "0", NULL, "OBSERVER",
        "specifies the maximum number of the log files that can co-exist before the log file recycling kicks in. Range: [0, +infinity) "
        "in integer")
    CAPACITY("syslog_io_bandwidth_limit", "30MB", CLUSTER, SIM_DYNAMIC, "0", NULL, "OBSERVER",
             "Syslog IO bandwidth limitation, exceeding syslog would be truncated. Use 0 to disable ERROR log.")
    TIME("trace_log_slow_query_watermark", "1s", CLUSTER, SIM_DYNAMIC, "1ms", NULL, "OBSERVER",
         "the threshold of execution time (in milliseconds) of a query beyond which it is considered to be a 'slow query'. Range: "
         "[1ms,+infinity)")
    BOOL("enable_record_trace_log", "True", CLUSTER, SIM_DYNAMIC, "OBSERVER", "specifies whether to always record the trace log.")
    /* monitoring */
    BOOL("enable_sql_audit", "True", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "specifies whether SQL audit is turned on. Value: TRUE: turned on FALSE: turned off")
    BOOL("enable_perf_event", "True", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "specifies whether to enable perf event feature. Value: True:turned on; False: turned off")
    CAPACITY("sql_audit_memory_limit", "3G", CLUSTER, SIM_DYNAMIC, "64M", NULL, "OBSERVER",
             "the maximum size of the memory used by SQL audit virtual table when the function is turned on. Range: [64M, +infinity]")
    /* root service */
    BOOL("enable_rebalance", "True", TENANT, SIM_DYNAMIC, "LOAD_BALANCE",
         "specifies whether the tenant load-balance is turned on. Value: True: turned on; False: turned off")
    BOOL("enable_transfer", "True", TENANT, SIM_DYNAMIC, "LOAD_BALANCE",
         "controls whether transfers are allowed in the tenant. Value: True: turned on; False: turned off")
    BOOL("enable_rereplication", "True", CLUSTER, SIM_DYNAMIC, "LOAD_BALANCE",
         "specifies whether the auto-replication is turned on. Value: True: turned on; False: turned off")
    BOOL("enable_ddl", "True", CLUSTER, SIM_DYNAMIC, "ROOT_SERVICE",
         "specifies whether DDL operation is turned on. Value: True: turned on; False: turned off")
    BOOL("enable_major_freeze", "True", CLUSTER, SIM_DYNAMIC, "ROOT_SERVICE",
         "specifies whether major_freeze function is turned on. Value: True: turned on; False: turned off")
    BOOL("enable_sys_table_ddl", "False", CLUSTER, SIM_DYNAMIC, "ROOT_SERVICE",
         "specifies whether a 'system' table is allowed be to created manually. Value: True: allowed; False: not allowed")
    TIME("server_permanent_offline_time", "3600s", CLUSTER, SIM_DYNAMIC, "20s", NULL, "ROOT_SERVICE",
         "the time interval between any two heartbeats beyond which a server is considered to be 'permanently' offline. Range: "
         "[20s,+infinity)")
    TIME("lease_time", "10s", CLUSTER, SIM_READ_ONLY, "1s", "5m", "ROOT_SERVICE",
         "Lease for current heartbeat. If the root server does not received any heartbeat from an observer in lease_time seconds, that "
         "observer is considered to be offline. Range: [1s, 5m]")
    TIME("balancer_idle_time", "10s", TENANT, SIM_DYNAMIC, "10s", NULL, "LOAD_BALANCE",
         "the time interval between the schedules of the partition load-balancing task. Range: [10s, +infinity)")
    INT("ha_high_thread_score", "0", TENANT, SIM_DYNAMIC, "0", "100", "TENANT",
        "the current work thread score of high availability high thread. Range: [0,100] in integer")
    INT("server_balance_critical_disk_waterlevel", "80", CLUSTER, SIM_DYNAMIC, "0", "100", "LOAD_BALANCE",
        "disk water level to determine server balance strategy. Range: [0, 100]")
    /* compaction and memory of a tenant */
    MOMENT("major_freeze_duty_time", "02:00", TENANT, SIM_DYNAMIC, "DAILY_MERGE",
           "the start time of system daily merge procedure. Range: [00:00, 24:00)")
    TIME("merger_check_interval", "10m", TENANT, SIM_DYNAMIC, "10s", "60m", "DAILY_MERGE",
         "the time interval between the schedules of the task that checks on the progress of MERGE for each zone. Range: [10s, 60m]")
    INT("freeze_trigger_percentage", "20", TENANT, SIM_DYNAMIC, "1", "99", "TENANT",
        "the threshold of the size of the mem store when freeze will be triggered. Range: (0, 100)")
    INT("memstore_limit_percentage", "0", TENANT, SIM_DYNAMIC, "0", "99", "TENANT",
        "used in calculating the value of MEMSTORE_LIMIT parameter. Range: [0, 100)")
    INT("writing_throttling_trigger_percentage", "60", TENANT, SIM_DYNAMIC, "1", "100", "TRANS",
        "the threshold of the size of the mem store when writing_limit will be triggered. Range: (0, 100]")
    TIME("undo_retention", "1800s", TENANT, SIM_DYNAMIC, "0s", NULL, "TENANT",
         "the low threshold value of undo retention. The system retains undo for at least the time specified in this config when active "
         "txn protection is banned. Range: [0, 4294967295]")
    INT("compaction_low_thread_score", "0", TENANT, SIM_DYNAMIC, "0", "100", "TENANT",
        "the current work thread score of low priority compaction. Range: [0,100] in integer")
    INT("compaction_mid_thread_score", "0", TENANT, SIM_DYNAMIC, "0", "100", "TENANT",
        "the current work thread score of middle priority compaction. Range: [0,100] in integer")
    INT("compaction_high_thread_score", "0", TENANT, SIM_DYNAMIC, "0", "100", "TENANT",
        "the current work thread score of high priority compaction. Range: [0,100] in integer")
    /* sessions and plans */
    INT("open_cursors", "50", TENANT, SIM_DYNAMIC, "0", "65535", "TENANT",
        "specifies the maximum number of open cursors a session can have at once. Range: [0, 65535]")
    INT("net_thread_count", "0", CLUSTER, SIM_STATIC, "0", "64", "OBSERVER",
             "the number of rpc/mysql I/O threads for Libeasy. Range: [0, 64] in integer, 0 stands for max(6, CPU_NUM/8)")
    INT("sql_login_thread_count", "0", CLUSTER, SIM_DYNAMIC, "0", "32", "OBSERVER",
        "the number of threads for sql login request. Range: [0, 32] in integer, 0 stands for use default thread count defined in TG.")
    BOOL("ssl_client_authentication", "False", CLUSTER, SIM_DYNAMIC, "OBSERVER",
         "enables server SSL support. Takes effect after ca/cert/key file is configured correctly.")
    TIME("connection_control_min_connection_delay", "1000ms", TENANT, SIM_DYNAMIC, "1000ms", NULL, "OBSERVER",
         "the min connection delay in milliseconds. Range: [1000, 2147483647]")
    INT("plan_cache_evict_interval", "5", CLUSTER, SIM_DYNAMIC, "0", NULL, "TENANT",
        "time interval for periodic plan cache eviction. Range: [0s, +infinity)")
    TIME("rpc_timeout", "2s", CLUSTER, SIM_DYNAMIC, NULL, NULL, "RPC",
         "the time during which a RPC request is permitted to execute before it is terminated")
    STRING("default_compress_func", "zstd_1.3.8", CLUSTER, SIM_DYNAMIC, "none|lz4_1.0|zstd_1.0|zstd_1.3.8|snappy_1.0|zlib_1.0|lz4_1.9.1", "OBSERVER",
           "default compress function name for create new table. Values: none, lz4_1.0, snappy_1.0, zlib_1.0, zstd_1.0, zstd_1.3.8")
    STRING("large_query_worker_percentage", "30", CLUSTER, SIM_DYNAMIC, NULL, "TENANT",
           "the percentage of the workers reserved to serve large query request. Range: [0, 100] in percentage")
    TIME("large_query_threshold", "5s", CLUSTER, SIM_DYNAMIC, "0ms", NULL, "TENANT",
         "threshold for execution time beyond which a request may be paused and rescheduled as a 'large request', 0ms means disable. "
         "Range: [0ms, +infinity)")
    /* upgrade, archive, standby */
    STRING("compatible", "4.2.1.0", TENANT, SIM_READ_ONLY, NULL, "ROOT_SERVICE", "compatible version for persisted data")
    INT("log_archive_concurrency", "0", TENANT, SIM_DYNAMIC, "0", "100", "LOGSERVICE",
        "log archive concurrency, for both archive fetcher and sender. Range: [0, 100] in integer")
    INT("log_restore_concurrency", "0", TENANT, SIM_DYNAMIC, "0", "100", "LOGSERVICE",
        "log restore concurrency, for both the restore tenant and standby tenant. Range: [0, 100] in integer")
    TIME("archive_lag_target", "120s", TENANT, SIM_DYNAMIC, "0ms", "7200s", "LOGSERVICE",
         "limit the log archive lag for tenant. Range: [0ms, 7200s]")
    INT("log_disk_utilization_threshold", "80", TENANT, SIM_DYNAMIC, "10", "99", "LOGSERVICE",
        "log disk utilization threshold before reuse log files. Range: [10, 100)")
    INT("log_disk_utilization_limit_threshold", "95", TENANT, SIM_DYNAMIC, "80", "100", "LOGSERVICE",
        "maximum of log disk usage percentage before stop submitting or receiving logs. Range: [80, 100]")
};
const size_t sim_parameters_n = sizeof sim_parameters / sizeof sim_parameters[0];
