/* SPDX-License-Identifier: Apache-2.0 */
/* parameter_rows.h - OCP's system parameters, one row each, for the enum of parameters.h and the table of parameters.c:
 * PARAMETER(ID, name, group, type, effect, default, English sentence, Chinese sentence, limits...)
 * Names and types are OCP's. Where it documents a default that means nothing here (a Java expression, broken JSON, none at
 * all), the default is ours. No include guard: it is meant to be included more than once. */

PARAMETER(OCP_VERSION, "ocp.version", GLOBAL, STRING, FIXED, "4.3.5",
          "OCP release whose API this server speaks.", "本服务所兼容的 OCP 版本。")
PARAMETER(SERVER_PORT, "server.port", GLOBAL, INT, FIXED, "8080",
          "Port of OCP's web server; here the setting http.listen of each node decides.",
          "OCP Web 服务端口；在此由各节点的 http.listen 配置决定。", .min = 1, .max = 65535)
PARAMETER(OCP_ENV, "ocp.env", GLOBAL, STRING, LIVE, "private",
          "Label of the environment that this OCP serves.", "本 OCP 所服务环境的标识。", .max = 64)
PARAMETER(OCP_SITE_URL, "ocp.site.url", GLOBAL, STRING, LIVE, "http://localhost:8080",
          "Address under which people and programs reach OCP, usually that of the load balancer; no slash at its end.",
          "用户和程序访问 OCP 的地址，通常为负载均衡地址，末尾不带斜杠。", .check = check_url)
PARAMETER(OCP_CONFIG_URL_SITE_URL, "ocp.config-url.site.url", GLOBAL, STRING, LIVE, "",
          "Address given out in config URLs, when it differs from ocp.site.url; empty: the same.",
          "ConfigURL 中使用的地址，为空时与 ocp.site.url 相同。", .check = check_url)
PARAMETER(OCP_CONFIG_URL_USE_REQUEST_ADDRESS, "ocp.config-url.use-request-address", GLOBAL, BOOL, LIVE, "true",
          "Config URLs carry the address under which the caller reached OCP.", "ConfigURL 使用调用方访问 OCP 时所用的地址。")
PARAMETER(OCP_SYSTEM_DEFAULT_TIMEZONE, "ocp.system.default.timezone", GLOBAL, STRING, RESTART, "",
          "Time zone for texts and schedules of users who chose none, such as Asia/Shanghai; empty: the machine's.",
          "用户未指定时所用的时区，例如 Asia/Shanghai，为空时使用操作系统时区。", .check = check_timezone)
PARAMETER(OCP_SYSTEM_DEFAULT_LANGUAGE, "ocp.system.default.language", GLOBAL, ENUM, RESTART, "zh-CN",
          "Language of texts for which the reader names none.", "读者未指定语言时所用的语言。", .values = "zh-CN|en-US|zh-TW")
PARAMETER(OCP_ACTIVE_STANDBY_CLUSTER_ENABLED, "ocp.active.standby.cluster.enabled", GLOBAL, BOOL, LIVE, "true",
          "Whether standby clusters of OceanBase clusters can be created and managed.",
          "是否允许创建和管理 OceanBase 主备集群。")
PARAMETER(OCP_SYSTEM_OBPROXY_ADDRESS, "ocp.system.obproxy.address", GLOBAL, STRING, INERT, "localhost",
          "Address of the OBProxy through which OCP reaches its own databases; here the setting db.endpoints decides.",
          "OCP 访问自身数据库所用的 OBProxy 地址，在此由 db.endpoints 配置决定。", .max = 253)
PARAMETER(OCP_SYSTEM_OBPROXY_PORT, "ocp.system.obproxy.port", GLOBAL, INT, INERT, "2888",
          "Port of that OBProxy; here the setting db.endpoints decides.",
          "上述 OBProxy 的端口，在此由 db.endpoints 配置决定。", .min = 1, .max = 65535)

PARAMETER(SERVER_SERVLET_SESSION_TIMEOUT, "server.servlet.session.timeout", SECURITY, DURATION, LIVE, "30 m",
          "A console session without a request ends after this long.", "控制台会话在无请求多长时间后失效。",
          .min = 60000, .max = 2592000000)
PARAMETER(OCP_IAM_AUTH, "ocp.iam.auth", SECURITY, ENUM, RESTART, "local",
          "Where users log in: local, or an outside login service.", "用户登录方式：本地登录或外部登录服务。",
          .values = "local|buc")
PARAMETER(OCP_IAM_AUTH_WHITELIST, "ocp.iam.auth.whitelist", SECURITY, STRING, RESTART,
          "/api/v2/time,/api/v2/mc/info,/api/v2/loginKey,.*Action=(ObRootServiceInfo|ObRootServiceRegister|"
          "ObIDCRegionInfo|GetObProxyConfig|AllocateClusterIdByNameAndIdx|DeleteObRootServiceInfoByClusterName|"
          "GetObRootServiceInfoUrlTemplate).*,performance/ash/reports/.*/data",
          "Regular expressions, separated by commas, of the URLs that need no login.",
          "无需登录即可访问的 URL 正则表达式，以逗号分隔。")
PARAMETER(OCP_IAM_AUTH_BASIC_ENABLED, "ocp.iam.auth.basic.enabled", SECURITY, BOOL, RESTART, "true",
          "Whether HTTP Basic authentication is accepted.", "是否接受 HTTP Basic 认证。")
PARAMETER(OCP_IAM_CSRF_ENABLED, "ocp.iam.csrf.enabled", SECURITY, BOOL, RESTART, "true",
          "Whether changes from the console need a CSRF token.", "控制台的变更请求是否需要 CSRF 令牌。")
PARAMETER(OCP_IAM_CSRF_URL_EXCLUDED, "ocp.iam.csrf.url.excluded", SECURITY, STRING, LIVE,
          "/api/v2/iam/login.*,.*Action=(ObRootServiceInfo|ObRootServiceRegister|ObIDCRegionInfo|"
          "GetObProxyConfig|AllocateClusterIdByNameAndIdx|DeleteObRootServiceInfoByClusterName).*,"
          "/api/v2/monitor/metric/scan.*",
          "Regular expressions, separated by commas, of the URLs that need no CSRF token.",
          "无需 CSRF 令牌的 URL 正则表达式，以逗号分隔。")
PARAMETER(OCP_IAM_LOGIN_MAX_ATTEMPTS, "ocp.iam.login.max-attempts", SECURITY, INT, LIVE, "20",
          "Failed logins in a row after which a user is locked.", "用户连续登录失败多少次后被锁定。", .min = 1, .max = 1000)
PARAMETER(OCP_IAM_LOGIN_LOCKOUT_MINUTES, "ocp.iam.login.lockout-minutes", SECURITY, INT, LIVE, "30",
          "How long a user stays locked after too many failed logins.", "用户因登录失败过多被锁定的时长。",
          .unit = "min", .min = 1, .max = 10080)
PARAMETER(OCP_IAM_LOGIN_CLIENT_MAX_ATTEMPTS, "ocp.iam.login.client.max-attempts", SECURITY, INT, LIVE, "20",
          "Failed logins from one address after which it is blocked.", "同一客户端地址登录失败多少次后被限制。",
          .min = 1, .max = 10000)
PARAMETER(OCP_IAM_LOGIN_CLIENT_LOCKOUT_MINUTES, "ocp.iam.login.client.lockout-minutes", SECURITY, INT, LIVE, "10",
          "How long an address stays blocked after too many failed logins.", "客户端地址因登录失败过多被限制的时长。",
          .unit = "min", .min = 1, .max = 10080)

PARAMETER(SPRING_DATASOURCE_DRUID_NAME, "spring.datasource.druid.name", METADB, STRING, INERT, "metadb-connect-pool",
          "Name of the pool of MetaDB connections.", "MetaDB 连接池名称。")
PARAMETER(SPRING_DATASOURCE_DRUID_INITIALSIZE, "spring.datasource.druid.initialSize", METADB, INT, INERT, "10",
          "Connections with MetaDB opened at start.", "启动时建立的 MetaDB 连接数。", .min = 0, .max = 2147483647)
PARAMETER(SPRING_DATASOURCE_DRUID_MINIDLE, "spring.datasource.druid.minIdle", METADB, INT, INERT, "2",
          "Idle connections with MetaDB kept at least.", "MetaDB 最少空闲连接数。", .min = 0, .max = 2147483647)
PARAMETER(SPRING_DATASOURCE_DRUID_MAXACTIVE, "spring.datasource.druid.maxActive", METADB, INT, INERT, "100",
          "Connections with MetaDB at most; here the setting db.pool_size decides.",
          "MetaDB 最大连接数，在此由 db.pool_size 配置决定。", .min = 0, .max = 2147483647)
PARAMETER(SPRING_DATASOURCE_DRUID_TESTWHILEIDLE, "spring.datasource.druid.testWhileIdle", METADB, BOOL, INERT, "true",
          "Whether idle connections with MetaDB are tested.", "是否检测 MetaDB 空闲连接。")
PARAMETER(SPRING_DATASOURCE_DRUID_KEEPALIVE, "spring.datasource.druid.keepAlive", METADB, BOOL, INERT, "true",
          "Whether idle connections with MetaDB are kept alive.", "是否保活 MetaDB 空闲连接。")
PARAMETER(SPRING_DATASOURCE_DRUID_VALIDATIONQUERY,
          "spring.datasource.druid.validationQuery", METADB, STRING, INERT, "SELECT 1 FROM DUAL",
          "Statement that tests a connection with MetaDB.", "检测 MetaDB 连接的语句。")
PARAMETER(SPRING_DATASOURCE_DRUID_MAXWAIT, "spring.datasource.druid.maxWait", METADB, INT, INERT, "2000",
          "Longest wait for a free connection with MetaDB.", "等待 MetaDB 空闲连接的最长时间。",
          .unit = "ms", .min = 0, .max = 2147483647)

PARAMETER(OCP_MONITORDB_DRUID_NAME, "ocp.monitordb.druid.name", MONITORDB, STRING, INERT, "monitordb-connect-pool",
          "Name of the pool of MonitorDB connections.", "MonitorDB 连接池名称。")
PARAMETER(OCP_MONITORDB_DRUID_INITIALSIZE, "ocp.monitordb.druid.initialSize", MONITORDB, INT, INERT, "10",
          "Connections with MonitorDB opened at start.", "启动时建立的 MonitorDB 连接数。", .min = 0, .max = 2147483647)
PARAMETER(OCP_MONITORDB_DRUID_MINIDLE, "ocp.monitordb.druid.minIdle", MONITORDB, INT, INERT, "2",
          "Idle connections with MonitorDB kept at least.", "MonitorDB 最少空闲连接数。", .min = 0, .max = 2147483647)
PARAMETER(OCP_MONITORDB_DRUID_MAXACTIVE, "ocp.monitordb.druid.maxActive", MONITORDB, INT, INERT, "100",
          "Connections with MonitorDB at most; here the setting monitordb.pool_size decides.",
          "MonitorDB 最大连接数，在此由 monitordb.pool_size 配置决定。", .min = 0, .max = 2147483647)
PARAMETER(OCP_MONITORDB_DRUID_TESTWHILEIDLE, "ocp.monitordb.druid.testWhileIdle", MONITORDB, BOOL, INERT, "true",
          "Whether idle connections with MonitorDB are tested.", "是否检测 MonitorDB 空闲连接。")
PARAMETER(OCP_MONITORDB_DRUID_KEEPALIVE, "ocp.monitordb.druid.keepAlive", MONITORDB, BOOL, INERT, "true",
          "Whether idle connections with MonitorDB are kept alive.", "是否保活 MonitorDB 空闲连接。")
PARAMETER(OCP_MONITORDB_DRUID_VALIDATIONQUERY,
          "ocp.monitordb.druid.validationQuery", MONITORDB, STRING, INERT, "SELECT 1 FROM DUAL",
          "Statement that tests a connection with MonitorDB.", "检测 MonitorDB 连接的语句。")
PARAMETER(OCP_MONITORDB_DRUID_MAXWAIT, "ocp.monitordb.druid.maxWait", MONITORDB, INT, INERT, "2000",
          "Longest wait for a free connection with MonitorDB.", "等待 MonitorDB 空闲连接的最长时间。",
          .unit = "ms", .min = 0, .max = 2147483647)
PARAMETER(OCP_MONITORDB_HOST, "ocp.monitordb.host", MONITORDB, STRING, INERT, "",
          "Host of MonitorDB; here the setting monitordb.endpoints decides.",
          "MonitorDB 主机，在此由 monitordb.endpoints 配置决定。", .max = 253)
PARAMETER(OCP_MONITORDB_PORT, "ocp.monitordb.port", MONITORDB, INT, INERT, "2883",
          "Port of MonitorDB; here the setting monitordb.endpoints decides.",
          "MonitorDB 端口，在此由 monitordb.endpoints 配置决定。", .min = 1, .max = 65535)
PARAMETER(OCP_MONITORDB_DATABASE, "ocp.monitordb.database", MONITORDB, STRING, INERT, "",
          "Database of MonitorDB; here the setting monitordb.database decides.",
          "MonitorDB 数据库名，在此由 monitordb.database 配置决定。", .max = 64)
PARAMETER(OCP_MONITORDB_PASSWORD, "ocp.monitordb.password", MONITORDB, SECRET, INERT, "",
          "Password of the MonitorDB user; here the setting monitordb.password decides.",
          "MonitorDB 用户密码，在此由 monitordb.password 配置决定。")
PARAMETER(OCP_MONITORDB_USERNAME, "ocp.monitordb.username", MONITORDB, STRING, INERT, "root@ocp_meta#obocp",
          "User of MonitorDB; here the setting monitordb.user decides.",
          "MonitorDB 用户名，在此由 monitordb.user 配置决定。", .max = 128)
PARAMETER(OCP_MONITORDB_DRIVERCLASSNAME,
          "ocp.monitordb.driverClassName", MONITORDB, STRING, INERT, "com.alipay.oceanbase.obproxy.mysql.jdbc.Driver",
          "Database driver of MonitorDB.", "MonitorDB 数据库驱动。")

PARAMETER(OCP_PERF_SQL_DIAG_AWFUL_PERFORMANCE_INDEX_USED_CONFIG,
          "ocp.perf.sql-diag.awful-performance-index-used-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"cpuTimeLimitUs\":100000, \"execPsLimit\":5.0, \"fullLogicalReadsLimit\":10000}",
          "Diagnosis of SQL that is slow although it uses an index: switch and limits (times in microseconds).",
          "SQL 诊断：使用了索引但性能差，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_CPU_TIME_PROPORTION_HIGH_CONFIG,
          "ocp.perf.sql-diag.cpu-time-proportion-high-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"cpuTimeLimitUs\":10000, \"execPsLimit\":10.0, \"maxCpuTimeLimitUs\":30000,"
          " \"affectedRowsLimit\":100, \"execLimit\":30, \"sqlCountLimit\":20, \"cpuTimePercentLimit\":20}",
          "Diagnosis of SQL that takes most of the CPU: switch and limits (times in microseconds).",
          "SQL 诊断：CPU 时间占比过高，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_DATABASE_WHITE_LIST, "ocp.perf.sql-diag.database-white-list", SQL, STRING, LIVE,
          "oceanbase,information_schema,mysql,__recyclebin,sys,__public",
          "Databases, separated by commas, whose SQL is not diagnosed.", "不做 SQL 诊断的数据库，以逗号分隔。")
PARAMETER(OCP_PERF_SQL_DIAG_EXECUTION_SPIKE_CONFIG, "ocp.perf.sql-diag.execution-spike-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"cpuTimeLimitUs\":3000, \"execPsLimit\":5.0, \"pointsLimit\":5, \"compareMin\":20,"
          " \"avgExecutionMultiply\":{\"0\":6, \"1\":5, \"5\":4, \"10\":3, \"50\": 2.5, \"100\": 2, \"500\": 1.6},"
          " \"stdExecutionMultiply\":{\"0\":80, \"1\":60 , \"3\": 30,\"5\":20, \"10\":15, \"20\":8, \"30\":6, \"50\":5, \"80\":4}}",
          "Diagnosis of SQL that is suddenly executed far more often: switch and limits (times in microseconds).",
          "SQL 诊断：执行次数突增，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_INDEX_DIAGNOSER_CONFIG, "ocp.perf.sql-diag.index-diagnoser-config", SQL, JSON, RESTART,
          "{\"enabled\":true,\"schedulePeriodMin\":5, \"coreThreadSize\":10, \"maxThreadSize\":50,\"maxQueueSize\":10000,"
          "\"diagPeriodSec\":300,\"diagOffsetSec\":60,\"maxDiagPeriodSec\":1800}",
          "Schedule and width of the index diagnosis.", "索引诊断的调度周期与并发度。")
PARAMETER(OCP_PERF_SQL_DIAG_INEFFECTIVE_HINT_CONFIG, "ocp.perf.sql-diag.ineffective-hint-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"execPsLimit\":5.0, \"cpuTimeLimitUs\":20000}",
          "Diagnosis of SQL whose hints are not followed: switch and limits (times in microseconds).",
          "SQL 诊断：Hint 未生效，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_PERF_DIAGNOSER_CONFIG, "ocp.perf.sql-diag.perf-diagnoser-config", SQL, JSON, RESTART,
          "{\"enabled\":true,\"schedulePeriodMin\":5, \"coreThreadSize\":10, \"maxThreadSize\":50,\"maxQueueSize\":10000,"
          "\"diagPeriodSec\":300,\"diagOffsetSec\":60,\"maxDiagPeriodSec\":1800}",
          "Schedule and width of the performance diagnosis.", "性能诊断的调度周期与并发度。")
PARAMETER(OCP_PERF_SQL_DIAG_PERFORMANCE_DEGRADATION_AFTER_PLAN_CHANGED_CONFIG,
          "ocp.perf.sql-diag.performance-degradation-after-plan-changed-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"compareMin\":5, \"cpuTimeMultiply\":{\"0\":50, \"1\":30, \"10\":10, \"100\":8, \"1000\":6}}",
          "Diagnosis of SQL that became slower after its plan changed: switch and limits.",
          "SQL 诊断：执行计划变更后性能下降，开关及阈值。")
PARAMETER(OCP_PERF_SQL_DIAG_PERFORMANCE_DEGRADATION_CONFIG,
          "ocp.perf.sql-diag.performance-degradation-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"cpuTimeLimitUs\":10000, \"execPsLimit\":5.0, \"maxCpuTimeLimitUs\":30000,"
          " \"affectedRowsLimit\":100, \"execLimit\":5, \"compareMin\":20, \"cpuTimeMultiply\":{\"0\":50, \"1\":30,"
          " \"10\":10, \"100\":8, \"1000\":6}}",
          "Diagnosis of SQL that became slower than it used to be: switch and limits (times in microseconds).",
          "SQL 诊断：性能较以往下降，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_QUERY_TIMEOUT, "ocp.perf.sql-diag.query-timeout", SQL, INT, LIVE, "30000000",
          "Time that one statement of the SQL diagnosis may take.", "SQL 诊断单条语句的超时时间。",
          .unit = "us", .min = 1000, .max = 3600000000)
PARAMETER(OCP_PERF_SQL_DIAG_ROW_LOCK_CONTENTION_HIGH_CONFIG,
          "ocp.perf.sql-diag.row-lock-contention-high-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"execPsLimit\":0, \"cpuTimeLimitUs\":1000, \"elapsedTimeLimitUs\":0}",
          "Diagnosis of SQL that waits for row locks: switch and limits (times in microseconds).",
          "SQL 诊断：行锁争用严重，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_TABLE_SCAN_INDEX_NOT_EXISTS_CONFIG,
          "ocp.perf.sql-diag.table-scan-index-not-exists-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"execPsLimit\":1.0, \"cpuTimeLimitUs\":20000}",
          "Diagnosis of SQL that scans a table for lack of an index: switch and limits (times in microseconds).",
          "SQL 诊断：缺少索引导致全表扫描，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_TABLE_SCAN_INDEX_NOT_USED_CONFIG,
          "ocp.perf.sql-diag.table-scan-index-not-used-config", SQL, JSON, LIVE,
          "{\"enabled\":true, \"execPsLimit\":1.0, \"cpuTimeLimitUs\":2000}",
          "Diagnosis of SQL that scans a table although an index exists: switch and limits (times in microseconds).",
          "SQL 诊断：存在索引但未使用而全表扫描，开关及阈值（时间单位为微秒）。")
PARAMETER(OCP_PERF_SQL_DIAG_PLAN_CHANGE_CONFIG, "ocp.perf.sql.diag-plan-change-config", SQL, JSON, LIVE,
          "{\"enabled\":true,\"schedulePeriodMin\":5, \"coreThreadSize\":10, \"maxThreadSize\":50,\"maxQueueSize\":10000,"
          "\"diagPeriodSec\":300,\"diagOffsetSec\":300,\"maxDiagPeriodSec\":1800}",
          "Schedule and width of the diagnosis of changed plans.", "执行计划变更诊断的调度周期与并发度。")
PARAMETER(OCP_PERF_SQL_MAX_QUERY_RANGE, "ocp.perf.sql.max-query-range", SQL, DURATION, LIVE, "24h",
          "Longest span of time that one query on SQL statistics may cover.", "一次 SQL 统计查询的最大时间范围。",
          .min = 1000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_PLAN_HIST_LEVEL0_GRANULARITY,
          "ocp.perf.sql.plan-hist-level0-granularity", SQL, DURATION, LIVE, "30s",
          "Step of the plan history at level 0.", "执行计划 历史第 0 级数据的粒度。", .min = 1000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_PLAN_HIST_LEVEL0_QUERY_INTERVAL,
          "ocp.perf.sql.plan-hist-level0-query-interval", SQL, DURATION, LIVE, "2h",
          "Queries that cover up to this much time read level 0 of the plan history.",
          "查询范围不超过该值时读取执行计划 历史第 0 级数据。", .min = 60000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_PLAN_HIST_LEVEL0_RETENTION,
          "ocp.perf.sql.plan-hist-level0-retention", SQL, DURATION, LIVE, "5d",
          "How long level 0 of the plan history is kept.", "执行计划 历史第 0 级数据的保留时长。",
          .min = 3600000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL0_GRANULARITY,
          "ocp.perf.sql.sql-hist-level0-granularity", SQL, DURATION, LIVE, "30s",
          "Step of the SQL history at level 0.", "SQL 历史第 0 级数据的粒度。", .min = 1000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL0_QUERY_INTERVAL,
          "ocp.perf.sql.sql-hist-level0-query-interval", SQL, DURATION, LIVE, "2h",
          "Queries that cover up to this much time read level 0 of the SQL history.",
          "查询范围不超过该值时读取 SQL 历史第 0 级数据。", .min = 60000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL0_RETENTION, "ocp.perf.sql.sql-hist-level0-retention", SQL, DURATION, LIVE, "2d",
          "How long level 0 of the SQL history is kept.", "SQL 历史第 0 级数据的保留时长。",
          .min = 3600000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL1_GRANULARITY,
          "ocp.perf.sql.sql-hist-level1-granularity", SQL, DURATION, LIVE, "2m",
          "Step of the SQL history at level 1.", "SQL 历史第 1 级数据的粒度。", .min = 1000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL1_QUERY_INTERVAL,
          "ocp.perf.sql.sql-hist-level1-query-interval", SQL, DURATION, LIVE, "12h",
          "Queries that cover up to this much time read level 1 of the SQL history.",
          "查询范围不超过该值时读取 SQL 历史第 1 级数据。", .min = 60000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL1_RETENTION, "ocp.perf.sql.sql-hist-level1-retention", SQL, DURATION, LIVE, "8d",
          "How long level 1 of the SQL history is kept.", "SQL 历史第 1 级数据的保留时长。",
          .min = 3600000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL2_GRANULARITY,
          "ocp.perf.sql.sql-hist-level2-granularity", SQL, DURATION, LIVE, "10m",
          "Step of the SQL history at level 2.", "SQL 历史第 2 级数据的粒度。", .min = 1000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL2_QUERY_INTERVAL,
          "ocp.perf.sql.sql-hist-level2-query-interval", SQL, DURATION, LIVE, "48h",
          "Queries that cover up to this much time read level 2 of the SQL history.",
          "查询范围不超过该值时读取 SQL 历史第 2 级数据。", .min = 60000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_SQL_HIST_LEVEL2_RETENTION,
          "ocp.perf.sql.sql-hist-level2-retention", SQL, DURATION, LIVE, "15d",
          "How long level 2 of the SQL history is kept.", "SQL 历史第 2 级数据的保留时长。",
          .min = 3600000, .max = 316224000000)
PARAMETER(OCP_PERF_SQL_PREPARE_PARTITION_AHEAD, "ocp.perf.sql.prepare-partition-ahead", SQL, INT, LIVE, "8",
          "Days for which partitions of the SQL history are made in advance.", "SQL 历史提前创建分区的天数。",
          .min = 1, .max = 60)
PARAMETER(OCP_PERF_SQL_QUERY_TIMEOUT, "ocp.perf.sql.query-timeout", SQL, INT, LIVE, "30000000",
          "Time that one query on SQL statistics may take.", "SQL 统计查询的超时时间。",
          .unit = "us", .min = 1000, .max = 3600000000)
PARAMETER(OCP_PERF_ASH_MAX_ANALYSE_RANGE, "ocp.perf.ash.max-analyse-range", SQL, DURATION, LIVE, "60m",
          "Longest span of time that one report on active sessions may cover.", "一份活跃会话报告的最大时间范围。",
          .min = 60000, .max = 316224000000)
PARAMETER(OCP_PERF_ASH_EARLIEST_ANALYSE_TIME, "ocp.perf.ash.earliest-analyse-time", SQL, INT, LIVE, "8",
          "How many days back a report on active sessions may begin.", "活跃会话报告可追溯的最早天数。",
          .unit = "day", .min = 1, .max = 366)
PARAMETER(OCP_PERF_SQL_PARTITION_WORKER_DISABLED, "ocp.perf.sql.partition-worker-disabled", SQL, BOOL, LIVE, "false",
          "Stop making and dropping partitions of the SQL history.", "停止创建和清理 SQL 历史分区。")

PARAMETER(OCP_HOST_REMOTE_COMMAND_DEFAULT_TIMEOUT_MILLIS,
          "ocp.host.remote-command.default-timeout-millis", HOST, INT, LIVE, "30000",
          "Time that a command on a host may take, unless its step says otherwise.", "主机上远程命令的默认超时时间。",
          .unit = "ms", .min = 1000, .max = 86400000)
PARAMETER(OCP_HOST_SSH_PING_MAX_DELAY_MILLIS, "ocp.host.ssh-ping.max-delay-millis", HOST, INT, LIVE, "3000",
          "Longest SSH round trip at which a host counts as reachable.", "SSH 往返时延不超过该值时主机视为可达。",
          .unit = "ms", .min = 1, .max = 600000)
PARAMETER(OCP_HOST_CHECK_CLOCK_DIFF_ENABLE, "ocp.host.check.clock-diff.enable", HOST, BOOL, LIVE, "false",
          "Whether the clocks of hosts are compared with OCP's.", "是否检查主机与 OCP 的时钟偏差。")
PARAMETER(OCP_HOST_CHECK_CLOCK_DIFF_MAX_DIFF, "ocp.host.check.clock-diff.max-diff", HOST, INT, LIVE, "50",
          "Largest difference between a host's clock and OCP's.", "主机与 OCP 时钟的最大允许偏差。",
          .unit = "ms", .min = 1, .max = 86400000)
PARAMETER(OCP_HOST_CHECK_UNAVAILABLE_TIME_THRESHOLD,
          "ocp.host.check.unavailable-time-threshold", HOST, INT, LIVE, "60000",
          "How long a host's agent may be silent before an alarm is raised.", "主机 Agent 失联多长时间后告警。",
          .unit = "ms", .min = 1000, .max = 86400000)
PARAMETER(HOST_CHECK_READONLY_MOUNTPOINT, "host.check.readonly.mountpoint", HOST, STRING, LIVE, "/",
          "Mount points, separated by commas, that are checked for having become read-only.",
          "检查是否变为只读的挂载点，以逗号分隔。")

PARAMETER(OCP_ALARM_SEND_ONCE_TIMEOUT_MS, "ocp.alarm.send.once-timeout-ms", ALARM, INT, LIVE, "10000",
          "Time that one attempt to send a notification may take.", "单次发送告警通知的超时时间。",
          .unit = "ms", .min = 100, .max = 600000)
PARAMETER(OCP_ALARM_SEND_ONCE_RETRY_TIMES, "ocp.alarm.send.once-retry-times", ALARM, INT, LIVE, "1",
          "Immediate repetitions of an attempt that failed.", "单次发送失败后的立即重试次数。", .min = 0, .max = 100)
PARAMETER(OCP_ALARM_SEND_BATCH_MAX, "ocp.alarm.send.batch-max", ALARM, INT, LIVE, "20",
          "Notifications sent in one batch at most.", "每批发送的告警通知数上限。", .min = 1, .max = 10000)
PARAMETER(OCP_ALARM_SEND_RETRY_TIMEOUT_MINUTES, "ocp.alarm.send.retry-timeout-minutes", ALARM, INT, LIVE, "60",
          "Notifications that could not be sent for this long are given up.", "告警通知持续发送失败多长时间后放弃。",
          .unit = "min", .min = 1, .max = 10080)
PARAMETER(OCP_ALARM_SEND_TOTAL_FAILED_RETRY_TIMES, "ocp.alarm.send.total-failed-retry-times", ALARM, INT, LIVE, "3",
          "Repetitions after all attempts to send a notification failed.", "告警通知全部发送失败后的重试次数。",
          .min = 0, .max = 1000)
PARAMETER(OCP_ALARM_SEND_TOTAL_TIMEOUT_SECONDS, "ocp.alarm.send.total-timeout-seconds", ALARM, INT, LIVE, "60",
          "Time in which a node must have handled a notification.", "单个节点处理一条告警通知的总超时时间。",
          .unit = "s", .min = 1, .max = 3600)
PARAMETER(OCP_ALARM_SEND_PERIOD_MS, "ocp.alarm.send.period.ms", ALARM, INT, RESTART, "2000",
          "Time between two rounds of sending.", "两轮发送之间的间隔。", .unit = "ms", .min = 100, .max = 3600000)
PARAMETER(OCP_ALARM_RECOVER_MESSAGE_TEMPLATE, "ocp.alarm.recover-message-template", ALARM, STRING, LIVE, "",
          "Text of the message that an alarm has recovered; empty: the built-in one.", "告警恢复消息模板，为空时使用内置模板。")
PARAMETER(OCP_ALARM_SEND_ENABLED, "ocp.alarm.send.enabled", ALARM, BOOL, LIVE, "true",
          "Whether notifications are sent at all.", "是否发送告警通知。")
PARAMETER(OCP_ALARM_DATASOURCE_SLOW_SQL_EXCLUDE_OBCLUSTERS,
          "ocp.alarm.datasource.slow-sql-exclude-obclusters", ALARM, STRING, LIVE, "sys#*",
          "Tenants whose slow SQL raises no alarm, as tenant#cluster with * for any, separated by commas.",
          "不触发慢 SQL 告警的租户，格式为 租户#集群，* 表示任意，以逗号分隔。")
PARAMETER(OCP_ALARM_DATASOURCE_TRANS_STAT_EXCLUDE_OBCLUSTERS,
          "ocp.alarm.datasource.trans-stat-exclude-obclusters", ALARM, STRING, LIVE, "",
          "Tenants whose transactions raise no alarm, as tenant#cluster with * for any, separated by commas.",
          "不触发事务告警的租户，格式为 租户#集群，* 表示任意，以逗号分隔。")
PARAMETER(OCP_ALARM_DETECT_TOO_MANY_TARGETS_ALARM_THRESHOLD,
          "ocp.alarm.detect.too-many-targets-alarm-threshold", ALARM, INT, LIVE, "20",
          "An alarm that hits more objects than this is reported once for all of them.", "同一告警的对象数超过该值时合并上报。",
          .min = 1, .max = 100000)
PARAMETER(OCP_ALARM_NOTIFICATION_EXPIRED_DAYS, "ocp.alarm.notification.expired-days", ALARM, INT, LIVE, "90",
          "Days after which notifications are archived.", "告警通知多少天后归档。", .unit = "day", .min = 1, .max = 3660)
PARAMETER(OCP_ALARM_HOST_PROPERTY, "ocp.alarm.host.property", ALARM, ENUM, LIVE, "svr_ip",
          "How alarms name a host: by address or by host name.", "告警中以地址还是主机名表示主机。",
          .values = "svr_ip|host_name")
PARAMETER(OCP_ALARM_DATASOURCE_TRANS_MIN_DURATION_SECONDS,
          "ocp.alarm.datasource.trans-min-duration-seconds", ALARM, INT, LIVE, "60",
          "Transactions younger than this are not looked at; alarm thresholds lie above it.",
          "持续时间小于该值的事务不采样，告警阈值须大于该值。", .unit = "s", .min = 1, .max = 86400)

PARAMETER(BACKUP_DBNAME_PREFIX, "backup.dbname.prefix", BACKUP, STRING, LIVE, "backup",
          "Prefix of the databases that hold the state of backups.", "保存备份状态的数据库名前缀。", .max = 32)
PARAMETER(OCP_BACKUP_AGENT_RELATION_FILE_FULL_PATH_NAME,
          "ocp.backup.agent.relation.file.full-path.name", BACKUP, STRING, INERT, "",
          "File that maps OceanBase versions to versions of the backup program; here the package repository knows them.",
          "OceanBase 版本与备份程序版本对应关系文件，在此由软件包仓库决定。")
PARAMETER(OCP_BACKUP_ALARM_BACKUP_DATA_RETENTION_DAYS,
          "ocp.backup.alarm.backup-data-retention-days", BACKUP, INT, LIVE, "7",
          "Days after which data backups should have been removed.", "数据备份的保留天数。",
          .unit = "day", .min = 1, .max = 3660)
PARAMETER(OCP_BACKUP_ALARM_BACKUP_LIBOBLOG_EXPIRE_DAYS,
          "ocp.backup.alarm.backup-liboblog-expire-days", BACKUP, INT, LIVE, "7",
          "Days after which log backups should have been removed.", "日志备份的保留天数。",
          .unit = "day", .min = 1, .max = 3660)
PARAMETER(OCP_BACKUP_ALARM_LAST_DATA_BACKUP_MAX_INTERVAL_MINUTES,
          "ocp.backup.alarm.last-data-backup-max-interval-minutes", BACKUP, INT, LIVE, "1440",
          "Span in which a failed data backup is looked for.", "检查数据备份失败的时间范围。",
          .unit = "min", .min = 1, .max = 527040)
PARAMETER(OCP_BACKUP_ALARM_INC_BACKUP_DELAY_THRESHOLD,
          "ocp.backup.alarm.inc-backup-delay-threshold", BACKUP, INT, LIVE, "3600",
          "Lag of the log backup at which an alarm is raised.", "日志备份延迟的告警阈值。",
          .unit = "s", .min = 1, .max = 2592000)
PARAMETER(OCP_BACKUP_ALARM_BASE_BACKUP_LAST_FINISHED_THRESHOLD,
          "ocp.backup.alarm.base-backup-last-finished-threshold", BACKUP, INT, LIVE, "12960",
          "Longest time without a finished data backup.", "距上次完成数据备份的最长时间。",
          .unit = "min", .min = 1, .max = 527040)
PARAMETER(OCP_BACKUP_ALARM_BASE_BACKUP_TIMEOUT, "ocp.backup.alarm.base-backup-timeout", BACKUP, INT, LIVE, "10",
          "Delay of a scheduled data backup at which an alarm is raised.", "数据备份调度延迟的告警阈值。",
          .unit = "min", .min = 1, .max = 527040)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_TASK_TIMEOUT,
          "ocp.backup.storage.collect.task.timeout", BACKUP, INT, LIVE, "10800000",
          "Time that one collection of storage statistics may take.", "一次备份存储信息采集的超时时间。",
          .unit = "ms", .min = 1000, .max = 604800000)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_MAX_RETRY_TIMES,
          "ocp.backup.storage.collect.max.retry.times", BACKUP, INT, LIVE, "2",
          "Repetitions of a collection of storage statistics that failed.", "备份存储信息采集失败后的重试次数。",
          .min = 0, .max = 100)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_COMMAND_TIMEOUT,
          "ocp.backup.storage.collect.command.timeout", BACKUP, INT, LIVE, "3600000",
          "Time that one command of the collection may take.", "备份存储信息采集单条命令的超时时间。",
          .unit = "ms", .min = 1000, .max = 604800000)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_PERIOD_MINUTES,
          "ocp.backup.storage.collect.period.minutes", BACKUP, INT, LIVE, "180",
          "Time between two collections of storage statistics.", "两次备份存储信息采集的间隔。",
          .unit = "min", .min = 1, .max = 10080)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_SCHEDULE_ENABLED,
          "ocp.backup.storage.collect.schedule.enabled", BACKUP, BOOL, LIVE, "true",
          "Whether storage statistics are collected regularly.", "是否定期采集备份存储信息。")
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_HOST_TASK_CONCURRENCY,
          "ocp.backup.storage.collect.host.task.concurrency", BACKUP, INT, LIVE, "8",
          "Collections at once on one host.", "每台主机同时执行的采集任务数。", .min = 1, .max = 1000)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_OBTAIN_IDLE_HOST_INTERVAL_SECONDS,
          "ocp.backup.storage.collect.obtain-idle-host-interval-seconds", BACKUP, INT, LIVE, "60",
          "Wait between two searches for an idle host.", "两次寻找空闲主机之间的等待时间。", .unit = "s", .min = 1, .max = 3600)
PARAMETER(OCP_BACKUP_STORAGE_COLLECT_OBTAIN_IDLE_HOST_TIMES,
          "ocp.backup.storage.collect.obtain-idle-host-times", BACKUP, INT, LIVE, "60",
          "Searches for an idle host before the collection is given up.", "寻找空闲主机的最大次数。",
          .min = 1, .max = 10000)
PARAMETER(OCP_BACKUP_RESTORE_TIME_PRE_CHECK_ENABLED,
          "ocp.backup.restore-time-pre-check.enabled", BACKUP, BOOL, LIVE, "true",
          "Whether the point in time of a restore is checked before it begins.", "恢复前是否检查恢复时间点。")
PARAMETER(OCP_BACKUP_OSS_SUPPORT_CNAME, "ocp.backup.oss.support.cname", BACKUP, BOOL, LIVE, "true",
          "Whether OSS may be addressed by a CNAME.", "是否支持以 CNAME 访问 OSS。")
PARAMETER(OCP_BACKUP_BACKUP_COMMAND_TIMEOUT, "ocp.backup.backup-command.timeout", BACKUP, INT, LIVE, "300",
          "Time that a backup command may take.", "备份命令的超时时间。", .unit = "s", .min = 1, .max = 86400)

PARAMETER(OCP_AGENT_MANAGER_HTTP_PORT, "ocp.agent.manager.http.port", AGENT, INT, LIVE, "62888",
          "Port on which the agent of a host takes commands.", "主机 Agent 接收命令的端口。", .min = 1, .max = 65535)
PARAMETER(OCP_AGENT_MONITOR_HTTP_PORT, "ocp.agent.monitor.http.port", AGENT, INT, LIVE, "62889",
          "Port on which the agent of a host gives out metrics.", "主机 Agent 提供监控指标的端口。", .min = 1, .max = 65535)
PARAMETER(OCP_AGENT_HOME_PATH_PREFIX, "ocp.agent.home.path.prefix", AGENT, STRING, LIVE, "/home/admin",
          "Directory under which agents are installed on hosts.", "主机上 Agent 的安装目录前缀。", .check = check_path)
PARAMETER(OCP_AGENT_AUTH_METRIC_AUTH_ENABLED, "ocp.agent.auth.metric-auth-enabled", AGENT, BOOL, LIVE, "true",
          "Whether reading metrics from an agent needs a login.", "读取 Agent 监控指标是否需要认证。")
PARAMETER(MONAGENT_LOG_LEVEL, "monagent.log.level", AGENT, ENUM, LIVE, "info",
          "Log level of the monitoring agent.", "监控 Agent 的日志级别。", .values = "debug|info|warn|error")
PARAMETER(MGRAGENT_LOG_LEVEL, "mgragent.log.level", AGENT, ENUM, LIVE, "info",
          "Log level of the agent that runs commands.", "运维 Agent 的日志级别。", .values = "debug|info|warn|error")
PARAMETER(OCP_AGENT_OB_CLEANER_CONFIG,
          "ocp.agent.ob-cleaner.config", AGENT, JSON, LIVE, "{\"enabled\":true, \"diskUsagePercentLimit\":80}",
          "When old observer and OBProxy logs are removed from hosts.", "清理主机上 observer 与 OBProxy 旧日志的策略。")

PARAMETER(OCP_TASK_EXECUTOR_CORE_POOL_SIZE, "ocp.task.executor.core-pool-size", TASK, INT, INERT, "16",
          "Threads that run tasks; here tasks run in fibers.", "执行任务的核心线程数，在此任务由纤程执行。", .min = 1, .max = 10000)
PARAMETER(OCP_TASK_EXECUTOR_KEEP_ALIVE_SECONDS, "ocp.task.executor.keep-alive-seconds", TASK, INT, INERT, "120",
          "Idle threads that run tasks end after this long.", "执行任务的空闲线程存活时间。",
          .unit = "s", .min = 0, .max = 86400)
PARAMETER(OCP_TASK_EXECUTOR_MAX_POOL_SIZE, "ocp.task.executor.max-pool-size", TASK, INT, INERT, "64",
          "Threads that run tasks at most.", "执行任务的最大线程数。", .min = 1, .max = 10000)
PARAMETER(OCP_TASK_EXECUTOR_QUEUE_CAPACITY, "ocp.task.executor.queue-capacity", TASK, INT, INERT, "1000",
          "Tasks that may wait for a thread.", "等待执行的任务队列长度。", .min = 0, .max = 1000000)

PARAMETER(OBSDK_OB_CONNECTION_MODE, "obsdk.ob.connection.mode", CONNECTION, ENUM, LIVE, "proxy",
          "How OCP reaches OceanBase clusters: through OBProxy or straight to the observers.",
          "OCP 连接 OceanBase 集群的方式：经 OBProxy 或直连 observer。", .values = "proxy|direct")
PARAMETER(OBSDK_CONNECTORS_PRINT_SQL, "obsdk.connectors.print.sql", CONNECTION, BOOL, LIVE, "true",
          "Write every statement that is sent to OceanBase to the log.", "将发往 OceanBase 的语句写入日志。")
PARAMETER(OBSDK_CONNECTORS_SLOW_QUERY_THRESHOLD_MILLIS,
          "obsdk.connectors.slow.query.threshold.millis", CONNECTION, INT, LIVE, "1000",
          "Statements sent to OceanBase that take longer are logged as slow.", "发往 OceanBase 的语句超过该时间记为慢查询。",
          .unit = "ms", .min = 0, .max = 3600000)
PARAMETER(OBSDK_OPERATION_GLOBAL_TIMEOUT_MILLIS,
          "obsdk.operation.global.timeout.millis", CONNECTION, INT, LIVE, "300000",
          "Time that an operation statement on OceanBase may take.", "OceanBase 运维语句的超时时间。",
          .unit = "ms", .min = 10000, .max = 7200000)
PARAMETER(OBSDK_PRINT_SQL, "obsdk.print.sql", CONNECTION, BOOL, LIVE, "true",
          "Write every statement that is sent to OceanBase to the log (name used by 4.2).",
          "将发往 OceanBase 的语句写入日志（4.2 名称）。")
PARAMETER(OBSDK_SLOW_QUERY_THRESHOLD_MILLIS, "obsdk.slow.query.threshold.millis", CONNECTION, INT, LIVE, "1000",
          "Statements sent to OceanBase that take longer are logged as slow (name used by 4.2).",
          "发往 OceanBase 的语句超过该时间记为慢查询（4.2 名称）。", .unit = "ms", .min = 0, .max = 3600000)

PARAMETER(LOGGING_FILE, "logging.file", LOG, STRING, INERT, "",
          "Log file; here the log goes to standard error.", "日志文件，在此日志写往标准错误。")
PARAMETER(LOGGING_FILE_NAME, "logging.file.name", LOG, STRING, INERT, "",
          "Log file; here the log goes to standard error.", "日志文件，在此日志写往标准错误。")
PARAMETER(LOGGING_FILE_MAX_HISTORY, "logging.file.max-history", LOG, INT, INERT, "100",
          "Old log files that are kept; here the journal decides.", "保留的历史日志文件数，在此由系统日志服务决定。",
          .min = 0, .max = 100000)
PARAMETER(LOGGING_FILE_MAX_SIZE, "logging.file.max-size", LOG, SIZE, INERT, "100 MB",
          "Size at which a log file is closed; here the journal decides.", "日志文件滚动大小，在此由系统日志服务决定。",
          .min = 1024, .max = INT64_C(1) << 40)
PARAMETER(LOGGING_LEVEL_ORG_HIBERNATE_SQL, "logging.level.org.hibernate.SQL", LOG, ENUM, INERT, "INFO",
          "Log level of OCP's object mapper.", "OCP 对象映射层的日志级别。", .values = "TRACE|DEBUG|INFO|WARN|ERROR|OFF")
PARAMETER(LOGGING_LEVEL_WEB, "logging.level.web", LOG, ENUM, INERT, "INFO",
          "Log level of the web layer; here the setting log.level decides.", "Web 层的日志级别，在此由 log.level 配置决定。",
          .values = "TRACE|DEBUG|INFO|WARN|ERROR|OFF")
PARAMETER(LOGGING_LEVEL_COM_ALIPAY_OCP, "logging.level.com.alipay.ocp", LOG, ENUM, INERT, "INFO",
          "Log level of OCP; here the setting log.level decides.", "OCP 的日志级别，在此由 log.level 配置决定。",
          .values = "TRACE|DEBUG|INFO|WARN|ERROR|OFF")
PARAMETER(LOGGING_LEVEL_COM_OCEANBASE_OCP, "logging.level.com.oceanbase.ocp", LOG, ENUM, INERT, "INFO",
          "Log level of OCP; here the setting log.level decides.", "OCP 的日志级别，在此由 log.level 配置决定。",
          .values = "TRACE|DEBUG|INFO|WARN|ERROR|OFF")

PARAMETER(OCP_FILE_LOCAL_DIR, "ocp.file.local.dir", FILE, STRING, INERT, "",
          "Directory of uploaded files; here they lie under the setting data_dir.",
          "上传文件目录，在此位于 data_dir 配置之下。")
PARAMETER(OCP_FILE_LOCAL_BUILT_IN_DIR, "ocp.file.local.built-in.dir", FILE, STRING, INERT, "",
          "Directory of packages that come with OCP; here they lie under the installation.",
          "内置软件包目录，在此位于安装目录之下。")
PARAMETER(OCP_FILE_DEFAULT_BLOCK_SPLIT_SIZE, "ocp.file.default-block-split-size", FILE, INT, LIVE, "1048576",
          "Size of the blocks in which files are kept.", "文件存储的分块大小。",
          .unit = "byte", .min = 4096, .max = 1073741824)
PARAMETER(OCP_FILE_MAX_CONCURRENT_COUNT, "ocp.file.max-concurrent-count", FILE, INT, LIVE, "16",
          "Files that one node transfers at once.", "每个节点同时传输的文件数。", .min = 1, .max = 1000)
PARAMETER(OCP_FILE_TRY_LOCK_TIMEOUT_MILLISECONDS, "ocp.file.try-lock-timeout-milliseconds", FILE, INT, LIVE, "60000",
          "Longest wait for the lock on a file.", "等待文件锁的最长时间。", .unit = "ms", .min = 0, .max = 3600000)
PARAMETER(OCP_PACKAGE_QUOTA, "ocp.package.quota", FILE, SIZE, LIVE, "100 GB",
          "Space that all software packages together may take.", "全部软件包可占用的总空间。",
          .min = 1048576, .max = INT64_C(1) << 50)
PARAMETER(OCP_FILE_FILE_SERVER_BUCKET_TYPE, "ocp.file.file-server.bucket.type", FILE, ENUM, LIVE, "LOCAL",
          "Where uploaded files are kept.", "上传文件的存储方式。", .values = "LOCAL|OSS")

PARAMETER(OCP_IAM_RATE_LIMIT_ENABLED, "ocp.iam.rate-limit.enabled", FLOW, BOOL, LIVE, "true",
          "Whether API calls are throttled.", "是否启用 API 限流。")
PARAMETER(OCP_IAM_RATE_LIMIT_INTERNAL_API_CONNECT_TIMEOUT,
          "ocp.iam.rate-limit.internal-api.connect.timeout", FLOW, INT, RESTART, "1000",
          "Time for connecting to another node to agree on limits.", "节点间协商限流时的连接超时时间。",
          .unit = "ms", .min = 1, .max = 600000)
PARAMETER(OCP_IAM_RATE_LIMIT_INTERNAL_API_READ_TIMEOUT,
          "ocp.iam.rate-limit.internal-api.read.timeout", FLOW, INT, RESTART, "1000",
          "Time for another node's answer about limits.", "节点间协商限流时的读取超时时间。",
          .unit = "ms", .min = 1, .max = 600000)
PARAMETER(OCP_IAM_RATE_LIMIT_TASK_SCHEDULE_PERIOD, "ocp.iam.rate-limit.task.schedule.period", FLOW, INT, RESTART, "3",
          "Time between two rounds of agreeing on limits.", "两轮限流协商之间的间隔。", .unit = "s", .min = 1, .max = 3600)
PARAMETER(OCP_IAM_RATE_LIMIT_ON_USER_ENABLED, "ocp.iam.rate-limit.on-user.enabled", FLOW, BOOL, LIVE, "true",
          "Whether API calls are throttled per user.", "是否按用户限流。")

PARAMETER(OCP_MONITOR_COLLECT_OBCLUSTER_ENABLED, "ocp.monitor.collect.obcluster.enabled", MONITOR, BOOL, LIVE, "true",
          "Whether metrics of OceanBase clusters are collected.", "是否采集 OceanBase 集群监控指标。")
PARAMETER(OCP_MONITOR_COLLECT_OBPROXY_ENABLED, "ocp.monitor.collect.obproxy.enabled", MONITOR, BOOL, LIVE, "true",
          "Whether metrics of OBProxy are collected.", "是否采集 OBProxy 监控指标。")
PARAMETER(OCP_MONITOR_COLLECT_HOST_ENABLED, "ocp.monitor.collect.host.enabled", MONITOR, BOOL, LIVE, "true",
          "Whether metrics of hosts are collected.", "是否采集主机监控指标。")
PARAMETER(OCP_MONITOR_DATA_RETENTION_DAYS, "ocp.monitor.data.retention-days", MONITOR, JSON, RESTART,
          "{\"ob_cluster_system_event\":31,\"ocp_metric_data_1\":8,\"ocp_metric_data_60\":31,\"metric_hour_data\":1098,"
          "\"metric_daily_data\":1098}",
          "Days for which each table of MonitorDB keeps its rows.", "MonitorDB 各表数据的保留天数。")
PARAMETER(OCP_METRIC_COLLECT_INTERVAL_SECOND, "ocp.metric.collect.interval.second", MONITOR, ENUM, LIVE, "1",
          "Time between two collections of metrics; charts show three times that, unless it is 1.",
          "监控指标采集间隔；除 1 秒外，图表展示间隔为其 3 倍。", .values = "1|5|10|15", .unit = "s")

PARAMETER(OCP_LOG_REGEX_OBSERVER, "ocp.log.regex.observer", ANALYSIS, STRING, LIVE, "%s/log/*",
          "Files that are observer logs; %s stands for the installation directory.",
          "observer 日志文件路径，%s 表示安装目录。")
PARAMETER(OCP_LOG_REGEX_OBPROXY, "ocp.log.regex.obproxy", ANALYSIS, STRING, LIVE, "/home/admin/logs/obproxy/log/*",
          "Files that are OBProxy logs.", "OBProxy 日志文件路径。")
PARAMETER(OCP_LOG_REGEX_HOST, "ocp.log.regex.host", ANALYSIS, STRING, LIVE, "/var/log/message*",
          "Files that are logs of a host.", "主机日志文件路径。")
PARAMETER(OCP_ANALYZE_ENABLED, "ocp.analyze.enabled", ANALYSIS, BOOL, LIVE, "false",
          "Whether logs are sent to a search engine for analysis.", "是否启用日志分析。")
PARAMETER(OCP_ANALYZE_OB_TRACE_ENABLED, "ocp.analyze.ob.trace.enabled", ANALYSIS, BOOL, LIVE, "false",
          "Whether OceanBase traces are collected for analysis.", "是否采集 OceanBase 链路追踪数据。")
PARAMETER(OCP_ANALYZE_OB_LOG_ENABLED, "ocp.analyze.ob.log.enabled", ANALYSIS, BOOL, LIVE, "false",
          "Whether OceanBase logs are collected for analysis.", "是否采集 OceanBase 日志。")
PARAMETER(OCP_ANALYZE_ES_CLIENT_ADDRESSES, "ocp.analyze.es.client.addresses", ANALYSIS, STRING, LIVE, "",
          "Addresses of the search engine, separated by commas.", "搜索引擎地址，以逗号分隔。")
PARAMETER(OCP_ANALYZE_ES_CLIENT_USERNAME, "ocp.analyze.es.client.username", ANALYSIS, STRING, LIVE, "",
          "User of the search engine.", "搜索引擎用户名。", .max = 128)
PARAMETER(OCP_ANALYZE_ES_CLIENT_PASSWORD, "ocp.analyze.es.client.password", ANALYSIS, SECRET, LIVE, "",
          "Password of that user.", "搜索引擎用户密码。")
PARAMETER(OCP_ANALYZE_ES_INDEX_KEEP_DAYS, "ocp.analyze.es.index.keep.days", ANALYSIS, INT, LIVE, "7",
          "Days for which indexes of the search engine are kept.", "搜索引擎索引的保留天数。",
          .unit = "day", .min = 1, .max = 3660)
PARAMETER(OCP_ANALYZE_ES_INDEX_SHARDS, "ocp.analyze.es.index.shards", ANALYSIS, INT, LIVE, "12",
          "Shards of an index.", "索引分片数。", .min = 1, .max = 1024)
PARAMETER(OCP_ANALYZE_ES_INDEX_REPLICAS, "ocp.analyze.es.index.replicas", ANALYSIS, INT, LIVE, "1",
          "Replicas of an index.", "索引副本数。", .min = 0, .max = 100)
PARAMETER(OCP_OB_SLOWSQL_THRESHOLD, "ocp.ob.slowsql.threshold", ANALYSIS, INT, LIVE, "1000000",
          "Statements on OceanBase that take longer count as slow.", "OceanBase 语句超过该时间视为慢 SQL。",
          .unit = "us", .min = 0, .max = 3600000000)

PARAMETER(OCP_INSPECTION_SCRIPS_SEQUENCE_AVAILABILITY_THRESHOLD_PERCENTAGE,
          "ocp.inspection.scrips.sequence-availability.threshold-percentage", INSPECTION, DOUBLE, LIVE, "0.8",
          "Share of a sequence that may be used up before an inspection complains, between 0 and 1.",
          "巡检时序列已用比例的阈值，取值 0 到 1。", .max = 1)
PARAMETER(OCP_MONITOR_EXPORTER_CHECK_ACTIVE_PERIOD_SECONDS,
          "ocp.monitor.exporter.check-active-period-seconds", INSPECTION, INT, LIVE, "60",
          "Time between two checks of an exporter that answers.", "检查正常 exporter 的周期。",
          .unit = "s", .min = 1, .max = 86400)
PARAMETER(OCP_MONITOR_EXPORTER_CHECK_INACTIVE_PERIOD_SECONDS,
          "ocp.monitor.exporter.check-inactive-period-seconds", INSPECTION, INT, LIVE, "50",
          "Time between two checks of an exporter that does not answer.", "检查异常 exporter 的周期。",
          .unit = "s", .min = 1, .max = 86400)

PARAMETER(OCP_MULTI_CLUSTER_ENABLED, "ocp.multi-cluster.enabled", MULTI_CLUSTER, BOOL, RESTART, "false",
          "Whether this OCP works together with other OCP clusters.", "是否启用多集群模式。")
PARAMETER(OCP_MULTI_CLUSTER_REPLICATION_INTERVAL_SECONDS,
          "ocp.multi-cluster.replication.interval.seconds", MULTI_CLUSTER, INT, LIVE, "30",
          "Time between two fetches of the leader's data by a follower; longer than the heartbeat's interval.",
          "备 OCP 拉取主 OCP 数据的间隔，须大于心跳间隔。", .unit = "s", .min = 1, .max = 86400)
