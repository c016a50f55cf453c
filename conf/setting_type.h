/* SPDX-License-Identifier: Apache-2.0 */
/* setting_type.h - the kinds of value a setting may have, and the macros that put them into a row of the table. */
#ifndef CONF_SETTING_TYPE_H
#define CONF_SETTING_TYPE_H

#include <stddef.h>

#include "conf/settings.h"

extern const struct setting_type setting_string, setting_secret, setting_path, setting_int, setting_bool, setting_duration,
    setting_size, setting_enum, setting_addresses, setting_networks;

/* Offset of a member of struct settings, and a compile-time check that it has the C type its kind needs. */
#define SETTING_AT(MEMBER, TYPE) \
    (offsetof(struct settings, MEMBER) + 0 * sizeof((TYPE *)0 == &((struct settings *)0)->MEMBER))

#define STRING(MEMBER) &setting_string, SETTING_AT(MEMBER, const char *)
#define SECRET(MEMBER) &setting_secret, SETTING_AT(MEMBER, const char *)
#define PATH(MEMBER) &setting_path, SETTING_AT(MEMBER, const char *)
#define INT(MEMBER) &setting_int, SETTING_AT(MEMBER, int64_t)
#define BOOL(MEMBER) &setting_bool, SETTING_AT(MEMBER, bool)
#define DURATION(MEMBER) &setting_duration, SETTING_AT(MEMBER, int64_t) /* milliseconds */
#define SIZE(MEMBER) &setting_size, SETTING_AT(MEMBER, int64_t)         /* bytes */
#define ENUM(MEMBER) &setting_enum, SETTING_AT(MEMBER, int)             /* index into .names */
#define ADDRESSES(MEMBER) &setting_addresses, SETTING_AT(MEMBER, struct setting_addresses)
#define NETWORKS(MEMBER) &setting_networks, SETTING_AT(MEMBER, const char *)

#endif
