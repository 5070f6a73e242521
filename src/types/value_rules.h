/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to the files of values. */
#pragma once

#include "types/value.h"

/* @number as an integer, enum or pointer @type holds it, extended to 64 bits. */
uint64_t type_fit_number(struct type type, uint64_t number);
struct error *value_no_type(const struct value *v) must_check;
struct error *value_no_number(struct type type) must_check;
struct error *value_too_many_types(void) must_check;
/* "a OP b" of two integers of 64 bits; @op is a comparison. */
bool value_compare(enum value_op op, uint64_t a, uint64_t b, bool is_signed);
