/* SPDX-License-Identifier: Apache-2.0 */
/* What an error number of the server or of libmariadb means for the caller. Numbers of 4000 and more that MySQL does
 * not know are OceanBase's; several conditions of its kernel may hide behind one of them, so number and phase decide,
 * never the text. */
#include "src/io/sql_session.h"

ERR_DEFINE(ERR_SQL_LOST, 90121, 503, ERR_RETRY, "The database {0} cannot be reached: {1}. Nothing was changed; try again later.",
           "无法连接数据库 {0}：{1}。未发生任何变更，请稍后重试。");
ERR_DEFINE(ERR_SQL_UNKNOWN, 90122, 504, ERR_UNKNOWN,
           "The answer of the database {0} did not arrive ({1}). The change may have been made: look before repeating it.",
           "未收到数据库 {0} 的应答（{1}）。变更可能已经生效，重试前请先确认。");
ERR_DEFINE(ERR_SQL_RETRY, 90123, 503, ERR_RETRY, "The database {0} could not carry out the transaction now: {1}. Try again.",
           "数据库 {0} 暂时无法执行该事务：{1}。请重试。");
ERR_DEFINE(ERR_SQL_DUPLICATE, 90124, 409, ERR_FINAL, "The database {0} holds such a row already: {1}.",
           "数据库 {0} 中已存在相同的记录：{1}。");
ERR_DEFINE(ERR_SQL_DENIED, 90125, 502, ERR_FINAL,
           "The database {0} refused access: {1}. Check user, password and privileges of the account.",
           "数据库 {0} 拒绝访问：{1}。请检查账号的用户名、密码和权限。");
ERR_DEFINE(ERR_SQL_READONLY, 90126, 503, ERR_RETRY,
           "The database {0} accepts no changes: {1}. Another server may be the leader; try again shortly.",
           "数据库 {0} 不接受变更：{1}。主节点可能已切换，请稍后重试。");
ERR_DEFINE(ERR_SQL_FAILED, 90127, 500, ERR_FINAL, "The database {0} rejected a statement: {1}.", "数据库 {0} 拒绝执行语句：{1}。");

const struct err_row *const sql_err_rows[] = {
    &ERR_SQL_LOST,   &ERR_SQL_UNKNOWN,  &ERR_SQL_RETRY,  &ERR_SQL_DUPLICATE,
    &ERR_SQL_DENIED, &ERR_SQL_READONLY, &ERR_SQL_FAILED, NULL,
};

struct sql_number {
    int number;
    const struct err_row *row;
    const struct err_row *in_commit; /* when what it made may last; NULL: the same */
    bool ends;                       /* the session is of no use afterwards */
    const char *name;
};

#define LOST &ERR_SQL_LOST, &ERR_SQL_UNKNOWN, true
#define REFUSED &ERR_SQL_LOST, NULL, true
#define RETRY &ERR_SQL_RETRY, NULL, false
#define RETRY_UNLESS_COMMIT &ERR_SQL_RETRY, &ERR_SQL_UNKNOWN, false
#define UNKNOWN &ERR_SQL_UNKNOWN, NULL, false
#define READONLY &ERR_SQL_READONLY, NULL, false
#define DENIED &ERR_SQL_DENIED, NULL, false
#define FAILED &ERR_SQL_FAILED, NULL, false
#define BROKEN &ERR_SQL_FAILED, &ERR_SQL_UNKNOWN, true

static const struct sql_number numbers[] = {
    /* the transaction is rolled back, or the caller rolls it back: repeat it */
    { 1205, RETRY, "lock wait timeout: the statement alone is rolled back" },
    { 1213, RETRY, "deadlock" },
    { 1614, RETRY, "transaction branch was rolled back: deadlock" },
    { 1969, RETRY, "MariaDB: max_statement_time" },
    { 3024, RETRY, "MySQL: max_execution_time" },
    { 3058, RETRY, "deadlock of user locks" },
    { 3572, RETRY, "MySQL: NOWAIT met a lock" },
    { 4012, RETRY_UNLESS_COMMIT, "timeout of statement, transaction or RPC" },
    { 4013, RETRY, "tenant is out of memory" },
    { 4023, RETRY, "try again" },
    { 4029, RETRY, "schema of this server is not refreshed" },
    { 4030, RETRY, "memory of the transaction's tenant is exhausted" },
    { 4038, RETRY, "not the master" },
    { 4124, RETRY, "RPC: connect error" },
    { 4184, RETRY, "disk is full" },
    { 4242, RETRY, "schema is behind" },
    { 4265, RETRY, "RPC: cannot connect" },
    { 4283, RETRY, "GTS is not ready" },
    { 4346, RETRY, "schema is not refreshed" },
    { 4515, RETRY, "no readable replica" },
    { 4653, RETRY, "location has no leader" },
    { 4654, RETRY, "location leader does not exist" },
    { 4681, RETRY, "RPC: connect error" },
    { 4719, RETRY, "log stream has moved" },
    { 4721, RETRY, "log stream: location does not exist" },
    { 4722, RETRY, "log stream: leader does not exist" },
    { 4725, RETRY, "tablet has moved" },
    { 5296, RETRY, "replica is not readable" },
    { 5627, RETRY, "schema changed under the statement" },
    { 6002, RETRY, "transaction was rolled back" },
    { 6005, RETRY, "lock conflict: try again" },
    { 6211, RETRY, "transaction was killed" },
    { 6213, RETRY, "transaction context does not exist" },
    { 6214, RETRY, "partition is frozen" },
    { 6223, RETRY, "transaction needs rollback" },
    { 6224, RETRY, "transaction needs rollback" },
    { 6231, RETRY, "replica is not readable" },
    { 6234, RETRY, "transaction was killed" },
    { 6235, RETRY, "cannot serialize access" },
    { 6239, RETRY, "GTS is not ready" },
    /* may have taken effect */
    { 6204, UNKNOWN, "transaction state is unknown" },
    { 6210, UNKNOWN, "transaction timed out while it ended" },
    { 6222, UNKNOWN, "transaction state is unknown" },
    { 6225, UNKNOWN, "transaction outcome is unknown" },
    { 6230, UNKNOWN, "transaction RPC timed out" },
    { 6233, UNKNOWN, "transaction state is unknown" },
    /* the session lives on, the statement was cut short by somebody */
    { 1317, RETRY_UNLESS_COMMIT, "interrupted: KILL QUERY" },
    /* no session was made, or the server takes no work: another endpoint may */
    { 1040, REFUSED, "too many connections" },
    { 1043, REFUSED, "bad handshake" },
    { 1129, REFUSED, "host is blocked after many connection errors" },
    { 1203, REFUSED, "too many connections of this user" },
    { 1226, REFUSED, "user has exceeded a limit" },
    { 2001, REFUSED, "no socket" },
    { 2002, REFUSED, "cannot connect" },
    { 2003, REFUSED, "cannot connect" },
    { 2004, REFUSED, "no TCP socket" },
    { 2005, REFUSED, "unknown host" },
    { 2007, REFUSED, "protocol version differs" },
    { 2009, REFUSED, "wrong host information" },
    { 2012, REFUSED, "handshake failed" },
    { 2047, REFUSED, "unknown protocol" },
    { 4006, REFUSED, "not initialised" },
    { 4114, REFUSED, "server is stopping" },
    { 4250, REFUSED, "module is not running" },
    { 4663, REFUSED, "server is not alive" },
    { 5150, REFUSED, "tenant is not on this server" },
    { 8001, REFUSED, "server is initialising" },
    { 8002, REFUSED, "server is stopping" },
    /* lost while in use */
    { 1047, LOST, "unknown command: the peer is no server for us, or not yet" },
    { 1053, LOST, "server shutdown" },
    { 1077, LOST, "normal shutdown" },
    { 1080, LOST, "forced close" },
    { 1152, LOST, "aborted connection" },
    { 1158, LOST, "read error on the network" },
    { 1159, LOST, "read timeout on the network" },
    { 1160, LOST, "write error on the network" },
    { 1161, LOST, "write timeout on the network" },
    { 1184, LOST, "aborted connection" },
    { 1927, LOST, "MariaDB: connection was killed" },
    { 2006, LOST, "server has gone away" },
    { 2013, LOST, "connection lost" },
    { 2026, LOST, "TLS error" },
    { 2027, LOST, "malformed packet" },
    { 2055, LOST, "connection lost" },
    { 3169, LOST, "session was killed" },
    { 4064, LOST, "session was killed" },
    { 5013, LOST, "libmariadb: read error" },
    { 5014, LOST, "libmariadb: write error" },
    { 5066, LOST, "session was interrupted" },
    /* changes are taken elsewhere */
    { 1290, READONLY, "server runs with read-only" },
    { 1836, READONLY, "read-only mode" },
    { 3100, READONLY, "MySQL: group replication refuses writes" },
    { 4220, READONLY, "read-only" },
    { 4688, READONLY, "standby tenant is read only" },
    /* who are you */
    { 1044, DENIED, "no access to the database" },
    { 1045, DENIED, "wrong user or password" },
    { 1130, DENIED, "host may not connect" },
    { 1142, DENIED, "no privilege on the table" },
    { 1143, DENIED, "no privilege on the column" },
    { 1227, DENIED, "privilege is missing" },
    { 1251, DENIED, "authentication protocol is too new or too old" },
    { 1370, DENIED, "no privilege on the routine" },
    { 1524, DENIED, "authentication plugin is not loaded" },
    { 1698, DENIED, "wrong user or password" },
    { 1820, DENIED, "password must be changed first" },
    { 1862, DENIED, "password has expired" },
    { 2049, DENIED, "server asks for the authentication of before 4.1" },
    { 2059, DENIED, "authentication plugin cannot be loaded" },
    { 2061, DENIED, "authentication plugin failed" },
    { 3118, DENIED, "account is locked" },
    { 3159, DENIED, "server requires TLS" },
    { 4151, DENIED, "MariaDB: account is locked" },
    { 5010, DENIED, "authentication plugin is not allowed" },
    /* nothing is gained by repeating */
    { 1062, &ERR_SQL_DUPLICATE, NULL, false, "duplicate key" },
    { 1586, &ERR_SQL_DUPLICATE, NULL, false, "duplicate key, named" },
    { 1153, &ERR_SQL_FAILED, NULL, false, "statement is larger than max_allowed_packet" },
    { 2008, &ERR_NOMEM, &ERR_SQL_UNKNOWN, true, "libmariadb is out of memory" },
    { 2014, BROKEN, "commands out of sync" },
    { 2020, BROKEN, "answer is larger than we accept" },
    { 2057, BROKEN, "columns of a prepared statement have changed" },
};

static const struct sql_number *find(int number)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].number == number)
            return &numbers[i];
    }
    return NULL;
}

const struct err_row *sql_classify(int number, bool in_commit)
{
    const struct sql_number *n = find(number);

    if (n == NULL)
        return &ERR_SQL_FAILED;
    return in_commit && n->in_commit != NULL ? n->in_commit : n->row;
}

bool sql_number_ends(int number)
{
    const struct sql_number *n = find(number);

    return n != NULL && n->ends;
}

bool sql_number_is_known(int number)
{
    return find(number) != NULL;
}
