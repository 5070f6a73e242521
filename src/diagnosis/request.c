// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A crash that somebody asked for. Magic SysRq reaches sysrq_handle_crash() by several ways, each
 * of which leaves its own functions on the stack: a write to /proc/sysrq-trigger (a task did it),
 * or a key of a keyboard or a serial line (an interrupt did, and the task is innocent). Of a task
 * its parents, user and terminal tell who was behind it. Sources: drivers/tty/sysrq.c,
 * drivers/tty/serial/, drivers/input/, drivers/xen/manage.c, arch/x86/kernel/nmi.c.
 */
#include "diagnosis/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/panic_trace.h"

enum { ANCESTORS_MAX = 10 };

/* Earlier rows win: a key that a program made up comes through the keyboard's functions too. */
static const struct {
	const char *function; /* a glob */
	const char *way;      /* behind "Requested" */
	bool by_task;         /* the task on that CPU did it */
} ways[] = {
	{ "write_sysrq_trigger", "through /proc/sysrq-trigger", true },
	{ "uinput_*", "by a key that the task made up (uinput): magic SysRq", true },
	{ "evdev_write", "by a key that the task made up (evdev): magic SysRq", true },
	{ "xenwatch_thread", "by the hypervisor (Xen sysrq)", false },
	{ "sysrq_handler", "by the hypervisor (Xen sysrq)", false },
	{ "hvc_*", "from a hypervisor's console, by magic SysRq", false },
	{ "virtcons_*", "from a virtio console, by magic SysRq", false },
	{ "usb_serial_*", "from a USB serial line, by break and magic SysRq", false },
	{ "serial8250_*", "from the serial line, by break and magic SysRq", false },
	{ "uart_*", "from the serial line, by break and magic SysRq", false },
	{ "hid_*", "from a USB or Bluetooth keyboard, by magic SysRq", false },
	{ "atkbd_*", "from the keyboard, by magic SysRq", false },
	{ "virtinput_*", "from the virtual machine's keyboard, by magic SysRq", false },
	{ "vmbus_*", "from the virtual machine's keyboard (Hyper-V), by magic SysRq", false },
	{ "sysrq_filter", "from a keyboard, by magic SysRq", false },
	{ "input_event", "from a keyboard, by magic SysRq", false },
};

/* --- Who a task is. --- */

static bool reads(const struct facts *facts)
{
	return facts->session->memory && facts->session->types;
}

static const struct task *parent_of(const struct facts *facts, const struct task *task)
{
	uint64_t at;

	if (!reads(facts) || !kread(facts->session, task->address, "task_struct",
				    "real_parent|parent", &at) || !at || at == task->address)
		return NULL;
	return task_by_address(facts->session, at);
}

const char *request_ancestors(const struct facts *facts, const struct task *task)
{
	auto_strbuf text = { 0 };
	unsigned count = 0;

	for (const struct task *t = task; t && t->pid > 0 && count < ANCESTORS_MAX;
	     t = parent_of(facts, t), count++) {
		if (!task_is_named(t))
			break;
		strbuf_addf(&text, "%s%.*s (pid %d)", count ? " <- " : "", (int)sizeof(t->comm),
			    t->comm, t->pid);
	}
	return count > 1 ? arena_strdup(facts->arena, text.data) : NULL;
}

/* include/linux/uidgid.h: no user. */
enum { NO_USER = -1 };

/* "as user 0 (logged in as user 1000), terminal pts0"; "" where nothing is known. */
static const char *user_words(const struct facts *facts, const struct task *task)
{
	struct session *s = facts->session;
	auto_strbuf text = { 0 };
	uint64_t cred, uid, login, signal, tty;
	char name[64];

	if (!reads(facts))
		return "";
	if (kread(s, task->address, "task_struct", "cred", &cred) &&
	    kread(s, cred, "cred", "uid.val|uid", &uid)) {
		strbuf_addf(&text, "as user %" PRIu32, (uint32_t)uid);
		if (kread(s, task->address, "task_struct", "loginuid.val|loginuid", &login) &&
		    (int32_t)login != NO_USER && login != uid)
			strbuf_addf(&text, " (logged in as user %" PRIu32 ")", (uint32_t)login);
	}
	if (kread(s, task->address, "task_struct", "signal", &signal) &&
	    kread(s, signal, "signal_struct", "tty", &tty) && tty &&
	    kread_string(s, tty, "tty_struct", "name", name, sizeof(name)) && *name)
		strbuf_addf(&text, "%son terminal %s", text.len ? ", " : "", name);
	return arena_strdup(facts->arena, strbuf_text(&text));
}

/* --- SysRq. --- */

static size_t find_way(const struct facts *facts)
{
	for (size_t i = 0; i < array_size(ways); i++) {
		if (ways[i].by_task ? trace_find(facts, ways[i].function) != NULL
				    : trace_find_here(facts, ways[i].function) != NULL)
			return i;
	}
	return SIZE_MAX;
}

static void add_requester(const struct facts *facts, struct findings *out, struct finding *f)
{
	const char *user, *ancestors;

	if (!facts->task || !task_is_named(facts->task))
		return;
	user = user_words(facts, facts->task);
	ancestors = request_ancestors(facts, facts->task);
	if (*user || ancestors)
		f->why = finding_text(out, "%s%s%s%s%s", *user ? "it ran " : "", user,
				      *user && ancestors ? "; " : "", ancestors ? "its parents: " : "", ancestors ? ancestors : "");
	if (ancestors)
		finding_evidence_shows(out, f, finding_text(out, "ps %d", facts->task->pid),
				       arena_printf(facts->arena, "%.*s",
						    (int)sizeof(facts->task->comm),
						    facts->task->comm), "%s", ancestors);
}

/* Code that calls handle_sysrq() itself: some drivers and modules do. */
static bool by_code(const struct facts *facts, struct findings *out, struct finding *f)
{
	struct symbol sym;

	for (size_t i = 0; i + 1 < facts->stack.count && facts->session->symbols; i++) {
		if (!facts_frame_symbol(facts, i, &sym) || !glob_match("*handle_sysrq*", sym.name))
			continue;
		if (facts_frame_symbol(facts, i + 1, &sym) && glob_match("*handle_sysrq*", sym.name))
			continue;
		const char *caller = facts_frame_text(facts, i + 1);
		f->blame = facts_blame(facts, i + 1);
		f->what = finding_text(out, "Requested by %s, which called handle_sysrq(), %s",
				       caller, facts_where(facts));
		f->why = "that code asked for it: a key, a packet or a command made it do so";
		finding_evidence(out, f, trace_command(facts), "handle_sysrq() was called by %s",
				 caller);
		return true;
	}
	return false;
}

void request_sysrq(const struct facts *facts, struct findings *out, struct finding *f)
{
	size_t way = find_way(facts);
	const char *who = trace_task_words(facts), *cpu = trace_cpu_words(facts);

	if (way == SIZE_MAX && by_code(facts, out, f))
		return;
	if (way == SIZE_MAX) {
		f->what = finding_text(out, "Requested by magic SysRq (key c), %s",
				       facts_where(facts));
		f->why = "somebody asked for it: a 'c' was written to /proc/sysrq-trigger, or "
			 "typed as magic SysRq";
		f->against = "by which way is not known: the stack does not show it";
		return;
	}
	const char *function = trace_find(facts, ways[way].function);
	if (ways[way].by_task) {
		f->what = finding_text(out, "Requested by %s %s%s%s", who, ways[way].way,
				       *cpu ? ", " : "", cpu);
		f->why = NULL;
		f->who = who;
		finding_evidence_shows(out, f, trace_command(facts), function,
				       "%s was in %s()", who, function);
		add_requester(facts, out, f);
		return;
	}
	f->what = finding_text(out, "Requested %s%s%s", ways[way].way, *cpu ? ", " : "", cpu);
	f->why = finding_text(out, "a person typed it, or a program on the other end; %s only ran "
			      "on the CPU that took the interrupt", who);
	finding_evidence_shows(out, f, trace_command(facts), function, "it came through %s()",
			       function);
}

/* --- NMI. --- */

/* The lines that the kernel prints about an NMI before it gives up (arch/x86/kernel/nmi.c). */
static const struct {
	const char *text, *means;
} nmi_lines[] = {
	{ "PCI system error (SERR)", "a PCI device signalled a system error (SERR): bad hardware" },
	{ "IOCK error", "a device signalled an error on the I/O channel: bad hardware" },
	{ "memory parity error", "the memory reported a parity error: bad hardware" },
	{ "Memory parity error", "the memory reported a parity error: bad hardware" },
	{ "NMI received for unknown reason",
	  "no driver and no error register claimed the NMI: an operator (NMI button, BMC, the "
	  "hypervisor's 'inject NMI') is the usual source" },
};

void request_nmi(const struct facts *facts, struct findings *out, struct finding *f)
{
	for (size_t i = 0; i < array_size(nmi_lines); i++) {
		const struct log_record *r = facts_log_find_last(facts, nmi_lines[i].text);
		if (!r || (facts->panic_record && r > facts->panic_record))
			continue;
		f->why = nmi_lines[i].means;
		finding_evidence(out, f, "log", "%s", r->text);
		break;
	}
	size_t at = facts_interrupted(facts);
	if (at != SIZE_MAX && facts->session->symbols)
		finding_evidence(out, f, "bt", "the NMI interrupted %s, which need not be to "
				 "blame", facts_frame_text(facts, at));
}
