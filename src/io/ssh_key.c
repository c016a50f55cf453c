/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys. libssh has no way to take the passphrase off every kind of key, so a key that has one is kept with it in a line in front. */
#include <string.h>

#include "src/base/mem.h"
#include "src/io/ssh_link.h"

enum { MAX_PASSPHRASE = 1024 };

static const char key_line[] = "Passphrase: ";

bool ssh_key_import(const char *text, ssh_key *out)
{
    char passphrase[MAX_PASSPHRASE + 1] = "";
    bool ok;

    if (strncmp(text, key_line, sizeof key_line - 1) == 0) {
        size_t n = strcspn(text + sizeof key_line - 1, "\n");

        if (n > MAX_PASSPHRASE || text[sizeof key_line - 1 + n] == '\0')
            return false;
        memcpy(passphrase, text + sizeof key_line - 1, n);
        passphrase[n] = '\0';
        text += sizeof key_line + n;
    }
    ok = ssh_pki_import_privkey_base64(text, passphrase, NULL, NULL, out) == SSH_OK;
    mem_wipe(passphrase, sizeof passphrase);
    return ok;
}

static void wipe_text(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

struct key_job {
    struct work work;
    char *text, *passphrase, *result; /* owned, wiped */
    bool no_memory;
};

static void key_drop(struct work *w)
{
    struct key_job *j = (struct key_job *)w;

    wipe_text(j->text);
    wipe_text(j->passphrase);
    wipe_text(j->result);
    mem_free(j);
}

static bool opens(const char *text, const char *passphrase)
{
    ssh_key key = NULL;
    bool ok = ssh_pki_import_privkey_base64(text, passphrase, NULL, NULL, &key) == SSH_OK;

    ssh_key_free(key);
    return ok;
}

static void key_run(struct work *w)
{
    struct key_job *j = (struct key_job *)w;
    struct str with;

    if (opens(j->text, "")) {
        j->result = mem_strdup(j->text);
        j->no_memory = j->result == NULL;
        return;
    }
    if (j->passphrase == NULL || !opens(j->text, j->passphrase))
        return;
    str_init(&with, NULL);
    str_printf(&with, "%s%s\n%s", key_line, j->passphrase, j->text);
    j->no_memory = str_failed(&with) || (j->result = mem_strdup(str_c(&with))) == NULL;
    if (with.s != NULL)
        mem_wipe(with.s, with.space);
    str_fini(&with);
}

int ssh_key_check(struct work_pool *pool, const char *text, const char *passphrase, char **out, struct err *e)
{
    struct key_job *j = mem_zalloc(sizeof *j);
    int rv = 0;

    *out = NULL;
    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (passphrase != NULL && (strlen(passphrase) > MAX_PASSPHRASE || strchr(passphrase, '\n') != NULL)) {
        mem_free(j);
        return err_set(e, &ERR_SSH_KEY, "");
    }
    j->work.run = key_run;
    j->work.drop = key_drop;
    j->text = mem_strdup(text);
    j->passphrase = passphrase != NULL ? mem_strdup(passphrase) : NULL;
    if (j->text == NULL || (passphrase != NULL && j->passphrase == NULL)) {
        key_drop(&j->work);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = work_run(pool, &j->work, e);
    if (rv != 0)
        return rv;
    if (j->result != NULL)
        *out = j->result;
    else
        rv = err_set(e, j->no_memory ? &ERR_NOMEM : &ERR_SSH_KEY, "");
    j->result = NULL;
    key_drop(&j->work);
    return rv;
}
