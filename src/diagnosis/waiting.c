// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A watchdog names a victim. The wait-for graph (forensics/wait_graph.h) leads from it to the
 * root: a task that has what the others wait for and waits for none of them, a ring of tasks that
 * wait for each other, a lock whose owner is gone, or a thing that has no owner (I/O that does not
 * come back).
 */
#include "diagnosis/waiting.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/waiting_reasons.h"
#include "forensics/caught.h"
#include "forensics/wait_graph.h"

enum { CHAIN_MAX = 16, RING_TOLD = 6 };

struct telling {
	const struct facts *facts;
	struct findings *out;
	struct finding *f;
	const struct wait_graph *graph;
};

static const char *task_words(struct findings *out, const struct task *task)
{
	if (task->road == ROAD_IDLE)
		return finding_text(out, "the idle task of CPU %d", task->cpu);
	return finding_text(out, "%.*s (pid %d)", (int)sizeof(task->comm), task->comm, task->pid);
}

static const struct resource *resource_of(const struct telling *t, size_t node)
{
	size_t r = t->graph->nodes[node].resource;

	return r == SIZE_MAX ? NULL : &t->graph->resources[r];
}

static const char *wait_words(const struct telling *t, size_t node)
{
	const struct wait_node *n = &t->graph->nodes[node];
	const struct resource *r = resource_of(t, node);

	if (r)
		return r->name;
	return n->wait.kind == WAIT_LOCK ? finding_text(t->out, "a %s",
							lock_kind_name(n->wait.lock_kind))
					 : wait_kind_name(n->wait.kind);
}

/* The same where a sentence before has already named what the first of the chain waits for. */
static const char *wait_words_again(const struct telling *t, const size_t *chain, size_t at)
{
	const struct wait_node *n = &t->graph->nodes[chain[at]];

	if (resource_of(t, chain[at]) != resource_of(t, chain[0]) || n->wait.kind == WAIT_JOURNAL)
		return wait_words(t, chain[at]);
	return finding_text(t->out, "%s %s", n->wait.kind == WAIT_LOCK ? "the" : "that",
			    n->wait.kind == WAIT_LOCK ? lock_kind_name(n->wait.lock_kind)
						      : wait_kind_name(n->wait.kind));
}

static const struct owner *owner_link(const struct telling *t, size_t from, size_t to)
{
	const struct resource *r = resource_of(t, from);

	for (unsigned i = 0; r && i < r->owner_count; i++) {
		if (r->owners[i].node == to)
			return &r->owners[i];
	}
	return NULL;
}

/* Who is to blame, by what the task is doing: @why goes behind the function. */
static void blame_task(struct telling *t, size_t node, const char *why)
{
	const struct task *task = t->graph->nodes[node].task;
	struct stack stack = { 0 };

	task_stack(t->facts->session, task, &stack);
	/* Of a running one what an interrupt or NMI caught it at. */
	size_t from = task->on_cpu ? stack_busy_at(t->facts->session, &stack, SIZE_MAX)
				   : stack_asleep_at(t->facts->session, &stack);
	t->f->task = task;
	t->f->blame = facts_blame_stack(t->facts, &stack, from);
	t->f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	t->f->blame.skipped = NULL;
	if (t->f->blame.known)
		t->f->blame.because = why;
	finding_evidence(t->out, t->f, finding_text(t->out, "bt -A %d", task->pid), "%s is in %s",
			 task_words(t->out, task),
			 t->f->blame.known ? t->f->blame.function : "a function that is not known");
	stack_deinit(&stack);
}

static const char *ring_words(struct telling *t, const struct wait_cycle *ring)
{
	const struct task *task = t->graph->nodes[ring->nodes[0]].task;

	return ring->count == 1
		       ? finding_text(t->out, "%s waits for itself", task_words(t->out, task))
		       : finding_text(t->out, "%zu tasks wait for each other in a ring", ring->count);
}

static void tell_ring(struct telling *t, const struct wait_cycle *ring)
{
	auto_strbuf text = { 0 };

	t->f->kind = "deadlock";
	t->f->title = "Deadlock";
	for (size_t i = 0; i < ring->count && i < RING_TOLD; i++) {
		size_t node = ring->nodes[i], next = ring->nodes[(i + 1) % ring->count];
		strbuf_addf(&text, "%s%s waits for %s, which %s has", i ? "; " : "",
			    task_words(t->out, t->graph->nodes[node].task), wait_words(t, node),
			    next == node ? "it itself" : task_words(t->out, t->graph->nodes[next].task));
	}
	if (ring->count > RING_TOLD)
		strbuf_addf(&text, "; and so on, %zu tasks in a ring", ring->count);
	t->f->why = finding_text(t->out, "%s", strbuf_text(&text));
	t->f->confidence = ring->sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	finding_evidence_shows(t->out, t->f, "deadlock",
			       finding_text(t->out, "RING %u",
					    t->graph->nodes[ring->nodes[0]].cycle),
			       "%s", ring_words(t, ring));
	t->f->against = NULL;
	blame_task(t, ring->nodes[0], "one of those that took the locks in an order that does not "
				      "fit the others'");
	if (ring->count == 1 && t->graph->nodes[ring->nodes[0]].wait.kind == WAIT_FUSE) {
		t->f->blame = (struct blame){ 0 };
		t->f->who = finding_text(t->out, "%s, which needs the file system that it serves itself",
					 task_words(t->out, t->f->task));
	} else if (ring->count == 1) {
		t->f->blame.because = t->f->blame.known
					      ? "it waits for what it has or is to do itself" : NULL;
	}
}

/* The owner has exited: its task_struct may be free by now, but often still has its name; or it
 * is another's. */
static void tell_gone(struct telling *t, const struct resource *r)
{
	char comm[16] = "";

	if (r->owner_younger) {
		t->f->why = finding_text(t->out, "%s was left behind by a task that has exited: its owner "
					 "word leads to %s, which has the task_struct of that one by "
					 "now and began when others waited already", r->name,
					 task_words(t->out, r->left_behind));
		t->f->blame = (struct blame){ 0 };
		t->f->confidence = CONFIDENCE_LIKELY;
		return;
	}
	if (r->left_behind) {
		t->f->why = finding_text(t->out, "%s was left behind: its owner word leads to %s, but "
					 "nothing on the stack of that can have taken it", r->name,
					 task_words(t->out, r->left_behind));
		t->f->against = "that task left the code that took it without giving it back, or has "
				"the task_struct of one that did and exited";
		t->f->blame = (struct blame){ 0 };
		t->f->confidence = CONFIDENCE_LIKELY;
		return;
	}
	kread_string(t->facts->session, r->state.owner_gone, "task_struct", "comm", comm,
		     sizeof(comm));
	t->f->why = finding_text(t->out, "%s is held by a task that has exited without giving it "
				 "back: its task_struct was at %016" PRIx64 "%s%s%s",
				 r->name, r->state.owner_gone, *comm ? " (" : "", comm,
				 *comm ? ")" : "");
	t->f->against = "where it was taken is not known";
	t->f->blame = (struct blame){ 0 };
	t->f->confidence = CONFIDENCE_LIKELY;
}

/* Why a CPU does not answer: it takes no interrupts. */
static void add_interrupts(const struct telling *t, const struct task *task, struct strbuf *text)
{
	enum { RFLAGS_IF = 1 << 9 }; /* Intel SDM vol. 3, 2.3 */
	struct stack stack = { 0 };

	task_stack(t->facts->session, task, &stack);
	for (size_t i = 1; i < stack.count; i++) {
		const struct frame *f = &stack.frames[i];
		if (!f->has_regs)
			continue;
		if (regs_known(&f->regs, X86_RFLAGS) && !(f->regs.value[X86_RFLAGS] & RFLAGS_IF))
			strbuf_addf(text, " with interrupts disabled, in %s",
				    facts_text_of_frame(t->facts, f));
		break;
	}
	stack_deinit(&stack);
}

static void tell_root(struct telling *t, const size_t *chain, size_t count)
{
	size_t root = chain[count - 1];
	const struct wait_node *n = &t->graph->nodes[root];
	const struct owner *link = owner_link(t, chain[count - 2], root);
	enum wait_kind kind = t->graph->nodes[chain[count - 2]].wait.kind;
	auto_strbuf text = { 0 };

	if (kind == WAIT_CPU_CALL)
		strbuf_addf(&text, "%s does not answer; it runs %s",
			    wait_words(t, chain[count - 2]), task_words(t->out, n->task));
	else
		strbuf_addf(&text, "%s %s%s%s %s%s%s%s", wait_words_again(t, chain, count - 2),
			    kind == WAIT_JOURNAL ? "" : "is ", owner_doubt_word(link),
			    kind == WAIT_JOURNAL ? "depends on" : "with",
			    task_words(t->out, n->task), link ? " (" : "",
			    link ? link->why : "", link ? ")" : "");
	if (kind == WAIT_CPU_CALL)
		add_interrupts(t, n->task, &text);
	else if (n->wait.kind == WAIT_NOTHING)
		strbuf_addf(&text, ", which %s", n->task->on_cpu ? "runs" : "could run");
	else if (n->wait.kind != WAIT_OTHER && !wait_rests(n->wait.kind))
		strbuf_addf(&text, ", which waits for: %s", wait_words(t, root));
	else
		strbuf_addf(&text, ", which sleeps%s%s", n->wait.function ? " in " : "",
			    n->wait.function ? n->wait.function : "");
	if (n->victims > 1)
		strbuf_addf(&text, "; it holds up %u tasks", n->victims);
	t->f->why = finding_text(t->out, "%s", strbuf_text(&text));
	bool sure = link && link->sure;
	t->f->origin_confidence = confidence_name(sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	t->f->origin_of = "who has it";
	t->f->against = sure ? NULL : "who has it was derived, the lock does not say it";
	blame_task(t, root, "it has what the others wait for");
	(void)waiting_reason(t->facts, t->graph, root, t->out, t->f);
}

bool waiting_blame(const struct facts *facts, const struct task *task, struct findings *out,
		   struct finding *f)
{
	struct telling t = { .facts = facts, .out = out, .f = f };
	size_t chain[CHAIN_MAX], count, node;

	t.graph = wait_graph(facts->session);
	node = wait_graph_node_of(t.graph, task);
	if (node == SIZE_MAX || !wait_node_blocked(&t.graph->nodes[node]))
		return false;
	count = wait_graph_chain(t.graph, node, chain, CHAIN_MAX);
	f->what = finding_text(out, "%s waited too long for %s", task_words(out, task),
			       wait_words(&t, node));
	finding_evidence_shows(out, f, finding_text(out, "blocked %d", task->pid),
			       t.graph->nodes[node].wait.function, "%s waits in %s",
			       task_words(out, task), t.graph->nodes[node].wait.function);
	const struct resource *last = resource_of(&t, chain[count - 1]);
	for (size_t i = 0; i < count; i++) {
		if (t.graph->nodes[chain[i]].cycle) {
			tell_ring(&t, &t.graph->cycles[t.graph->nodes[chain[i]].cycle - 1]);
			return true;
		}
	}
	if (last && last->state_known && (last->state.owner_gone || last->left_behind)) {
		tell_gone(&t, last);
		return true;
	}
	if (count > 1) {
		tell_root(&t, chain, count);
		return true;
	}
	f->why = NULL;
	blame_task(&t, node, NULL);
	if (waiting_reason(facts, t.graph, node, out, f))
		return true;
	f->why = t.graph->nodes[node].wait.object
			 ? finding_text(out, "nobody is known to have %s", wait_words_again(&t, chain, 0))
			 : finding_text(out, "which %s that is was not found", wait_words(&t, node));
	f->against = "who is to bring it about is not known";
	return true;
}
