// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sig: what tasks do with signals, which they block, and which wait for them:
 *
 *	 SIG              HANDLER           MASK              FLAGS
 *	[ 1] SIGHUP       00000000004016c5  0000000000014000  SA_RESTART
 *	SHARED_PENDING: 0000000800000200  SIGUSR1 SIGRTMIN+4
 *	    SIGUSR1 from pid 194, uid 0 (SI_USER)             ffff888003a41c40
 *
 * Signals that do what they always do (SIG_DFL) have no line; JSON has all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/signals.h"

enum { OPT_LIST, OPT_SET, OPT_GROUP };

static const struct option sig_option_table[] = {
	[OPT_LIST] = { "l", false },
	[OPT_SET] = { "s", true },
	[OPT_GROUP] = { "g", false },
};

static const struct column name_columns[] = {
	{ .key = "signal", .title = "", .right = true },
	{ .key = "name", .title = "" },
};

static const struct column action_columns[] = {
	{ .key = "signal", .title = "SIG", .right = true },
	{ .key = "name", .title = "" },
	{ .key = "address", .title = "SIGACTION" },
	{ .key = "handler", .title = "HANDLER", .right = true },
	{ .key = "mask", .title = "MASK" },
	{ .key = "flags", .title = "FLAGS" },
};

static const struct column queue_columns[] = {
	{ .key = "signal" }, { .key = "name" }, { .key = "address" }, { .key = "siginfo" },
	{ .key = "code" }, { .key = "code_name" }, { .key = "pid" }, { .key = "uid" },
	{ .key = "value" },
};

/* --- Lists and sets --- */

static void add_name(struct doc *doc, unsigned number)
{
	char name[16], shown[8];

	signal_name(number, name, sizeof(name));
	snprintf(shown, sizeof(shown), "[%u]", number);
	doc_row(doc, cell_shown(cell_udec(number), shown), cell_str(name));
}

static void list_all(struct doc *doc)
{
	doc_table(doc, "signals", name_columns, array_size(name_columns));
	doc_bare(doc);
	for (unsigned i = 1; i <= SIGNALS_MAX; i++)
		add_name(doc, i);
	doc_end(doc);
}

static void set_names(uint64_t bits, struct strbuf *text)
{
	char name[16];

	for (unsigned i = 1; i <= SIGNALS_MAX; i++) {
		if (!(bits >> (i - 1) & 1))
			continue;
		signal_name(i, name, sizeof(name));
		strbuf_addf(text, "%s%s", text->len ? " " : "", name);
	}
}

static struct error *decode_set(struct session *s, struct doc *doc, const char *word)
{
	auto_strbuf names = { 0 };
	uint64_t bits;

	/* A number in hexadecimal, as /proc/PID/status and struct show sets. */
	if (!parse_hex(word, &bits)) {
		struct error *err = s ? parse_address(s, word, &bits) : NULL;
		if (!s)
			return error_new(ERROR_USAGE, "%s is no set of signals", word);
		if (err)
			return err;
	}
	doc_table(doc, "signals", name_columns, array_size(name_columns));
	doc_bare(doc);
	for (unsigned i = 1; i <= SIGNALS_MAX; i++) {
		if (!(bits >> (i - 1) & 1))
			continue;
		add_name(doc, i);
		doc_row_hide(doc);
	}
	set_names(bits, &names);
	doc_textf(doc, STYLE_PLAIN, "%s", names.len ? names.data : "none");
	doc_end(doc);
	return NULL;
}

/* --- Of a task --- */

static void add_set(struct doc *doc, const char *key, const char *label,
		    const struct signal_set *set)
{
	auto_strbuf names = { 0 };

	set_names(set->bits, &names);
	doc_field(doc, key, NULL, set->known ? cell_hex(set->bits) : cell_none());
	if (set->known)
		doc_textf(doc, STYLE_PLAIN, "%14s: %016" PRIx64 "%s%s", label, set->bits,
			  names.len ? "  " : "", strbuf_text(&names));
	else
		doc_textf(doc, STYLE_FAINT, "%14s: ?", label);
}

static bool is_default(const struct signal_action *action)
{
	return action->known && action->handler == SIGNAL_DEFAULT && !action->flags &&
	       !action->mask;
}

static void add_action(struct doc *doc, unsigned number, const struct signal_action *action)
{
	static const char *const shown[] = { "SIG_DFL", "SIG_IGN" };
	char name[16], flags[160];

	signal_name(number, name, sizeof(name));
	signal_flags_text(action->flags, flags, sizeof(flags));
	struct cell handler = action->handler <= SIGNAL_IGNORED
				      ? cell_shown(cell_hex(action->handler),
						   shown[action->handler])
				      : cell_address(action->handler);
	doc_row(doc, cell_udec(number), cell_str(name), cell_address(action->address),
		action->known ? handler : cell_none(),
		action->known ? cell_address(action->mask) : cell_none(),
		action->known ? cell_shown(cell_hex(action->flags), flags) : cell_none());
	if (is_default(action))
		doc_row_hide(doc);
}

static void add_actions(struct doc *doc, const struct task_signals *signals)
{
	bool any = false;

	for (unsigned i = 1; signals->sighand && i <= signals->count; i++)
		any |= !is_default(&signals->action[i]);
	doc_table(doc, "actions", action_columns, array_size(action_columns));
	if (!any)
		doc_bare(doc);
	for (unsigned i = 1; signals->sighand && i <= signals->count; i++)
		add_action(doc, i, &signals->action[i]);
	doc_end(doc);
}

static void add_queued(struct doc *doc, const struct signal_queued *q)
{
	const char *code = signal_code_name(q->code);
	auto_strbuf text = { 0 };
	char name[16] = "?";

	if (q->known && q->signal > 0 && q->signal <= SIGNALS_MAX)
		signal_name((unsigned)q->signal, name, sizeof(name));
	doc_row(doc, q->known ? cell_dec(q->signal) : cell_none(), cell_str(name),
		cell_hex(q->address), q->siginfo ? cell_hex(q->siginfo) : cell_none(),
		q->known ? cell_dec(q->code) : cell_none(), cell_str(q->known ? code : NULL),
		q->has_sender ? cell_dec(q->pid) : cell_none(),
		q->has_sender ? cell_udec(q->uid) : cell_none(),
		q->has_value ? cell_hex(q->value) : cell_none());
	doc_row_hide(doc);
	strbuf_addf(&text, "%s", name);
	if (q->has_sender)
		strbuf_addf(&text, " from pid %d, uid %" PRIu64, q->pid, q->uid);
	if (q->has_value)
		strbuf_addf(&text, ", value 0x%" PRIx64 " (%" PRId64 ")", q->value,
			    (int64_t)q->value);
	if (q->known && code)
		strbuf_addf(&text, " (%s)", code);
	else if (q->known)
		strbuf_addf(&text, " (code %d)", q->code);
	doc_textf(doc, STYLE_PLAIN, "%16s%s, siginfo %016" PRIx64, "", text.data, q->siginfo);
}

static void add_queue(struct doc *doc, const char *key, const struct signal_queue *queue)
{
	doc_table(doc, key, queue_columns, array_size(queue_columns));
	doc_bare(doc);
	for (size_t i = 0; i < queue->count; i++)
		add_queued(doc, &queue->queued[i]);
	doc_end(doc);
	show_trouble(doc, &queue->trouble, "waiting signals");
}

static void add_shared(struct doc *doc, const struct task_signals *signals)
{
	doc_field(doc, "signal_struct", NULL,
		  signals->signal ? cell_hex(signals->signal) : cell_none());
	doc_field(doc, "nr_threads", NULL,
		  signals->threads_known ? cell_udec(signals->threads) : cell_none());
	if (signals->signal && signals->threads_known)
		doc_textf(doc, STYLE_PLAIN, "SIGNAL_STRUCT: %016" PRIx64 "  NR_THREADS: %" PRIu64,
			  signals->signal, signals->threads);
	else if (signals->signal)
		doc_textf(doc, STYLE_PLAIN, "SIGNAL_STRUCT: %016" PRIx64 "  NR_THREADS: ?",
			  signals->signal);
	else if (!signals->signal_known)
		doc_textf(doc, STYLE_FAINT, "SIGNAL_STRUCT: ?");
	else
		doc_textf(doc, STYLE_FAINT, "the process has been taken apart: no handlers, no "
					    "signals of its own");
	add_actions(doc, signals);
	add_set(doc, "ignored", "IGNORED", &signals->ignored);
	add_set(doc, "caught", "CAUGHT", &signals->caught);
	if (signals->signal)
		add_set(doc, "shared_pending", "SHARED_PENDING", &signals->shared.set);
	else
		doc_field(doc, "shared_pending", NULL, cell_none());
	add_queue(doc, "shared_queue", &signals->shared);
}

static void add_own(struct doc *doc, const struct task_signals *signals)
{
	doc_field(doc, "deliverable", NULL,
		  signals->deliverable_known ? cell_bool(signals->deliverable) : cell_none());
	doc_textf(doc, STYLE_PLAIN, "%14s: %s", "SIGPENDING",
		  !signals->deliverable_known ? "?" : signals->deliverable ? "yes" : "no");
	add_set(doc, "blocked", "BLOCKED", &signals->blocked);
	add_set(doc, "pending", "PRIVATE_PENDING", &signals->own.set);
	add_queue(doc, "queue", &signals->own);
}

static void remark_unknown(struct doc *doc, const struct task_signals *signals)
{
	bool actions = signals->sighand ? signals->ignored.known : signals->sighand_known;
	bool shared = signals->signal ? signals->shared.set.known && signals->threads_known
				      : signals->signal_known;

	if (!actions || !shared || !signals->blocked.known || !signals->own.set.known)
		doc_remark(doc, REMARK_HOLE, "parts of a task's signals are not in the dump");
}

static void show_task(struct session *s, struct doc *doc, const struct task *task)
{
	struct task_signals signals;

	task_signals_read(s, task, &signals);
	doc_record(doc, NULL, NULL);
	show_task_line(doc, task);
	add_shared(doc, &signals);
	add_own(doc, &signals);
	doc_end(doc);
	remark_unknown(doc, &signals);
	task_signals_deinit(&signals);
}

/* -g: what the process shares once, then each thread's own. */
static void show_group(struct session *s, struct doc *doc, const struct task *of)
{
	const struct task *leader = of->tgid ? task_by_pid(s, of->tgid) : NULL;
	struct task_signals signals;
	size_t count;
	const struct task *all = tasks(s, &count);

	leader = leader ? leader : of;
	task_signals_read(s, leader, &signals);
	doc_record(doc, NULL, NULL);
	show_task_line(doc, leader);
	add_shared(doc, &signals);
	task_signals_deinit(&signals);
	doc_array(doc, "threads", NULL);
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (all[i].tgid != leader->tgid || (!leader->tgid && &all[i] != leader))
			continue;
		task_signals_read(s, &all[i], &signals);
		doc_record(doc, NULL, NULL);
		show_task_line(doc, &all[i]);
		add_own(doc, &signals);
		doc_end(doc);
		remark_unknown(doc, &signals);
		task_signals_deinit(&signals);
	}
	doc_end(doc);
	doc_end(doc);
}

static struct error *show_tasks(struct command_args *args, const struct options *options)
{
	struct session *s = args->session;
	const struct task *task;
	int count = options->word_count ? options->word_count : 1;

	for (int i = 0; i < count; i++) {
		struct error *err =
			task_or_current(s, options->word_count ? options->words[i] : NULL, &task);
		if (err && count == 1)
			return err;
		if (err) {
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
			error_free(err);
		} else if (options->set[OPT_GROUP]) {
			show_group(s, args->doc, task);
		} else {
			show_task(s, args->doc, task);
		}
	}
	return NULL;
}

static struct error *run_sig(struct command_args *args)
{
	struct options options;
	struct error *err = options_parse(args, sig_option_table, array_size(sig_option_table),
					  &options);

	if (err)
		return err;
	if (options.set[OPT_SET])
		return decode_set(args->session, args->doc, options.value[OPT_SET]);
	if (options.set[OPT_LIST]) {
		list_all(args->doc);
		return NULL;
	}
	doc_array(args->doc, "signal_tasks", NULL);
	err = show_tasks(args, &options);
	doc_end(args->doc);
	return err;
}

const struct command command_sig = {
	.name = "sig",
	.usage = "[-g] [PID|TASK ...] | -l | -s SET",
	.summary = "signals of tasks: handlers, blocked ones, waiting ones",
	.help = "What the task's process does with each signal that it does not leave to the default,\n"
		"and which signals wait for the thread (private) and for the process (shared), each with\n"
		"its sender and value where it came with them. SIGPENDING: is one there that is not\n"
		"blocked? Real-time signals count from the kernel's SIGRTMIN, 32.\n"
		"  -g      all threads of the process: what they share once, then each thread's own\n"
		"  -l      the numbers and names of all signals\n"
		"  -s SET  the names in a set of signals, given as a number in hexadecimal\n"
		"Examples: sig | sig 1 | sig -g 1 | sig -l | sig -s 14000",
	.run = run_sig,
};
