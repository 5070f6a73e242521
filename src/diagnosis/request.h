/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asked for the crash, and by which way. */
#pragma once

#include "diagnosis/diagnosis.h"

/* Completes a finding of sysrq c: the sentence, who was behind it, evidence. */
void request_sysrq(const struct facts *facts, struct findings *out, struct finding *f);
/* Of an NMI: what the log says of its reason, whether it found the CPU at rest. */
void request_nmi(const struct facts *facts, struct findings *out, struct finding *f);
/*
 * "bash (pid 9) <- sshd (pid 8) <- init (pid 1)": whose child the task is; NULL: not known.
 */
const char *request_ancestors(const struct facts *facts, const struct task *task);
