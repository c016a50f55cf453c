/* SPDX-License-Identifier: Apache-2.0 */
/* quote.h - names inside statements. Values need none of this: sql_run fills in '?'. Pure. */
#ifndef OCEANBASE_QUOTE_H
#define OCEANBASE_QUOTE_H

#include "src/base/str.h"

/* `name` in backquotes, inner ones doubled. */
void quote_name(struct str *t, const char *name);

#endif
