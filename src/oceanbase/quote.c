/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/quote.h"

void quote_name(struct str *t, const char *name)
{
    str_add_c(t, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            str_add_c(t, '`');
        str_add_c(t, *name);
    }
    str_add_c(t, '`');
}
