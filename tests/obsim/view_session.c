/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "tests/obsim/view.h"

static int64_t seconds_since(const struct fill *f, int64_t us)
{
    return f->s->now_us > us ? (f->s->now_us - us) / 1000000 : 0;
}

/* 32 hex digits, upper case: of the text, as it is. */
static const char *sql_id(const char *text, char buf[33])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    buf[0] = '\0';
    if (EVP_Digest(text, strlen(text), digest, &n, EVP_md5(), NULL) == 1)
        for (unsigned i = 0; i < 16; i++)
            (void)snprintf(buf + 2 * (size_t)i, 3, "%02X", digest[i]);
    return buf;
}

static void put_session(struct fill *f, const struct sim_client *client, const struct sim_server *s)
{
    const struct sim_tenant *t = sim_tenant_get(f->c, client->tenant_id);
    char buf[33], ip[64];

    (void)snprintf(ip, sizeof ip, "%.*s", (int)strcspn(client->host, ":"), client->host);
    put_address(f, s);
    put_i(f, "SQL_PORT", s->sql_port);
    put_i(f, "ID", client->id);
    put_s(f, "USER", client->user);
    put_s(f, "HOST", client->host);
    put_s(f, "DB", client->database[0] != '\0' ? client->database : NULL);
    put_s(f, "TENANT", t != NULL ? t->name : "");
    put_s(f, "COMMAND", client->command);
    put_i(f, "TIME", seconds_since(f, client->since_us));
    put_i(f, "TOTAL_TIME", seconds_since(f, client->started_us));
    put_s(f, "STATE", client->state);
    put_s(f, "INFO", client->info);
    put_i(f, "MASTER_SESSID", 0);
    put_s(f, "USER_CLIENT_IP", ip);
    put_s(f, "USER_HOST", "%");
    put_i(f, "RETRY_CNT", 0);
    put_i(f, "RETRY_INFO", 0);
    put_s(f, "SQL_ID", client->info != NULL ? sql_id(client->info, buf) : "");
    put_i(f, "TRANS_ID", client->in_transaction ? client->id & 0xffff : 0);
    put_i(f, "THREAD_ID", 0);
    put_s(f, "TRANS_STATE", client->in_transaction ? "ACTIVE" : "");
    put_s(f, "TRACE_ID", "");
    put_row(f);
}

void fill_sessions(struct fill *f)
{
    for (size_t i = 0; i < f->c->clients.n; i++) {
        const struct sim_client *client = f->c->clients.items[i];
        const struct sim_server *s = sim_server_find(f->c, client->server_id);

        if (s != NULL && fill_wants_server(f, s) && fill_wants_tenant(f, client->tenant_id))
            put_session(f, client, s);
    }
}

void fill_processlist(struct fill *f)
{
    for (size_t i = 0; i < f->c->clients.n; i++) {
        const struct sim_client *client = f->c->clients.items[i];

        if (client->server_id != f->s->server->id || client->tenant_id != f->s->tenant_id)
            continue;
        put_i(f, "ID", client->id);
        put_s(f, "USER", client->user);
        put_s(f, "HOST", client->host);
        put_s(f, "DB", client->database[0] != '\0' ? client->database : NULL);
        put_s(f, "COMMAND", client->command);
        put_d(f, "TIME", (double)seconds_since(f, client->since_us));
        put_s(f, "STATE", client->state);
        put_s(f, "INFO", client->info);
        put_row(f);
    }
}
