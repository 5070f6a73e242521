// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * flow_speed DUMP [COUNT]: how long value flow takes on the kernel's functions of most code: the
 * control-flow graph, and the slowest of several addresses spread over the function. Lines of
 * "FUNCTION INSTRUCTIONS GRAPH-MS FLOW-MS MS-PER-5000": the last is the sum, scaled to a function of
 * 5,000 instructions. CPU time of this thread, the best of three.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "code/flow.h"
#include "kernel/code_env.h"

enum { RUNS = 3, PLACES = 8 };

struct function {
	uint64_t address, size;
};

struct functions {
	vec_fields(struct function);
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return ((double)t.tv_sec + (double)t.tv_nsec * 1e-9) * 1000;
}

static bool collect(void *ctx, const struct symbol *symbol)
{
	struct functions *functions = ctx;
	struct function function = { symbol->address, symbol->size };

	if (symbol->type == 't' || symbol->type == 'T')
		vec_push(functions, function);
	return true;
}

static int larger(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

/* Of the addresses, the slowest. */
static double flow_time(const struct code_env *env, const struct cfg *cfg)
{
	double slowest = 0;

	for (uint32_t n = 1; n <= PLACES; n++) {
		uint32_t i = (uint32_t)((uint64_t)(cfg->insn_count - 1) * n / PLACES);
		struct flow *flow;
		const char *why;
		double start = now(), took;
		if (!flow_create(env, cfg, cfg->insns[i].at, NULL, &flow, &why))
			continue;
		struct flow_facts *facts = flow_facts_create(env, flow);
		(void)!flow_solve(facts);
		took = now() - start;
		slowest = took > slowest ? took : slowest;
		flow_facts_destroy(facts);
		flow_destroy(flow);
	}
	return slowest;
}

static void measure(struct session *s, uint64_t address)
{
	const struct code_env *env = code_env(s);
	double graph = 1e9, flow = 1e9;
	struct symbol symbol;
	struct cfg *cfg;
	uint32_t count = 0;
	const char *why;

	for (unsigned run = 0; run < RUNS; run++) {
		double start = now(), took;
		if (!cfg_create(env, address, &cfg, &why))
			return;
		took = now() - start;
		graph = took < graph ? took : graph;
		took = flow_time(env, cfg);
		flow = took < flow ? took : flow;
		count = cfg->insn_count;
		cfg_destroy(cfg);
	}
	if (!count || !symbols_by_address(s->symbols, address, &symbol))
		return;
	printf("%s %" PRIu32 " %.2f %.2f %.2f\n", symbol.name, count, graph, flow,
	       (graph + flow) * 5000 / count);
}

int main(int argc, char **argv)
{
	struct session_options options = { .paths = &(const char *){ argc > 1 ? argv[1] : "" },
					   .path_count = 1, .debug.off = true };
	size_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10;
	struct functions functions = { 0 };
	struct session *s;

	struct error *err = session_open(&options, &s);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		error_free(err);
		return 2;
	}
	if (s->symbols && code_env(s)) {
		symbols_each(s->symbols, collect, &functions);
		qsort(functions.data, functions.count, sizeof(*functions.data), larger);
		for (size_t i = 0; i < functions.count && i < count; i++)
			measure(s, functions.data[i].address);
	}
	vec_deinit(&functions);
	session_close(s);
	return 0;
}
