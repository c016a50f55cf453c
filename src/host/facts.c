/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/facts.h"

#include <string.h>

#include "src/base/num.h"
#include "src/host/shell.h"

enum { MAX_VALUE = 200, MAX_LISTENING = 4096, US = 1000000 };

const char greet_script[] = "echo \"from=$SSH_CONNECTION\"; echo \"time=$(date +%s.%N)\"";

const char facts_script[] =
    "p() { printf '%s=%s\\n' \"$1\" \"$2\"; }\n"
    "p system \"$(uname -s)\"; p machine \"$(uname -m)\"; p kernel \"$(uname -r)\"; p name \"$(uname -n)\"\n"
    "sed -n -e 's/^ID=/os=/p' -e 's/^VERSION_ID=/release=/p' -e 's/^PRETTY_NAME=/title=/p' /etc/os-release 2>/dev/null\n"
    "p serial \"$(cat /sys/class/dmi/id/product_serial 2>/dev/null)\"\n"
    "[ -d /run/systemd/system ] && p systemd yes\n"
    "if [ -e \"$1\" ] && { [ ! -d \"$1\" ] || [ -n \"$(find \"$1\" ! -type d -print 2>/dev/null | head -n 1)\" ]; }; then p occupied yes; fi\n"
    "p exporter \"$(command -v prometheus-node-exporter || command -v node_exporter)\"\n"
    "sed -n -e 's/^ocp_id *= */agent_ocp=/p' -e 's/^host_id *= */agent_host=/p' \"$1/conf/agent.conf\" 2>/dev/null\n"
    "d=$1; while [ ! -d \"$d\" ] && [ -n \"$d\" ]; do d=${d%/*}; done\n"
    "p free_kb \"$(df -Pk \"${d:-/}\" 2>/dev/null | sed -n '2s/^[^ ]* *[0-9]* *[0-9]* *\\([0-9]*\\) .*/\\1/p')\"\n"
    "sed -n 's/^ *[0-9]*: \\([0-9A-F]*:[0-9A-F]*\\) [0-9A-F:]* 0A .*/listen=\\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u\n"
    "p end yes\n";

const char reach_script[] =
    "h=${1#*://}; h=${h%%/*}\n"
    "said() { if [ \"$1\" = 0 ]; then echo reach=yes; else printf 'reach=no %s\\n' \"$(printf %s \"$2\" | tail -n 1)\"; fi; exit 0; }\n"
    "if command -v curl >/dev/null 2>&1; then m=$(curl -ksS --noproxy '*' -m 5 -o /dev/null \"$1/api/v2/time\" 2>&1); said $? \"$m\"; fi\n"
    "if command -v wget >/dev/null 2>&1; then m=$(wget -nv --no-proxy --no-check-certificate -T 5 -t 1 -O /dev/null \"$1/api/v2/time\" 2>&1); "
    "r=$?; [ $r = 8 ] && r=0; said $r \"$m\"; fi\n"
    "case $h in *]) a=${h#[}; a=${a%]}; q= ;; *]:*) a=${h#[}; a=${a%]:*}; q=${h##*:} ;; *:*) a=${h%:*}; q=${h##*:} ;; *) a=$h; q= ;; esac\n"
    "[ -n \"$q\" ] || case $1 in https:*) q=443 ;; *) q=80 ;; esac\n"
    "if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then\n"
    "m=$(timeout 5 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$a\" \"$q\" 2>&1); said $? \"${m:-no answer within 5 s}\"; fi\n"
    "echo reach=unknown\n";

/* A value of os-release may be in quotes. */
static const char *take_value(struct slice value, struct arena *arena)
{
    value = slice_trim(value);
    if (value.n >= 2 && (value.s[0] == '"' || value.s[0] == '\'') && value.s[value.n - 1] == value.s[0])
        value = (struct slice){ value.s + 1, value.n - 2 };
    return shell_line(value, MAX_VALUE, arena);
}

static bool hex_digits(struct slice text, uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";

    if (text.n != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        const char *at = memchr(digits, text.s[i], 16);

        if (at == NULL)
            return false;
        bytes[i / 2] = (uint8_t)(bytes[i / 2] * 16 + (at - digits));
    }
    return true;
}

/* "0100007F:1F90", or 32 digits before the colon: words of four bytes, each in the order of the machine, which is little-endian on all that
 * have an agent. */
static bool read_listener(struct slice text, struct addr *out)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct slice port = text, ip = slice_cut(&port, ':');
    size_t n = ip.n / 2, at = n == 4 ? 12 : 0;
    uint8_t raw[16] = { 0 }, two[2] = { 0 };

    *out = (struct addr){ .known = true };
    if ((n != 4 && n != 16) || !hex_digits(ip, raw, n) || !hex_digits(port, two, 2))
        return false;
    memcpy(out->ip, mapped, at);
    for (size_t i = 0; i < n; i++)
        out->ip[at + i] = raw[i - i % 4 + (3 - i % 4)];
    out->port = (uint16_t)(two[0] << 8 | two[1]);
    return true;
}

static void note_listener(struct host_facts *f, struct slice value)
{
    if (f->n_listening < MAX_LISTENING && read_listener(slice_trim(value), &f->listening[f->n_listening]))
        f->n_listening++;
}

static void note_free(struct host_facts *f, struct slice value)
{
    int64_t kb;

    if (num_parse_i64_in(slice_trim(value), 0, INT64_MAX / 1024, &kb))
        f->free_bytes = kb * 1024;
}

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
#define TEXT(MEMBER) { #MEMBER, offsetof(struct host_facts, MEMBER) }
    TEXT(system), TEXT(machine), TEXT(kernel), TEXT(name), TEXT(os), TEXT(release), TEXT(title), TEXT(serial), TEXT(agent_ocp), TEXT(agent_host), TEXT(exporter),
#undef TEXT
};
enum { N_TEXTS = sizeof texts / sizeof texts[0] };

static const char **text_at(struct host_facts *f, size_t i)
{
    return (const char **)((char *)f + texts[i].offset);
}

/* False when memory is out. Names that are not known are passed over: a login may greet. */
static bool note(struct host_facts *f, struct slice name, struct slice value, struct arena *arena, bool *ended)
{
    bool yes = slice_is(slice_trim(value), "yes");

    if (slice_is(name, "listen"))
        note_listener(f, value);
    else if (slice_is(name, "free_kb"))
        note_free(f, value);
    else if (slice_is(name, "systemd"))
        f->systemd = yes;
    else if (slice_is(name, "occupied"))
        f->occupied = yes;
    else if (slice_is(name, "end"))
        *ended = yes;
    for (size_t i = 0; i < N_TEXTS; i++)
        if (slice_is(name, texts[i].name))
            return (*text_at(f, i) = take_value(value, arena)) != NULL;
    return true;
}

int facts_read(struct slice text, struct arena *arena, struct host_facts *out, struct err *e)
{
    bool ended = false;

    memset(out, 0, sizeof *out);
    out->free_bytes = -1;
    out->listening = arena_array(arena, MAX_LISTENING, sizeof *out->listening);
    if (out->listening == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < N_TEXTS; i++)
        *text_at(out, i) = "";
    while (text.n > 0 && !ended) {
        struct slice value = slice_cut(&text, '\n'), name = slice_cut(&value, '=');

        if (!note(out, name, value, arena, &ended))
            return err_set(e, &ERR_NOMEM, "");
    }
    if (!ended || out->system[0] == '\0' || out->machine[0] == '\0')
        return err_set(e, &ERR_UNEXPECTED, "the host did not answer as a POSIX shell does");
    return 0;
}

static bool is_any(const struct addr *a)
{
    static const struct addr any_v6 = { .known = true };
    static const struct addr any_v4 = { .ip = { [10] = 0xff, [11] = 0xff }, .known = true };

    return addr_equal(a, &any_v6) || addr_equal(a, &any_v4);
}

bool facts_listens(const struct host_facts *f, const struct addr *at)
{
    for (size_t i = 0; i < f->n_listening; i++) {
        const struct addr *l = &f->listening[i];

        if (l->port == at->port && (is_any(l) || is_any(at) || addr_equal(l, at)))
            return true;
    }
    return false;
}

int facts_read_reach(struct slice text, struct arena *arena, enum facts_reach *out, const char **reason, struct err *e)
{
    *out = REACH_UNKNOWN;
    *reason = "";
    while (text.n > 0) {
        struct slice line = slice_trim(slice_cut(&text, '\n'));

        if (slice_is(line, "reach=yes"))
            *out = REACH_YES;
        if (!slice_starts(line, "reach=no"))
            continue;
        *out = REACH_NO;
        *reason = shell_line((struct slice){ line.s + 8, line.n - 8 }, MAX_VALUE, arena);
    }
    return *reason != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static bool read_time(struct slice text, struct host_greeting *g)
{
    struct slice rest = slice_trim(text), whole = slice_cut(&rest, '.');
    int64_t s, part;

    if (!num_parse_i64_in(whole, 0, INT64_MAX / US - 1, &s))
        return false;
    g->wall_us = s * US;
    g->step_us = US;
    if (rest.n == 9 && num_parse_i64_in(rest, 0, 999999999, &part)) { /* a date without %N prints something else there */
        g->wall_us += part / 1000;
        g->step_us = 1;
    }
    return true;
}

/* sshd(8): address and port of the client, then of the server. */
static void read_connection(struct slice text, struct host_greeting *g)
{
    text = slice_trim(text);
    (void)slice_cut(&text, ' '); /* the client's */
    (void)slice_cut(&text, ' ');
    if (!addr_parse(slice_cut(&text, ' '), &g->local))
        g->local = (struct addr){ .known = false };
}

int facts_read_greeting(struct slice text, struct host_greeting *out, struct err *e)
{
    bool timed = false;

    *out = (struct host_greeting){ .wall_us = 0 };
    while (text.n > 0) {
        struct slice value = slice_cut(&text, '\n'), name = slice_cut(&value, '=');

        if (slice_is(name, "from"))
            read_connection(value, out);
        else if (slice_is(name, "time"))
            timed = read_time(value, out);
    }
    return timed ? 0 : err_set(e, &ERR_UNEXPECTED, "the host did not answer as a POSIX shell does");
}

int64_t facts_clock_difference(int64_t before_us, int64_t after_us, const struct host_greeting *g, int64_t *error_us)
{
    int64_t half_us = (after_us - before_us) / 2;

    /* It looked at its clock at some moment in between; a coarse clock shows the beginning of its step. */
    *error_us = half_us + g->step_us / 2;
    return g->wall_us + g->step_us / 2 - (before_us + half_us);
}
