// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each kind of resource has its own way to its owners, a row of a table. Locks that keep no owner
 * are looked for in the code of all threads: only those are followed whose functions call a locking
 * function at all, and of threads with equal stacks one tells whether it can hold anything.
 *
 * Sources, in linux/: kernel/workqueue.c (struct worker, pool_workqueue, the flags in work->data),
 * kernel/smp.c (cfd_data, csd flags), include/uapi/linux/futex.h; user space: struct
 * __pthread_mutex_s of glibc (nptl), owner at offset 8.
 */
#include "forensics/wait_owners.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "forensics/args_frame.h"
#include "forensics/wait_search.h"
#include "kernel/anchors.h"
#include "kernel/code_env.h"
#include "kernel/cpus.h"
#include "kernel/fuse.h"
#include "kernel/journal.h"
#include "kernel/mappings.h"

enum {
	PF_WQ_WORKER = 0x20,          /* include/linux/sched.h */
	WORK_STRUCT_PENDING = 1,      /* include/linux/workqueue.h */
	WORK_STRUCT_PWQ = 4,          /* bit 2: data points to a pool_workqueue */
	WORK_FLAG_MASK = 0xff,
	FUTEX_TID_MASK = 0x3fffffff,
	GLIBC_MUTEX_OWNER = 8,
	CSD_FLAG_LOCK = 1,
	WHY_FRAMES = 24,
	BY_CODE_TASKS = 20000,
	WORDS_CHECKED_MAX = 500,
};

static bool node_of(const struct wait_search *x, uint64_t task, size_t *node)
{
	uint64_t value = 0;
	bool known = task && map_get(&x->nodes, task, &value);

	*node = (size_t)value;
	return known;
}

/* The surest come first; a trace that may be stale comes after what the code still shows. */
static unsigned doubt(const struct owner *owner)
{
	return owner->sure ? 0 : owner->how != OWNER_HINT ? 1 : 2;
}

void wait_add_owner(struct wait_search *x, struct resource *r, uint64_t task, enum owner_how how,
		    bool sure, const char *why)
{
	size_t node;

	if (!node_of(x, task, &node) || r->owner_count == OWNERS_MAX)
		return;
	for (unsigned i = 0; i < r->owner_count; i++) {
		if (r->owners[i].node == node)
			return;
	}
	struct owner owner = { .node = node, .how = how, .sure = sure, .why = why };
	unsigned at = r->owner_count++;
	for (; at && doubt(&owner) < doubt(&r->owners[at - 1]); at--)
		r->owners[at] = r->owners[at - 1];
	r->owners[at] = owner;
}

/* The lock remembers the task: no longer needed where better is known of it. */
static bool drop_hint(const struct wait_search *x, struct resource *r, uint64_t task)
{
	for (unsigned i = 0; i < r->owner_count; i++) {
		if (r->owners[i].how != OWNER_HINT ||
		    x->graph->nodes[r->owners[i].node].task->address != task)
			continue;
		r->owner_count--;
		memmove(&r->owners[i], &r->owners[i + 1],
			(r->owner_count - i) * sizeof(r->owners[0]));
		return true;
	}
	return false;
}

/* --- Owner words. --- */

static uint64_t seqlock_spinlock(struct session *s)
{
	uint64_t offset;

	return koffset(s, "seqlock_t", "lock", &offset) ? offset : sizeof(uint32_t);
}

/* The kind of lock that the code of who has it took: a writer's, of a sequence number. */
static enum lock_kind kind_in_code(struct session *s, enum lock_kind kind)
{
	return kind != LOCK_SEQ ? kind : locks_are_rt(s) ? LOCK_SLEEPING_SPIN : LOCK_SPIN;
}

static void owners_of_lock(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];

	const struct task *owner = r->state_known && r->state.owner && !r->state.owner_is_hint &&
						   x->words_checked++ < WORDS_CHECKED_MAX
					   ? task_by_address(x->s, r->state.owner) : NULL;

	r->owner_younger = owner &&
			   owner_word_younger(x->s, x->graph, index, owner, &x->clocks);
	if (owner && (r->owner_younger ||
		      !owner_word_fits(x->s, owner, r->lock_kind, r->object))) {
		r->left_behind = owner;
		return;
	}
	if (r->state_known && r->state.owner)
		wait_add_owner(x, r, r->state.owner,
			       r->state.owner_is_hint ? OWNER_HINT : OWNER_WORD,
			       !r->state.owner_is_hint,
			       !r->state.owner_is_hint ? "the lock's owner word"
			       : r->state.shared ? "the lock remembers it as its last reader"
						 : "the lock remembers it as its last holder");
	if (!r->state_known || !r->state.owner || r->state.owner_is_hint) {
		/* Who writes has the spinlock behind the sequence number (seqlock_t). */
		bool sequence = r->lock_kind == LOCK_SEQ;
		map_set(&x->wanted, r->object + (sequence ? seqlock_spinlock(x->s) : 0), index);
		x->kinds |= 1u << kind_in_code(x->s, r->lock_kind);
	}
}

/* --- Works. --- */

uint64_t worker_of_task(struct session *s, const struct task *task)
{
	uint64_t function, data;

	return task->flags & PF_WQ_WORKER && kthread_of(s, task, &function, &data) ? data : 0;
}

typedef void (*worker_fn)(struct wait_search *x, struct resource *r, const struct task *task,
			  uint64_t worker, uint64_t key);

static void each_worker(struct wait_search *x, struct resource *r, uint64_t key, worker_fn fn)
{
	for (size_t i = 0; i < x->graph->node_count; i++) {
		const struct task *task = x->graph->nodes[i].task;
		uint64_t worker = worker_of_task(x->s, task);
		if (worker)
			fn(x, r, task, worker, key);
	}
}

static void if_runs_work(struct wait_search *x, struct resource *r, const struct task *task,
			 uint64_t worker, uint64_t work)
{
	uint64_t current;

	if (kread(x->s, worker, "worker", "current_work", &current) && current == work)
		wait_add_owner(x, r, task->address, OWNER_WORKER, true, "it runs that work");
}

/* A work that waits in a queue comes after those of the queue that run. */
static void if_runs_of_pwq(struct wait_search *x, struct resource *r, const struct task *task,
			   uint64_t worker, uint64_t pwq)
{
	uint64_t current;

	if (kread(x->s, worker, "worker", "current_pwq", &current) && current == pwq)
		wait_add_owner(x, r, task->address, OWNER_WORKER, false,
			       "it runs another work of the same queue, before it");
}

static void if_runs_of_queue(struct wait_search *x, struct resource *r, const struct task *task,
			     uint64_t worker, uint64_t queue)
{
	uint64_t pwq, wq;

	if (kread(x->s, worker, "worker", "current_pwq", &pwq) && pwq &&
	    kread(x->s, pwq, "pool_workqueue", "wq", &wq) && wq == queue)
		wait_add_owner(x, r, task->address, OWNER_WORKER, true, "it runs a work of that queue");
}

static void owners_of_work(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	uint64_t data;

	each_worker(x, r, r->object, if_runs_work);
	if (r->owner_count || !kread(x->s, r->object, "work_struct", "data.counter|data", &data) ||
	    !(data & WORK_STRUCT_PENDING) || !(data & WORK_STRUCT_PWQ))
		return;
	each_worker(x, r, data & ~(uint64_t)WORK_FLAG_MASK, if_runs_of_pwq);
}

static void owners_of_workqueue(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];

	each_worker(x, r, r->object, if_runs_of_queue);
}

static void owners_of_kthread(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];

	wait_add_owner(x, r, r->object, OWNER_ITSELF, true, "it is the thread that is to end");
}

/* --- Inodes. --- */

/* Who frees an inode is in evict() with it, or in what that calls (fs/inode.c). */
static bool frees_inode(struct session *s, const struct task *task, struct stack *stack,
			uint64_t inode, bool *sure)
{
	for (size_t i = 0; i < stack->count && i < WHY_FRAMES; i++) {
		const struct frame *f = &stack->frames[i];
		struct symbol symbol;
		uint64_t value;
		bool memory;
		if (f->how == FRAME_SCAN ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &symbol) ||
		    strcmp(symbol.name, "evict") != 0)
			continue;
		if (frame_argument(s, task, stack, i, 0, &value, &memory) && value == inode) {
			*sure = !memory;
			return true;
		}
	}
	return false;
}

static void owners_of_inode(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];

	for (size_t i = 0; i < x->graph->node_count && i < BY_CODE_TASKS; i++) {
		const struct task *task = x->graph->nodes[i].task;
		struct stack stack = { 0 };
		bool sure = false;
		if ((task->road == ROAD_IDLE && !task->on_cpu) || session_stopped(x->s))
			continue;
		task_stack(x->s, task, &stack);
		if (frees_inode(x->s, task, &stack, r->object, &sure))
			wait_add_owner(x, r, task->address, OWNER_CODE, sure, "it is freeing that inode, in evict()");
		stack_deinit(&stack);
	}
}

/* --- Journals. --- */

static void add_handles(struct wait_search *x, struct resource *r, const struct journal *journal)
{
	for (size_t i = 0; i < x->graph->node_count && !session_stopped(x->s); i++) {
		const struct task *task = x->graph->nodes[i].task;
		if (journal_has_handle(x->s, journal, task))
			wait_add_owner(x, r, task->address, OWNER_WORD, true,
				       "it has begun a change in it and not ended that");
	}
}

static void owners_of_journal(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	struct journal journal;
	struct lock_state state;

	if (!journal_of_queue(x->s, r->object, &journal))
		return;
	uint64_t barrier = journal_barrier(x->s, &journal);
	if (journal.wait == JOURNAL_HANDLES)
		add_handles(x, r, &journal);
	else if (journal.wait == JOURNAL_NEW_TRANSACTION && barrier) {
		if (lock_state_of(x->s, LOCK_MUTEX, barrier, &state) && state.owner)
			wait_add_owner(x, r, state.owner, OWNER_WORD, true,
				       "it has locked the journal's barrier");
	} else if (journal.wait != JOURNAL_ROOM)
		wait_add_owner(x, r, journal.task->address, OWNER_ITSELF, true,
			       "the journal's thread is to do that");
}

/* --- File systems in user space. --- */

/*
 * A program that serves one and is blocked itself does not answer before that ends. Of several
 * threads another may.
 */
static void owners_of_fuse(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	uint64_t connection = fuse_connection(x->s, r->object);
	const struct other_end *end = &x->fuse_end;

	if (!connection)
		return;
	if (connection != x->fuse_connection)
		other_end_of_fuse(x->s, connection, &x->fuse_end);
	x->fuse_connection = connection;
	for (size_t i = 0; i < x->graph->node_count; i++) {
		const struct wait_node *n = &x->graph->nodes[i];
		for (size_t k = 0; k < end->count && k < OTHER_END_TASKS; k++) {
			if (n->task->tgid != end->tasks[k]->tgid || !wait_node_blocked(n))
				continue;
			size_t threads = 0;
			for (size_t t = 0; t < x->graph->node_count; t++)
				threads += x->graph->nodes[t].task->tgid == n->task->tgid;
			wait_add_owner(x, r, n->task->address, OWNER_ITSELF,
				       threads == 1 && end->count == 1, "it is to answer that");
		}
	}
}

/* --- Futexes. --- */

static bool user_word(struct session *s, const struct task *task, uint64_t at, uint32_t *value)
{
	struct page_root root;
	struct error *error = task_page_root(s, task, &root);

	if (error) {
		error_free(error);
		return false;
	}
	return memory_read_user(s->memory, &root, at, value, sizeof(*value), NULL) == READ_OK;
}

static void owners_of_futex(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	const struct task *waiter = NULL, *owner;
	uint32_t word, id;

	for (size_t i = 0; i < x->graph->node_count && !waiter; i++) {
		if (x->graph->nodes[i].resource == index)
			waiter = x->graph->nodes[i].task;
	}
	if (!waiter || !user_word(x->s, waiter, r->object, &word))
		return;
	/* A PI futex holds the owner's thread id itself (see FUTEX_LOCK_PI, futex(2)). */
	owner = word > 2 ? task_by_pid(x->s, (int32_t)(word & FUTEX_TID_MASK)) : NULL;
	if (owner && owner->mm == waiter->mm) {
		wait_add_owner(x, r, owner->address, OWNER_WORD, true, "the futex holds its thread id");
		return;
	}
	/* 2: locked, with waiters (nptl/lowlevellock.h). */
	if (word != 2 || !user_word(x->s, waiter, r->object + GLIBC_MUTEX_OWNER, &id))
		return;
	owner = task_by_pid(x->s, (int32_t)id);
	if (owner && owner->mm == waiter->mm)
		wait_add_owner(x, r, owner->address, OWNER_HINT, false,
			  "owner of the pthread mutex that the futex belongs to, as glibc lays it out");
}

/* --- Calls of other CPUs. --- */

static void owners_of_cpu_call(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	const struct cpu *cpu = r->object ? cpu_by_id(x->s, (unsigned)(r->object - 1)) : NULL;

	if (cpu && cpu->current_task)
		wait_add_owner(x, r, cpu->current_task, OWNER_ITSELF, true,
			       "it runs on the CPU that does not answer");
}

/* The CPU that has not answered: its csd is still locked. */
static int silent_cpu(struct session *s, int caller)
{
	uint64_t data = caller >= 0 ? kpercpu(s, "cfd_data", (unsigned)caller) : 0, csd, offset;
	size_t n;
	const struct cpu *all = cpus(s, &n);

	if (!data || !kread(s, data, "call_function_data", "csd|pcpu", &csd))
		return -1;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = csd + all[i].percpu_offset;
		uint32_t flags = 0;
		/* 5.11 to 6.0 keep the csd in a struct cfd_percpu, as its first member. */
		if (!koffset(s, "call_single_data_t|__call_single_data", "node.u_flags|flags",
			     &offset))
			offset = 8;
		(void)memory_u32(s->memory, at + offset, &flags);
		if ((int)all[i].id != caller && flags & CSD_FLAG_LOCK)
			return (int)all[i].id;
	}
	return -1;
}

void wait_for_cpu(struct session *s, const struct task *task, struct stack *stack,
		  struct wait *wait, struct arena *arena)
{
	for (size_t i = 0; i < stack->count && i < WHY_FRAMES; i++) {
		const struct frame *f = &stack->frames[i];
		struct symbol symbol;
		uint64_t cpu = 0;
		bool memory = false;
		if (f->how == FRAME_SCAN ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &symbol))
			continue;
		bool many = starts_with(symbol.name, "smp_call_function_many"),
		     single = starts_with(symbol.name, "smp_call_function_single");
		if (!many && !single)
			continue;
		int silent = many ? silent_cpu(s, task->cpu)
			     : frame_argument(s, task, stack, i, 0, &cpu, &memory) &&
					     cpu_by_id(s, (unsigned)cpu)
				     ? (int)cpu : -1;
		*wait = (struct wait){
			.kind = WAIT_CPU_CALL,
			.object = silent >= 0 ? (uint64_t)silent + 1 : 0,
			.memory = memory,
			.frame = i,
			.function = arena_strndup(arena, symbol.name, strcspn(symbol.name, ".")),
		};
		return;
	}
}

/* --- By the code of those who took it. --- */

static bool calls_lock(struct wait_search *x, uint64_t pc, uint64_t *only)
{
	const char *why;
	const struct cfg *cfg = code_cfg(x->s, pc, &why);
	uint64_t packed, count = 0;
	struct symbol symbol;

	*only = 0;
	if (!cfg)
		return false;
	if (!map_get(&x->functions, cfg->entry, &packed)) {
		/* The return address of a single call, or 1: several, or 0: none. */
		packed = 0;
		for (uint32_t i = 0; i < cfg->insn_count; i++) {
			const struct cfg_insn *insn = &cfg->insns[i];
			if (insn->role != CFG_CALL || !insn->target ||
			    !symbols_by_address(x->s->symbols, insn->target, &symbol))
				continue;
			char name[64];
			size_t length = strcspn(symbol.name, ".");
			if (length >= sizeof(name))
				continue;
			memcpy(name, symbol.name, length);
			name[length] = '\0';
			const struct lock_function *function = lock_function_of(name);
			if (!function || !(x->kinds >> function->kind & 1))
				continue;
			count++;
			packed = count == 1 ? insn->at + insn->insn.length : 1;
		}
		map_set(&x->functions, cfg->entry, packed);
	}
	*only = packed;
	return packed;
}

/* Can the code of this stack's functions hold or complete anything at all? */
static bool may_hold(struct wait_search *x, const struct stack *stack)
{
	for (size_t i = 0; i < stack->count && i < WHY_FRAMES * 2; i++) {
		const struct frame *f = &stack->frames[i];
		uint64_t only;
		if (f->how == FRAME_SCAN ||
		    !calls_lock(x, f->is_call ? f->pc - 1 : f->pc, &only))
			continue;
		if (only == 1 || only != f->pc)
			return true;
	}
	return false;
}

static uint64_t stack_hash(const struct stack *stack)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < stack->count; i++)
		hash = (hash ^ stack->frames[i].pc) * 1099511628211u;
	return hash;
}

static void add_by_code(struct wait_search *x, const struct task *task,
			const struct stack_locks *locks)
{
	for (size_t i = 0; i < locks->held_count; i++) {
		const struct held_lock *held = &locks->held[i];
		uint64_t index;
		if (!map_get(&x->wanted, held->lock, &index))
			continue;
		struct resource *r = &x->graph->resources[index];
		/* A semaphore begins with the spinlock of its own: that one is not meant. */
		enum lock_kind wanted = kind_in_code(x->s, r->lock_kind);
		if (r->kind != WAIT_LOCK || wanted != held->kind)
			continue;
		/* What is read by some was not taken for writing, and the other way round. */
		if (r->lock_kind == LOCK_RWSEM && r->state_known && r->state.held &&
		    r->state.shared != held->shared)
			continue;
		/* Nobody sleeps, or is put off the CPU, with a spinning lock. */
		if (!task->on_cpu && (held->kind == LOCK_SPIN || held->kind == LOCK_READ_WRITE))
			continue;
		/* Who waits for a completion and is to complete it later does not do so first. */
		size_t node;
		if (held->to_complete && node_of(x, task->address, &node) &&
		    x->graph->nodes[node].resource == index)
			continue;
		bool sure = held->all_ways && !held->memory;
		const char *why = arena_printf(&x->graph->arena,
					       held->to_complete
						       ? "%s is to call %s for it"
						       : "%s took it with %s and has not given it back",
					       held->taker, held->function);
		/* The lock's own hint and the code agree: that is as good as its word. */
		if (drop_hint(x, r, task->address))
			sure = true;
		wait_add_owner(x, r, task->address, OWNER_CODE, sure, why);
	}
}

static void search_code(struct wait_search *x)
{
	if (!x->wanted.count)
		return;
	for (size_t i = 0; i < x->graph->node_count && i < BY_CODE_TASKS; i++) {
		const struct wait_node *node = &x->graph->nodes[i];
		struct stack stack = { 0 };
		uint64_t unused;
		if ((node->task->road == ROAD_IDLE && !node->task->on_cpu) || session_stopped(x->s))
			continue;
		task_stack(x->s, node->task, &stack);
		uint64_t hash = stack_hash(&stack);
		if (!map_get(&x->barren, hash, &unused)) {
			struct stack_locks locks = { 0 };
			/* On a CPU also what small functions took is looked for. */
			bool may = node->task->on_cpu || may_hold(x, &stack);
			if (may)
				stack_locks_find(x->s, node->task, &stack, x->kinds, &locks);
			if (!may || (!locks.held_count && !locks.undecided))
				map_set(&x->barren, hash, 1);
			add_by_code(x, node->task, &locks);
			stack_locks_deinit(&locks);
		}
		stack_deinit(&stack);
	}
}

/* As many readers are known by their code as there are: the hint is of one who was, before. */
static void drop_stale_hints(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->resource_count; i++) {
		struct resource *r = &graph->resources[i];
		unsigned found = 0;
		/* Hints come last. */
		while (found < r->owner_count && r->owners[found].how != OWNER_HINT)
			found++;
		if (r->state_known && r->state.shared && r->state.readers &&
		    found >= r->state.readers)
			r->owner_count = found;
	}
}

/* --- The whole. --- */

static const struct {
	enum wait_kind kind;
	void (*find)(struct wait_search *x, size_t resource);
} ways[] = {
	{ WAIT_LOCK, owners_of_lock },         { WAIT_WORK, owners_of_work },
	{ WAIT_WORKQUEUE, owners_of_workqueue }, { WAIT_KTHREAD, owners_of_kthread },
	{ WAIT_FUTEX, owners_of_futex },       { WAIT_RCU, wait_owners_of_rcu },
	{ WAIT_CPU_CALL, owners_of_cpu_call }, { WAIT_INODE, owners_of_inode },
	{ WAIT_JOURNAL, owners_of_journal },   { WAIT_FUSE, owners_of_fuse },
	{ WAIT_PAGE, wait_owners_of_disk },    { WAIT_BUFFER, wait_owners_of_disk },
	{ WAIT_IO, wait_owners_of_disk },      { WAIT_FROZEN_QUEUE, wait_owners_of_disk },
};

void wait_owners_find(struct session *s, struct wait_graph *graph)
{
	struct wait_search x = { .s = s, .graph = graph };

	map_reserve(&x.nodes, graph->node_count);
	for (size_t i = 0; i < graph->node_count; i++)
		map_set(&x.nodes, graph->nodes[i].task->address, i);
	for (size_t r = 0; r < graph->resource_count; r++) {
		for (size_t w = 0; w < array_size(ways); w++) {
			if (ways[w].kind == graph->resources[r].kind)
				ways[w].find(&x, r);
		}
	}
	wait_owners_of_pages(&x);
	search_code(&x);
	drop_stale_hints(graph);
	map_deinit(&x.nodes);
	map_deinit(&x.wanted);
	map_deinit(&x.functions);
	map_deinit(&x.barren);
}
