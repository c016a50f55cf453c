/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/io/file.h"
#include "src/peer/hello.h"

ERR_DEFINE(ERR_NODE_HOME, 90750, 500, ERR_FINAL, "{0} cannot be used: {1}. {2}", "{0} 不可用：{1}。{2}");
ERR_DEFINE(ERR_NODE_HOME_USED, 90751, 500, ERR_FINAL, "{0} is in use by another ocp-server. Stop that one, or give this one a data_dir of its own.",
           "{0} 正被另一个 ocp-server 使用。请停止该进程，或为本进程配置独立的 data_dir。");
ERR_DEFINE(ERR_NODE_MEMBER, 90752, 409, ERR_FINAL,
           "{0} is that of a node that is a member of a cluster already. Remove the node there (ocpctl cluster remove) and delete the folder raft in it.",
           "{0} 属于已加入集群的节点。请先在集群中移除该节点（ocpctl cluster remove），并删除其中的 raft 目录。");

const struct err_row *const node_err_rows[] = { &ERR_NODE_HOME, &ERR_NODE_HOME_USED, &ERR_NODE_MEMBER, NULL };

static const char give_back[] = "Make it readable and writable for the account that ocp-server runs as, or free space there.";

static int failed(struct err *e, const char *path, const char *what)
{
    int code = errno;

    (void)err_set(e, &ERR_NODE_HOME, "%s", path);
    (void)err_arg(e, "%s: %s", what, strerrordesc_np(code) != NULL ? strerrordesc_np(code) : "unknown reason");
    if (e != NULL)
        e->lib_code = code;
    return err_arg(e, "%s", give_back);
}

static int broken(struct err *e, const char *path, const char *what)
{
    (void)err_set(e, &ERR_NODE_HOME, "%s", path);
    (void)err_arg(e, "%s", what);
    return err_arg(e, "Remove this node from its cluster, delete the folders raft and peer in its data_dir, and add it again.");
}

/* --- opening --------------------------------------------------------------------------------------------------------------------- */

static int make_dir(const char *path, struct err *e)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : failed(e, path, "it cannot be made");
}

static int lock(struct node_home *h, struct err *e)
{
    const char *path = arena_printf(&h->arena, "%s/node.lock", h->dir);

    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    h->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (h->lock_fd < 0)
        return failed(e, path, "it cannot be opened");
    return flock(h->lock_fd, LOCK_EX | LOCK_NB) == 0 ? 0 : err_set(e, &ERR_NODE_HOME_USED, "%s", h->dir);
}

static int name_paths(struct node_home *h, const char *data_dir, struct err *e)
{
    h->dir = arena_strdup(&h->arena, data_dir);
    h->peer_dir = arena_printf(&h->arena, "%s/peer", data_dir);
    h->raft_dir = arena_printf(&h->arena, "%s/raft", data_dir);
    h->authority_file = arena_printf(&h->arena, "%s/peer/authority.crt", data_dir);
    h->certificate_file = h->key_file = arena_printf(&h->arena, "%s/peer/node.pem", data_dir);
    h->revoked_file = arena_printf(&h->arena, "%s/peer/revoked", data_dir);
    if (h->dir == NULL || h->peer_dir == NULL || h->raft_dir == NULL || h->authority_file == NULL || h->certificate_file == NULL ||
        h->revoked_file == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return 0;
}

int node_home_open(const char *data_dir, struct node_home **out, struct err *e)
{
    struct node_home *h = mem_zalloc(sizeof *h);
    int rv;

    *out = NULL;
    if (h == NULL)
        return err_set(e, &ERR_NOMEM, "");
    h->lock_fd = -1;
    arena_init(&h->arena);
    rv = name_paths(h, data_dir, e);
    if (rv == 0)
        rv = lock(h, e);
    if (rv == 0)
        rv = make_dir(h->peer_dir, e);
    if (rv != 0) {
        node_home_close(h);
        return rv;
    }
    *out = h;
    return 0;
}

void node_home_close(struct node_home *h)
{
    if (h == NULL)
        return;
    if (h->lock_fd >= 0)
        (void)close(h->lock_fd);
    arena_fini(&h->arena);
    mem_free(h);
}

static bool exists_in(const char *dir, const char *name)
{
    char path[4200];

    return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path && access(path, F_OK) == 0;
}

bool node_home_is_member(const struct node_home *h)
{
    return exists_in(h->raft_dir, "log") || exists_in(h->raft_dir, "meta-a");
}

/* --- files ----------------------------------------------------------------------------------------------------------------------- */

static bool read_all(int fd, char *to, size_t space, size_t *n)
{
    *n = 0;
    while (*n < space) {
        ssize_t got = read(fd, to + *n, space - *n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        *n += (size_t)got;
    }
    return true;
}

int node_home_read(const struct node_home *h, const char *path, struct arena *arena, char **text, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rv = 0;
    struct stat st;
    size_t n = 0;

    (void)h;
    *text = NULL;
    if (fd < 0)
        return errno == ENOENT ? 0 : failed(e, path, "it cannot be opened");
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > HOME_MAX_FILE)
        rv = broken(e, path, "it is no file of this program");
    if (rv == 0) {
        *text = arena_zalloc(arena, (size_t)st.st_size + 1);
        if (*text == NULL)
            rv = err_set(e, &ERR_NOMEM, "");
        else if (!read_all(fd, *text, (size_t)st.st_size, &n))
            rv = failed(e, path, "it cannot be read");
    }
    (void)close(fd);
    if (rv != 0)
        *text = NULL;
    return rv;
}

static int sync_dir(const char *path, struct err *e)
{
    return file_sync_dir(path) ? 0 : failed(e, path, "it cannot be written");
}

int node_home_write(const struct node_home *h, const char *path, struct slice text, struct err *e)
{
    char fresh[4200];
    int fd, rv = 0;

    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return broken(e, path, "its name is too long");
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(e, fresh, "it cannot be made");
    if (fchmod(fd, 0600) != 0 || !file_write_all(fd, text.s, text.n) || fsync(fd) != 0)
        rv = failed(e, fresh, "it cannot be written");
    (void)close(fd); /* what fsync has confirmed stays */
    if (rv == 0 && rename(fresh, path) != 0)
        rv = failed(e, path, "it cannot be replaced");
    return rv == 0 ? sync_dir(h->peer_dir, e) : rv;
}

/* --- certificates ---------------------------------------------------------------------------------------------------------------- */

static struct slice text_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static int write_pem(const struct node_home *h, const char *certificate, const char *key, struct err *e)
{
    struct str both;
    int rv;

    str_init(&both, NULL);
    (void)str_reserve(&both, strlen(certificate) + strlen(key) + 1); /* at once: no copy of the key is left behind */
    str_add(&both, certificate);
    str_add(&both, key);
    rv = str_failed(&both) ? err_set(e, &ERR_NOMEM, "") : node_home_write(h, h->certificate_file, (struct slice){ both.s, both.n }, e);
    if (both.s != NULL)
        mem_wipe(both.s, both.n);
    str_fini(&both);
    return rv;
}

static int check_papers(const struct node_papers *p, struct err *e)
{
    struct certificate_facts facts;
    char uri[PEER_URI_SIZE];
    int rv = authority_check(p->authority, p->certificate, p->key, e);

    if (rv == 0)
        rv = authority_read(p->certificate, &facts, e);
    if (rv == 0 && strcmp(facts.uri, peer_uri(p->identity.cluster, p->identity.node, uri)) != 0)
        rv = err_set(e, &ERR_INVALID, "the certificate names %s, this node is %s", facts.uri, uri);
    return rv;
}

/* Of a file that must be there. */
static int read_whole(const struct node_home *h, const char *path, struct arena *arena, char **text, struct err *e)
{
    int rv = node_home_read(h, path, arena, text, e);

    return rv == 0 && *text == NULL ? broken(e, path, "it is missing") : rv;
}

int node_home_certificate(const struct node_home *h, struct certificate_facts *out, struct err *e)
{
    struct arena arena;
    char *pem = NULL;
    int rv;

    arena_init(&arena);
    rv = read_whole(h, h->certificate_file, &arena, &pem, e);
    if (rv == 0 && authority_read(pem, out, NULL) != 0)
        rv = broken(e, h->certificate_file, "it holds no certificate");
    if (pem != NULL)
        mem_wipe(pem, strlen(pem));
    arena_fini(&arena);
    return rv;
}

int node_home_renew(const struct node_home *h, const char *certificate, const char *key, struct err *e)
{
    struct certificate_facts now, fresh;
    struct arena arena;
    char *authority;
    int rv = node_home_certificate(h, &now, e);

    arena_init(&arena);
    if (rv == 0)
        rv = read_whole(h, h->authority_file, &arena, &authority, e);
    if (rv == 0)
        rv = authority_check(authority, certificate, key, e);
    if (rv == 0)
        rv = authority_read(certificate, &fresh, e);
    if (rv == 0 && strcmp(now.uri, fresh.uri) != 0)
        rv = err_set(e, &ERR_INVALID, "the certificate names %s, this node is %s", fresh.uri, now.uri);
    arena_fini(&arena);
    return rv == 0 ? write_pem(h, certificate, key, e) : rv;
}

/* --- becoming a member ----------------------------------------------------------------------------------------------------------- */

/* What a process left that was killed while it made the folder. */
static int clear_unfinished(const char *path, struct err *e)
{
    static const char *const names[] = { "log", "meta-a", "meta-b", "lock" };
    char file[4200];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        if (unlink(file) != 0 && errno != ENOENT && errno != ENOTDIR)
            return failed(e, file, "it cannot be removed");
    }
    return rmdir(path) == 0 || errno == ENOENT ? 0 : failed(e, path, "it cannot be removed");
}

/* The folder is made under another name, so that who finds it finds it whole. */
static int make_raft_dir(struct node_home *h, const struct node_papers *p, bool replace, struct err *e)
{
    const char *fresh = arena_printf(&h->arena, "%s.new", h->raft_dir), *old = arena_printf(&h->arena, "%s.old", h->raft_dir);
    int rv;

    if (fresh == NULL || old == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = clear_unfinished(fresh, e);
    if (rv == 0)
        rv = raft_dir_create(fresh, &p->identity, p->first, e);
    if (rv == 0 && replace)
        rv = clear_unfinished(old, e);
    if (rv == 0 && replace && rename(h->raft_dir, old) != 0)
        rv = failed(e, old, "it cannot be made");
    if (rv == 0 && rename(fresh, h->raft_dir) != 0)
        rv = failed(e, h->raft_dir, "it cannot be made");
    return rv == 0 ? sync_dir(h->dir, e) : rv;
}

static int read_identity(const struct node_home *h, struct raft_identity *out, struct err *e)
{
    struct raft_dir_state st = { .n_entries = 0 };
    struct raft_dir *dir;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = raft_dir_open(h->raft_dir, &arena, &st, &dir, e);
    raft_dir_close(dir);
    arena_fini(&arena);
    *out = st.identity;
    return rv;
}

/* *same: it is this member already; *older: of a generation that was given up. */
static int look_at_present(const struct node_home *h, const struct node_papers *p, bool *same, bool *older, struct err *e)
{
    struct raft_identity now;
    int rv;

    *same = *older = false;
    if (!node_home_is_member(h))
        return 0;
    rv = read_identity(h, &now, e);
    if (rv != 0)
        return rv;
    if (memcmp(now.cluster, p->identity.cluster, sizeof now.cluster) == 0) {
        *older = now.generation < p->identity.generation;
        *same = now.generation == p->identity.generation && now.node == p->identity.node;
    }
    return *same || *older ? 0 : err_set(e, &ERR_NODE_MEMBER, "%s", h->dir);
}

int node_home_settle(struct node_home *h, const struct node_papers *p, struct err *e)
{
    bool same, older;
    int rv = check_papers(p, e);

    if (rv == 0)
        rv = look_at_present(h, p, &same, &older, e);
    if (rv != 0 || same)
        return rv;
    rv = node_home_write(h, h->authority_file, text_of(p->authority), e);
    if (rv == 0)
        rv = write_pem(h, p->certificate, p->key, e);
    if (rv == 0 && unlink(h->revoked_file) != 0 && errno != ENOENT) /* of a cluster that this node was in before */
        rv = failed(e, h->revoked_file, "it cannot be removed");
    return rv == 0 ? make_raft_dir(h, p, older, e) : rv;
}

/* --- founding -------------------------------------------------------------------------------------------------------------------- */

static const char *founding_file(const struct node_home *h, struct arena *arena)
{
    return arena_printf(arena, "%s/founding", h->peer_dir);
}

int node_home_founding(const struct node_home *h, uint8_t cluster[OCPCLUSTER_ID_BYTES], bool *there, struct err *e)
{
    struct arena arena;
    const char *path;
    char *text = NULL;
    int rv;

    arena_init(&arena);
    path = founding_file(h, &arena);
    rv = path != NULL ? node_home_read(h, path, &arena, &text, e) : err_set(e, &ERR_NOMEM, "");
    *there = text != NULL;
    if (*there && !ocpcluster_unhex(text, cluster, OCPCLUSTER_ID_BYTES)) {
        (void)err_set(e, &ERR_NODE_HOME, "%s", path);
        (void)err_arg(e, "it holds no id of a cluster");
        rv = err_arg(e, "Delete it.");
    }
    arena_fini(&arena);
    return rv;
}

int node_home_set_founding(const struct node_home *h, const uint8_t cluster[OCPCLUSTER_ID_BYTES], struct err *e)
{
    char hex[OCPCLUSTER_HEX_SIZE];
    struct arena arena;
    const char *path;
    int rv = 0;

    arena_init(&arena);
    path = founding_file(h, &arena);
    if (path == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (cluster != NULL)
        rv = node_home_write(h, path, text_of(ocpcluster_hex(cluster, OCPCLUSTER_ID_BYTES, hex)), e);
    else if (unlink(path) == 0)
        rv = sync_dir(h->peer_dir, e);
    else if (errno != ENOENT)
        rv = failed(e, path, "it cannot be removed");
    arena_fini(&arena);
    return rv;
}
