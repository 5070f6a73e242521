// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file's bytes are decoded from each function's start, so that what was patched over does not
 * lead the decoder astray. An instruction differs when its bytes do, beyond what placement explains
 * (symbols/file_code.c); it counts when no table of the kernel's names a place in it.
 *
 * Some functions exist to be rewritten, or are patched by code that keeps no table: skipped[].
 */
#include "forensics/text_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "forensics/text.h"
#include "kernel/kprobes.h"

enum { DIFFERENCES_MAX = 4096, FUNCTION_MAX = 256 << 10, SPAN_MAX = 1 << 20 };

/* Written anew by the kernel itself, without a table that tells where. */
static const char *const skipped[] = {
	"__SCT__*",             /* static calls' trampolines: arch/x86/kernel/static_call.c */
	"__pfx_*", "__cfi_*",   /* what lies before functions, for call thunks and FineIBT */
	"ftrace_*", "__ftrace_*", "fgraph_*", "return_to_handler", /* ftrace_call and its like */
	"bpf_dispatcher_*", "hypercall_page", "xen_hypercall*",
	"__x86_indirect_*", "__x86_return_*", "srso_*", "retbleed_*", "its_*", "clear_bhb_*",
	"relocate_kernel*", "startup_64*", "secondary_startup*", "early_*", "pvh_start_xen",
	"optprobe_template_*", "copy_user_*", /* templates of optimised probes */
};

struct run {
	struct session *s;
	struct text_check *check;
	const struct text_patches *patches;
	struct file_code code; /* of the file, from @start on */
	uint64_t start;
	const uint8_t *bytes; /* of the dump, the same */
};

static bool is_skipped(struct session *s, uint64_t address)
{
	struct symbol symbol;

	if (!symbols_by_address(s->symbols, address, &symbol))
		return true;
	for (size_t i = 0; i < array_size(skipped); i++) {
		if (glob_match(skipped[i], symbol.name))
			return true;
	}
	return false;
}

static void note(struct run *run, size_t at, size_t length)
{
	struct text_difference d = { .address = run->start + at, .size = (uint8_t)length };

	if (run->check->count == DIFFERENCES_MAX) {
		run->check->left_out++;
		return;
	}
	memcpy(d.file, run->code.bytes + at, length);
	memcpy(d.dump, run->bytes + at, length);
	for (unsigned bit = 0; bit < length * 8; bit++) {
		if (!((d.file[bit / 8] ^ d.dump[bit / 8]) >> bit % 8 & 1))
			continue;
		if (!d.bits++)
			d.bit = bit;
	}
	d.probed = kprobe_at(run->s, d.address);
	vec_push(run->check, d);
}

/* One function, from @from to @to in the run's bytes. */
static void compare_function(struct run *run, size_t from, size_t to)
{
	struct insn insn;

	run->check->functions++;
	run->check->bytes += to - from;
	if (memcmp(run->code.bytes + from, run->bytes + from, to - from) == 0)
		return;
	for (size_t at = from, length; at < to; at += length) {
		length = code_decode(run->code.bytes + at, to - at, run->start + at, &insn)
				 ? insn.length
				 : 1;
		if (memcmp(run->code.bytes + at, run->bytes + at, length) == 0 ||
		    text_patch_at(run->patches, run->start + at, run->start + at + length) ||
		    !file_code_differs(&run->code, at, run->bytes + at, length) ||
		    is_skipped(run->s, run->start + at))
			continue;
		note(run, at, length);
	}
}

/* --- Some functions. --- */

struct ranges {
	vec_fields(struct text_range);
};

static int compare_ranges(const void *va, const void *vb)
{
	const struct text_range *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Sorted, each once. */
static void find_ranges(struct session *s, const uint64_t *functions, size_t count,
			struct ranges *ranges)
{
	struct symbol symbol;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (symbols_is_text(s->symbols, functions[i]) &&
		    symbols_by_address(s->symbols, functions[i], &symbol) && symbol.size &&
		    symbol.size <= FUNCTION_MAX)
			vec_push(ranges, (struct text_range){ symbol.address,
							      symbol.address + symbol.size });
	}
	if (ranges->count)
		qsort(ranges->data, ranges->count, sizeof(*ranges->data), compare_ranges);
	for (size_t i = 0; i < ranges->count; i++) {
		if (!kept || ranges->data[i].start >= ranges->data[kept - 1].end)
			ranges->data[kept++] = ranges->data[i];
	}
	ranges->count = kept;
}

/*
 * Those of @ranges that are near the first are read at once: asking for each of thousands would
 * take seconds. Returns how many of them were dealt with.
 */
static size_t check_ranges(struct session *s, const struct text_range *ranges, size_t count,
			   const struct text_patches *patches, struct text_check *check)
{
	struct run run = { .s = s, .check = check, .patches = patches, .start = ranges[0].start };
	size_t n = 1;

	while (n < count && ranges[n].end - run.start <= SPAN_MAX)
		n++;
	size_t size = (size_t)(ranges[n - 1].end - run.start);
	if (!debuginfo_code(s->debuginfo, run.start, size, &run.code))
		return 1;
	/* One section may end in between. */
	while (n > 1 && ranges[n - 1].end - run.start > run.code.size)
		n--;
	size = (size_t)min_u64(ranges[n - 1].end - run.start, run.code.size);
	auto_free uint8_t *bytes = xmalloc(size);
	run.bytes = bytes;
	for (size_t i = 0; i < n; i++) {
		size_t from = (size_t)(ranges[i].start - run.start);
		size_t to = (size_t)min_u64(ranges[i].end - run.start, size);
		size_t got = memory_read_some(s->memory, ranges[i].start, bytes + from, to - from);
		check->holes += to - from - got;
		if (got)
			compare_function(&run, from, from + got);
	}
	file_code_deinit(&run.code);
	return n;
}

/* As many of @ranges as lie in one module, or the kernel. */
static size_t same_module(struct session *s, const struct text_range *ranges, size_t count)
{
	const struct module *module = symbols_module_of(s->symbols, ranges[0].start);
	size_t n = 1;

	while (n < count && symbols_module_of(s->symbols, ranges[n].start) == module)
		n++;
	return n;
}

void text_check_functions(struct session *s, const uint64_t *functions, size_t count,
			  struct text_check *check)
{
	struct ranges ranges = { 0 };
	struct text_patches patches;

	*check = (struct text_check){ 0 };
	check->why = "there is no code to look at";
	if (!s->symbols)
		return;
	find_ranges(s, functions, count, &ranges);
	for (size_t i = 0, n; i < ranges.count; i += n) {
		n = same_module(s, ranges.data + i, ranges.count - i);
		const char *why = text_patches_find(s, ranges.data + i, n, &patches);
		for (size_t k = i; !why && k < i + n && !session_stopped(s);)
			k += check_ranges(s, ranges.data + k, i + n - k, &patches, check);
		if (why && check->why)
			check->why = why;
		text_patches_deinit(&patches);
	}
	if (check->functions)
		check->why = NULL;
	vec_deinit(&ranges);
}

/* --- All code. --- */

struct gather {
	struct session *s;
	struct {
		vec_fields(uint64_t);
	} functions[64]; /* by worker */
};

static void gather_chunk(void *ctx, unsigned worker, const struct text_chunk *chunk)
{
	struct gather *gather = ctx;

	if (worker >= array_size(gather->functions))
		return;
	for (size_t i = 0; i < chunk->function_count; i++)
		vec_push(&gather->functions[worker], chunk->functions[i]);
}

void text_check_all(struct session *s, struct text_check *check)
{
	struct gather gather = { .s = s };
	struct {
		vec_fields(uint64_t);
	} all = { 0 };

	text_scan(s, gather_chunk, &gather, NULL);
	for (size_t i = 0; i < array_size(gather.functions); i++) {
		for (size_t k = 0; k < gather.functions[i].count; k++)
			vec_push(&all, gather.functions[i].data[k]);
		vec_deinit(&gather.functions[i]);
	}
	text_check_functions(s, all.data, all.count, check);
	vec_deinit(&all);
}

void text_check_deinit(struct text_check *check)
{
	vec_deinit(check);
}
