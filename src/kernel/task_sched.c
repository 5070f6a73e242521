// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What task_struct says of scheduling and time.
 *
 * utime and stime are ns since 4.11, before that jiffies or cycles, which nothing tells: those are
 * left unknown (the member se.sum_exec_runtime is ns on all). start_time is a struct timespec
 * before 3.17. When a task last got a CPU is sched_info.last_arrival, in the clock of its run queue
 * (kernel/sched/stats.h), kept where the kernel has CONFIG_SCHED_INFO.
 */
#include "kernel/task_sched.h"

#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "kernel/cpus.h"
#include "kernel/mappings.h"
#include "kernel/timekeeper.h"

/* SCHED_NORMAL ...: include/uapi/linux/sched.h */
static const char *const policy_names[] = {
	"NORMAL", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE", "EXT",
};

/* RLIMIT_CPU ...: include/uapi/asm-generic/resource.h */
static const char *const limit_names[TASK_LIMITS] = {
	"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS",
	"SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
};

enum {
	WORDS_BYTES_MAX = 8 << 20,
	WORDS_CHUNK = 4096,
};

const char *task_policy_name(unsigned policy)
{
	return policy < array_size(policy_names) ? policy_names[policy] : NULL;
}

bool task_policy_by_name(const char *word, unsigned *policy)
{
	uint64_t number;

	if (parse_u64(word, &number) && number < array_size(policy_names)) {
		*policy = (unsigned)number;
		return true;
	}
	for (unsigned i = 0; i < array_size(policy_names); i++) {
		if (strcasecmp(policy_names[i], word) == 0) {
			*policy = i;
			return true;
		}
	}
	*policy = 0;
	return strcasecmp(word, "OTHER") == 0;
}

bool task_sched(struct session *s, const struct task *task, struct task_sched *sched)
{
	static const char type[] = "task_struct";
	uint64_t policy, prio, static_prio, rt;

	*sched = (struct task_sched){ 0 };
	if (!kread(s, task->address, type, "policy", &policy) ||
	    !kread(s, task->address, type, "prio", &prio) ||
	    !kread(s, task->address, type, "static_prio", &static_prio) ||
	    !kread(s, task->address, type, "rt_priority", &rt))
		return false;
	sched->known = true;
	sched->policy = (unsigned)policy;
	sched->prio = (int)prio;
	sched->static_prio = (int)static_prio;
	sched->rt_priority = (unsigned)rt;
	return true;
}

bool task_last_run(struct session *s, uint64_t task, uint64_t *ns)
{
	*ns = 0;
	return task && kread(s, task, "task_struct", "sched_info.last_arrival|last_run", ns) && *ns;
}

uint64_t run_queue_now(struct session *s)
{
	uint64_t now = 0, clock;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t rq = cpu[i].online ? kpercpu(s, "runqueues", cpu[i].id) : 0;
		if (rq && kread(s, rq, "rq", "clock", &clock) && clock > now)
			now = clock;
	}
	return now;
}

/* Are utime and stime in ns? They are where start_time is a plain number, but for 3.17 to 4.10. */
static bool modes_in_ns(struct session *s)
{
	uint64_t offset;

	/* prev_cputime has a lock of its own since 4.3, and utime a type cputime_t until 4.10. */
	struct member m;
	return types_member(s->types, "task_struct", "utime", &m) && m.size == 8 &&
	       strcmp(type_name(m.type), "cputime_t") != 0 &&
	       koffset(s, "task_struct", "se.sum_exec_runtime", &offset);
}

void task_times(struct session *s, const struct task *task, struct task_times *times)
{
	static const char type[] = "task_struct";
	struct kernel_time now;
	struct member start;

	*times = (struct task_times){ 0 };
	times->has_cpu = kread(s, task->address, type, "se.sum_exec_runtime", &times->cpu_ns);
	times->has_last = task_last_run(s, task->address, &times->last_ns);
	if (modes_in_ns(s))
		times->has_modes = kread(s, task->address, type, "utime", &times->user_ns) &&
				   kread(s, task->address, type, "stime", &times->kernel_ns);
	if (!types_member(s->types, type, "start_time", &start) || start.size != 8 ||
	    !kread(s, task->address, type, "start_time", &times->start_ns))
		return;
	kernel_time(s, &now);
	times->has_start = true;
	times->has_run = now.monotonic_ns != 0;
	if (now.monotonic_ns > times->start_ns)
		times->run_ns = now.monotonic_ns - times->start_ns;
}

bool task_limits(struct session *s, const struct task *task, struct task_limit limits[TASK_LIMITS])
{
	uint64_t signal, offset;

	memset(limits, 0, TASK_LIMITS * sizeof(limits[0]));
	return kread(s, task->address, "task_struct", "signal", &signal) && signal &&
	       koffset(s, "signal_struct", "rlim", &offset) &&
	       memory_read(s->memory, signal + offset, limits, TASK_LIMITS * sizeof(limits[0])) ==
		       READ_OK;
}

const char *task_limit_name(unsigned limit)
{
	return limit < array_size(limit_names) ? limit_names[limit] : "?";
}

/* As much of [start, end) as can be read from its begin; what is missing ends it. */
static size_t read_user(struct session *s, const struct page_root *root, uint64_t start,
			uint64_t end, char *buf)
{
	size_t got = 0;

	while (start + got < end) {
		uint64_t at = start + got;
		size_t part = (size_t)min_u64(end - at, WORDS_CHUNK - at % WORDS_CHUNK);
		if (memory_read_user(s->memory, root, at, buf + got, part, NULL) != READ_OK)
			break;
		got += part;
	}
	return got;
}

bool task_words(struct session *s, const struct task *task, enum task_words_kind kind,
		struct arena *arena, struct task_words *words)
{
	bool is_args = kind == TASK_ARGUMENTS;
	struct page_root root;
	uint64_t start, end;

	*words = (struct task_words){ .whole = true };
	struct error *err = task_page_root(s, task, &root);
	if (err || !kread(s, task->mm, "mm_struct", is_args ? "arg_start" : "env_start", &start) ||
	    !kread(s, task->mm, "mm_struct", is_args ? "arg_end" : "env_end", &end)) {
		error_free(err);
		return false;
	}
	if (end < start || end - start > WORDS_BYTES_MAX) {
		words->whole = false;
		end = end < start ? start : start + WORDS_BYTES_MAX;
	}
	char *text = arena_alloc(arena, end - start + 1);
	size_t got = read_user(s, &root, start, end, text), count = 0;
	words->whole &= got == end - start;
	text[got] = '\0';
	for (size_t i = 0; i < got; i += strlen(text + i) + 1)
		count++;
	words->data = arena_alloc(arena, (count + 1) * sizeof(*words->data));
	for (size_t i = 0; i < got; i += strlen(text + i) + 1)
		words->data[words->count++] = text + i;
	return true;
}
