/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings. Adding one: a member in struct settings, a row here, its reader; `docs/generate` does the rest. */
#include "conf/settings.h"

#include <ctype.h>
#include <string.h>

#include "conf/setting_type.h"
#include "src/base/json.h"
#include "src/base/log.h"

static const char *const log_levels[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug", NULL,
};
static const char *const login_keys[] = { "off", "1024", "2048", NULL };
static const char *const log_formats[] = { [LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json", NULL };

/* data_dir comes first: paths below refer to it. */
const struct setting settings_table[] = {
    { "data_dir", PATH(data_dir), "/var/lib/ocp-server", .min = "1",
      .doc = "Directory for everything this node keeps on disk; it belongs to the service's user." },
    { "key_file", PATH(key_file), "${data_dir}/master.key", .min = "1",
      .doc = "File with the master key that seals the passwords of managed objects. Every node has the same; keep a "
             "copy away from "
             "MetaDB's backups. It is made at the first start if it is missing." },

    { "node.name", STRING(node.name), "", .max = "64",
      .doc = "Name of this node among the nodes of this OCP. Empty: the machine's host name." },
    { "node.zone", STRING(node.zone), "", .max = "64",
      .doc = "Zone of OCP that this node belongs to; work on hosts of a zone is done by nodes of that zone first." },
    { "node.idc", STRING(node.idc), "", .max = "64", .doc = "Computer room in which this node stands." },

    { "http.listen", ADDRESSES(http.listen), "127.0.0.1:8080, [::1]:8080",
      .doc = "Addresses on which the API is served, over HTTP/1.1 and HTTP/2." },
    { "http.allow_cleartext", BOOL(http.allow_cleartext), "false",
      .doc = "Serve without TLS on addresses that other machines reach. Passwords then cross the network readable." },
    { "http.tls.certificate", PATH(http.tls_certificate), "", .flags = SETTING_FILE,
      .doc = "PEM file with the server's certificate and its chain; every address then speaks TLS. Read again at a "
             "reload." },
    { "http.tls.key", PATH(http.tls_key), "", .flags = SETTING_FILE,
      .doc = "PEM file with the certificate's private key, without a passphrase. Read again at a reload." },
    { "http.loops", INT(http.loops), "0", "0", "64",
      .doc = "Threads that serve requests. 0: one per processor." },
    { "http.trusted_proxies", NETWORKS(http.trusted_proxies), "",
      .doc = "Load balancers whose X-Forwarded-For and PROXY header name the true client. The word of anybody else "
             "does not count." },
    { "http.proxy_protocol", BOOL(http.proxy_protocol), "false",
      .doc = "The trusted proxies begin each connection with a PROXY protocol header, version 1 or 2." },
    { "http.monitoring_allow", NETWORKS(http.monitoring_allow), "127.0.0.0/8, ::1",
      .doc = "Clients that may read /metrics without logging in." },
    { "http.console_dir", PATH(http.console_dir), "",
      .doc = "Folder of the built web console. Empty: the one that was installed with this program." },
    { "http.max_connections", INT(http.max_connections), "10000", "10", "1000000",
      .doc = "Connections at once, of all clients." },
    { "http.max_connections_per_client", INT(http.max_connections_per_client), "1000", "1", "1000000",
      .doc = "Connections at once from one address; trusted proxies are not counted." },
    { "http.max_streams", INT(http.max_streams), "128", "1", "10000",
      .doc = "HTTP/2 requests at once on one connection." },
    { "http.max_header_size", SIZE(http.max_header_bytes), "32KiB", "1KiB", "1MiB",
      .doc = "Request line and headers of one request together." },
    { "http.max_upload_size", SIZE(http.max_upload_bytes), "64GiB", "1MiB", "1TiB",
      .doc = "One uploaded file, or another body that is streamed." },
    { "http.handshake_timeout", DURATION(http.handshake_timeout_ms), "10s", "1s", "5m",
      .doc = "A client has this long for the PROXY header and the TLS handshake." },
    { "http.header_timeout", DURATION(http.header_timeout_ms), "10s", "1s", "5m",
      .doc = "A client has this long to send the header of a request it has begun." },
    { "http.body_timeout", DURATION(http.body_timeout_ms), "30s", "1s", "1h",
      .doc = "A client that sends nothing of an awaited body for this long is dropped." },
    { "http.write_timeout", DURATION(http.write_timeout_ms), "30s", "1s", "1h",
      .doc = "A client that takes nothing of its reply for this long is dropped." },
    { "http.idle_timeout", DURATION(http.idle_timeout_ms), "75s", "1s", "1h",
      .doc = "A connection without a request is closed after this long. Keep it above the load balancer's." },

    { "peer.listen", ADDRESSES(peer.listen), "0.0.0.0:8081",
      .doc = "Address on which the other nodes of this OCP reach this one: one IP address and port. Connections there are mutual TLS under "
             "the cluster's own authority, whatever http.tls says; the port is for nodes alone." },
    { "peer.address", ADDRESSES(peer.address), "",
      .doc = "The same as other nodes see it, where that differs. Empty: the address of peer.listen; if that is a wildcard, the machine's "
             "address towards MetaDB, or else the first one that other machines can reach." },

    { "db.endpoints", ADDRESSES(db.endpoints), "", .flags = SETTING_REQUIRED,
      .doc = "MetaDB: OBProxy, load balancer or server addresses, tried in turn." },
    { "db.user", STRING(db.user), "", .max = "128", .flags = SETTING_REQUIRED,
      .doc = "MetaDB user as the server wants it, for OceanBase user@tenant#cluster." },
    { "db.password", SECRET(db.password), "", .max = "1024", .doc = "Password of the MetaDB user." },
    { "db.database", STRING(db.database), "ocp", "1", "64",
      .doc = "Database that holds MetaDB's tables; it must exist." },
    { "db.tls.ca", PATH(db.tls_ca), "", .flags = SETTING_FILE,
      .doc = "PEM file with the authorities that MetaDB's certificate must come from. Given: TLS is used and the "
             "server is verified." },
    { "db.tls.required", BOOL(db.tls_required), "false", .doc = "Refuse a MetaDB that does not speak TLS." },
    { "db.pool_size", INT(db.pool_size), "8", "1", "256", .doc = "Sessions with MetaDB of each loop, at most." },
    { "db.connect_timeout", DURATION(db.connect_timeout_ms), "5s", "100ms", "1m",
      .doc = "Time for connecting to one endpoint: name, TCP, TLS and login together." },
    { "db.statement_timeout", DURATION(db.statement_timeout_ms), "10s", "100ms", "10m",
      .doc = "Time for one statement." },

    { "monitordb.endpoints", ADDRESSES(monitordb.endpoints), "",
      .doc = "MonitorDB, likewise. Empty: MetaDB's endpoints, user, password and TLS are used." },
    { "monitordb.user", STRING(monitordb.user), "", .max = "128", .doc = "MonitorDB user." },
    { "monitordb.password", SECRET(monitordb.password), "", .max = "1024",
      .doc = "Password of the MonitorDB user." },
    { "monitordb.database", STRING(monitordb.database), "ocp_monitor", "1", "64",
      .doc = "Database that holds MonitorDB's tables; it must exist and differ from MetaDB's." },
    { "monitordb.tls.ca", PATH(monitordb.tls_ca), "", .flags = SETTING_FILE,
      .doc = "PEM file with the authorities that MonitorDB's certificate must come from." },
    { "monitordb.tls.required", BOOL(monitordb.tls_required), "false",
      .doc = "Refuse a MonitorDB that does not speak TLS." },
    { "monitordb.pool_size", INT(monitordb.pool_size), "4", "1", "256",
      .doc = "Sessions with MonitorDB of each loop, at most." },
    { "monitordb.connect_timeout", DURATION(monitordb.connect_timeout_ms), "5s", "100ms", "1m",
      .doc = "Time for connecting to one endpoint of MonitorDB." },
    { "monitordb.statement_timeout", DURATION(monitordb.statement_timeout_ms), "10s", "100ms", "10m",
      .doc = "Time for one statement on MonitorDB." },

    { "standalone", BOOL(standalone.enabled), "false",
      .doc = "Start and look after a private MariaDB instead of using the db.* settings: one node, no set-up." },
    { "standalone.data_dir", PATH(standalone.data_dir), "${data_dir}/mariadb", .min = "1",
      .doc = "Directory of the private MariaDB." },

    { "log.level", ENUM(log.level), "info", .names = log_levels, .flags = SETTING_RELOAD,
      .doc = "Least important lines that are written." },
    { "log.format", ENUM(log.format), "logfmt", .names = log_formats, .doc = "Shape of a log line on standard error." },

    { "drain.lb_wait", DURATION(drain.lb_wait_ms), "2s", "0", "5m", .flags = SETTING_RELOAD,
      .doc = "At a stop: how long to keep serving while /readyz already says no. Longer than the load balancer takes "
             "to notice "
             "(interval times failures)." },
    { "drain.stream_timeout", DURATION(drain.stream_timeout_ms), "10s", "0", "1h", .flags = SETTING_RELOAD,
      .doc = "At a stop: how long requests under way may take to finish." },

    { "ha.election_timeout", DURATION(ha.election_timeout_ms), "1s", "300ms", "5s",
      .doc = "A leader that is not heard for this long, or that hears no majority, is replaced; the process of one that died is noticed at once. "
             "Heartbeats come ten times as often. The same on all nodes; raise it where nodes are more than 30 ms apart." },

    { "configurl.networks", NETWORKS(configurl.networks), "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7",
      .flags = SETTING_RELOAD,
      .doc = "Callers of the config URL that may register clusters which are not managed here and change what is kept of them. A managed "
             "cluster is changed by its own servers alone." },

    { "refresh.interval", DURATION(refresh.interval_ms), "10s", "1s", "1h", .flags = SETTING_RELOAD,
      .doc = "Time between two looks at a managed cluster." },

    { "agent.program_dir", PATH(agent.program_dir), "",
      .doc = "Directory with the agent's program for hosts: ocp-agent, or one for each architecture (ocp-agent-x86_64, ocp-agent-aarch64); and "
             "node_exporter, likewise, if hosts shall have one. Empty: the directory of ocp-server's own program." },
    { "agent.probe_interval", DURATION(agent.probe_interval_ms), "1m", "1s", "1h", .flags = SETTING_RELOAD,
      .doc = "How often the leader asks every host's agent whether it is there." },
    { "package.directory", PATH(package.directory), "",
      .doc = "Directory that all nodes share, for software packages uploaded from now on; the service's user writes there. Empty: they are kept in "
             "MetaDB, in package.database." },
    { "package.database", STRING(package.database), "", .max = "64",
      .doc = "Database beside MetaDB's, on the same servers, that holds the bytes of software packages; MetaDB's user needs all rights on it. It is "
             "made if that user may. Empty: the name of MetaDB's database followed by _package." },

    { "audit.keep", DURATION(audit.keep_ms), "1095d", "1d", "3650d", .doc = "How long the record of changes is kept." },
    { "tasks.keep", DURATION(tasks.keep_ms), "1095d", "91d", "3650d",
      .doc = "How long tasks are kept after they ended; lines of their logs are kept for 90 days. Tasks that hold locks stay." },
    { "iam.session_lifetime", DURATION(iam.session_lifetime_ms), "12h", "5m", "30d", .flags = SETTING_RELOAD,
      .doc = "A console session ends after this long, however busy it is. How long it may be idle says the system "
             "parameter server.servlet.session.timeout." },
    { "iam.offline_reads", DURATION(iam.offline_reads_ms), "15m", "0", "1d", .flags = SETTING_RELOAD,
      .doc = "While MetaDB is away, users that this node knew may go on reading for this long after MetaDB confirmed "
             "them last." },

    { "iam.login_key", ENUM(iam.login_key), "2048", .names = login_keys,
      .doc = "Bits of the RSA key under which clients may encrypt passwords on their way (GET /api/v2/loginKey); it "
             "helps those without TLS against listeners alone. 1024 is for old installers, and weak; passwords in "
             "clear are always accepted." },

    { .name = NULL },
};

const struct setting *settings_find(struct slice name)
{
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        if (slice_is(name, s->name))
            return s;
    }
    return NULL;
}

bool setting_is_secret(const struct setting *s)
{
    return s->type == &setting_secret;
}

void setting_add_environment_name(const struct setting *s, struct str *t)
{
    str_add(t, "OCP_");
    for (const char *p = s->name; *p != '\0'; p++)
        str_add_c(t, *p == '.' || *p == '-' ? '_' : (char)toupper((unsigned char)*p));
}

void setting_add_value(const struct setting *s, const struct settings *from, struct str *t)
{
    const void *member = (const char *)from + s->offset;

    if (!setting_is_secret(s))
        s->type->write(s, member, t);
    else if ((*(const char *const *)member)[0] != '\0')
        str_add(t, "******");
}

/* ---- --dump settings ------------------------------------------------------------------------------------------------- */

static void add_text(struct str *t, const char *key, const char *value)
{
    json_add_key(t, key);
    json_add_string(t, value);
}

static void add_bool(struct str *t, const char *key, bool value)
{
    json_add_key(t, key);
    str_add(t, value ? "true" : "false");
}

static void add_names(struct str *t, const struct setting *s)
{
    json_add_key(t, "values");
    str_add_c(t, '[');
    for (unsigned i = 0; s->names[i] != NULL; i++) {
        json_add_comma(t);
        json_add_string(t, s->names[i]);
    }
    str_add_c(t, ']');
}

static void dump_setting(struct str *t, const struct setting *s)
{
    str_add_c(t, '{');
    add_text(t, "name", s->name);
    add_text(t, "type", s->type->name);
    add_text(t, "syntax", s->type->syntax);
    add_text(t, "default", s->def);
    if (s->min != NULL)
        add_text(t, "min", s->min);
    if (s->max != NULL)
        add_text(t, "max", s->max);
    if (s->names != NULL)
        add_names(t, s);
    add_bool(t, "reload", (s->flags & SETTING_RELOAD) != 0);
    add_bool(t, "required", (s->flags & SETTING_REQUIRED) != 0);
    add_bool(t, "secret", setting_is_secret(s));
    json_add_key(t, "environment");
    str_add_c(t, '"');
    setting_add_environment_name(s, t);
    str_add_c(t, '"');
    add_text(t, "doc", s->doc);
    str_add_c(t, '}');
}

void conf_dump_settings(struct str *t)
{
    str_add_c(t, '[');
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        json_add_comma(t);
        dump_setting(t, s);
    }
    str_add(t, "]\n");
}
