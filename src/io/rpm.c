/* SPDX-License-Identifier: Apache-2.0 */
/* librpm reads from a descriptor: the header goes into a file in memory. An empty keyring keeps librpm from looking for the machine's
 * database of packages, and its words for the terminal are dropped: the result says what was wrong. */
#include "src/io/rpm.h"

#include <pthread.h>
#include <rpm/header.h>
#include <rpm/rpmkeyring.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmts.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/io/file.h"

ERR_DEFINE(ERR_PACKAGE_PARSE, 7506, 400, ERR_FINAL, "The file is no usable RPM package: {0}. Fetch it again from where it was published.",
           "文件不是可用的 RPM 软件包：{0}。请从发布处重新获取。");

const struct err_row *const rpm_err_rows[] = { &ERR_PACKAGE_PARSE, NULL };

enum { SHA256_ALGORITHM = 8 };

static pthread_mutex_t librpm = PTHREAD_MUTEX_INITIALIZER; /* guards what librpm itself keeps for the process */

static int be_silent(rpmlogRec record, rpmlogCallbackData data)
{
    (void)record;
    (void)data;
    return 0;
}

static int bad(struct err *e, const char *why)
{
    return err_set(e, &ERR_PACKAGE_PARSE, "%s", why);
}

static int take_text(Header h, rpmTag tag, char *out, size_t size, struct err *e)
{
    const char *text = headerGetString(h, tag);

    if (text == NULL)
        text = "";
    if (strlen(text) >= size)
        return bad(e, "a name in its header is too long");
    (void)snprintf(out, size, "%s", text);
    return 0;
}

static uint64_t number_of(Header h, rpmTag tag)
{
    return headerIsEntry(h, tag) ? headerGetNumber(h, tag) : 0;
}

static int take_digest(Header h, struct rpm_facts *out, struct err *e)
{
    struct rpmtd_s td;
    const char *first;

    out->payload_sha256[0] = '\0';
    if (number_of(h, RPMTAG_PAYLOADDIGESTALGO) != SHA256_ALGORITHM || !headerGet(h, RPMTAG_PAYLOADDIGEST, &td, HEADERGET_MINMEM))
        return 0;
    first = rpmtdNextString(&td);
    if (first != NULL)
        (void)snprintf(out->payload_sha256, sizeof out->payload_sha256, "%.*s", RPM_DIGEST_SIZE - 1, first);
    rpmtdFreeData(&td);
    return first != NULL ? 0 : bad(e, "its digest of the payload is empty");
}

static int take_facts(Header h, struct rpm_facts *out, struct err *e)
{
    int rv = take_text(h, RPMTAG_NAME, out->name, sizeof out->name, e);

    if (rv == 0)
        rv = take_text(h, RPMTAG_VERSION, out->version, sizeof out->version, e);
    if (rv == 0)
        rv = take_text(h, RPMTAG_RELEASE, out->release, sizeof out->release, e);
    if (rv == 0)
        rv = take_text(h, RPMTAG_ARCH, out->architecture, sizeof out->architecture, e);
    if (rv == 0)
        rv = take_digest(h, out, e);
    out->source = headerIsSource(h) != 0;
    out->size = number_of(h, RPMTAG_LONGSIGSIZE);
    if (out->size == 0)
        out->size = number_of(h, RPMTAG_SIGSIZE);
    return rv;
}

/* A descriptor that reads these bytes; -1 and errno on failure. */
static int descriptor_of(const void *bytes, size_t n)
{
    int fd = memfd_create("rpm", MFD_CLOEXEC);

    if (fd >= 0 && (!file_write_all(fd, bytes, n) || lseek(fd, 0, SEEK_SET) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static int read_header(rpmts ts, int fd, Header *out, struct err *e)
{
    FD_t file = fdDup(fd);
    rpmRC rc;

    if (file == NULL)
        return err_set(e, &ERR_IO, "no descriptor is left");
    rc = rpmReadPackageFile(ts, file, "package", out);
    (void)Fclose(file);
    switch (rc) {
    case RPMRC_OK:
    case RPMRC_NOTTRUSTED:
    case RPMRC_NOKEY:
        return *out != NULL ? 0 : bad(e, "it has no header");
    case RPMRC_NOTFOUND:
        return bad(e, "it does not begin as an RPM package does");
    default:
        return bad(e, "its header is damaged, or does not fit its digest");
    }
}

static int read_locked(int fd, struct rpm_facts *out, struct err *e)
{
    rpmts ts = rpmtsCreate();
    rpmKeyring keys = rpmKeyringNew();
    Header h = NULL;
    int rv;

    if (ts == NULL || keys == NULL || rpmtsSetKeyring(ts, keys) != 0) {
        rv = err_set(e, &ERR_NOMEM, "");
    } else {
        (void)rpmtsSetVSFlags(ts, RPMVSF_MASK_NOSIGNATURES | RPMVSF_NEEDPAYLOAD); /* returns the former ones */
        rv = read_header(ts, fd, &h, e);
    }
    if (rv == 0)
        rv = take_facts(h, out, e);
    headerFree(h);
    rpmKeyringFree(keys);
    rpmtsFree(ts);
    return rv;
}

int rpm_read(const void *bytes, size_t n, struct rpm_facts *out, struct err *e)
{
    int fd = descriptor_of(bytes, n);
    int rv;

    if (fd < 0)
        return err_set(e, &ERR_IO, "no file in memory for the header of a package");
    (void)pthread_mutex_lock(&librpm); /* fails only for a mutex that is none */
    (void)rpmlogSetCallback(be_silent, NULL); /* returns the former one */
    rv = read_locked(fd, out, e);
    (void)pthread_mutex_unlock(&librpm);
    (void)close(fd);
    return rv;
}
