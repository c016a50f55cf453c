/* SPDX-License-Identifier: Apache-2.0 */
/* parameter_read.h - what the text of a system parameter means, and whether its row allows it. Pure; any thread. */
#ifndef CONF_PARAMETER_READ_H
#define CONF_PARAMETER_READ_H

#include "conf/parameters.h"

/* A number of any type in 64 bits; a double as its bits. */
struct parameter_number {
    int64_t bits;
};
double parameter_number_double(struct parameter_number n);

/* `n` is 0 for types without a number. Errors: INVALID with the reason, NOMEM. */
MUST_CHECK int parameter_read(const struct parameter *row, struct slice text, struct parameter_number *n, struct err *e);

/* Checks for strings; "" passes. */
const char *parameter_check_url(struct slice text);
const char *parameter_check_path(struct slice text);
const char *parameter_check_timezone(struct slice text);

#endif
