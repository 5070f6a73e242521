/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of the flags of mappings: vm_area_struct.vm_flags. */
#pragma once

#include "kernel/session.h"

/* include/linux/mm.h; the same in all kernels. */
enum { VMA_READ = 1, VMA_WRITE = 2, VMA_EXEC = 4, VMA_SHARED = 8, VMA_MAYSHARE = 0x80 };

/*
 * The name of bit @bit ("READ", "GROWSDOWN"), from the kernel's own types where it tells (since
 * 7.0), else from a table of bits that have meant the same for long; "BIT_37" for others. False in
 * that case.
 */
bool vma_flag_name(struct session *s, unsigned bit, char *buf, size_t size);
/* "READ|EXEC|MAYREAD" of all that are set. */
void vma_flags_text(struct session *s, uint64_t flags, char *buf, size_t size);
