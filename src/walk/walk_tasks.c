// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walkers of what runs: tasks, their frames, CPUs, per-CPU variables, modules. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cpus.h"
#include "kernel/mappings.h"
#include "kernel/modules.h"
#include "kernel/task_sched.h"
#include "kernel/task_wait.h"
#include "symbols/symbols.h"
#include "walk/walk_row.h"

/* --- Tasks --- */

static bool give_task(const struct task *task, walk_fn fn, void *ctx)
{
	return fn(ctx, &(struct walked){ .address = task->address, .cpu = task->cpu,
					 .kind = WALKED_TASK, .data = task });
}

static void each_task(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct task *all = tasks(walk->session, &n);

	for (size_t i = 0; i < n && give_task(&all[i], fn, ctx); i++)
		;
}

static void each_process(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct task *all = tasks(walk->session, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].pid == all[i].tgid && all[i].road != ROAD_IDLE &&
		    !give_task(&all[i], fn, ctx))
			return;
	}
}

static struct error *begin_threads(struct walking *walk, const struct walk_input *input)
{
	const struct task *task;

	struct error *err = walk_task(input, 0, &task);
	if (!err)
		walk->offset = (uint64_t)task->tgid;
	return err;
}

static void each_thread(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct task *all = tasks(walk->session, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].tgid == (int32_t)walk->offset && all[i].road != ROAD_IDLE &&
		    !give_task(&all[i], fn, ctx))
			return;
	}
}

/* Where the walker does not say, the task is looked up. */
static const struct task *task_of(struct field_ask *ask)
{
	const struct task *task = walked_data(ask->object, WALKED_TASK);

	return task ? task : task_by_address(ask->session, ask->object->address);
}

static enum field_found get_state(struct field_ask *ask)
{
	const struct task *task = task_of(ask);

	if (!task || task_state_letter(task) == '?')
		return false;
	strbuf_add_char(ask->text, task_state_letter(task));
	return true;
}

static enum field_found get_cpu(struct field_ask *ask)
{
	const struct task *task = task_of(ask);

	ask->number = task ? (uint64_t)task->cpu : 0;
	return task && task->cpu >= 0;
}

static enum field_found get_ppid(struct field_ask *ask)
{
	const struct task *task = task_of(ask);

	ask->number = task ? (uint64_t)task->ppid : 0;
	return task && task->has_ppid;
}

static enum field_found get_kernel(struct field_ask *ask)
{
	const struct task *task = task_of(ask);

	ask->number = task && task_kind(task) == TASK_KERNEL;
	return task && task_kind(task) != TASK_KIND_UNKNOWN;
}

static enum field_found get_waited(struct field_ask *ask)
{
	const struct task *task = task_of(ask);
	uint64_t start;

	if (!task || !task->has_state)
		return FIELD_LOST;
	if (task->on_cpu || !task->state)
		return FIELD_NOTHING;
	if (!ask->cache->now)
		ask->cache->now = run_queue_now(ask->session);
	ask->number = task_waited_ns(ask->session, task, ask->cache->now);
	if (task_slept_at(ask->session, task, &start))
		return start <= ask->cache->now ? FIELD_KNOWN : FIELD_LOST;
	/* Of a task that it has moved to another CPU the scheduler forgets when it ran. */
	return kread(ask->session, task->address, "task_struct", "se.exec_start", &start) && !start
		       ? FIELD_NOTHING
		       : FIELD_LOST;
}

static enum field_found get_wchan(struct field_ask *ask)
{
	const struct task *task = task_of(ask);
	struct stack stack = { 0 };
	struct symbol symbol;

	if (!task || !task->has_state || !ask->session->unwinder)
		return FIELD_LOST;
	if (task->on_cpu || !task->state || task->exit_state)
		return FIELD_NOTHING;
	task_stack(ask->session, task, &stack);
	bool found = task_wait_channel(ask->session, task, &stack, &symbol);
	if (found)
		strbuf_add(ask->text, symbol.name);
	stack_deinit(&stack);
	return found;
}

/* "function", "function [module]", "0xffff..."; guesses are left out. */
static void add_frame(struct session *s, const struct frame *frame, struct strbuf *text)
{
	struct symbol symbol;

	if (frame->how == FRAME_SCAN)
		return;
	if (text->len)
		strbuf_add(text, " <- ");
	if (!symbols_by_address(s->symbols, frame->pc - frame->is_call, &symbol)) {
		strbuf_addf(text, "0x%" PRIx64, frame->pc);
		return;
	}
	strbuf_add(text, symbol.name);
	if (symbol.module)
		strbuf_addf(text, " [%s]", symbol.module->name);
}

static enum field_found get_stack(struct field_ask *ask)
{
	const struct task *task = task_of(ask);
	struct stack stack = { 0 };

	if (!task || !ask->session->unwinder || !ask->session->symbols)
		return false;
	task_stack(ask->session, task, &stack);
	for (size_t i = 0; i < stack.count; i++)
		add_frame(ask->session, &stack.frames[i], ask->text);
	stack_deinit(&stack);
	return ask->text->len > 0;
}

static bool memory_of(struct field_ask *ask, bool resident)
{
	const struct task *task = task_of(ask);
	uint64_t vsz, rss;

	if (!task || !task_memory(ask->session, task, &vsz, &rss))
		return false;
	ask->number = resident ? rss : vsz;
	return true;
}

static enum field_found get_rss(struct field_ask *ask)
{
	return memory_of(ask, true);
}

static enum field_found get_vsz(struct field_ask *ask)
{
	return memory_of(ask, false);
}

static enum field_found get_exe(struct field_ask *ask)
{
	const struct task *task = task_of(ask);
	char path[1024];
	uint64_t file;

	if (!task || (!task->mm && !task_has_no_memory(task)))
		return FIELD_LOST;
	if (!task->mm)
		return FIELD_NOTHING;
	if (!kread(ask->session, task->mm, "mm_struct", "exe_file", &file) ||
	    (file && !file_path(ask->session, file, path, sizeof(path))))
		return FIELD_LOST;
	strbuf_add(ask->text, file ? path : "");
	return file ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Frames --- */

struct numbered_frame {
	struct frame frame;
	size_t number;
};

static struct error *begin_frames(struct walking *walk, const struct walk_input *input)
{
	const struct task *task;

	struct error *err = walk_task(input, 0, &task);
	if (!err && !walk->session->unwinder)
		err = error_new(ERROR_MISSING, "without symbols there are no frames");
	if (!err)
		walk->state = memcpy(arena_alloc(walk->arena, sizeof(*task)), task, sizeof(*task));
	return err;
}

static void each_frame(struct walking *walk, walk_fn fn, void *ctx)
{
	struct stack stack = { 0 };

	task_stack(walk->session, walk->state, &stack);
	for (size_t i = 0; i < stack.count; i++) {
		struct numbered_frame frame = { stack.frames[i], i };
		if (!fn(ctx, &(struct walked){ .cpu = -1, .kind = WALKED_FRAME, .data = &frame }))
			break;
	}
	if (stack.end == STACK_END_INCOMPLETE)
		session_problem(walk->session, "the stack cannot be followed to its end: %s",
				stack.reason);
	stack_deinit(&stack);
}

static enum field_found get_frame_number(struct field_ask *ask)
{
	const struct numbered_frame *frame = walked_data(ask->object, WALKED_FRAME);

	if (frame)
		ask->number = frame->number;
	return frame ? FIELD_KNOWN : FIELD_LOST;
}

static enum field_found get_frame_pc(struct field_ask *ask)
{
	const struct numbered_frame *frame = walked_data(ask->object, WALKED_FRAME);

	if (frame)
		ask->number = frame->frame.pc;
	return frame ? FIELD_KNOWN : FIELD_LOST;
}

static enum field_found get_frame_sp(struct field_ask *ask)
{
	const struct numbered_frame *frame = walked_data(ask->object, WALKED_FRAME);

	if (frame)
		ask->number = frame->frame.sp;
	return frame ? FIELD_KNOWN : FIELD_LOST;
}

static bool frame_symbol(struct session *s, const struct walked *object, struct symbol *symbol)
{
	const struct numbered_frame *numbered = walked_data(object, WALKED_FRAME);
	const struct frame *frame = numbered ? &numbered->frame : NULL;

	return s->symbols && frame &&
	       symbols_by_address(s->symbols, frame->pc - frame->is_call, symbol);
}

static enum field_found get_frame_function(struct field_ask *ask)
{
	struct symbol symbol;

	if (!frame_symbol(ask->session, ask->object, &symbol))
		return false;
	strbuf_add(ask->text, symbol.name);
	return true;
}

static enum field_found get_frame_module(struct field_ask *ask)
{
	struct symbol symbol;

	if (!frame_symbol(ask->session, ask->object, &symbol))
		return false;
	strbuf_add(ask->text, symbol.module ? symbol.module->name : "vmlinux");
	return true;
}

static enum field_found get_frame_guess(struct field_ask *ask)
{
	const struct numbered_frame *frame = walked_data(ask->object, WALKED_FRAME);

	ask->number = frame && frame->frame.how == FRAME_SCAN;
	return frame ? FIELD_KNOWN : FIELD_LOST;
}

/* --- CPUs --- */

static struct error *begin_percpu(struct walking *walk, const struct walk_input *input)
{
	struct symbol symbol;

	if (!input->argc)
		return error_new(ERROR_USAGE, "which per-CPU variable?");
	walk->name = arena_strdup(walk->arena, input->argv[0]);
	if (!walk->session->symbols ||
	    !symbols_by_name(walk->session->symbols, walk->name, &symbol))
		return error_new(ERROR_NOT_FOUND, "there is no variable %s", walk->name);
	if (!symbol_is_percpu(walk->session, &symbol))
		return error_new(ERROR_USAGE, "%s is no per-CPU variable", walk->name);
	if (!types_variable(walk->session->types, walk->name, &walk->type))
		return error_new(ERROR_NOT_FOUND, "the type of %s is not known", walk->name);
	return NULL;
}

static struct error *begin_cpus(struct walking *walk, const struct walk_input *input unused_arg)
{
	walk->name = "runqueues";
	return NULL;
}

static void each_percpu(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct cpu *all = cpus(walk->session, &n);

	for (size_t i = 0; i < n; i++) {
		uint64_t address = kpercpu(walk->session, walk->name, all[i].id);
		struct walked object = { .address = address, .cpu = (int)all[i].id };
		if (address && !fn(ctx, &object))
			return;
	}
}

static enum field_found get_object_cpu(struct field_ask *ask)
{
	ask->number = (uint64_t)ask->object->cpu;
	return ask->object->cpu >= 0;
}

static enum field_found get_online(struct field_ask *ask)
{
	int id = ask->object->cpu;
	const struct cpu *cpu = id < 0 ? NULL : cpu_by_id(ask->session, (unsigned)id);

	ask->number = cpu && cpu->online;
	return cpu ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Modules --- */

static void each_module(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct module_info *all = modules(walk->session, &n);

	for (size_t i = 0; i < n; i++) {
		struct walked object = { .address = all[i].module.address, .cpu = -1 };
		if (!fn(ctx, &object))
			return;
	}
}

static const struct module_info *module_of(struct session *s, const struct walked *object)
{
	size_t n;
	const struct module_info *all = modules(s, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].module.address == object->address)
			return &all[i];
	}
	return NULL;
}

static enum field_found get_module_size(struct field_ask *ask)
{
	const struct module_info *info = module_of(ask->session, ask->object);

	ask->number = info ? info->size : 0;
	return ask->number ? FIELD_KNOWN : FIELD_LOST;
}

static enum field_found get_module_used(struct field_ask *ask)
{
	const struct module_info *info = module_of(ask->session, ask->object);

	ask->number = info ? info->refcount : 0;
	return info && info->has_refcount ? FIELD_KNOWN : FIELD_LOST;
}

static enum field_found get_module_text(struct field_ask *ask)
{
	const struct module_info *info = module_of(ask->session, ask->object);

	ask->number = info ? info->module.text_start : 0;
	return !info ? FIELD_LOST : ask->number ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- The tables --- */

static const struct walker rows[] = {
	{ .name = "tasks", .usage = "", .type = "task_struct", .has_cpu = true, .each = each_task,
	  .summary = "every thread, kernel threads and idle tasks too",
	  .example = "tasks |> where state == \"D\" |> select pid, comm, waited, wchan" },
	{ .name = "processes", .has_cpu = true, .usage = "", .type = "task_struct", .each = each_process,
	  .summary = "thread group leaders, kernel threads too",
	  .example = "processes |> where !kernel |> top 5 rss" },
	{ .name = "threads", .has_cpu = true, .usage = "[PID|TASK]", .type = "task_struct", .words_max = 1,
	  .begin = begin_threads, .each = each_thread,
	  .summary = "the threads of one process",
	  .example = "threads 1 |> count by state" },
	{ .name = "frames", .usage = "[PID|TASK]", .words_max = 1, .has_none = true,
	  .data_size = sizeof(struct numbered_frame), .begin = begin_frames,
	  .each = each_frame, .summary = "the frames of a task's stack",
	  .example = "frames |> where module != \"vmlinux\"" },
	{ .name = "cpus", .has_cpu = true,
	  .usage = "", .type = "rq", .begin = begin_cpus, .each = each_percpu,
	  .summary = "the run queue of each CPU", .example = "cpus |> where nr_running > 2" },
	{ .name = "percpu", .has_cpu = true, .usage = "VARIABLE", .words_max = 1, .begin = begin_percpu,
	  .each = each_percpu, .summary = "a per-CPU variable, one for each CPU",
	  .example = "percpu runqueues |> sum nr_running" },
	{ .name = "modules", .usage = "", .type = "module", .each = each_module,
	  .summary = "the loaded modules", .example = "modules |> sort -size |> first 5" },
};

const struct walker_table walkers_tasks = { rows, array_size(rows) };

static const struct walk_field fields[] = {
	{ "task_struct", "state", FIELD_TEXT, "the letter that ps shows: R S D T t X Z P I",
	  get_state },
	{ "task_struct", "cpu", FIELD_NUMBER, "where it runs or ran last", get_cpu },
	{ "task_struct", "ppid", FIELD_NUMBER, "the parent's PID", get_ppid },
	{ "task_struct", "kernel", FIELD_BOOL, "is it a kernel thread?", get_kernel },
	{ "task_struct", "waited", FIELD_TIME, "how long it has not run, in ns", get_waited },
	{ "task_struct", "wchan", FIELD_TEXT, "the function it waits in, as ps -o wchan", get_wchan },
	{ "task_struct", "backtrace", FIELD_STACK, "its stack, innermost function first", get_stack },
	{ "task_struct", "rss", FIELD_BYTES, "resident memory", get_rss },
	{ "task_struct", "vsz", FIELD_BYTES, "mapped memory", get_vsz },
	{ "task_struct", "exe", FIELD_TEXT, "the path of its program", get_exe },
	{ "frames", "n", FIELD_NUMBER, "the frame's number, as in bt", get_frame_number },
	{ "frames", "pc", FIELD_ADDRESS, "the address in the code", get_frame_pc },
	{ "frames", "sp", FIELD_ADDRESS, "the stack pointer", get_frame_sp },
	{ "frames", "function", FIELD_TEXT, "", get_frame_function },
	{ "frames", "module", FIELD_TEXT, "its module, or vmlinux", get_frame_module },
	{ "frames", "guess", FIELD_BOOL, "found by searching the stack", get_frame_guess },
	{ "cpus", "cpu", FIELD_NUMBER, "the CPU's number", get_object_cpu },
	{ "cpus", "online", FIELD_BOOL, "", get_online },
	{ "percpu", "cpu", FIELD_NUMBER, "the CPU's number", get_object_cpu },
	{ "module", "size", FIELD_BYTES, "as lsmod says", get_module_size },
	{ "module", "used", FIELD_NUMBER, "its users, as lsmod says", get_module_used },
	{ "module", "text", FIELD_ADDRESS, "where its code starts", get_module_text },
};

const struct field_table fields_tasks = { fields, array_size(fields) };
