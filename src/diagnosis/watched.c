// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A watchdog panics on the CPU where it looks; the CPU that it complains about may be another,
 * named in the log: "rcu: <tab>1-...0: (0 ticks this GP)" (kernel/rcu/tree_stall.h), "Watchdog
 * detected hard LOCKUP on cpu 1" (kernel/watchdog.c). What that one ran is where an interrupt or
 * NMI caught it. A CPU caught in a lock's slow path waits: the lock is looked at, but who holds it
 * is not kept.
 */
#include "diagnosis/watched.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/loops.h"
#include "diagnosis/spinners.h"
#include "diagnosis/waiting.h"
#include "forensics/caught.h"
#include "forensics/content_memory.h"
#include "forensics/wait_graph.h"
#include "forensics/whatis.h"
#include "kernel/cpus.h"
#include "kernel/slab.h"

enum { CPU_DIGITS_MAX = 5, STALL_LINES = 64, STALL_MARKS_MAX = 8,
       LOOPS_LOOKED_FOR = 3, TEXT_QUOTED = 60, TEXT_MIN = 8 };

/* The number at @at, which must not be longer than a CPU's; @end is set behind it. -1: none. */
static int cpu_number(const char *at, const char **end)
{
	int n = 0, digits = 0;

	for (; isdigit((unsigned char)*at) && digits < CPU_DIGITS_MAX; at++, digits++)
		n = n * 10 + (*at - '0');
	*end = at;
	return digits && !isdigit((unsigned char)*at) ? n : -1;
}

/* "[rcu: ]<blank>N-....: (": N stalls; the marks behind the dash say how. */
static int stalled_in_line(const char *text)
{
	const char *at = starts_with(text, "rcu:") ? text + strlen("rcu:") : text;

	if (!isspace((unsigned char)*at))
		return -1;
	while (isspace((unsigned char)*at))
		at++;
	int cpu = cpu_number(at, &at);
	if (cpu < 0 || *at++ != '-')
		return -1;
	size_t marks = strcspn(at, ": ");
	return marks <= STALL_MARKS_MAX && starts_with(at + marks, ": (") ? cpu : -1;
}

/* The CPU that the last RCU stall report names; the panicking one where it is among several. */
static int stalled_cpu(const struct facts *facts)
{
	static const char *const heads[] = { "detected stalls on CPUs/tasks", "self-detected stall",
					     "detected expedited stalls" };
	const struct log_record *head = NULL;
	int found = -1;

	for (size_t i = 0; i < array_size(heads); i++) {
		const struct log_record *r = facts_log_find_last(facts, heads[i]);
		if (r && (!head || r > head))
			head = r;
	}
	for (size_t i = 0; head && i < STALL_LINES; i++) {
		const struct log_record *r = head + i;
		if (r >= facts->log + facts->log_count || r == facts->panic_record)
			break;
		int cpu = stalled_in_line(r->text);
		if (cpu >= 0 && (found < 0 || cpu == facts->cpu))
			found = cpu;
	}
	return found;
}

static int locked_up_cpu(const struct facts *facts)
{
	static const char marker[] = "hard LOCKUP on cpu ";
	const struct log_record *r = facts_log_find_last(facts, marker);
	const char *end;

	return r ? cpu_number(strstr(r->text, marker) + strlen(marker), &end) : -1;
}

static bool frame_is_one_of(const struct facts *facts, const struct frame *frame,
			    const char *const *globs, size_t count)
{
	struct symbol sym;

	if (!facts_frame_symbol_of(facts, frame, &sym))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (glob_match(globs[i], sym.name))
			return true;
	}
	return false;
}

/* Functions that wait for a spinning lock, their first argument (where they still hold it). */
static const char *const spinners[] = {
	"*queued_spin_lock_slowpath*", "queued_*_lock_slowpath*", "__ticket_spin_lock*",
	"*_lock_failed", "_raw_spin_lock*", "_raw_write_lock*", "_raw_read_lock*",
};

/*
 * The low half of a queued spinlock's word has two bytes: held (1, or 3 for a guest that was told
 * to sleep), and whether somebody waits right at it (include/asm-generic/qspinlock_types.h). The
 * upper half is of those in line, who write it themselves.
 */
static bool is_no_spinlock(const struct facts *facts, const struct frame *frame, uint32_t value)
{
	static const char *const globs[] = { "*queued_spin_lock_slowpath*" };
	unsigned held = value & 0xff, pending = value >> 8 & 0xff;

	return frame_is_one_of(facts, frame, globs, array_size(globs)) &&
	       ((held > 1 && held != 3) || pending > 1);
}

/* ", which is in the text ... from ADDRESS on": of the half that those in line do not write; "". */
static const char *text_around(struct session *s, uint64_t lock, struct findings *out)
{
	uint8_t bytes[TEXT_QUOTED];
	struct text_extent extent;
	char quote[TEXT_QUOTED + 40];

	if (memory_read(s->memory, lock, bytes, 2) != READ_OK || !content_is_text(bytes[0]) ||
	    !content_is_text(bytes[1]))
		return "";
	content_text_extent(s, lock, 2, &extent);
	if (extent.end <= extent.start || extent.end - extent.start < TEXT_MIN)
		return "";
	size_t n = (size_t)min_u64(extent.end - extent.start, sizeof(bytes));
	if (memory_read(s->memory, extent.start, bytes, n) != READ_OK)
		return "";
	content_quote(bytes, n, quote, sizeof(quote));
	return finding_text(out, ", as it lies in the text %s from %016lx on", quote,
			    (unsigned long)extent.start);
}

static void tell_spoilt(const struct facts *facts, uint64_t lock, uint32_t value,
			struct findings *out, struct finding *f)
{
	struct slab_object object;

	f->why = finding_text(out, "%s, at %016lx: its word is 0x%x%s, and no lock ever is that. It was "
			      "overwritten, freed or never set up, so that nobody will give it back",
			      f->why, (unsigned long)lock, value,
			      text_around(facts->session, lock, out));
	f->against = "who spoilt the lock is not known; who waits for it is a victim";
	/* The object is looked at once the verdict is known. */
	if (slab_object_at(facts->session, lock, &object) && object.slab.cache)
		f->object = lock;
}

/* What waits there, and whether somebody could give it back. */
enum spin_wait { WAITS_NOT, WAITS, WAITS_FOR_EVER };

static enum spin_wait name_lock(const struct facts *facts, const struct frame *frame,
				struct findings *out, struct finding *f)
{
	const struct arch *arch = facts->session->arch;
	uint8_t reg = arch->arg_regs[0];
	struct what place;
	uint32_t value;

	if (!frame_is_one_of(facts, frame, spinners, array_size(spinners)))
		return WAITS_NOT;
	f->why = finding_text(out, "%s; it was waiting for a spinning lock", f->why);
	f->against = "who holds the lock is not kept in it: it may be the same task";
	if (!regs_known(&frame->regs, reg))
		return WAITS;
	uint64_t lock = frame->regs.value[reg];
	whatis(facts->session, facts->task, lock, &place);
	if (!place.mapped || place.user_half || place.kind == WHAT_TEXT ||
	    memory_u32(facts->session->memory, lock, &value) != READ_OK || !value)
		return WAITS;
	finding_evidence(out, f, finding_text(out, "rd 0x%lx", (unsigned long)lock),
			 "the lock is likely 0x%lx (%s %s): %s, its value is 0x%x",
			 (unsigned long)lock, arch->reg_names[reg], "at that point",
			 *place.text ? place.text : "of an unknown object", value);
	if (!is_no_spinlock(facts, frame, value))
		return WAITS;
	tell_spoilt(facts, lock, value, out, f);
	return WAITS_FOR_EVER;
}

/* What a CPU does that has nothing to do: it was not this that kept it from answering. */
static const char *const idlers[] = {
	"*safe_halt", "default_idle*", "mwait_idle*", "intel_idle*", "acpi_idle*", "cpu_idle*",
	"cpuidle_*", "poll_idle", "do_idle", "pv_native_safe_halt", "acpi_safe_halt",
	"mwait_idle_with_hints*", "haltpoll_*", "arch_cpu_idle*",
};

/* Intel SDM vol. 3, 2.3 */
enum { RFLAGS_IF = 1 << 9 };

/* Interrupts off where an NMI caught the CPU: that is why it did not answer. */
static void note_interrupts(const struct facts *facts, const struct frame *frame, int cpu,
			    struct findings *out, struct finding *f)
{
	const struct regs *regs = &frame->regs;

	if (!regs_known(regs, X86_RFLAGS) || regs->value[X86_RFLAGS] & RFLAGS_IF ||
	    facts->session->arch->from_user(regs))
		return;
	f->why = finding_text(out, "%s; it ran with interrupts disabled", f->why);
	finding_evidence(out, f, finding_text(out, "bt -c %d", cpu),
			 "rflags there = 0x%lx: the interrupt flag is off",
			 (unsigned long)regs->value[X86_RFLAGS]);
}

static void describe(const struct facts *facts, const struct stack *stack, int cpu,
		     const char *where, struct findings *out, struct finding *f)
{
	size_t at = stack_busy_at(facts->session, stack, SIZE_MAX);
	const struct frame *frame = &stack->frames[at];
	const char *text = facts_text_of_frame(facts, frame);
	bool here = cpu < 0 || cpu == facts->cpu;

	finding_evidence(out, f, here ? "bt" : finding_text(out, "bt -c %d", cpu),
			 here ? "the watchdog interrupted %s" : "that CPU was in %s", text);
	f->what = finding_text(out, "%s was running %s when the watchdog panicked%s%s: \"%s\"", text,
			       where, here ? "" : " ", here ? "" : facts_where(facts),
			       facts->panic_message);
	if (frame_is_one_of(facts, frame, idlers, array_size(idlers))) {
		f->against = "that CPU was idle when it was looked at: what had held it up is over, "
			     "or it took no interrupts while idle";
		f->confidence = CONFIDENCE_LIKELY;
		return;
	}
	if (!facts->session->text)
		loops_tell(facts, stack, at, at + LOOPS_LOOKED_FOR,
			   here ? "bt" : finding_text(out, "bt -c %d", cpu), out, f);
	f->blame = facts_blame_stack(facts, stack, at);
	f->blame.skipped = NULL;
	f->against = "this is what the CPU was busy with; whether it or somebody that it waits for "
		     "is to blame is not known";
	if (!here)
		f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	if (!here)
		note_interrupts(facts, frame, cpu, out, f);
	enum spin_wait waits = name_lock(facts, frame, out, f);
	if (waits != WAITS_NOT)
		f->blame.unsure = waits == WAITS
					  ? "it waits for a lock there, and who has that is not known"
					  : "it waits for a lock there that somebody has spoilt";
}

/* Another CPU than the one that panicked: what its task's stack says. */
static void blame_other(const struct facts *facts, int id, struct findings *out, struct finding *f)
{
	const struct cpu *cpu = cpu_by_id(facts->session, (unsigned)id);
	const struct task *task = cpu && cpu->current_task
					  ? task_by_address(facts->session, cpu->current_task)
					  : NULL;
	struct stack stack = { 0 };

	f->what = finding_text(out, "CPU %d did not answer, and the kernel panicked %s: \"%s\"", id,
			       facts_where(facts), facts->panic_message);
	if (!task) {
		f->against = finding_text(out, "what CPU %d was running is not known", id);
		return;
	}
	task_stack(facts->session, task, &stack);
	f->task = task;
	const char *where = !task_is_named(task)
				    ? finding_text(out, "on CPU %d", id)
				    : finding_text(out, "in %.*s (pid %d) on CPU %d",
						   (int)sizeof(task->comm), task->comm,
						   task->pid, id);
	if (stack.count && facts->session->symbols)
		describe(facts, &stack, id, where, out, f);
	stack_deinit(&stack);
}

/* A CPU that waits until another has answered a call, or has written, is a victim of that one. */
static bool waits_for_cpu(const struct facts *facts, int id, struct findings *out,
			  struct finding *f)
{
	const struct cpu *cpu = cpu_by_id(facts->session, (unsigned)(id >= 0 ? id : facts->cpu));
	const struct task *task = cpu && cpu->current_task
					  ? task_by_address(facts->session, cpu->current_task)
					  : NULL;

	if (!task || !facts->session->symbols || !facts->session->unwinder)
		return false;
	const struct wait_graph *graph = wait_graph(facts->session);
	size_t node = wait_graph_node_of(graph, task);
	if (node == SIZE_MAX || !graph->nodes[node].wait.object)
		return false;
	const struct wait *wait = &graph->nodes[node].wait;
	bool reads = wait->kind == WAIT_LOCK && wait->lock_kind == LOCK_SEQ;
	return (wait->kind == WAIT_CPU_CALL || reads) && waiting_blame(facts, task, out, f);
}

static const char starved_marker[] = " kthread starved for ";

/*
 * The CPU on which RCU's own thread waits to run: "rcu: rcu_preempt kthread starved for 1004
 * jiffies! ... ->state=0x0 ->cpu=0" (kernel/rcu/tree_stall.h). -1: it slept, or the log has none.
 */
static int starved_thread_cpu(const struct facts *facts)
{
	const struct log_record *r = facts_log_find_last(facts, starved_marker);
	const char *at = r ? strstr(r->text, "->cpu=") : NULL;
	const char *end;

	return at && strstr(r->text, "->state=0x0 ") ? cpu_number(at + strlen("->cpu="), &end) : -1;
}

/*
 * RCU's own thread did not run: it ends the grace periods, so that the CPUs that are named may have
 * nothing to do with it (kernel/rcu/tree_stall.h, rcu_check_gp_kthread_starvation()).
 */
static void note_starved_thread(const struct facts *facts, bool by_thread, struct findings *out,
				struct finding *f)
{
	const struct log_record *r = facts_log_find_last(facts, starved_marker);

	if (!r)
		return;
	const char *count = strstr(r->text, starved_marker) + strlen(starved_marker);
	/* What is said of the CPUs is not so sure then, but where it was found by that thread. */
	if (!by_thread && f->confidence == CONFIDENCE_CERTAIN && f->blame.known)
		f->blame.unsure = "RCU's own thread did not run";
	size_t digits = strspn(count, "0123456789");
	f->why = finding_text(out, "%s; RCU's own thread, which ends grace periods, did not run for "
			      "%.*s jiffies", f->why, (int)digits, count);
	if (by_thread)
		f->why = finding_text(out, "%s, though it could have on CPU %d", f->why,
				      starved_thread_cpu(facts));
	else
		f->against = "it may be that thread that was kept from running, and not a reader";
	finding_evidence(out, f, "log", "%s", r->text);
}

enum { PID_MAX_LIMIT = 4 << 20 }; /* include/linux/threads.h */

/* A reader that was put off its CPU: " P102/1:b..l" behind "Tasks blocked on level-0 rcu_node". */
static const struct task *blocked_reader(const struct facts *facts)
{
	const struct log_record *r = facts_log_find_last(facts, "Tasks blocked on level-");
	const char *at = r ? strstr(r->text, " P") : NULL;
	long pid = at ? strtol(at + strlen(" P"), NULL, 10) : 0;

	return pid > 0 && pid <= PID_MAX_LIMIT ? task_by_pid(facts->session, (int32_t)pid) : NULL;
}

static void blame_reader(const struct facts *facts, const struct task *task, struct findings *out,
			 struct finding *f)
{
	struct stack stack = { 0 };

	task_stack(facts->session, task, &stack);
	f->task = task;
	f->what = finding_text(out, "%.*s (pid %d) was put off its CPU while it read, and held up a grace "
			       "period; the kernel panicked %s: \"%s\"", (int)sizeof(task->comm),
			       task->comm, task->pid, facts_where(facts), facts->panic_message);
	f->blame = facts_blame_stack(facts, &stack, 0);
	f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	f->against = "whoever kept it from running again may be to blame as well";
	finding_evidence(out, f, finding_text(out, "bt -A %d", task->pid), "the reader's stack");
	stack_deinit(&stack);
}

/* A reader that sleeps for a lock, as it may with PREEMPT_RT, is a victim of who has that. */
static bool reader_waits(const struct facts *facts, const struct task *task, struct findings *out,
			 struct finding *f)
{
	const char *kind = f->kind, *title = f->title;

	if (!task || !facts->session->unwinder)
		return false;
	const struct wait_graph *graph = wait_graph(facts->session);
	size_t node = wait_graph_node_of(graph, task);
	if (node == SIZE_MAX || graph->nodes[node].wait.kind != WAIT_LOCK ||
	    !graph->nodes[node].wait.object || !waiting_blame(facts, task, out, f))
		return false;
	/* A stall it is all the same, also where those who wait do so in a ring. */
	f->kind = kind;
	f->title = title;
	f->what = finding_text(out, "%s while it held up an RCU grace period; the kernel panicked %s: "
			       "\"%s\"", f->what, facts_where(facts), facts->panic_message);
	return true;
}

/*
 * An RCU stall of which the log names no CPU: a reader that sleeps, a CPU that does not let RCU's
 * thread run (true then), or nothing is known.
 */
static bool blame_nameless(const struct facts *facts, struct findings *out, struct finding *f)
{
	f->against = "the log does not name the CPU that stalled";
	if (!facts->session->symbols || facts->session->text)
		return false;
	const struct task *reader = blocked_reader(facts);
	int cpu = starved_thread_cpu(facts);
	if (reader)
		blame_reader(facts, reader, out, f);
	else if (cpu >= 0 && cpu != facts->cpu)
		blame_other(facts, cpu, out, f);
	return !reader && cpu >= 0 && cpu != facts->cpu;
}

void watched_blame(const struct facts *facts, struct findings *out, struct finding *f)
{
	bool stall = strcmp(f->kind, "rcu-stall") == 0;
	int cpu = stall ? stalled_cpu(facts)
		  : strcmp(f->kind, "hardlockup") == 0 ? locked_up_cpu(facts)
						       : -1;

	if (spinners_blame(facts, cpu, out, f) || waits_for_cpu(facts, cpu, out, f) ||
	    (stall && cpu < 0 && reader_waits(facts, blocked_reader(facts), out, f)))
		return;
	bool by_thread = false;
	if (cpu >= 0 && cpu != facts->cpu)
		blame_other(facts, cpu, out, f);
	else if (cpu < 0 && stall)
		by_thread = blame_nameless(facts, out, f);
	else if (facts_interrupted(facts) != SIZE_MAX && facts->session->symbols)
		describe(facts, &facts->stack, facts->cpu, facts_where(facts), out, f);
	if (stall && f->why)
		note_starved_thread(facts, by_thread, out, f);
}
