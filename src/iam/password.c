/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/password.h"

#include <argon2.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

ERR_DEFINE(ERR_PASSWORD_FORMAT, 3009, 400, ERR_FINAL,
           "The password does not obey the rules: {0}. It needs 8 to 32 characters of at least three of these kinds: upper-case letters, "
           "lower-case letters, digits, and ~!@#%^&*_-+=`|(){}[]:;',.?/",
           "密码不符合规则：{0}。密码长度为 8 到 32 个字符，至少包含大写字母、小写字母、数字和特殊字符 "
           "~!@#%^&*_-+=`|(){}[]:;',.?/ 中的三种。");

/* Cost of one hash: the second choice of RFC 9106 scaled down to OWASP's minimum, so that a login costs some 30 ms. */
static const struct {
    uint32_t time, memory_kib, lanes;
} cost = { 2, 19 * 1024, 1 };

enum { SALT_SIZE = 16, HASH_SIZE = 32, MAX_TIME = 16, MAX_MEMORY_KIB = 256 * 1024, MAX_LANES = 8 };

/* What an unknown user's password is compared with: right costs, no preimage that anyone knows. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$b2NwLXNlcnZlci1ub2Jv$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static const char special[] = "~!@#%^&*_-+=`|(){}[]:;',.?/";

const char *password_problem(const char *password)
{
    size_t n = strlen(password);
    unsigned upper = 0, lower = 0, digit = 0, other = 0; /* 1: there is one */

    if (n < 8 || n > 32)
        return n < 8 ? "it is shorter than 8 characters" : "it is longer than 32 characters";
    for (const char *p = password; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            upper = 1;
        else if (*p >= 'a' && *p <= 'z')
            lower = 1;
        else if (*p >= '0' && *p <= '9')
            digit = 1;
        else if (strchr(special, *p) != NULL)
            other = 1;
        else
            return "it has a character that is not allowed";
    }
    return upper + lower + digit + other < 3 ? "it has fewer than three kinds of characters" : NULL;
}

struct job {
    struct work work;
    bool is_verify;
    int status;                            /* of libargon2 */
    char encoded[PASSWORD_ENCODED_SIZE];
    uint8_t salt[SALT_SIZE];
    size_t n;
    char password[PASSWORD_MAX_BYTES];
};

static void job_run(struct work *w)
{
    struct job *j = (struct job *)w;

    if (j->is_verify)
        j->status = argon2id_verify(j->encoded, j->password, j->n);
    else
        j->status = argon2id_hash_encoded(cost.time, cost.memory_kib, cost.lanes, j->password, j->n, j->salt, sizeof j->salt, HASH_SIZE,
                                          j->encoded, sizeof j->encoded);
}

static void job_drop(struct work *w)
{
    mem_wipe(w, sizeof(struct job));
    mem_free(w);
}

static int job_new(struct slice password, struct job **out, struct err *e)
{
    struct job *j;

    if (password.n > PASSWORD_MAX_BYTES)
        return err_set(e, &ERR_PASSWORD_FORMAT, "it is longer than %d bytes", PASSWORD_MAX_BYTES);
    j = mem_zalloc(sizeof *j);
    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->work.run = job_run;
    j->work.drop = job_drop;
    j->n = password.n;
    if (password.n > 0)
        memcpy(j->password, password.s, password.n);
    *out = j;
    return 0;
}

static int argon2_failed(int status, struct err *e)
{
    if (status == ARGON2_MEMORY_ALLOCATION_ERROR)
        return err_set(e, &ERR_NOMEM, "");
    return err_set(e, &ERR_UNEXPECTED, "Argon2: %s", argon2_error_message(status));
}

int password_hash(struct work_pool *pool, struct slice password, char encoded[PASSWORD_ENCODED_SIZE], struct err *e)
{
    struct job *j;
    int rv = job_new(password, &j, e);

    if (rv != 0)
        return err_wrap(e, "hash a password");
    if (RAND_bytes(j->salt, sizeof j->salt) != 1) {
        job_drop(&j->work);
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    }
    rv = work_run(pool, &j->work, e);
    if (rv != 0)
        return err_wrap(e, "hash a password");
    if (j->status == ARGON2_OK)
        memcpy(encoded, j->encoded, PASSWORD_ENCODED_SIZE);
    else
        rv = argon2_failed(j->status, e);
    job_drop(&j->work);
    return rv;
}

/* A hash from the database decides how much memory and time it costs: only within reason. */
static bool costs_are_sane(const char *encoded)
{
    unsigned version, memory, time, lanes;
    int end = 0;

    if (sscanf(encoded, "$argon2id$v=%9u$m=%9u,t=%9u,p=%9u$%n", &version, &memory, &time, &lanes, &end) != 4 || end == 0)
        return false;
    return memory <= MAX_MEMORY_KIB && time <= MAX_TIME && lanes <= MAX_LANES;
}

int password_verify(struct work_pool *pool, const char *encoded, struct slice password, bool *matches, struct err *e)
{
    struct job *j;
    int rv;

    *matches = false;
    if (encoded != NULL && (strlen(encoded) >= PASSWORD_ENCODED_SIZE || !costs_are_sane(encoded)))
        return err_set(e, &ERR_UNEXPECTED, "a stored password is no Argon2id hash");
    if (password.n > PASSWORD_MAX_BYTES) /* no password of ours is that long; compare as for nobody */
        encoded = NULL, password.n = PASSWORD_MAX_BYTES;
    rv = job_new(password, &j, e);
    if (rv != 0)
        return err_wrap(e, "check a password");
    j->is_verify = true;
    (void)snprintf(j->encoded, sizeof j->encoded, "%s", encoded != NULL ? encoded : nobody);
    rv = work_run(pool, &j->work, e);
    if (rv != 0)
        return err_wrap(e, "check a password");
    *matches = j->status == ARGON2_OK && encoded != NULL;
    if (j->status != ARGON2_OK && j->status != ARGON2_VERIFY_MISMATCH)
        rv = argon2_failed(j->status, e);
    job_drop(&j->work);
    return rv;
}

/* Uniform in [0, n) for n up to 256; false when there is no randomness. */
static bool random_below(unsigned n, unsigned *v)
{
    unsigned char byte;

    do {
        if (RAND_bytes(&byte, 1) != 1)
            return false;
    } while (byte >= 256 - 256 % n);
    *v = byte % n;
    return true;
}

int password_random(char out[PASSWORD_RANDOM_SIZE], struct err *e)
{
    /* without letters and digits that look alike, and specials that a shell leaves alone */
    static const char *const classes[] = { "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789", "@_-+=",
                                           "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789" };
    enum { N = PASSWORD_RANDOM_SIZE - 1 };
    unsigned r;
    char swap;

    for (unsigned i = 0; i < N; i++) {
        const char *class = classes[i < 8 ? i / 2 : 4];

        if (!random_below((unsigned)strlen(class), &r))
            return err_set(e, &ERR_UNEXPECTED, "no random bytes");
        out[i] = class[r];
    }
    out[N] = '\0';
    for (unsigned i = N - 1; i > 1; i--) { /* Fisher-Yates over all but the first: a letter stays in front, as no option of a program has it */
        if (!random_below(i, &r))
            return err_set(e, &ERR_UNEXPECTED, "no random bytes");
        swap = out[i];
        out[i] = out[r + 1];
        out[r + 1] = swap;
    }
    return 0;
}
