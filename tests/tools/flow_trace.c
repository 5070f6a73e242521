// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Value flow against what really happens: runs a program step by step and, now and then, asks value
 * flow what the functions on the stack were entered with, from what a dump of this moment would
 * tell: all registers of the innermost, those that calls preserve of the others, and the stack. The
 * registers that each function really was entered with were noted on the way.
 *
 *     flow_trace STEPS EVERY PROGRAM [ARGUMENT ...]
 *
 * Output, lines of "NAME right wrong unknown": arguments and preserved registers on entry, of the
 * innermost frame and of callers; argument registers at calls, without and with reading memory
 * again. Then "ms" of the slowest analysis and its instructions. Each wrong one is shown on stderr.
 */
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* <sys/user.h> has macros of names that are ours. */
#undef PAGE_SIZE
#undef PAGE_SHIFT
#undef PAGE_MASK

#include "base/alloc.h"
#include "base/vec.h"
#include "code/flow.h"

enum { DEPTH_MAX = 64, ARGUMENTS = 6 };

struct function {
	uint64_t start, end;
	char *name;
	struct cfg *cfg;
	bool tried;
};

struct record {
	struct function *function;
	struct regs entry, call; /* on entry; at the call that it is in */
};

struct count {
	const char *name;
	unsigned long right, wrong, unknown;
};

enum { INNER_ARGUMENT, INNER_PRESERVED, OUTER_ARGUMENT, OUTER_PRESERVED, AT_CALL, AT_CALL_MEMORY };

static struct count counts[] = {
	{ .name = "inner_arguments" }, { .name = "inner_preserved" },
	{ .name = "outer_arguments" }, { .name = "outer_preserved" },
	{ .name = "at_calls" },        { .name = "at_calls_memory" },
};

static struct {
	vec_fields(struct function);
} functions;
static pid_t child;
static struct record records[DEPTH_MAX];
static unsigned depth;
static double slowest;
static uint32_t slowest_insns;

static int compare_functions(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static struct function *function_at(uint64_t pc)
{
	size_t low = 0, high = functions.count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (functions.data[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pc < functions.data[low - 1].end ? &functions.data[low - 1] : NULL;
}

static enum read_status world_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	struct iovec to = { buf, size };
	struct iovec from = { (void *)(uintptr_t)vaddr, size };

	(void)ctx;
	return process_vm_readv(child, &to, 1, &from, 1, 0) == (ssize_t)size ? READ_OK
									     : READ_UNMAPPED;
}

static bool world_function(void *ctx, uint64_t address, struct symbol *symbol)
{
	struct function *f = function_at(address);

	(void)ctx;
	if (!f)
		return false;
	*symbol = (struct symbol){ .address = f->start,
				   .size = f->end - f->start,
				   .name = f->name };
	return true;
}

static bool world_by_name(void *ctx, const char *name, struct symbol *symbol)
{
	for (size_t i = 0; i < functions.count; i++) {
		if (strcmp(functions.data[i].name, name) == 0)
			return world_function(ctx, functions.data[i].start, symbol);
	}
	return false;
}

static const struct code_env env = {
	.arch = &arch_x86_64,
	.read = world_read,
	.function = world_function,
	.by_name = world_by_name,
};

static void read_symbols(const char *path, uint64_t bias)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && (section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(section, NULL)))
			continue;
		for (int i = 0; i < (int)(header.sh_size / header.sh_entsize); i++) {
			GElf_Sym symbol;
			if (!gelf_getsym(data, i, &symbol) ||
			    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size)
				continue;
			const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
			vec_push(&functions,
				 (struct function){ .start = symbol.st_value + bias,
						    .end = symbol.st_value + bias + symbol.st_size,
						    .name = xstrdup(name ? name : "") });
		}
	}
	elf_end(elf);
	close(fd);
	qsort(functions.data, functions.count, sizeof(*functions.data), compare_functions);
}

static uint64_t bias_of(const char *path)
{
	char maps[64], line[512], real[4096];
	uint64_t start = 0;

	snprintf(maps, sizeof(maps), "/proc/%d/maps", (int)child);
	FILE *f = fopen(maps, "re");
	if (!realpath(path, real) || !f)
		exit(2);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, real) && sscanf(line, "%" SCNx64, &start) == 1)
			break;
	}
	fclose(f);
	return start >= 0x500000000000 ? start : 0; /* not position-independent: as linked */
}

static struct regs convert(const struct user_regs_struct *u)
{
	struct regs r = { 0 };
	const uint64_t values[] = { u->rax, u->rdx, u->rcx, u->rbx, u->rsi, u->rdi, u->rbp, u->rsp,
				    u->r8,  u->r9,  u->r10, u->r11, u->r12, u->r13, u->r14, u->r15,
				    u->rip };

	for (unsigned i = 0; i < array_size(values); i++)
		regs_set(&r, i, values[i]);
	return r;
}

static void judge(int what, bool known, const struct flow_value *value, uint64_t truth,
		  const struct record *r, uint64_t at, unsigned reg)
{
	uint64_t mask = value->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << value->bits) - 1;

	if (!known) {
		counts[what].unknown++;
	} else if (((value->value ^ truth) & mask) == 0) {
		counts[what].right++;
	} else {
		counts[what].wrong++;
		fprintf(stderr, "%s: %s of %s at +0x%" PRIx64 ": %" PRIx64 " is %" PRIx64 "\n",
			counts[what].name, arch_x86_64.reg_names[reg], r->function->name,
			at - r->function->start, value->value, truth & mask);
	}
}

static void judge_frame(const struct record *r, struct flow *flow, struct flow_facts *facts,
			uint64_t at, bool inner)
{
	struct flow_value value;

	for (unsigned reg = 0; reg < 16; reg++) {
		bool argument = false;
		for (unsigned i = 0; i < ARGUMENTS; i++)
			argument |= arch_x86_64.arg_regs[i] == reg;
		if (reg == X86_RSP || (!argument && !(arch_x86_64.preserved >> reg & 1)))
			continue;
		int what = (inner ? INNER_ARGUMENT : OUTER_ARGUMENT) + !argument;
		bool known = flow_eval(facts, flow_entry(flow, reg), false, &value);
		judge(what, known, &value, r->entry.value[reg], r, at, reg);
		if (inner || !argument)
			continue;
		known = flow_eval(facts, flow_register(flow, reg), false, &value);
		judge(AT_CALL, known, &value, r->call.value[reg], r, at, reg);
		if (known)
			continue;
		known = flow_eval(facts, flow_register(flow, reg), true, &value);
		judge(AT_CALL_MEMORY, known, &value, r->call.value[reg], r, at, reg);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* As a dump would be asked: once with all branches, then without those that the facts rule out. */
static void ask(const struct record *r, const struct regs *regs, uint64_t at, bool inner)
{
	struct function *f = r->function;
	struct flow *flow, *sharper;
	const char *why;

	if (!f->tried)
		cfg_create(&env, f->start, &f->cfg, &why);
	f->tried = true;
	double before = now();
	if (!f->cfg || !flow_create(&env, f->cfg, at, NULL, &flow, &why))
		return;
	double took = now() - before;
	if (took > slowest) {
		slowest = took;
		slowest_insns = f->cfg->insn_count;
	}
	struct flow_facts *facts = flow_facts_create(&env, flow);
	flow_know_frame(facts, regs, r->entry.value[X86_RSP]);
	if (!flow_solve(facts))
		fprintf(stderr, "contradiction in %s at +0x%" PRIx64 "\n", f->name, at - f->start);
	if (flow_create(&env, f->cfg, at, facts, &sharper, &why)) {
		struct flow_facts *more = flow_facts_create(&env, sharper);
		flow_know_frame(more, regs, r->entry.value[X86_RSP]);
		if (flow_solve(more))
			judge_frame(r, sharper, more, at, inner);
		flow_facts_destroy(more);
		flow_destroy(sharper);
	}
	flow_facts_destroy(facts);
	flow_destroy(flow);
}

static void ask_all(const struct regs *regs)
{
	for (unsigned i = 0; i < depth; i++) {
		const struct record *r = &records[depth - 1 - i];
		uint64_t pc = regs->value[X86_RIP];
		struct regs known = { 0 };
		if (!i) {
			if (function_at(pc) == r->function)
				ask(r, regs, pc, true);
			continue;
		}
		for (unsigned reg = 0; reg < 16; reg++) {
			if (arch_x86_64.preserved >> reg & 1)
				regs_set(&known, reg, r->call.value[reg]);
		}
		if (function_at(r->call.value[X86_RIP]) == r->function)
			ask(r, &known, r->call.value[X86_RIP], false);
	}
}

/* Keeps the records of the functions that are on the stack. */
static void follow(const struct regs *last, const struct regs *regs)
{
	uint64_t pc = regs->value[X86_RIP], sp = regs->value[X86_RSP];
	struct function *f = function_at(pc);
	bool called = sp + 8 == last->value[X86_RSP];

	while (depth && records[depth - 1].entry.value[X86_RSP] < sp)
		depth--;
	if (!f || f->start != pc)
		return;
	struct function *from = function_at(last->value[X86_RIP]);
	uint64_t retaddr = 0;
	if (called && (world_read(NULL, sp, &retaddr, 8) != READ_OK ||
		       retaddr - last->value[X86_RIP] > 7))
		called = false;
	if (!called && depth && records[depth - 1].entry.value[X86_RSP] == sp && from != f)
		depth--; /* a tail call: the function that made it is gone */
	else if (!called)
		return;
	if (called && depth && records[depth - 1].function == from)
		records[depth - 1].call = *last;
	else if (called)
		depth = 0; /* from code without symbols: the stack is not known */
	if (depth < DEPTH_MAX)
		records[depth++] = (struct record){ .function = f, .entry = *regs };
	else
		depth = 0;
}

static void trace(unsigned long steps, unsigned long every)
{
	struct user_regs_struct raw;
	struct regs last = { 0 };
	uint64_t random = 88172645463325252u;
	int status;

	for (unsigned long i = 0; i < steps; i++) {
		if (ptrace(PTRACE_GETREGS, child, NULL, &raw))
			return;
		struct regs regs = convert(&raw);
		if (i)
			follow(&last, &regs);
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (depth && random % every == 0)
			ask_all(&regs);
		last = regs;
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) ||
		    waitpid(child, &status, 0) != child || WIFEXITED(status))
			return;
	}
}

/* Lets the child run up to its main(): what loads it is of no interest. */
static bool run_to_main(void)
{
	struct user_regs_struct raw;
	struct symbol symbol;
	int status;

	if (!world_by_name(NULL, "main", &symbol))
		return false;
	void *at = (void *)(uintptr_t)symbol.address;
	long word = ptrace(PTRACE_PEEKTEXT, child, at, NULL);
	if (ptrace(PTRACE_POKETEXT, child, at, (void *)((word & ~0xffL) | 0xcc)) ||
	    ptrace(PTRACE_CONT, child, NULL, NULL) || waitpid(child, &status, 0) != child ||
	    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child, NULL, &raw))
		return false;
	raw.rip = symbol.address;
	return !ptrace(PTRACE_POKETEXT, child, at, (void *)word) &&
	       !ptrace(PTRACE_SETREGS, child, NULL, &raw);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 4)
		return 2;
	child = fork();
	if (!child) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, 1);
		dup2(null, 2);
		personality(ADDR_NO_RANDOMIZE);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[3], argv + 3);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
		fprintf(stderr, "the program cannot be traced\n");
		return 77;
	}
	read_symbols(argv[3], bias_of(argv[3]));
	if (!run_to_main()) {
		fprintf(stderr, "there is no main() to trace\n");
		return 77;
	}
	trace(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
	kill(child, SIGKILL);
	for (size_t i = 0; i < array_size(counts); i++)
		printf("%s %lu %lu %lu\n", counts[i].name, counts[i].right, counts[i].wrong,
		       counts[i].unknown);
	printf("ms %.3f %u\n", slowest, slowest_insns);
	vec_for_each(f, &functions) {
		cfg_destroy(f->cfg);
		free(f->name);
	}
	vec_deinit(&functions);
	return 0;
}
