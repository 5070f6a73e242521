/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system without its process 1: init ended, or there was nothing to start it from. */
#pragma once

#include "diagnosis/diagnosis.h"

/* Completes a finding of "Attempted to kill init!": by which signal or with which status. */
void init_killed(const struct facts *facts, struct findings *out, struct finding *f);
/* Of "Unable to mount root fs": what was asked for, which disks there were, what is missing. */
void init_no_root(const struct facts *facts, struct findings *out, struct finding *f);
/* Of "No working init found": what the kernel says it tried. */
void init_none(const struct facts *facts, struct findings *out, struct finding *f);

/* "killed by signal 11 (SIGSEGV)", "ended by itself with exit status 1"; @code as do_exit() takes
 * it. @buf is filled. */
void exit_code_words(uint32_t code, char *buf, size_t size);
