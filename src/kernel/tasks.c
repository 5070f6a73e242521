// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All tasks. The idle tasks come from the run queues (rq.idle); every other thread from the pid
 * index. That is the whole truth where it can be read; whether it could is known from the holes
 * met on the way and from the kernel's own count (nr_threads). If not, pointers between tasks, run
 * queues and at last the slab pages are searched too, and what remains missing is said.
 *
 * A single task (the one that crashed) is read by itself: no list is made for it.
 */
#include "kernel/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/cpu_state.h"
#include "kernel/task_set.h"
#include "kernel/text.h"

struct task_state {
	struct task *tasks; /* sorted; NULL until somebody wants all */
	size_t count;
	struct map by_address; /* -> index in tasks */
	struct task_fields fields;
	bool has_fields;
	size_t roads[ROAD_COUNT];
	struct {
		struct task **data; /* read one by one, before or without the list */
		size_t count, capacity;
	} single;
};

static void destroy_state(void *data)
{
	struct task_state *state = data;

	free(state->tasks);
	map_deinit(&state->by_address);
	for (size_t i = 0; i < state->single.count; i++)
		free(state->single.data[i]);
	free(state->single.data);
	free(state);
}

static struct task_state *task_state(struct session *s)
{
	struct task_state *state = s->slot[SLOT_TASKS].data;

	if (!state) {
		state = xcalloc(1, sizeof(*state));
		s->slot[SLOT_TASKS].data = state;
		s->slot[SLOT_TASKS].destroy = destroy_state;
		if (types_sizeof(s->types, "task_struct")) {
			task_fields_find(s, &state->fields);
			state->has_fields = true;
		}
	}
	return state;
}

static void add_idle_tasks(struct task_set *set)
{
	struct session *s = set->session;
	uint64_t init = symbols_address(s->symbols, "init_task");
	size_t count, lost = 0;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t rq = cpu_variable(s, &cpu[i], "runqueues");
		uint64_t idle = 0;
		if (rq)
			lost += kread_status(s, rq, "rq", "idle", &idle) == KREAD_HOLE;
		if (task_add(set, idle, ROAD_IDLE))
			set->found.data[set->found.count - 1].task.cpu = (int)cpu[i].id;
	}
	task_add(set, init, ROAD_IDLE);
	if (lost)
		session_problem(s, "the idle tasks of %zu CPUs cannot be found: their run queues "
				"are not in the dump", lost);
}

static size_t count_threads(const struct task_set *set)
{
	size_t threads = 0;

	for (size_t i = 0; i < set->found.count; i++)
		threads += set->found.data[i].task.road != ROAD_IDLE;
	return threads;
}

/* How many threads the kernel counted that have not been found. */
static size_t missing_threads(const struct task_set *set)
{
	uint64_t counted;
	size_t found = count_threads(set);

	if (!kglobal(set->session, "nr_threads", 4, &counted) || counted > TASKS_MAX)
		return set->index_holes || set->lost_pids.count || !set->has_index ? SIZE_MAX / 2
										   : 0;
	return counted > found ? (size_t)counted - found : 0;
}

static bool has_pid(const struct task_set *set, int32_t pid)
{
	for (size_t i = 0; i < set->found.count; i++) {
		if (set->found.data[i].task.pid == pid && set->found.data[i].task.road != ROAD_IDLE)
			return true;
	}
	return false;
}

static void say_what_is_missing(const struct task_set *set)
{
	struct session *s = set->session;
	size_t unread = 0, lost = 0, missing = missing_threads(set);
	auto_strbuf pids = { 0 };

	for (size_t i = 0; i < set->found.count; i++)
		unread += set->found.data[i].task.incomplete;
	for (size_t i = 0; i < set->lost_pids.count; i++) {
		int32_t pid = set->lost_pids.data[i];
		/* Bounded: a damaged index could name millions. */
		if (lost >= 20 || has_pid(set, pid))
			continue;
		strbuf_addf(&pids, "%s%d", lost++ ? ", " : "", pid);
	}
	if (set->index_holes)
		session_problem(s,
				"%zu node%s of the pid index %s not in the dump: tasks were "
				"also sought by other roads",
				set->index_holes, set->index_holes == 1 ? "" : "s",
				set->index_holes == 1 ? "is" : "are");
	if (lost)
		session_problem(s,
				"these pids of the index lead to no task that is in the dump: "
				"%s%s",
				strbuf_text(&pids), lost >= 20 ? " ..." : "");
	if (unread)
		session_problem(s, "%zu tasks are only partly in the dump", unread);
	if (missing && missing < TASKS_MAX)
		session_problem(s, "the kernel counted %zu threads more than could be found",
				missing);
}

static void collect(struct task_set *set)
{
	struct session *s = set->session;
	size_t count, missing;
	const struct cpu *cpu = cpus(s, &count);

	add_idle_tasks(set);
	tasks_by_index(set);
	/* A running task can have left the index already: it was on its way out. */
	for (size_t i = 0; i < count; i++)
		task_add(set, cpu[i].current_task, ROAD_CURRENT);
	if (set->index_holes || set->lost_pids.count || missing_threads(set)) {
		tasks_by_links(set);
		tasks_by_run_queues(set);
		/* What the scan finds has links of its own. */
		if ((missing = missing_threads(set))) {
			size_t before = set->found.count;
			tasks_by_slab(set, missing);
			if (set->found.count > before)
				tasks_by_links(set);
		}
		tasks_in_holes(set);
	}
	say_what_is_missing(set);
}

static int compare_tasks(const void *va, const void *vb)
{
	const struct task *a = va, *b = vb;
	bool a_idle = a->road == ROAD_IDLE, b_idle = b->road == ROAD_IDLE;

	if (a_idle != b_idle)
		return a_idle ? -1 : 1;
	if (a_idle && a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

/* What needs more than the task itself: its parent's number, and whether a CPU runs it. */
static void complete(struct session *s, const struct task_fields *fields, struct found_task *found,
		     const struct task_set *set)
{
	struct task *task = &found->task;
	const struct task *parent = NULL;
	uint64_t index, tgid;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	if (set && map_get(&set->by_address, found->real_parent, &index))
		parent = &set->found.data[index].task;
	if (parent && task_has_tgid(parent))
		tgid = (uint64_t)parent->tgid;
	else if (!found->real_parent || !field_read(s, found->real_parent, &fields->tgid, &tgid))
		tgid = UINT64_MAX;
	task->has_ppid = tgid <= TASKS_MAX;
	task->ppid = task->has_ppid ? (int32_t)tgid : 0;
	for (size_t i = 0; i < count; i++) {
		if (cpu[i].current_task == task->address) {
			task->on_cpu = true;
			task->cpu = (int)cpu[i].id;
		}
	}
}

/*
 * Without types no task can be read, but which ones the CPUs ran is known, and their stacks can be
 * followed. False: no CPU runs a task at @address.
 */
static bool running_stub(struct session *s, uint64_t address, struct task *task)
{
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (address && cpu[i].current_task == address) {
			*task = (struct task){
				.address = address,
				.cpu = (int)cpu[i].id,
				.on_cpu = true,
				.road = ROAD_CURRENT,
				.incomplete = true,
			};
			return true;
		}
	}
	return false;
}

static void find_running(struct session *s, struct task_state *state)
{
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	state->tasks = xcalloc(count + 1, sizeof(*state->tasks));
	for (size_t i = 0; i < count; i++) {
		if (!running_stub(s, cpu[i].current_task, &state->tasks[state->count]))
			continue;
		map_set(&state->by_address, cpu[i].current_task, state->count++);
	}
	state->roads[ROAD_CURRENT] = state->count;
	session_problem(s,
			"only running tasks are known: the kernel's types, without which no task "
			"can be read, are not in the dump");
}

static void find_all(struct session *s, struct task_state *state)
{
	struct task_set set = { .session = s, .fields = state->fields };

	if (!state->has_fields || !s->symbols) {
		find_running(s, state);
		return;
	}
	collect(&set);
	state->tasks = xcalloc(set.found.count + 1, sizeof(*state->tasks));
	for (size_t i = 0; i < set.found.count; i++) {
		complete(s, &set.fields, &set.found.data[i], &set);
		state->tasks[i] = set.found.data[i].task;
		state->roads[state->tasks[i].road]++;
	}
	state->count = set.found.count;
	qsort(state->tasks, state->count, sizeof(*state->tasks), compare_tasks);
	map_reserve(&state->by_address, state->count);
	for (size_t i = 0; i < state->count; i++)
		map_set(&state->by_address, state->tasks[i].address, i);
	vec_deinit(&set.found);
	vec_deinit(&set.lost_pids);
	map_deinit(&set.by_address);
}

const struct task *tasks(struct session *s, size_t *count)
{
	/* A text's are not all, and not in an array. */
	if (s->text) {
		*count = 0;
		return NULL;
	}
	struct task_state *state = task_state(s);

	if (!state->tasks)
		find_all(s, state);
	*count = state->count;
	return state->tasks;
}

void task_roads(struct session *s, size_t counts[ROAD_COUNT])
{
	size_t count;

	if (s->text) {
		memset(counts, 0, ROAD_COUNT * sizeof(*counts));
		return;
	}
	tasks(s, &count);
	memcpy(counts, task_state(s)->roads, sizeof(task_state(s)->roads));
}

const char *task_title(const struct task *task, char buf[static TASK_TITLE_MAX])
{
	if (task_has_pid(task))
		snprintf(buf, TASK_TITLE_MAX, "PID %d", task->pid);
	else
		snprintf(buf, TASK_TITLE_MAX, "the task at %016" PRIx64, task->address);
	return buf;
}

const struct task *task_by_pid(struct session *s, int32_t pid)
{
	size_t count;
	const struct task *all = tasks(s, &count);

	if (s->text)
		return text_task_by_pid(s, pid);
	for (size_t i = 0; i < count; i++) {
		if (all[i].pid == pid)
			return &all[i];
	}
	return NULL;
}

/* Is it the idle task of a CPU? The first one is a variable of the kernel, too. */
static bool is_idle_task(struct session *s, uint64_t address)
{
	uint64_t rq, idle;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		rq = cpu_variable(s, &cpu[i], "runqueues");
		if (rq && kread(s, rq, "rq", "idle", &idle) && idle == address)
			return true;
	}
	return s->symbols && symbols_address(s->symbols, "init_task") == address;
}

/* Other tasks may tell of one that is not in the dump itself. */
static const struct task *in_list(struct session *s, struct task_state *state, uint64_t address)
{
	uint64_t index;
	size_t count;

	(void)tasks(s, &count);
	return map_get(&state->by_address, address, &index) ? &state->tasks[index] : NULL;
}

const struct task *task_by_address(struct session *s, uint64_t address)
{
	if (s->text)
		return text_task(s, address);

	struct task_state *state = task_state(s);
	struct found_task found;
	uint64_t index;

	if (state->tasks && map_get(&state->by_address, address, &index))
		return &state->tasks[index];
	if (state->tasks || !address)
		return NULL;
	for (size_t i = 0; i < state->single.count; i++) {
		if (state->single.data[i]->address == address)
			return state->single.data[i];
	}
	if (state->has_fields) {
		task_read(s, &state->fields, address, &found);
		bool idle = !found.task.pid && is_idle_task(s, address);
		found.task.road = idle ? ROAD_IDLE : ROAD_CURRENT;
		complete(s, &state->fields, &found, NULL);
		const struct task *listed = found.task.incomplete && !task_has_pid(&found.task)
						    ? in_list(s, state, address) : NULL;
		if (listed)
			return listed;
		/* An address that nobody vouches for: only a running task may lack parts. */
		if (!found.task.on_cpu && !idle && !task_plausible(s, &state->fields, address))
			return found.task.incomplete ? in_list(s, state, address) : NULL;
	} else if (!running_stub(s, address, &found.task)) {
		return NULL;
	}
	struct task *task = xmalloc(sizeof(*task));
	*task = found.task;
	vec_push(&state->single, task);
	return task;
}

const struct task *task_crashed(struct session *s)
{
	if (s->text)
		return s->text->death ? &s->text->threads[0].task : NULL;
	int id = cpu_crashed(s);
	const struct cpu *cpu = id < 0 ? NULL : cpu_by_id(s, (unsigned)id);

	return cpu ? task_by_address(s, cpu->current_task) : NULL;
}

/* One struct percpu_counter (rss_stat[i] since 6.2): the common count and each CPU's part. */
static bool percpu_counter(struct session *s, uint64_t address, uint64_t *sum)
{
	uint64_t parts;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	if (!kread(s, address, "percpu_counter", "count", sum) ||
	    !kread(s, address, "percpu_counter", "counters", &parts))
		return false;
	for (size_t i = 0; parts && i < count; i++) {
		uint32_t part;
		if (memory_u32(s->memory, parts + cpu[i].percpu_offset, &part) != READ_OK)
			return false;
		*sum += (uint64_t)(int64_t)(int32_t)part;
	}
	return true;
}

/* The indices are those of enum rss_kind (include/linux/mm_types_task.h); fixed since 4.5. */
bool task_rss(struct session *s, const struct task *task, bool exact, uint64_t bytes[RSS_KINDS])
{
	uint64_t counter_size = types_sizeof(s->types, "percpu_counter");
	struct member stat;

	memset(bytes, 0, RSS_KINDS * sizeof(bytes[0]));
	if (!task->mm)
		return task_has_no_memory(task);
	if (!types_member(s->types, "mm_struct", "rss_stat", &stat))
		return false;
	bool percpu = type_kind(type_strip(stat.type)) == TYPE_ARRAY;
	for (size_t i = 0; i < RSS_KINDS; i++) {
		uint64_t stride = percpu ? counter_size : sizeof(uint64_t);
		uint64_t at = task->mm + stat.offset + i * stride;
		uint64_t value = 0;
		bool known = !percpu  ? memory_u64(s->memory, at, &value) == READ_OK
			     : !exact ? kread(s, at, "percpu_counter", "count", &value)
				      : percpu_counter(s, at, &value);
		if (!known)
			return false;
		bytes[i] = (int64_t)value > 0 ? value * PAGE_SIZE : 0;
	}
	return true;
}

bool task_memory(struct session *s, const struct task *task, uint64_t *vsz, uint64_t *rss)
{
	uint64_t pages, bytes[RSS_KINDS];

	*vsz = *rss = 0;
	if (!task->mm)
		return task_has_no_memory(task);
	if (!kread(s, task->mm, "mm_struct", "total_vm", &pages))
		return false;
	*vsz = pages * PAGE_SIZE;
	if (!task_rss(s, task, true, bytes))
		return false;
	*rss = bytes[RSS_FILE] + bytes[RSS_ANON] + bytes[RSS_SHMEM];
	return true;
}
