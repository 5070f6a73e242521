/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one check of files against the dump by build-id; private to the station. */
#pragma once

#include "base/error.h"
#include "symbols/debuginfo.h"

/* NULL when they are equal or one of them is not known (""); else a sentence with both. */
struct error *build_id_check(const char *of_file, const char *of_dump) must_check;
