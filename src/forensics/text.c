// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The code of a kernel is what lies between _stext and _etext, and the core text of each module. A
 * symbol of type t, T, w or W starts a function, which reaches to the next symbol; padding between
 * functions belongs to the one before it. Chunks are cut at symbols, so that each can be decoded
 * from a known start, and are read by the worker that looks at them: pages of the dump are
 * decompressed on all cores.
 */
#include "forensics/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/vec.h"

enum {
	CHUNK = 64 << 10,             /* bytes wanted; one more function may follow */
	FUNCTION_MAX = 1 << 20,       /* what is larger is cut */
	TEXT_MAX = 256 << 20,         /* of the kernel or one module: more is a damaged symbol */
	HOLE = 4096,
};

struct chunk {
	uint64_t start, end;
	size_t first, count; /* of functions */
	const struct module *module;
};

struct scan {
	struct session *session;
	struct {
		vec_fields(uint64_t);
	} functions;
	struct {
		vec_fields(struct chunk);
	} chunks;
	struct {
		uint8_t *bytes;
		size_t size;
		uint64_t seen, holes;
	} worker[64];
	uint64_t kernel_start, kernel_end;
	struct chunk open;
	text_fn fn;
	void *ctx;
};

static void close_chunk(struct scan *scan, uint64_t end)
{
	struct chunk *open = &scan->open;

	if (!open->count)
		return;
	open->end = end;
	vec_push(&scan->chunks, *open);
	open->count = 0;
}

/* The end of the text that @address is in; 0: it is in none. */
static uint64_t text_end(const struct scan *scan, const struct module *module, uint64_t address)
{
	uint64_t start = scan->kernel_start, end = scan->kernel_end;

	if (module) {
		start = module->text_start;
		end = start + min_u64(module->text_size, TEXT_MAX);
	}
	return address >= start && address < end ? end : 0;
}

static bool add_symbol(void *ctx, const struct symbol *symbol)
{
	struct scan *scan = ctx;
	struct chunk *open = &scan->open;
	uint64_t end = text_end(scan, symbol->module, symbol->address);

	if (!end || !strchr("tTwWi", symbol->type ? symbol->type : 't'))
		return true;
	bool same = open->count && open->module == symbol->module &&
		    symbol->address < open->end;
	if (same && symbol->address <= scan->functions.data[scan->functions.count - 1])
		return true; /* another name of the same place */
	if (!same)
		close_chunk(scan, open->end);
	else if (symbol->address - open->start >= CHUNK)
		close_chunk(scan, symbol->address);
	if (!open->count)
		*open = (struct chunk){ .start = symbol->address, .module = symbol->module,
					.first = scan->functions.count };
	open->end = end;
	open->count++;
	vec_push(&scan->functions, symbol->address);
	return true;
}

/* Reads what there is; holes become int3, which is no instruction that anybody looks for. */
static uint64_t read_code(struct memory *mem, uint64_t start, uint8_t *bytes, size_t size)
{
	uint64_t holes = 0;

	for (size_t at = 0; at < size;) {
		size_t got = memory_read_some(mem, start + at, bytes + at, size - at);
		at += got;
		if (at == size)
			break;
		size_t skip = HOLE - ((start + at) & (HOLE - 1));
		skip = skip < size - at ? skip : size - at;
		memset(bytes + at, 0xcc, skip);
		holes += skip;
		at += skip;
	}
	return holes;
}

static void scan_chunk(void *ctx, unsigned worker, size_t i)
{
	struct scan *scan = ctx;
	const struct chunk *c = &scan->chunks.data[i];
	size_t size = (size_t)min_u64(c->end - c->start, CHUNK + FUNCTION_MAX);
	struct text_chunk chunk = { .start = c->start, .size = size, .module = c->module,
				    .functions = scan->functions.data + c->first,
				    .function_count = c->count };

	if (scan->worker[worker].size < size) {
		scan->worker[worker].bytes = xrealloc(scan->worker[worker].bytes, size);
		scan->worker[worker].size = size;
	}
	chunk.bytes = scan->worker[worker].bytes;
	uint64_t holes = read_code(scan->session->memory, c->start, scan->worker[worker].bytes,
				   size);
	scan->worker[worker].seen += size - holes;
	scan->worker[worker].holes += holes;
	if (holes < size)
		scan->fn(scan->ctx, worker, &chunk);
}

bool text_scan(struct session *s, text_fn fn, void *ctx, struct text_scan *result)
{
	struct scan scan = { .session = s, .fn = fn, .ctx = ctx };
	struct text_scan unused;

	result = result ? result : &unused;
	*result = (struct text_scan){ 0 };
	if (!s->symbols)
		return true;
	scan.kernel_start = symbols_address(s->symbols, "_stext");
	scan.kernel_end = symbols_address(s->symbols, "_etext");
	if (scan.kernel_end - scan.kernel_start > TEXT_MAX)
		scan.kernel_end = scan.kernel_start;
	symbols_each(s->symbols, add_symbol, &scan);
	close_chunk(&scan, scan.open.end);
	bool whole = parallel_for(scan.chunks.count, s->stop, scan_chunk, &scan);
	result->functions = scan.functions.count;
	for (size_t i = 0; i < array_size(scan.worker); i++) {
		result->bytes += scan.worker[i].seen;
		result->holes += scan.worker[i].holes;
		free(scan.worker[i].bytes);
	}
	vec_deinit(&scan.functions);
	vec_deinit(&scan.chunks);
	return whole;
}
