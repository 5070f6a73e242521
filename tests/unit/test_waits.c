// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who waits for whom, on graphs made by hand; what functions' names say of locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "forensics/caught.h"
#include "forensics/cpu_picture.h"
#include "forensics/wait_cycles.h"

enum { NODES = 8, NOBODY = -1 };

struct made {
	struct wait_graph graph;
	struct task tasks[NODES];
};

static void add_owner(struct resource *r, int node, bool sure)
{
	r->owners[r->owner_count++] = (struct owner){ .node = (size_t)node, .sure = sure };
}

/* Resource n is owned by task n; task n waits for what waits[n] owns. */
static void make_graph(struct made *made, const int waits[NODES])
{
	struct wait_graph *g = &made->graph;

	*made = (struct made){ 0 };
	g->node_count = g->resource_count = NODES;
	g->nodes = calloc(NODES, sizeof(*g->nodes));
	g->resources = calloc(NODES, sizeof(*g->resources));
	assert_non_null(g->nodes);
	assert_non_null(g->resources);
	for (int i = 0; i < NODES; i++) {
		g->nodes[i].task = &made->tasks[i];
		g->nodes[i].resource = waits[i] == NOBODY ? SIZE_MAX : (size_t)waits[i];
		g->nodes[i].owned = 1;
		add_owner(&g->resources[i], i, true);
	}
}

static void free_graph(struct made *made)
{
	free(made->graph.nodes);
	free(made->graph.resources);
	free(made->graph.cycles);
	arena_deinit(&made->graph.arena);
}

static void test_chain_is_no_ring(void **state)
{
	(void)state;
	const int waits[NODES] = { 1, 2, 3, NOBODY, 3, 3, NOBODY, NOBODY };
	struct made made;
	size_t path[NODES];

	make_graph(&made, waits);
	wait_cycles_find(&made.graph);
	wait_victims_count(&made.graph);
	assert_int_equal(made.graph.cycle_count, 0);
	assert_int_equal(made.graph.nodes[3].victims, 5);
	assert_int_equal(made.graph.nodes[1].victims, 1);
	assert_int_equal(made.graph.nodes[7].victims, 0);
	assert_int_equal(wait_graph_chain(&made.graph, 0, path, NODES), 4);
	assert_int_equal(path[3], 3);
	assert_int_equal(wait_graph_chain(&made.graph, 0, path, 2), 2);
	free_graph(&made);
}

static void test_rings(void **state)
{
	(void)state;
	/* Two that wait for each other, three, one that waits for itself, and a tail. */
	const int waits[NODES] = { 1, 0, 3, 4, 2, 5, 0, NOBODY };
	struct made made;
	size_t path[NODES];

	make_graph(&made, waits);
	wait_cycles_find(&made.graph);
	wait_victims_count(&made.graph);
	assert_int_equal(made.graph.cycle_count, 3);
	assert_int_equal(made.graph.cycles[0].count, 2);
	assert_int_equal(made.graph.cycles[1].count, 3);
	assert_int_equal(made.graph.cycles[2].count, 1);
	assert_true(made.graph.cycles[1].sure);
	assert_int_equal(made.graph.nodes[6].cycle, 0);
	assert_int_equal(made.graph.nodes[0].cycle, made.graph.nodes[1].cycle);
	/* Who waits behind a ring is its victim, and not in it. */
	assert_int_equal(made.graph.nodes[0].victims, 2);
	assert_int_equal(wait_graph_chain(&made.graph, 6, path, NODES), 3);
	free_graph(&made);
}

static void test_ring_is_as_sure_as_its_weakest_link(void **state)
{
	(void)state;
	const int waits[NODES] = { 1, 0, NOBODY, NOBODY, 5, 4, NOBODY, NOBODY };
	struct made made;

	make_graph(&made, waits);
	made.graph.resources[1].owners[0].sure = false;
	/* Known by memory that may have changed, and no list of waiters confirms it. */
	made.graph.nodes[5].wait.memory = true;
	wait_cycles_find(&made.graph);
	assert_int_equal(made.graph.cycle_count, 2);
	assert_false(made.graph.cycles[0].sure);
	assert_false(made.graph.cycles[1].sure);
	free_graph(&made);

	make_graph(&made, waits);
	made.graph.nodes[5].wait.memory = made.graph.nodes[5].wait.confirmed = true;
	wait_cycles_find(&made.graph);
	assert_true(made.graph.cycles[0].sure);
	assert_true(made.graph.cycles[1].sure);
	free_graph(&made);
}

static void test_second_owner_closes_a_ring(void **state)
{
	(void)state;
	/* 0 waits for readers 1 and 2 of a lock; 2 waits for 0. */
	const int waits[NODES] = { 1, NOBODY, 0, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY };
	struct made made;

	make_graph(&made, waits);
	add_owner(&made.graph.resources[1], 2, false);
	wait_cycles_find(&made.graph);
	assert_int_equal(made.graph.cycle_count, 1);
	assert_int_equal(made.graph.cycles[0].count, 2);
	assert_false(made.graph.cycles[0].sure);
	assert_int_equal(made.graph.nodes[1].cycle, 0);
	free_graph(&made);
}

static void test_lock_functions(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int kind; /* -1: none */
		enum lock_act act;
		bool shared;
	} cases[] = {
		{ "_raw_spin_lock_irqsave", LOCK_SPIN, LOCK_TAKE, false },
		{ "_raw_spin_trylock_bh", LOCK_SPIN, LOCK_TRY, false },
		{ "_raw_spin_unlock_irqrestore", LOCK_SPIN, LOCK_GIVE, false },
		{ "native_queued_spin_lock_slowpath", LOCK_SPIN, LOCK_TAKE, false },
		{ "_raw_write_lock_irq", LOCK_READ_WRITE, LOCK_TAKE, false },
		{ "_raw_read_unlock_bh", LOCK_READ_WRITE, LOCK_GIVE, true },
		{ "queued_read_lock_slowpath", LOCK_READ_WRITE, LOCK_TAKE, true },
		{ "mutex_lock", LOCK_MUTEX, LOCK_TAKE, false },
		{ "mutex_lock_interruptible", LOCK_MUTEX, LOCK_TRY, false },
		{ "mutex_unlock", LOCK_MUTEX, LOCK_GIVE, false },
		{ "down_read", LOCK_RWSEM, LOCK_TAKE, true },
		{ "down_write_killable", LOCK_RWSEM, LOCK_TRY, false },
		{ "up_write", LOCK_RWSEM, LOCK_GIVE, false },
		{ "up_read", LOCK_RWSEM, LOCK_GIVE, true },
		{ "down", LOCK_SEMAPHORE, LOCK_TAKE, false },
		{ "up", LOCK_SEMAPHORE, LOCK_GIVE, false },
		{ "complete_all", LOCK_COMPLETION, LOCK_GIVE, false },
		{ "mutex_is_locked", -1, LOCK_TAKE, false },
		{ "update_process_times", -1, LOCK_TAKE, false },
		{ "download", -1, LOCK_TAKE, false },
		{ "vfs_read", -1, LOCK_TAKE, false },
		{ "completed", -1, LOCK_TAKE, false },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		const struct lock_function *f = lock_function_of(cases[i].name);
		if (cases[i].kind < 0) {
			assert_null(f);
			continue;
		}
		assert_non_null(f);
		assert_int_equal((int)f->kind, cases[i].kind);
		assert_int_equal(f->act, cases[i].act);
		assert_int_equal(f->shared, cases[i].shared);
	}
}

static void test_preempt_counts(void **state)
{
	(void)state;
	struct arena arena = { 0 };

	assert_string_equal(cpu_context_words(0, &arena), "");
	/* The top bit is upside down on x86, and no count. */
	assert_string_equal(cpu_context_words(0x80000000, &arena), "");
	assert_string_equal(cpu_context_words(0x80000001, &arena), "preemption off (1)");
	assert_string_equal(cpu_context_words(0x100, &arena), "in a softirq");
	assert_string_equal(cpu_context_words(0x202, &arena), "softirqs off, preemption off (2)");
	assert_string_equal(cpu_context_words(0x110300, &arena),
			    "in an NMI, in an interrupt, in a softirq, softirqs off");
	arena_deinit(&arena);
}

/* --- Where a CPU was before the crash took it. --- */

enum { FRAMES = 16 };
static const struct module a_module;

/*
 * A stack by its functions, the innermost first; "|" before one: an interrupt left its registers
 * there; "!": it is of a module.
 */
struct caught_case {
	const char *frames[FRAMES];
	size_t caught, busy;
};

/* @user: is user code told to be caught? */
static void check_caught(const struct caught_case *c, enum stack_end end, bool user)
{
	struct session session = { .symbols = symbols_create_empty(NULL) };
	struct symbol_place places[FRAMES];
	struct frame frames[FRAMES] = { 0 };
	struct stack stack = { .frames = frames, .end = end };

	for (; stack.count < FRAMES && c->frames[stack.count]; stack.count++) {
		const char *name = c->frames[stack.count];
		uint64_t at = UINT64_C(0xffffffff81000000) + stack.count * 0x100;
		struct frame *f = &frames[stack.count];
		f->has_regs = *name == '|' || !stack.count;
		name += *name == '|';
		places[stack.count] = (struct symbol_place){
			.address = at, .size = 0x100, .name = name + (*name == '!'),
			.module = *name == '!' ? &a_module : NULL,
		};
		f->pc = at + 0x10;
	}
	symbols_set_places(session.symbols, places, stack.count);
	assert_int_equal(stack_caught_at(&session, &stack), c->caught);
	assert_int_equal(stack_busy_at(&session, &stack, SIZE_MAX), c->busy);
	assert_int_equal(stack_caught_user(&session, &stack), user);
	symbols_destroy(session.symbols);
}

static void test_caught(void **state)
{
	(void)state;
	static const struct caught_case cases[] = {
		/* A watchdog that panicked. */
		{ { "delay_tsc", "panic", "watchdog_timer_fn", "sysvec_apic_timer_interrupt",
		    "asm_sysvec_apic_timer_interrupt", "|!walk", "!work" }, 5, 5 },
		/* Two at once: the second waits in panic() until the first one stops it. */
		{ { "stop_this_cpu", "smp_stop_nmi_callback", "exc_nmi", "|panic_smp_self_stop",
		    "panic", "watchdog_timer_fn", "sysvec_apic_timer_interrupt", "|delay_tsc",
		    "!test_wait" }, 7, 7 },
		/* Interrupted by its tick behind the end of panic(). */
		{ { "ktime_get", "sysvec_apic_timer_interrupt", "|delay_tsc", "panic",
		    "watchdog_timer_fn", "sysvec_apic_timer_interrupt", "|!walk" }, 6, 6 },
		/* Stopped in a tick. */
		{ { "stop_this_cpu", "exc_nmi", "|ktime_get", "sysvec_apic_timer_interrupt",
		    "asm_sysvec_apic_timer_interrupt", "|!walk", "!work" }, 2, 5 },
		/* Stopped in a softirq, in a module's timer: that may be what does not end. */
		{ { "stop_this_cpu", "exc_nmi", "|net_rx_action", "__do_softirq",
		    "sysvec_apic_timer_interrupt", "|!walk" }, 2, 2 },
		/* But not where the softirqs' own function was about to begin. */
		{ { "stop_this_cpu", "sysvec_reboot", "|handle_softirqs", "__irq_exit_rcu",
		    "sysvec_apic_timer_interrupt", "|!walk" }, 2, 5 },
		{ { "stop_this_cpu", "exc_nmi", "|!tick", "__hrtimer_run_queues",
		    "sysvec_apic_timer_interrupt", "|!walk" }, 2, 2 },
		/* Panicked where it was; stopped in a tick while idle. */
		{ { "panic", "sysrq_handle_crash", "write_sysrq_trigger" }, 0, 0 },
		{ { "stop_this_cpu", "sysvec_reboot", "|default_idle", "do_idle" }, 2, 2 },
		/* Not stopped at all. */
		{ { "!walk", "!work" }, 0, 0 },
	};

	for (size_t i = 0; i < array_size(cases); i++)
		check_caught(&cases[i], STACK_END_KTHREAD, false);
}

static void test_caught_user(void **state)
{
	(void)state;
	static const struct caught_case user[] = {
		{ { "stop_this_cpu", "crash_nmi_callback", "exc_nmi" }, 0, 0 },
		{ { "delay_tsc", "panic", "watchdog_timer_fn", "sysvec_apic_timer_interrupt",
		    "asm_sysvec_apic_timer_interrupt" }, 0, 0 },
		{ { "stop_this_cpu", "exc_nmi", "|ktime_get", "sysvec_apic_timer_interrupt" }, 2, 2 },
		{ { "ktime_get", "sysvec_apic_timer_interrupt" }, 0, 0 },
	};
	/* What the kernel did for it: memory, a system call, a signal that ends it. */
	static const struct caught_case kernel[] = {
		{ { "panic", "out_of_memory", "handle_mm_fault", "do_user_addr_fault",
		    "exc_page_fault", "asm_exc_page_fault" }, 0, 0 },
		{ { "panic", "sysrq_handle_crash", "do_syscall_64" }, 0, 0 },
		{ { "panic", "do_exit", "get_signal", "irqentry_exit_to_user_mode",
		    "asm_sysvec_apic_timer_interrupt" }, 0, 0 },
		{ { "stop_this_cpu", "exc_nmi", "|walk", "exc_page_fault" }, 2, 2 },
	};

	for (size_t i = 0; i < array_size(user); i++)
		check_caught(&user[i], STACK_END_USER, true);
	for (size_t i = 0; i < array_size(kernel); i++)
		check_caught(&kernel[i], STACK_END_USER, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_is_no_ring),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_ring_is_as_sure_as_its_weakest_link),
		cmocka_unit_test(test_second_owner_closes_a_ring),
		cmocka_unit_test(test_lock_functions),
		cmocka_unit_test(test_preempt_counts),
		cmocka_unit_test(test_caught),
		cmocka_unit_test(test_caught_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
