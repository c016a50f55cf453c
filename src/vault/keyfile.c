/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/mem.h"
#include "src/io/file.h"
#include "src/vault/reseal.h"

ERR_DEFINE(ERR_VAULT_FILE, 90300, 500, ERR_FINAL, "The key file {0} cannot be used: {1}.", "密钥文件 {0} 不可用：{1}。");

enum { MAX_FILE = 256 };

static int bad_file(struct err *e, const char *path, const char *reason)
{
    (void)err_set(e, &ERR_VAULT_FILE, "%s", path);
    return err_arg(e, "%s", reason);
}

static int bad_file_errno(struct err *e, const char *path, const char *doing, int number)
{
    int rv;

    (void)err_set(e, &ERR_VAULT_FILE, "%s", path);
    rv = err_arg(e, "%s: %s", doing, strerrordesc_np(number) != NULL ? strerrordesc_np(number) : "unknown reason");
    if (e != NULL)
        e->lib_code = number;
    return rv;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(struct slice s, unsigned char key[KEYFILE_KEY_SIZE])
{
    if (s.n != 2 * KEYFILE_KEY_SIZE)
        return false;
    for (size_t i = 0; i < KEYFILE_KEY_SIZE; i++) {
        int high = hex_digit(s.s[2 * i]), low = hex_digit(s.s[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* One or two keys, in hex by lines or raw. Returns how many, 0 when it is neither. */
static unsigned parse_keys(const char *bytes, size_t n, unsigned char keys[2][KEYFILE_KEY_SIZE])
{
    struct slice rest = slice_trim((struct slice){ bytes, n });
    struct slice line = slice_trim(slice_cut(&rest, '\n'));

    if (parse_hex(line, keys[0])) {
        rest = slice_trim(rest);
        if (rest.n == 0)
            return 1;
        return parse_hex(rest, keys[1]) ? 2 : 0;
    }
    if (n != KEYFILE_KEY_SIZE && n != 2 * KEYFILE_KEY_SIZE)
        return 0;
    memcpy(keys, bytes, n);
    return (unsigned)(n / KEYFILE_KEY_SIZE);
}

static int check_mode(int fd, const char *path, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return bad_file_errno(e, path, "stat", errno);
    if (!S_ISREG(st.st_mode))
        return bad_file(e, path, "it is not a regular file");
    if ((st.st_mode & 0007) != 0 || ((st.st_mode & 0070) != 0 && (st.st_uid != 0 || (st.st_mode & 0030) != 0)))
        return bad_file(e, path, "others may read or write it; run chmod 600 on it");
    return 0;
}

static int read_open(int fd, const char *path, struct keyfile *out, struct err *e)
{
    char bytes[MAX_FILE];
    ssize_t n;
    int rv = check_mode(fd, path, e);

    if (rv != 0)
        return rv;
    n = read(fd, bytes, sizeof bytes);
    if (n < 0)
        return bad_file_errno(e, path, "read", errno);
    out->n = parse_keys(bytes, (size_t)n, out->keys);
    if (out->n == 0)
        rv = bad_file(e, path, "it holds neither 32 raw bytes nor 64 hex digits (and a second key of the same form, if there is one)");
    mem_wipe(bytes, sizeof bytes);
    return rv;
}

/* A file that root made for our group stays root's: whoever may write it over may keep it so. */
static bool keep_owner(int fd, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == ENOENT;
    return st.st_uid == geteuid() || (fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, st.st_mode & 0640) == 0);
}

/* The entry in the directory must survive a power cut as well as the bytes: secrets will be sealed with this key at once. */
static bool sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[4096];

    if (slash == NULL)
        (void)memcpy(dir, ".", 2);
    else if (slash == path)
        (void)memcpy(dir, "/", 2);
    else if ((size_t)(slash - path) < sizeof dir)
        *(char *)mempcpy(dir, path, (size_t)(slash - path)) = '\0';
    else
        return false;
    return file_sync_dir(dir);
}

/* Writes under another name first: whoever finds the file finds it whole. `put` brings it in place, and says 0 or an errno. */
static int write_file(const char *path, const struct keyfile *f, int (*put)(const char *from, const char *to), struct err *e)
{
    struct str hex, temporary;
    int fd = -1, rv = 0, number;

    str_init(&hex, NULL);
    for (unsigned i = 0; i < f->n; i++) {
        str_add_hex(&hex, f->keys[i], KEYFILE_KEY_SIZE);
        str_add_c(&hex, '\n');
    }
    str_init(&temporary, NULL);
    str_printf(&temporary, "%s.%ld.new", path, (long)getpid());
    if (str_failed(&hex) || str_failed(&temporary)) {
        rv = err_set(e, &ERR_NOMEM, "");
        goto wipe;
    }
    fd = open(str_c(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        rv = bad_file_errno(e, path, "create", errno);
        goto wipe;
    }
    if (!file_write_all(fd, str_c(&hex), hex.n) || !keep_owner(fd, path) || fsync(fd) != 0)
        rv = bad_file_errno(e, path, "write", errno);
    else if ((number = put(str_c(&temporary), path)) != 0)
        rv = bad_file_errno(e, path, "create", number);
    else if (!sync_directory(path))
        rv = bad_file_errno(e, path, "create", errno);
    close(fd);
    (void)unlink(str_c(&temporary)); /* a leftover is of no use to anyone but root and us */
wipe:
    if (hex.s != NULL)
        mem_wipe(hex.s, hex.space);
    str_fini(&hex);
    str_fini(&temporary);
    return rv;
}

/* The first of two makers wins. */
static int put_new(const char *from, const char *to)
{
    return link(from, to) == 0 || errno == EEXIST ? 0 : errno;
}

static int put_over(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

static int create_file(const char *path, struct err *e)
{
    struct keyfile f = { .n = 1 };
    int rv;

    if (RAND_bytes(f.keys[0], KEYFILE_KEY_SIZE) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    rv = write_file(path, &f, put_new, e);
    mem_wipe(&f, sizeof f);
    return rv;
}

int keyfile_read(const char *path, bool create, bool *created, struct keyfile *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rv;

    *created = false;
    *out = (struct keyfile){ .n = 0 };
    if (fd < 0 && errno == ENOENT && create) {
        rv = create_file(path, e);
        if (rv != 0)
            return rv;
        *created = true;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    }
    if (fd < 0)
        return bad_file_errno(e, path, "open", errno);
    rv = read_open(fd, path, out, e);
    close(fd);
    return rv;
}

int keyfile_install(const char *path, const struct keyfile *keys, struct err *e)
{
    struct keyfile there;
    bool created;
    int rv = 0;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        rv = write_file(path, keys, put_new, e);
    if (rv == 0)
        rv = keyfile_read(path, false, &created, &there, e);
    if (rv == 0 && memcmp(there.keys[0], keys->keys[0], KEYFILE_KEY_SIZE) != 0)
        rv = bad_file(e, path, "it holds another master key than the cluster's; move it away, and keep it if secrets are sealed with it");
    mem_wipe(&there, sizeof there);
    return rv;
}

static int refuse(const char *step, const char *reason, struct err *e)
{
    (void)err_set(e, &ERR_KEY_STEP, "%s", step);
    return err_arg(e, "%s", reason);
}

static int prepare(struct keyfile *f, struct err *e)
{
    if (f->n == 2)
        return refuse("prepare", "the file holds two keys already; end that change first (use, reseal, finish)", e);
    f->n = 2;
    return RAND_bytes(f->keys[1], KEYFILE_KEY_SIZE) == 1 ? 0 : err_set(e, &ERR_UNEXPECTED, "no random bytes");
}

static int use(struct keyfile *f, struct err *e)
{
    unsigned char key[KEYFILE_KEY_SIZE];

    if (f->n != 2)
        return refuse("use", "the file holds one key only; prepare makes the new one", e);
    memcpy(key, f->keys[0], sizeof key);
    memcpy(f->keys[0], f->keys[1], sizeof key);
    memcpy(f->keys[1], key, sizeof key);
    mem_wipe(key, sizeof key);
    return 0;
}

static int finish(struct keyfile *f, struct err *e)
{
    if (f->n != 2)
        return refuse("finish", "the file holds one key only", e);
    f->n = 1;
    return 0;
}

int keyfile_step(const char *path, const char *step, struct err *e)
{
    static const struct {
        const char *name;
        int (*take)(struct keyfile *f, struct err *e);
    } steps[] = { { "prepare", prepare }, { "use", use }, { "finish", finish } };
    struct keyfile f;
    bool created;
    int rv;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(steps[i].name, step) != 0)
            continue;
        rv = keyfile_read(path, false, &created, &f, e);
        if (rv == 0)
            rv = steps[i].take(&f, e);
        if (rv == 0)
            rv = write_file(path, &f, put_over, e);
        mem_wipe(&f, sizeof f);
        return rv;
    }
    return refuse(step, "the steps are prepare, use, reseal and finish", e);
}
