/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a value came from, when there is only a text: by the registers and the bytes of code that
 * the kernel printed (code/window.h), and the calling convention.
 */
#pragma once

#include "base/alloc.h"
#include "code/window.h"
#include "kernel/session.h"

struct text_origin {
	struct window_origin window;
	uint64_t value;
	bool has_value;
	unsigned argument;    /* 1 ...: of the function, by the convention; 0: it is none */
	bool by_place;        /* there is no code, but so near to the entry nothing else is likely */
	const char *sentence; /* "was read from 0x8(%r14) at f+0x9a": goes behind the register's name */
};

/* The bytes of code of the text's death; false: it has none. */
bool text_window(const struct session *s, struct code_window *window);
/* Of register @reg before instruction @i of the window (window->at: at the fault). */
bool text_origin(struct session *s, size_t i, unsigned reg, struct arena *arena,
		 struct text_origin *origin);

/* The check before a BUG(): what it compared, and what that was. */
struct text_check {
	const char *text;  /* "%esi < 0" */
	int reg;           /* what is compared; -1: it is in memory */
	unsigned size;
	bool has_value;
	uint64_t value;
	size_t compare;    /* number of the instruction in the window */
};
bool text_check(struct session *s, struct arena *arena, struct text_check *check);
/*
 * An argument that looks wrong where no check is in the window: it holds -1 ... -4095 (as an int or
 * a long), and a register that the function saves holds the same (@copy), which shows that it is
 * used; or the function has only just begun (@copy is -1). 0: there is none, or several.
 */
unsigned text_odd_argument(const struct session *s, int *copy);
