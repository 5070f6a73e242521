// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Code that the kernel made while it ran: BPF programs and trampolines, on the list bpf_kallsyms
 * (kernel/bpf/core.c; since 5.7 a struct bpf_ksym each, before a struct bpf_prog_aux), and the
 * function tracer's trampolines (ftrace_ops_trampoline_list, kernel/trace/ftrace.c, since 5.9).
 */
#include <stdio.h>
#include <stdlib.h>

#include "forensics/what.h"

enum { GENERATED_MAX = 1 << 18, SIZE_MAX_CODE = 1 << 24 };

struct collector {
	struct session *s;
	struct whatis_state *state;
};

static bool add(struct collector *c, uint64_t start, uint64_t end, const char *name)
{
	if (end > start && end - start <= SIZE_MAX_CODE)
		vec_push(&c->state->generated,
			 (struct generated_code){ start, end,
						  arena_strdup(&c->s->arena, name) });
	return c->state->generated.count < GENERATED_MAX;
}

static bool add_ksym(void *ctx, uint64_t ksym)
{
	struct collector *c = ctx;
	uint64_t start, end;
	char name[128];

	if (!kread(c->s, ksym, "bpf_ksym", "start", &start) ||
	    !kread(c->s, ksym, "bpf_ksym", "end", &end))
		return true;
	kread_string(c->s, ksym, "bpf_ksym", "name", name, sizeof(name));
	return add(c, start, end, *name ? name : "a BPF program");
}

/* Before 5.7: the program's pages are its code. */
static bool add_aux(void *ctx, uint64_t aux)
{
	struct collector *c = ctx;
	uint64_t prog, start, length;
	char own[32], name[64];

	if (!kread(c->s, aux, "bpf_prog_aux", "prog", &prog) ||
	    !kread(c->s, prog, "bpf_prog", "bpf_func", &start) ||
	    !kread(c->s, prog, "bpf_prog", "jited_len", &length))
		return true;
	kread_string(c->s, aux, "bpf_prog_aux", "name", own, sizeof(own));
	snprintf(name, sizeof(name), "bpf_prog%s%s", *own ? "_" : "", own);
	return add(c, start, start + length, name);
}

static bool add_trampoline(void *ctx, uint64_t ops)
{
	struct collector *c = ctx;
	uint64_t start, size;

	if (!kread(c->s, ops, "ftrace_ops", "trampoline", &start) || !start ||
	    !kread(c->s, ops, "ftrace_ops", "trampoline_size", &size))
		return true;
	return add(c, start, start + size, "ftrace_trampoline");
}

static int compare_code(const void *va, const void *vb)
{
	const struct generated_code *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void collect(struct collector *c)
{
	struct session *s = c->s;
	uint64_t head = symbols_address(s->symbols, "bpf_kallsyms");

	if (head && types_sizeof(s->types, "bpf_ksym"))
		klist_each(s, head, "bpf_ksym", "lnode", "BPF programs", add_ksym, c);
	else if (head && types_sizeof(s->types, "bpf_prog_aux"))
		klist_each(s, head, "bpf_prog_aux", "ksym_lnode", "BPF programs", add_aux, c);
	head = symbols_address(s->symbols, "ftrace_ops_trampoline_list");
	if (head && types_sizeof(s->types, "ftrace_ops"))
		klist_each(s, head, "ftrace_ops", "list", "ftrace trampolines", add_trampoline, c);
	if (c->state->generated.count)
		qsort(c->state->generated.data, c->state->generated.count,
		      sizeof(*c->state->generated.data), compare_code);
}

void what_generated_prepare(struct session *s, struct whatis_state *state)
{
	struct collector c = { s, state };

	pthread_mutex_lock(&state->lock);
	if (!state->generated.known && s->symbols)
		collect(&c);
	state->generated.known = true;
	pthread_mutex_unlock(&state->lock);
}

bool what_generated(const struct what_ask *ask)
{
	const struct generated_code *all;
	size_t low = 0, high;
	char place[160];

	if (!ask->s->arch->is_kernel_address(ask->address))
		return false;
	what_generated_prepare(ask->s, ask->state);
	all = ask->state->generated.data;
	high = ask->state->generated.count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (all[mid].start <= ask->address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || ask->address >= all[low - 1].end)
		return false;
	all = &all[low - 1];
	what_set(ask, WHAT_BPF, all->start, all->end - all->start);
	what_plus(place, sizeof(place), all->name, ask->address - all->start);
	what_textf(ask, ask->brief ? "%s" : "%s (code made at run time)", place);
	return true;
}
