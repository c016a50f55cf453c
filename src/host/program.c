/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/str.h"

ERR_DEFINE(ERR_HOST_PROGRAM, 90514, 500, ERR_FINAL,
           "There is no program {2} for {1} in {0}. Install the package of the agent, or set agent.program_dir to the directory that has it.",
           "目录 {0} 中没有适用于 {1} 的程序 {2}，请安装 Agent 程序包，或通过 agent.program_dir 指定其所在目录。");
const struct err_row *const host_program_err_rows[] = { &ERR_HOST_PROGRAM, NULL };

enum { MAX_KEPT = 8, READ_BYTES = 64 * 1024 };

static const struct machine {
    const char *name;
    uint16_t elf;
} machines[] = { { "x86_64", EM_X86_64 }, { "aarch64", EM_AARCH64 } };
enum { N_MACHINES = sizeof machines / sizeof machines[0] };

/* What is known of a file, as long as it stays the same. */
struct kept {
    char *file;
    struct stat as;
    char sha256[PROGRAM_SHA256_SIZE];
};

struct host_programs {
    char *dir;
    struct work_pool *pool;
    pthread_mutex_t lock;      /* guards what follows */
    struct kept kept[MAX_KEPT];
    unsigned n_kept;
};

/* The directory of this program's own file, on the heap. */
static char *own_dir(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return mem_strdup(path);
}

int host_programs_new(const char *dir, struct work_pool *pool, struct host_programs **out, struct err *e)
{
    struct host_programs *p = mem_zalloc(sizeof *p);

    if (p == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
        mem_free(p);
        return err_set(e, &ERR_NOMEM, "");
    }
    p->pool = pool;
    p->dir = dir[0] != '\0' ? mem_strdup(dir) : own_dir();
    if (p->dir == NULL) {
        host_programs_free(p);
        return err_set(e, &ERR_NOMEM, "");
    }
    *out = p;
    return 0;
}

void host_programs_free(struct host_programs *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->n_kept; i++)
        mem_free(p->kept[i].file);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->dir);
    mem_free(p);
}

/* ---- finding ----------------------------------------------------------------------------------------------------------- */

/* Reads a few bytes of a local file, so it is done where it is asked for. */
static bool is_for(const char *file, uint16_t elf)
{
    unsigned char head[20] = { 0 };
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)sizeof head && memcmp(head, ELFMAG, SELFMAG) == 0 && (head[18] | head[19] << 8) == elf;
}

static const char *find_file(const struct host_programs *p, const char *name, const struct machine *m, struct arena *arena)
{
    const char *of_machine = arena_printf(arena, "%s/%s-%s", p->dir, name, m->name), *any = arena_printf(arena, "%s/%s", p->dir, name);

    if (of_machine != NULL && is_for(of_machine, m->elf))
        return of_machine;
    return any != NULL && is_for(any, m->elf) ? any : NULL;
}

int host_program_machines(struct host_programs *p, struct arena *arena, const char *const **out, struct err *e)
{
    const char **names = arena_array(arena, N_MACHINES + 1, sizeof *names);
    size_t n = 0;

    if (names == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < N_MACHINES; i++)
        if (find_file(p, "ocp-agent", &machines[i], arena) != NULL)
            names[n++] = machines[i].name;
    *out = names;
    return 0;
}

/* ---- its digest -------------------------------------------------------------------------------------------------------- */

struct job {
    struct work work;
    char *file;
    char sha256[PROGRAM_SHA256_SIZE];
    int number; /* errno; 0: done */
};

static void job_drop(struct work *w)
{
    struct job *j = (struct job *)w;

    mem_free(j->file);
    mem_free(j);
}

static void digest(struct job *j, int fd, EVP_MD_CTX *md, unsigned char *buf)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n_sum = 0;
    bool ok = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    ssize_t n;

    while (ok && (n = read(fd, buf, READ_BYTES)) != 0) {
        if (n < 0 && errno != EINTR) {
            j->number = errno;
            return;
        }
        ok = n < 0 || EVP_DigestUpdate(md, buf, (size_t)n) == 1;
    }
    if (!ok || EVP_DigestFinal_ex(md, sum, &n_sum) != 1) {
        j->number = EIO;
        return;
    }
    for (unsigned i = 0; i < n_sum; i++) {
        j->sha256[2 * i] = hex[sum[i] >> 4];
        j->sha256[2 * i + 1] = hex[sum[i] & 15];
    }
}

static void job_run(struct work *w)
{
    struct job *j = (struct job *)w;
    int fd = open(j->file, O_RDONLY | O_CLOEXEC);
    unsigned char *buf = mem_alloc(READ_BYTES);
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    if (fd < 0)
        j->number = errno;
    else if (buf == NULL || md == NULL)
        j->number = ENOMEM;
    else
        digest(j, fd, md, buf);
    if (fd >= 0)
        close(fd);
    EVP_MD_CTX_free(md);
    mem_free(buf);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool recall(struct host_programs *p, const char *file, const struct stat *st, char *sha256)
{
    bool known = false;

    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < p->n_kept && !known; i++) {
        known = strcmp(p->kept[i].file, file) == 0 && is_same(&p->kept[i].as, st);
        if (known)
            memcpy(sha256, p->kept[i].sha256, PROGRAM_SHA256_SIZE);
    }
    pthread_mutex_unlock(&p->lock);
    return known;
}

/* Without room or memory it is read again the next time. */
static void keep(struct host_programs *p, const char *file, const struct stat *st, const char *sha256)
{
    struct kept *to = NULL;

    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < p->n_kept && to == NULL; i++)
        if (strcmp(p->kept[i].file, file) == 0)
            to = &p->kept[i];
    if (to == NULL && p->n_kept < MAX_KEPT) {
        to = &p->kept[p->n_kept];
        to->file = mem_strdup(file);
        p->n_kept += to->file != NULL;
    }
    if (to != NULL && to->file != NULL) {
        to->as = *st;
        memcpy(to->sha256, sha256, PROGRAM_SHA256_SIZE);
    }
    pthread_mutex_unlock(&p->lock);
}

static int read_digest(struct host_programs *p, const char *file, char *sha256, struct err *e)
{
    struct job *j = mem_zalloc(sizeof *j);
    int rv;

    if (j == NULL || (j->file = mem_strdup(file)) == NULL) {
        mem_free(j);
        return err_set(e, &ERR_NOMEM, "");
    }
    j->work.run = job_run;
    j->work.drop = job_drop;
    rv = work_run(p->pool, &j->work, e);
    if (rv != 0)
        return rv;
    if (j->number != 0)
        rv = err_set(e, &ERR_IO, "%s: %s", file, strerrordesc_np(j->number));
    memcpy(sha256, j->sha256, PROGRAM_SHA256_SIZE);
    job_drop(&j->work);
    return rv;
}

static int none(const struct host_programs *p, const char *name, const char *machine, struct err *e)
{
    (void)err_set(e, &ERR_HOST_PROGRAM, "%s", p->dir);
    (void)err_arg(e, "%s", machine);
    return err_arg(e, "%s", name);
}

int host_program_find(struct host_programs *p, const char *name, const char *machine, struct arena *arena, struct host_program *out, struct err *e)
{
    struct stat st;
    int rv = 0;

    *out = (struct host_program){ .file = NULL };
    for (size_t i = 0; i < N_MACHINES; i++)
        if (strcmp(machines[i].name, machine) == 0)
            out->file = find_file(p, name, &machines[i], arena);
    if (out->file == NULL)
        return none(p, name, machine, e);
    if (stat(out->file, &st) != 0)
        return err_set(e, &ERR_IO, "%s: %s", out->file, strerrordesc_np(errno));
    out->size = st.st_size;
    if (recall(p, out->file, &st, out->sha256))
        return 0;
    rv = read_digest(p, out->file, out->sha256, e);
    if (rv == 0)
        keep(p, out->file, &st, out->sha256);
    return rv;
}

/* ---- its bytes --------------------------------------------------------------------------------------------------------- */

struct reading {
    struct work work;
    int64_t offset;
    size_t max;
    ssize_t n;
    int number;               /* errno; 0: done */
    char *file, *bytes;       /* owned */
};

static void reading_drop(struct work *w)
{
    struct reading *r = (struct reading *)w;

    mem_free(r->file);
    mem_free(r->bytes);
    mem_free(r);
}

static void reading_run(struct work *w)
{
    struct reading *r = (struct reading *)w;
    int fd = open(r->file, O_RDONLY | O_CLOEXEC);

    r->n = fd >= 0 ? pread(fd, r->bytes, r->max, r->offset) : -1;
    r->number = r->n < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
}

static struct reading *reading_new(const struct host_program *program, int64_t offset, size_t max)
{
    struct reading *r = mem_zalloc(sizeof *r);

    if (r == NULL)
        return NULL;
    r->work.run = reading_run;
    r->work.drop = reading_drop;
    r->offset = offset;
    r->max = max;
    r->file = mem_strdup(program->file);
    r->bytes = mem_alloc(max);
    if (r->file != NULL && r->bytes != NULL)
        return r;
    reading_drop(&r->work);
    return NULL;
}

int host_program_read(struct host_programs *p, const struct host_program *program, int64_t offset, size_t max, struct arena *arena,
                      struct slice *out, struct err *e)
{
    struct reading *r = reading_new(program, offset, max);
    char *copy = NULL;
    int rv = r != NULL ? work_run(p->pool, &r->work, e) : err_set(e, &ERR_NOMEM, "");

    if (rv != 0)
        return rv;
    if (r->number != 0)
        rv = err_set(e, &ERR_IO, "%s: %s", program->file, strerrordesc_np(r->number));
    else if ((copy = arena_alloc(arena, (size_t)r->n + 1)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0) {
        memcpy(copy, r->bytes, (size_t)r->n);
        *out = (struct slice){ copy, (size_t)r->n };
    }
    reading_drop(&r->work);
    return rv;
}
