/* SPDX-License-Identifier: Apache-2.0 */
/* A process with nothing but a Raft node.
 * usage: raftprobe found DIR ID ADDRESS[,ADDRESS...]     a directory and certificates for node ID of those founders (ids 1, 2, ...)
 *        raftprobe join DIR ID FROM                      the same for a node that is to be added; FROM: directory of a founder
 *        raftprobe run DIR ADDRESS [ELECTION-MS]         runs; prints a line of JSON at each change; takes on stdin
 *                                                        status | transfer ID | add ID ADDRESS | assign ID ROLE | remove ID | quit
 * Certificates are in the folder above DIR: authority (found makes it if it is not there), and one a node. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "raft/node.h"
#include "src/io/authority.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/io/tls.h"
#include "src/peer/hello.h"

static const uint8_t cluster[PEER_CLUSTER_BYTES] = "0123456789abcde";

__attribute__((noreturn)) static void fail(const char *what, const struct err *e)
{
    char text[512];

    (void)fprintf(stderr, "raftprobe: %s: %s\n", what, err_log_text(e, text, sizeof text));
    exit(1);
}

/* --- certificates ------------------------------------------------------------------------------------------------------------------- */

static void path_of(char out[512], const char *dir, const char *name)
{
    (void)snprintf(out, 512, "%s/../%s", dir, name);
}

static void save(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        exit(1);
}

static char *load(const char *path, struct arena *arena)
{
    FILE *f = fopen(path, "r");
    char *text = f != NULL ? arena_zalloc(arena, 8192) : NULL;

    if (text != NULL)
        text[fread(text, 1, 8191, f)] = '\0';
    if (f != NULL)
        (void)fclose(f);
    return text;
}

static struct identity authority(const char *dir, struct arena *arena)
{
    struct identity ca = { 0 };
    struct err e = { 0 };
    char cert[512], key[512];

    path_of(cert, dir, "ca.crt");
    path_of(key, dir, "ca.key");
    ca.certificate = load(cert, arena);
    ca.key = load(key, arena);
    if (ca.certificate != NULL && ca.key != NULL)
        return ca;
    if (authority_found("raftprobe", arena, &ca, &e) != 0)
        fail("authority", &e);
    save(key, ca.key);
    save(cert, ca.certificate);
    return ca;
}

static void issue(const char *dir, uint64_t id, struct arena *arena)
{
    struct identity ca = authority(dir, arena), own;
    char path[512], uri[PEER_URI_SIZE], name[64];
    struct err e = { 0 };

    if (authority_issue(&ca, peer_uri(cluster, id, uri), 10, arena, &own, &e) != 0)
        fail("certificate", &e);
    (void)snprintf(name, sizeof name, "%llu.crt", (unsigned long long)id);
    path_of(path, dir, name);
    save(path, own.certificate);
    (void)snprintf(name, sizeof name, "%llu.key", (unsigned long long)id);
    path_of(path, dir, name);
    save(path, own.key);
}

static int found(const char *dir, uint64_t id, char *addresses)
{
    struct member members[RAFT_MAX_MEMBERS];
    struct raft_identity who = { .generation = 1, .node = id };
    struct arena arena;
    struct entry first;
    struct err e = { 0 };
    unsigned n = 0;

    memcpy(who.cluster, cluster, sizeof who.cluster);
    arena_init(&arena);
    for (char *a = strtok(addresses, ","); a != NULL && n < RAFT_MAX_MEMBERS; a = strtok(NULL, ","), n++)
        members[n] = (struct member){ n + 1, a, MEMBER_VOTER };
    if (n > 0 && consensus_first_entry(members, n, &arena, &first, &e) != 0)
        fail("members", &e);
    if (raft_dir_create(dir, &who, n > 0 ? &first : NULL, &e) != 0)
        fail("directory", &e);
    issue(dir, id, &arena);
    arena_fini(&arena);
    return 0;
}

/* --- running ------------------------------------------------------------------------------------------------------------------------ */

static struct raft_node *node;

static void print_status(struct raft_node *of)
{
    static const char *const roles[] = { "", "follower", "candidate", "leader" };
    struct raft_node_status s;
    char line[2048];
    int n;

    raft_node_status(of, &s);
    n = snprintf(line, sizeof line, "{\"node\":%llu,\"role\":\"%s\",\"leads\":%s,\"term\":%llu,\"leader\":%llu,\"commit\":%llu,\"last\":%llu,\"changes\":%llu,\"members\":{",
                 (unsigned long long)s.identity.node, roles[s.consensus.role], s.consensus.leads ? "true" : "false",
                 (unsigned long long)s.consensus.term, (unsigned long long)s.consensus.leader, (unsigned long long)s.consensus.commit,
                 (unsigned long long)s.consensus.last, (unsigned long long)s.changes);
    for (unsigned i = 0; i < s.n_peers; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%s\"%llu\":{\"role\":%d,\"connected\":%s,\"dead\":%s,\"match\":%llu}", i > 0 ? "," : "",
                      (unsigned long long)s.peers[i].member.id, (int)s.peers[i].member.role, s.peers[i].connected ? "true" : "false",
                      s.peers[i].dead ? "true" : "false", (unsigned long long)s.peers[i].match);
    n += snprintf(line + n, sizeof line - (size_t)n, "}}\n");
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        _exit(0); /* nobody listens */
}

static void on_changed(struct raft_node *n, void *data)
{
    (void)data;
    print_status(n);
}

/* A call: tells what can be read of it. */
static void on_call(int fd, void *data)
{
    char bytes[64], line[256];
    ssize_t got = read(fd, bytes, sizeof bytes);
    int n = snprintf(line, sizeof line, "{\"call\":\"");

    (void)data;
    for (ssize_t i = 0; i < got; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%02x", (unsigned)(unsigned char)bytes[i]);
    n += snprintf(line + n, sizeof line - (size_t)n, "\"}\n");
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        _exit(0);
    (void)close(fd);
}

static bool obey(char *line)
{
    const char *word = strtok(line, " \n"), *id = strtok(NULL, " \n"), *more = strtok(NULL, " \n");
    struct member m = { id != NULL ? strtoull(id, NULL, 10) : 0, more, more != NULL ? (enum member_role)atoi(more) : MEMBER_SPARE };
    struct err e = { 0 };
    char text[512];
    int rv = 0;

    if (word == NULL || strcmp(word, "quit") == 0)
        return false;
    if (strcmp(word, "transfer") == 0)
        rv = raft_node_request(node, RAFT_REQUEST_TRANSFER, &m, &e);
    else if (strcmp(word, "add") == 0)
        rv = raft_node_request(node, RAFT_REQUEST_ADD, &m, &e);
    else if (strcmp(word, "assign") == 0)
        rv = raft_node_request(node, RAFT_REQUEST_ASSIGN, &m, &e);
    else if (strcmp(word, "remove") == 0)
        rv = raft_node_request(node, RAFT_REQUEST_REMOVE, &m, &e);
    else if (strcmp(word, "note") == 0)
        rv = raft_node_request(node, RAFT_REQUEST_NOTE, NULL, &e);
    if (rv != 0) {
        (void)printf("{\"error\":\"%s\"}\n", err_text(&e, ERR_EN, text, sizeof text));
        (void)fflush(stdout);
    } else {
        print_status(node);
    }
    return true;
}

/* Commands are read by a thread of the probe's own loop that may block: nothing else runs there. */
static void obey_all(void *data)
{
    char line[512];
    struct err e;

    (void)data;
    (void)fiber_narrow_deadline(1000000000);
    while (fgets(line, sizeof line, stdin) != NULL && obey(line))
        if (fiber_yield(&e) != 0)
            break;
    loop_stop(loop_current());
}

static int run(const char *dir, const char *address, unsigned election_ms)
{
    static struct log_sink sink;
    static struct log log;
    struct loop_conf loop_conf = { "probe", &clock_system, &log, 64, LOOP_STACK_BYTES };
    struct raft_node_conf conf = { .address = address, .log = &log, .changed = on_changed, .call = on_call, .election_ms = election_ms, .heartbeat_ms = election_ms / 10 };
    struct raft_dir_state state;
    struct tls_server *tls;
    struct loop *loop;
    struct arena arena;
    struct err e = { 0 };
    char ca[512], cert[512], key[512], name[64];
    struct tls_conf tls_conf = { .cert_file = cert, .key_file = key, .client_ca = ca };

    sink = (struct log_sink){ .fd = STDERR_FILENO, .level = LOG_INFO, .clock = &clock_system };
    log_init(&log, &sink);
    (void)signal(SIGPIPE, SIG_IGN);
    arena_init(&arena);
    if (raft_dir_open(dir, &arena, &state, &conf.dir, &e) != 0)
        fail("directory", &e);
    path_of(ca, dir, "ca.crt");
    (void)snprintf(name, sizeof name, "%llu.crt", (unsigned long long)state.identity.node);
    path_of(cert, dir, name);
    (void)snprintf(name, sizeof name, "%llu.key", (unsigned long long)state.identity.node);
    path_of(key, dir, name);
    if (tls_server_new(&tls_conf, &tls, &e) != 0)
        fail("certificates", &e);
    conf.state = &state;
    conf.tls = tls;
    if (!addr_parse_port((struct slice){ address, strlen(address) }, &conf.listen))
        return 2;
    if (raft_node_new(&conf, &node, &e) != 0)
        fail("node", &e);
    if (loop_new(&loop_conf, &loop, &e) != 0 || fiber_start(loop, "commands", obey_all, NULL, NULL, &e) != 0)
        fail("loop", &e);
    loop_run(loop);
    raft_node_free(node);
    loop_free(loop);
    tls_server_free(tls);
    arena_fini(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 5 && strcmp(argv[1], "found") == 0)
        return found(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    if (argc >= 4 && strcmp(argv[1], "join") == 0)
        return found(argv[2], strtoull(argv[3], NULL, 10), (char[]){ "" });
    if (argc >= 4 && strcmp(argv[1], "run") == 0)
        return run(argv[2], argv[3], argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0);
    (void)fprintf(stderr, "usage: raftprobe found|join|run ...\n");
    return 2;
}
