// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The facts of a diagnosis for rules. Cheap ones are gathered; what costs reading (the kernel's
 * configuration, parameters of modules) is looked up when a rule asks, once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/chain.h"
#include "diagnosis/rules.h"
#include "forensics/fault.h"
#include "kernel/config.h"
#include "kernel/modules.h"
#include "kernel/parameters.h"
#include "kernel/text.h"

struct rule_source {
	struct session *session;
	struct arena *arena;
};

static enum rule_answer look_up_config(void *ctx, const char *name, const char **value)
{
	const struct rule_source *source = ctx;

	if (!kernel_config_known(source->session))
		return RULE_UNKNOWN;
	*value = kernel_config(source->session, name);
	return *value ? RULE_YES : RULE_NO;
}

static enum rule_answer look_up_parameter(void *ctx, const char *module, const char *name,
					  const char **value)
{
	const struct rule_source *source = ctx;
	char text[256];

	if (!module_parameter(source->session, module, name, text, sizeof(text)))
		return RULE_UNKNOWN;
	*value = arena_strdup(source->arena, text);
	return RULE_YES;
}

/* --- Names. --- */

/* After the crash stack that of the one who did not answer, which need not be the one that died. */
static void fill_stack(const struct facts *facts, const char *kind, struct rule_facts *out)
{
	struct chain chain = chain_of_crash(facts), report = { 0 };
	const char *watchdog = chain_watchdog(kind);

	if (watchdog)
		report = chain_of_report(facts, watchdog);
	const char **names =
		arena_alloc(facts->arena, (chain.count + report.count + 1) * sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < chain.count; i++)
		names[count++] = chain.links[i].function;
	for (size_t i = 0; i < report.count; i++)
		names[count++] = report.links[i].function;
	out->stack = (struct rule_words){ names, count };
}

/* A text without the kernel's list of modules still names those that it speaks of. */
static bool modules_listed(const struct facts *facts)
{
	const struct text *text = facts->session->text;

	for (size_t i = 0; text && i < text->report_count; i++) {
		if (text->reports[i].module_count)
			return true;
	}
	return !text;
}

static void fill_modules(const struct facts *facts, struct arena *arena, struct rule_facts *out)
{
	size_t count;
	const struct module_info *mods = modules(facts->session, &count);
	const char **names = arena_alloc(arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++) {
		names[i] = mods[i].module.name;
		if (out->module && strcmp(out->module, names[i]) == 0 && mods[i].version[0])
			out->module_version = mods[i].version;
	}
	out->loaded_known = count > 0 && modules_listed(facts);
	out->loaded = (struct rule_words){ names, count };
}

static void fill_taint(const struct facts *facts, struct arena *arena, struct rule_facts *out)
{
	auto_strbuf letters = { 0 };

	if (!facts->system.has_taint)
		return;
	for (unsigned bit = 0; bit < 64 && taint_flag(bit); bit++) {
		if (facts->system.taint >> bit & 1)
			strbuf_add_char(&letters, taint_flag(bit)->set);
	}
	out->taint = arena_strdup(arena, strbuf_text(&letters));
}

/* What came before the end; its own lines are the crash itself, and rules may want them, too. */
static void fill_log(const struct facts *facts, struct arena *arena, struct rule_facts *out)
{
	size_t count = facts->log_readable ? facts->log_count : 0;
	const char **lines = arena_alloc(arena, (count + 1) * sizeof(*lines));

	for (size_t i = 0; i < count; i++)
		lines[i] = facts->log[i].text;
	out->log_known = facts->log_readable;
	out->log = (struct rule_words){ lines, count };
}

/* --- The bad value. --- */

/* "struct channel", "peer->channel.sent" -> "channel.channel.sent": the path behind the arrow. */
static const char *member_of(const struct fault_operand *o, struct arena *arena)
{
	const char *path = NULL, *tag = o->object;

	if (!o->memory || !o->object || !o->place)
		return NULL;
	for (const char *at = o->place; (at = strstr(at, "->")); at += 2)
		path = at + 2;
	if (starts_with(tag, "struct ") || starts_with(tag, "union "))
		tag = strchr(tag, ' ') + 1;
	return path ? arena_printf(arena, "%s.%s", tag, path) : NULL;
}

void rule_members(const struct facts *facts, struct arena *arena, struct rule_words *out)
{
	const struct fault_view *view = facts->view;
	const char **members = arena_alloc(arena, FAULT_OPERANDS_MAX * sizeof(*members));
	size_t count = 0;

	for (unsigned i = 0; view && i < view->operand_count; i++) {
		const char *member = member_of(&view->operand[i], arena);
		if (member)
			members[count++] = member;
	}
	*out = (struct rule_words){ members, count };
}

/* Where the bad value was read from counts as much as where it was used. */
static void fill_members(const struct facts *facts, const struct finding *verdict,
			 struct arena *arena, struct rule_facts *out)
{
	struct rule_words accessed;

	rule_members(facts, arena, &accessed);
	const char **members = arena_alloc(arena, (accessed.count + 1) * sizeof(*members));
	size_t count = 0;
	if (verdict->member)
		members[count++] = verdict->member;
	for (size_t i = 0; i < accessed.count; i++)
		members[count++] = accessed.data[i];
	out->members = (struct rule_words){ members, count };
}

static void fill_value(const struct facts *facts, struct rule_facts *out)
{
	const struct fault_site *fault = &facts->fault;
	const struct fault_view *view = facts->view;

	if (fault->trap == TRAP_NONE)
		return;
	if (fault->pc_is_wild || fault->has_target) {
		out->has_value = true;
		out->value = fault->has_target ? fault->target : fault->pc;
	} else if (fault->base_reg >= 0) {
		out->has_value = true;
		out->value = fault->base_value;
		out->has_offset = fault->has_address;
		out->offset = fault->address - fault->base_value;
	} else if (fault->has_address) {
		out->has_value = true;
		out->value = fault->address;
	} else if (view && view->condition_count && view->condition[0].left.known) {
		out->has_value = true;
		out->value = view->condition[0].left.value;
	}
}

/*
 * The verdict knows more the more it can see: what one dump proves to be a stale pointer is a bad
 * address in the next, or in a text. A rule may ask for what the kernel itself can tell.
 */
static const char *plain_kind(const struct facts *facts, const struct finding *verdict)
{
	enum { NULL_LIMIT = 0x10000 }; /* as in detect_address.c */
	const struct fault_site *fault = &facts->fault;

	if (verdict->rank < RANK_FAULT || starts_with(verdict->kind, "stack-") ||
	    strcmp(verdict->kind, "sysrq") == 0)
		return NULL;
	switch (fault->trap) {
	case TRAP_PAGE_FAULT:
		return fault->has_address && fault->address < NULL_LIMIT ? "null-pointer"
									 : "bad-address";
	case TRAP_GENERAL_PROTECTION:
		return "non-canonical";
	case TRAP_INVALID_OPCODE:
		return strcmp(verdict->kind, "warning") == 0 ? "warning" : "bug";
	default:
		return NULL;
	}
}

void rule_facts_of(const struct diagnosis *diagnosis, struct arena *arena,
		   struct rule_facts *facts)
{
	const struct facts *from = &diagnosis->facts;
	const struct finding *verdict = &diagnosis->findings[0];
	struct rule_source *source = arena_alloc(arena, sizeof(*source));

	*source = (struct rule_source){ from->session, arena };
	*facts = (struct rule_facts){
		.kind = verdict->kind,
		.plain_kind = plain_kind(from, verdict),
		.function = verdict->blame.known ? verdict->blame.function : NULL,
		.module_known = verdict->blame.known,
		.module = verdict->blame.known ? verdict->blame.module : NULL,
		.release = from->system.release,
		.banner = from->system.version,
		.ctx = source,
		.config = look_up_config,
		.parameter = look_up_parameter,
	};
	fill_stack(from, verdict->kind, facts);
	if (from->fault.trap != TRAP_NONE && facts->stack.count)
		facts->fault_function = facts->stack.data[0];
	fill_modules(from, arena, facts);
	fill_taint(from, arena, facts);
	fill_log(from, arena, facts);
	fill_members(from, verdict, arena, facts);
	fill_value(from, facts);
}
