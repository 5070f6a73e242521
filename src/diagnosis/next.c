// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Advice that names things: the cache to debug, the module and its version, the release with the
 * fix, the addresses to look at. A row of the table is a kind of step: for which classes of death
 * it is meant, and a function that finds its words, or that it does not apply. The order of the
 * table is the order of use: what ends the crashes, what catches the culprit next time, what this
 * dump can still tell, what would make the next diagnosis better.
 */
#include "diagnosis/next.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/rule_release.h"
#include "kernel/modules.h"
#include "kernel/slab.h"

/* Kinds of verdict, between blanks; "*" any; "@address" all that stopped at a bad address. */
#define POINTERS " @address "
/* Somebody wrote to what was not his, or used what was no longer his. */
#define CORRUPTIONS                                                                               \
	" use-after-free slab-damage double-free invalid-free list-corruption list-poison "       \
	"timer-poison poison red-zone text-pointer bad-pointer non-canonical half-overwritten "   \
	"out-of-bounds overflow wrong-cache object-state uninitialised user-address bad-address " \
	"nx-exec wild-call "
#define CHECKS " bug warning list-corruption refcount usercopy buffer-overflow "
#define ARITHMETIC " divide-error undefined-behaviour "
#define STALLS " softlockup hardlockup rcu-stall "
#define BY_HAND " sysrq hypervisor alive nmi "
#define HARDWARE " machine-check bit-flip nmi "

struct adviser {
	const struct diagnosis *d;
	const struct facts *facts;
	const struct finding *verdict;
	struct arena *arena;
	bool is_text; /* a console's text: there is no memory to look at */
	struct slab_object object; /* at stake */
	bool has_object;
	struct kernel_release release;
	const char *steps[NEXT_MAX];
	size_t count;
};

static bool bad_address(const struct adviser *a)
{
	const struct fault_site *fault = &a->facts->fault;

	return a->verdict->rank >= RANK_FAULT && (fault->has_address || fault->has_target) &&
	       !starts_with(a->verdict->kind, "stack-");
}

static bool is_kind(const struct adviser *a, const char *kinds)
{
	auto_strbuf word = { 0 };

	strbuf_addf(&word, " %s ", a->verdict->kind);
	return strstr(kinds, word.data) || (strstr(kinds, " @address ") && bad_address(a));
}

/* --- What ends the crashes. --- */

/* Of "3.10.0-1048.el7; v4.2" the release in the numbers of this kernel's distribution; or NULL. */
static const char *own_fix(const struct adviser *a, const char *fixed_in)
{
	while (*fixed_in) {
		size_t length = strcspn(fixed_in, ";");
		const char *one = arena_strndup(a->arena, fixed_in, length);
		struct kernel_release fix;
		one += strspn(one, " ");
		release_parse(one, NULL, &fix);
		if (fix.distribution == a->release.distribution &&
		    fix.generation == a->release.generation && fix.distribution != DISTRO_OTHER)
			return one;
		fixed_in += length + (fixed_in[length] == ';');
	}
	return NULL;
}

static const char *known_fix(struct adviser *a)
{
	const struct known_issue *k = a->d->known;

	if (!a->d->known_count)
		return NULL;
	if (k->confidence == CONFIDENCE_POSSIBLE)
		return arena_printf(a->arena, "compare with the known issue %s: `rules %s` says what "
				    "it looks like and where it is described", k->id, k->id);
	if (!k->fixed_in)
		return arena_printf(a->arena, "read on about the known issue: `rules %s`", k->id);
	const char *own = own_fix(a, k->fixed_in);
	if (own)
		return arena_printf(a->arena, "update the kernel to %s or later, which has the fix "
				    "(`rules %s`)", own, k->id);
	return arena_printf(a->arena, "update to a kernel with the fix: it is in %s; for another "
			    "numbering see its changelog (`rules %s`)", k->fixed_in, k->id);
}

static const char *known_workaround(struct adviser *a)
{
	const struct known_issue *k = a->d->known;

	if (!a->d->known_count || k->confidence == CONFIDENCE_POSSIBLE || !k->workaround)
		return NULL;
	return arena_printf(a->arena, "%s: %s", k->fixed_in ? "until then" : "work around it", k->workaround);
}

static const struct module_info *guilty_module(const struct adviser *a)
{
	size_t count;
	const struct module_info *mods = modules(a->facts->session, &count);

	for (size_t i = 0; a->verdict->blame.known && a->verdict->blame.module && i < count; i++) {
		if (strcmp(mods[i].module.name, a->verdict->blame.module) == 0)
			return &mods[i];
	}
	return NULL;
}

static const char *foreign_module(struct adviser *a)
{
	const struct blame *blame = &a->verdict->blame;
	const struct module_info *m = guilty_module(a);

	if (!blame->known || !blame->module || !blame->out_of_tree || is_kind(a, HARDWARE))
		return NULL;
	const char *version = m && m->version[0]
				      ? arena_printf(a->arena, " (version %s)", m->version) : "";
	if (blame->unsure)
		return arena_printf(a->arena, "%s%s is not part of the kernel: show its makers %s() and "
				    "this report, though it may be innocent: %s", blame->module,
				    version, blame->function, blame->unsure);
	return arena_printf(a->arena, "update %s%s, which is not part of the kernel, or run without "
			    "it; its makers want %s() and this report", blame->module, version,
			    blame->function);
}

static bool saw_hardware_errors(const struct adviser *a)
{
	for (size_t i = 0; i < a->facts->anomaly_count; i++) {
		const char *kind = a->facts->anomalies[i].kind;
		if (strcmp(kind, "hardware error") == 0 || strcmp(kind, "machine check") == 0)
			return true;
	}
	return false;
}

static const char *hardware(struct adviser *a)
{
	bool seen = saw_hardware_errors(a);

	/* The detector knows which part it was. */
	if (is_kind(a, HARDWARE) && a->verdict->next)
		return NULL;
	if (is_kind(a, " bit-flip "))
		return arena_printf(a->arena, "test the memory (memtest86+ for a night)%s, and see "
				    "whether other dumps of this machine show single bits, too",
				    seen ? "; the log has hardware errors, see `log -l 0-4`"
					 : "; rasdaemon or mcelog count corrected errors");
	if (is_kind(a, " machine-check ") || seen)
		return "read the hardware errors in `log -l 0-4`, the event log of the management "
		       "controller (ipmitool sel list) and what rasdaemon or mcelog have noted; then "
		       "change the part that they name";
	return NULL;
}

static bool says(const struct adviser *a, const char *word)
{
	for (size_t i = 0; i < a->count; i++) {
		if (strstr(a->steps[i], word))
			return true;
	}
	return false;
}

/* The detector's own word; the general one of a watchdog's message is said better below. */
static const char *of_finding(struct adviser *a)
{
	const char *next = a->verdict->next;

	if (!next || (is_kind(a, STALLS) && starts_with(next, "bt -a")) ||
	    (is_kind(a, " hung-task deadlock ") && starts_with(next, "ps, then bt")) ||
	    (is_kind(a, " alive ") && starts_with(next, "look at what")))
		return NULL;
	return next;
}

/* --- What catches the culprit next time. --- */

/* Caches of one size are merged: the option goes by the name that each was made with. */
static const char *cache_names(const struct adviser *a, const struct slab_cache *cache)
{
	enum { NAMES_MAX = 60 };

	return *cache->aliases && strlen(cache->aliases) < NAMES_MAX
		       ? arena_printf(a->arena, "%s,%s", cache->name, cache->aliases) : cache->name;
}

static const char *slab_debug(struct adviser *a)
{
	const struct slab_cache *cache = a->has_object ? a->object.slab.cache : NULL;

	if (says(a, "slub_debug") || !cache || a->object.kfence)
		return NULL;
	if (cache->store_user && cache->poison)
		return arena_printf(a->arena, "read who allocated and freed it: `whatis 0x%" PRIx64
				    "`", a->object.address);
	return arena_printf(a->arena, "to catch it in the act, boot with slub_debug=FZPU,%s: then each "
			    "object has red zones, poison and the stacks of who allocated and freed "
			    "it", cache_names(a, cache));
}

static const char *sanitizers(struct adviser *a)
{
	struct session *s = a->facts->session;
	uint64_t interval;

	/* It has done its work already. */
	if (a->has_object && a->object.kfence)
		return NULL;
	if (!a->is_text && kglobal(s, "kfence_sample_interval", 8, &interval) && interval != 10)
		return arena_printf(a->arena, "this kernel has KFENCE%s: boot with "
				    "kfence.sample_interval=10 on machines that crash, it costs little "
				    "and names the first bad access",
				    interval ? "" : ", switched off");
	return "if it can be made to happen, do so on a kernel with CONFIG_KASAN: it stops at the "
	       "first bad access, not at the last";
}

/* --- What this dump can still tell. --- */

static const char *reg_name(const struct adviser *a)
{
	const struct fault_site *fault = &a->facts->fault;

	return fault->trap != TRAP_NONE && fault->base_reg >= 0
		       ? a->facts->session->arch->reg_names[fault->base_reg] : NULL;
}

static void add_command(struct strbuf *text, const char *command, const char *what)
{
	strbuf_addf(text, "%s`%s` %s", text->len ? ", " : "look further: ", command, what);
}

static const char *look_at_pointer(struct adviser *a)
{
	const struct fault_site *fault = &a->facts->fault;
	auto_strbuf text = { 0 };

	if (a->is_text || says(a, "look further"))
		return NULL;
	if (reg_name(a))
		add_command(&text, arena_printf(a->arena, "origin %s", reg_name(a)),
			    "where the value came from");
	if (a->has_object) {
		add_command(&text, arena_printf(a->arena, "identify 0x%" PRIx64, a->object.address),
			    "what the object is and was");
		add_command(&text, arena_printf(a->arena, "refs 0x%" PRIx64, a->object.address),
			    "who still points to it");
		add_command(&text, "kmem --check", "whether more is damaged");
	} else if (fault->has_address && fault->address >= PAGE_SIZE) {
		add_command(&text, arena_printf(a->arena, "whatis 0x%" PRIx64, fault->address),
			    "whose address it is");
	}
	if (!text.len)
		add_command(&text, "args", "what the functions were given");
	return arena_strdup(a->arena, text.data);
}

static const char *look_at_check(struct adviser *a)
{
	if (a->is_text || a->facts->fault.trap == TRAP_NONE)
		return NULL;
	return a->has_object
		       ? arena_printf(a->arena, "look further: `fault` the condition and its values, "
				      "`args` what the functions were given, `identify 0x%" PRIx64
				      "` what the object is and was", a->object.address)
		       : "look further: `fault` the condition and its values, `args` what the "
			 "functions were given";
}

static const char *look_at_unload(struct adviser *a)
{
	if (a->is_text || a->verdict->next)
		return NULL;
	return "see which module went (`log -n 50`): its exit must stop its timers, works and callbacks "
	       "before its code is freed";
}

static const char *look_at_cpus(struct adviser *a)
{
	if (a->is_text)
		return NULL;
	return "compare what all CPUs did: `bt -a`; the one that differs from those that wait may "
	       "hold what they wait for; `locks` says which locks are held";
}

static const char *look_at_recursion(struct adviser *a)
{
	return a->is_text ? NULL : "look further: `bt --unfolded` the stack frame by frame, `args` what "
				   "each function was given";
}

/* With the command that the detector showed the stuck task of @f with; @whose: stack that is. */
static const char *waiters_of(struct adviser *a, const struct finding *f, const char *whose)
{
	if (a->is_text)
		return NULL;
	for (unsigned i = 0; i < f->evidence_count; i++) {
		if (f->evidence[i].command && starts_with(f->evidence[i].command, "bt "))
			return arena_printf(a->arena, "`%s` is the stack %s, `blocked -g` shows who "
					    "else waits for whom, `deadlock` whether in a ring",
					    f->evidence[i].command, whose);
	}
	return "`blocked -g` shows who waits for whom, `deadlock` whether in a ring";
}

static const char *look_at_waiters(struct adviser *a)
{
	const struct blame *blame = &a->verdict->blame;

	return waiters_of(a, a->verdict, blame->known && !blame->on_no_stack ? "that WHO is about"
									     : "of who waits");
}

/* Who crashes a machine by hand often does so because of what stands beside the verdict. */
static const char *look_at_stuck(struct adviser *a)
{
	for (size_t i = 1; i < a->d->finding_count; i++) {
		const struct finding *f = &a->d->findings[i];
		if (strcmp(f->kind, "stuck-task") == 0 || strcmp(f->kind, "deadlock") == 0)
			return waiters_of(a, f, "at the root of what is stuck");
	}
	return NULL;
}

static const char *look_at_memory(struct adviser *a)
{
	return a->is_text ? NULL
			  : "see who has the memory: `kmem -i` by use, `kmem -s` the slab caches, "
			    "`ps -u` the processes";
}

static const char *look_at_machine(struct adviser *a)
{
	return a->is_text ? NULL
			  : "see what the machine was doing: `bt -a` the CPUs, `ps -S` the tasks by "
			    "state, `log -n 50` its last words";
}

/* --- What would make the next diagnosis better. --- */

/* A page that somebody looked into, and that was left out of the dump when it was made. */
static bool is_left_out(const struct adviser *a, uint64_t address)
{
	uint8_t byte;

	return a->facts->session->arch->is_kernel_address(address) &&
	       memory_read(a->facts->session->memory, address, &byte, 1) == READ_EXCLUDED;
}

static const char *fuller_dump(struct adviser *a)
{
	const struct dump_info *info = dump_info(a->facts->session->dump);
	const struct fault_site *fault = &a->facts->fault;
	uint64_t needed = 0;

	if (a->is_text || !info->has_dump_level || info->dump_level <= 1 ||
	    fault->trap == TRAP_NONE)
		return NULL;
	for (unsigned i = 0; i < 16 && !needed; i++) {
		if (regs_known(fault->regs, i) && is_left_out(a, fault->regs->value[i]))
			needed = fault->regs->value[i];
	}
	if (fault->has_address && is_left_out(a, fault->address))
		needed = fault->address;
	if (!needed)
		return NULL;
	return arena_printf(a->arena, "have the next dump made with makedumpfile -d 1: level %u left out "
			    "the page at 0x%" PRIx64 ", which the code was using", info->dump_level,
			    needed & ~UINT64_C(0xfff));
}

/* Where each distribution keeps the debug information of its kernels. */
static const struct {
	enum distribution distribution;
	const char *before, *behind; /* the release */
} debug_packages[] = {
	{ DISTRO_DEBIAN, "apt install linux-image-", "-dbg" },
	{ DISTRO_UBUNTU, "apt install linux-image-", "-dbgsym (from ddebs.ubuntu.com)" },
	{ DISTRO_RHEL, "debuginfo-install kernel-", "" },
	{ DISTRO_FEDORA, "dnf debuginfo-install kernel-", "" },
	{ DISTRO_SUSE, "zypper install kernel-default-debuginfo, for ", "" },
};

static const char *debug_files(struct adviser *a)
{
	struct session *s = a->facts->session;

	if (!a->release.release[0] || !s->debuginfo || debuginfo_kernel(s->debuginfo))
		return NULL;
	for (size_t i = 0; i < array_size(debug_packages); i++) {
		if (debug_packages[i].distribution == a->release.distribution)
			return arena_printf(a->arena, "for source lines and local variables: %s%s%s",
					    debug_packages[i].before, a->release.release,
					    debug_packages[i].behind);
	}
	return NULL;
}

static const char *real_dump(struct adviser *a)
{
	return a->is_text ? "keep a dump of the next crash (kdump, crashkernel= on the command "
			    "line): a text has no memory in which to see what was damaged and by whom"
			  : NULL;
}

/* Nothing better is known. */
static const char *anything(struct adviser *a)
{
	return a->count ? NULL : a->is_text ? real_dump(a) : look_at_machine(a);
}

static const struct {
	const char *kinds; /* "*": of all */
	const char *(*words)(struct adviser *a);
} advisers[] = {
	{ "*", known_fix },
	{ "*", known_workaround },
	{ "*", hardware },
	{ "*", foreign_module },
	{ "*", of_finding },
	{ CORRUPTIONS, slab_debug },
	{ " unloaded-code unloaded-data ", look_at_unload },
	{ STALLS, look_at_cpus },
	{ " hung-task deadlock ", look_at_waiters },
	{ " oom no-memory ", look_at_memory },
	{ " stack-overflow stack-corruption stack-bounds ", look_at_recursion },
	{ CHECKS ARITHMETIC, look_at_check },
	{ POINTERS CORRUPTIONS, look_at_pointer },
	{ BY_HAND, look_at_stuck },
	{ BY_HAND " watchdog panic unknown ", look_at_machine },
	{ "*", fuller_dump },
	{ CORRUPTIONS, sanitizers },
	{ POINTERS CORRUPTIONS CHECKS " unknown panic stack-overflow divide-error ", debug_files },
	{ POINTERS CORRUPTIONS CHECKS STALLS " hung-task oom ", real_dump },
	{ "*", anything },
};

void next_steps(struct diagnosis *d)
{
	const struct facts *facts = &d->facts;
	struct adviser a = {
		.d = d, .facts = facts, .verdict = &d->findings[0], .arena = facts->arena,
	};
	size_t size;

	a.is_text = dump_text(facts->session->dump, &size);
	a.has_object = a.verdict->object &&
		       slab_object_at(facts->session, a.verdict->object, &a.object) &&
		       a.object.slab.cache;
	release_parse(facts->system.release, facts->system.version, &a.release);
	for (size_t i = 0; i < array_size(advisers) && a.count < NEXT_MAX; i++) {
		if (*advisers[i].kinds != '*' && !is_kind(&a, advisers[i].kinds))
			continue;
		const char *step = advisers[i].words(&a);
		if (step)
			a.steps[a.count++] = step;
	}
	const char **steps = arena_alloc(facts->arena, NEXT_MAX * sizeof(*steps));
	memcpy(steps, a.steps, sizeof(a.steps));
	d->next = steps;
	d->next_count = a.count;
}
