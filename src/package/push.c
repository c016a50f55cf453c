/* SPDX-License-Identifier: Apache-2.0 */
#include "src/package/push.h"

#include "src/store/package_blob.h"

enum { STANDSTILLS_MAX = 3 };

struct push {
    struct packages *packages;
    struct db *db;
    struct agent_client *client;
    const struct agent_at *at;
    const struct package *package;
};

static int read_piece(const struct push *p, int64_t offset, struct arena *arena, struct slice *out, struct err *e)
{
    size_t skip = (size_t)(offset % PACKAGE_CHUNK_BYTES);
    int rv = package_read(p->packages, p->db, p->package, offset / PACKAGE_CHUNK_BYTES, arena, out, e);

    if (rv == 0)
        *out = (struct slice){ out->s + skip, out->n - skip };
    return rv;
}

/* From `offset` to the end of its chunk. blob->size is where the agent is then. It may have all and have ended before it looked at it: then nothing
 * more comes, and it looks now. */
static int push_piece(const struct push *p, int64_t offset, struct agent_blob *blob, struct err *e)
{
    struct slice piece = { "", 0 };
    struct arena arena;
    int rv = 0;

    arena_init(&arena);
    if (offset < p->package->size)
        rv = read_piece(p, offset, &arena, &piece, e);
    if (rv == 0)
        rv = agent_push_blob(p->client, p->at, p->package->sha256, offset, p->package->size, piece, &arena, blob, e);
    arena_fini(&arena);
    return rv;
}

static int stuck(const struct push *p, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_BLOB, "%s", p->package->sha256);
    return err_arg(e, "the agent does not take what comes after its first bytes");
}

static int push_rest(const struct push *p, struct agent_blob *blob, struct err *e)
{
    unsigned standstills = 0;
    int rv = 0;

    while (rv == 0 && blob->complete != 1) {
        int64_t offset = blob->size;

        if (offset < 0 || offset > p->package->size || standstills == STANDSTILLS_MAX)
            return stuck(p, e);
        rv = push_piece(p, offset, blob, e);
        standstills = blob->size > offset ? 0 : standstills + 1;
    }
    return rv;
}

int package_push(struct packages *p, struct db *d, struct agent_client *c, const struct agent_at *at, int64_t package_id, struct arena *arena,
                 struct package *out, struct err *e)
{
    struct push push = { p, d, c, at, out };
    struct agent_blob blob = { 0, 0 };
    int rv = package_get(d, package_id, arena, out, e);

    if (rv == 0)
        rv = agent_blob_have(c, at, out->sha256, arena, &blob, e);
    if (rv == 0)
        rv = push_rest(&push, &blob, e);
    return rv == 0 ? store_package_brought(d, package_id, at->host_id, e) : rv;
}
