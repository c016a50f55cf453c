/* SPDX-License-Identifier: Apache-2.0 */
/* dbgrant.h - privileges on the wire. */
#ifndef API_DBGRANT_H
#define API_DBGRANT_H

#include "src/base/field.h"
#include "src/tenant/account.h"

extern const struct field db_object_fields[], db_privilege_fields[], object_privilege_fields[]; /* in replies */
extern const struct field db_privilege_in_fields[];                                             /* in requests */

#endif
