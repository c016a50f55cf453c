/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/like.h"

#include <ctype.h>
#include <string.h>

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Goes back to the last % where the rest does not fit: linear in the pattern times the text. */
bool sim_like(struct slice p, struct slice t)
{
    size_t i = 0, k = 0, back_i = 0, back_k = 0;
    bool can_go_back = false;

    while (k < t.n) {
        bool escaped = i + 1 < p.n && p.s[i] == '\\';

        if (i < p.n && p.s[i] == '%') {
            back_i = ++i;
            back_k = k;
            can_go_back = true;
        } else if (i < p.n && (escaped ? same(p.s[i + 1], t.s[k]) : p.s[i] == '_' || same(p.s[i], t.s[k]))) {
            i += escaped ? 2 : 1;
            k++;
        } else if (can_go_back) {
            i = back_i;
            k = ++back_k;
        } else {
            return false;
        }
    }
    while (i < p.n && p.s[i] == '%')
        i++;
    return i == p.n;
}

void sim_short(char *to, size_t size, struct slice from)
{
    size_t n = from.n < size - 1 ? from.n : size - 1;

    if (n > 0)
        memcpy(to, from.s, n);
    to[n] = '\0';
}
