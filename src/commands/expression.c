// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the names in an expression mean in a session: registers are those of the chosen frame;
 * symbols are the dump's, with the types that are known of them; locals, where debug info tells
 * them, hide symbols when the user has chosen a frame or task, and else are asked last: debug info
 * must not change what an expression means without it. A type is looked up by name, and
 * static variables may share a name: a type that is larger than its symbol is another one's and is
 * not believed, and a symbol that is not alone gets a note.
 */
#include "commands/expression.h"
#include "commands/suggest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/strbuf.h"
#include "kernel/context.h"
#include "kernel/cpus.h"

static enum read_status read_bytes(void *ctx, uint64_t address, void *buf, size_t size)
{
	const struct expression *x = ctx;
	struct memory *mem = x->session->memory;

	if (x->user && !x->session->arch->is_kernel_address(address))
		return memory_read_user(mem, x->user, address, buf, size, NULL);
	return memory_read(mem, address, buf, size);
}

/* --- Symbols --- */

struct count {
	const char *name;
	unsigned count;
};

static bool count_name(void *ctx, const struct symbol *symbol)
{
	struct count *c = ctx;

	c->count += strcmp(symbol->name, c->name) == 0;
	return true;
}

/* Lower-case types are static: there may be others of that name. */
static void note_others(struct expression *x, const char *name, const struct symbol *symbol)
{
	struct count c = { .name = name };

	if (symbol->type < 'a' || symbol->type > 'z' || strchr(name, ':'))
		return;
	symbols_each(x->session->symbols, count_name, &c);
	if (c.count > 1)
		snprintf(x->note, sizeof(x->note), "%u symbols are called %.64s: this is the one at "
			 "%" PRIx64 " (\"sym %.64s\" shows all)", c.count, name, symbol->address,
			 name);
}

static struct type type_of_symbol(struct session *s, const struct symbol *symbol, bool is_text)
{
	struct type type = { 0 };
	bool found = false;

	if (!is_text && types_variable_at(s->types, symbol->name, symbol->address, &type))
		return type;
	/* Of a module's symbol with the name of one of the kernel's, it would be the kernel's. */
	if (!symbol->module || !symbols_address(s->symbols, symbol->name))
		found = is_text ? types_function(s->types, symbol->name, &type)
				: types_variable(s->types, symbol->name, &type);
	if (!found || (!is_text && symbol->size && type_size(type) > symbol->size))
		return (struct type){ 0 };
	return type;
}

static bool find_symbol(struct expression *x, const char *name, struct expr_symbol *found)
{
	struct session *s = x->session;
	struct symbol symbol;
	char old[128];

	if (!s->symbols)
		return false;
	/* Per-CPU variables before 2.6.34: include/linux/percpu-defs.h put the prefix there. */
	snprintf(old, sizeof(old), "per_cpu__%s", name);
	if (!symbols_by_name(s->symbols, name, &symbol) &&
	    !(strlen(name) < 100 && symbols_by_name(s->symbols, old, &symbol)))
		return false;
	*found = (struct expr_symbol){ .address = symbol.address };
	found->is_percpu = symbol_is_percpu(s, &symbol);
	found->is_text = !found->is_percpu && symbols_is_text(s->symbols, symbol.address);
	found->type = type_of_symbol(s, &symbol, found->is_text);
	note_others(x, name, &symbol);
	return true;
}

static bool lookup_symbol(void *ctx, const char *name, struct expr_symbol *symbol)
{
	struct expression *x = ctx;

	for (unsigned i = 0; i < x->known_count; i++) {
		if (strcmp(x->known[i].name, name) == 0) {
			*symbol = x->known[i].symbol;
			return x->known[i].found;
		}
	}
	bool found = find_symbol(x, name, symbol);
	if (x->known_count < EXPRESSION_NAMES) {
		unsigned i = x->known_count++;
		x->known[i].name = arena_strdup(&x->arena, name);
		x->known[i].found = found;
		if (found)
			x->known[i].symbol = *symbol;
	}
	return found;
}

static bool percpu_address(void *ctx, uint64_t symbol_address, unsigned cpu, uint64_t *address)
{
	const struct expression *x = ctx;
	const struct cpu *found = cpu_by_id(x->session, cpu);

	if (!found)
		return false;
	*address = symbol_address + found->percpu_offset;
	return true;
}

static const char *nearest_symbol(void *ctx, const char *name)
{
	struct expression *x = ctx;

	return suggest_symbol_name(x->session, &x->arena, name);
}

/* --- Registers --- */

static const struct frame *chosen_frame(struct expression *x)
{
	if (!x->has_stack) {
		x->has_stack = true;
		x->frame = context_frame(x->session, &x->stack);
		if (x->frame && x->session->unwinder)
			unwind_registers(x->session->unwinder, &x->stack, NULL);
	}
	return x->frame;
}

/* The number of a register; gdb's $pc, $sp and $fp are taken on every architecture. */
static bool register_number(const struct arch *arch, const char *name, unsigned *number)
{
	if (strcmp(name, "pc") == 0)
		*number = arch->pc;
	else if (strcmp(name, "sp") == 0)
		*number = arch->sp;
	else if (strcmp(name, "fp") == 0)
		*number = arch->fp;
	else
		for (*number = 0; *number < arch->reg_count; ++*number) {
			if (strcasecmp(arch->reg_names[*number], name) == 0)
				break;
		}
	return *number < arch->reg_count;
}

static enum expr_found lookup_register(struct expression *x, const char *name,
				       struct value *value, struct error **err)
{
	const struct arch *arch = x->session->arch;
	unsigned number;

	if (!register_number(arch, name + 1, &number))
		return EXPR_UNKNOWN;
	const struct frame *frame = chosen_frame(x);
	if (!frame) {
		*err = error_new(ERROR_MISSING, "no frame is chosen, or its stack cannot be read");
		return EXPR_LOST;
	}
	if (!regs_known(&frame->regs, number)) {
		*err = error_new(ERROR_MISSING, "%s is not known in frame %zu", name,
				 x->session->context.frame);
		return EXPR_LOST;
	}
	struct type type = number == arch->pc ? expr_code_type(x->session->types)
					      : expr_register_type();
	*value = value_of_number(type, frame->regs.value[number]);
	return EXPR_FOUND;
}

/* --- Locals --- */

static const struct variable *find_local(struct expression *x, const char *name)
{
	if (!chosen_frame(x) || !x->session->unwinder)
		return NULL;
	if (!x->has_variables) {
		x->has_variables = true;
		frame_variables(x->session->unwinder, &x->stack, x->session->context.frame,
				&x->variables);
	}
	/* The innermost scope is first. */
	vec_for_each (v, &x->variables) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

/* The session's type of that spelling, if it has the size that the debug file says. */
static bool type_of_local(struct expression *x, const struct variable *v, struct type *type)
{
	auto_free char *cast = xasprintf("(%s)0", v->type);
	struct expr_env env = x->env;
	struct expr *expr;
	struct value value;
	size_t at;

	if (types_find(x->session->types, v->type, type))
		return type_size(*type) == v->size;
	/* Function pointers and the like. Names mean nothing in it but types. */
	env.name = NULL;
	env.value.dry = true;
	struct error *err = expr_parse(cast, &env, &x->arena, &expr, &at);
	if (!err)
		err = expr_eval(expr, &env, &value, &at);
	bool ok = !err && type_size(value.type) == v->size;
	error_free(err);
	if (ok)
		*type = value.type;
	return ok;
}

static enum expr_found value_of_local(struct expression *x, const struct variable *v,
				      struct value *value, struct error **err)
{
	struct type type;

	if (v->state != VARIABLE_KNOWN || (!v->has_address && (!v->bytes || v->gap_count))) {
		*err = error_new(ERROR_MISSING, "%s of %s: %s", v->name, v->function,
				 v->state != VARIABLE_KNOWN ? v->why : "not all of it is known");
		return EXPR_LOST;
	}
	if (!type_of_local(x, v, &type)) {
		*err = error_new(ERROR_MISSING, "%s of %s: its type, %s, is not known", v->name,
				 v->function, v->type);
		return EXPR_LOST;
	}
	snprintf(x->note, sizeof(x->note), "%.64s is the %s of %.64s in frame %zu%s%.60s%s",
		 v->name, v->parameter ? "argument" : "local variable", v->function,
		 x->session->context.frame,
		 v->guess ? ", a guess: " : (v->where ? ", in " : ""), v->where ? v->where : "",
		 v->derived ? ", read again: it may have changed" : "");
	if (v->has_address)
		*value = value_of_memory(type, v->address);
	else
		*value = (struct value){ .type = type, .place = VALUE_BYTES, .bytes = v->bytes,
					 .size = v->size };
	return EXPR_FOUND;
}

static enum expr_found lookup_name(void *ctx, const char *name, struct value *value,
				   struct error **err)
{
	struct expression *x = ctx;

	if (*name == '$')
		return lookup_register(x, name, value, err);
	if (!x->session->debuginfo)
		return EXPR_UNKNOWN;
	const struct variable *v = find_local(x, name);
	return v ? value_of_local(x, v, value, err) : EXPR_UNKNOWN;
}

/* --- */

void expression_init(struct expression *x, struct session *session)
{
	*x = (struct expression){ .session = session };
	x->env = (struct expr_env){
		.value = { .types = session->types, .ctx = x, .read = read_bytes },
		.cpu = -1,
		.symbol = lookup_symbol,
		.percpu = percpu_address,
		.name = lookup_name,
		.locals_last = !session->context.task && !session->context.frame,
		.nearest = nearest_symbol,
	};
}

void expression_deinit(struct expression *x)
{
	if (x->has_variables)
		variables_deinit(&x->variables);
	if (x->has_stack)
		stack_deinit(&x->stack);
	arena_deinit(&x->arena);
}

struct error *expression_parse(struct expression *x, const char *text)
{
	return expr_parse(text, &x->env, &x->arena, &x->expr, &x->at);
}

struct error *expression_eval(struct expression *x, struct value *value)
{
	return expr_eval(x->expr, &x->env, value, &x->at);
}

void expression_show_error(const struct expression *x, const char *text, struct doc *doc)
{
	size_t width = 0;

	/* Characters, not bytes; and tabs stay, so that both lines have them. */
	auto_strbuf blanks = { 0 };
	for (size_t i = 0; text[i] && i < x->at; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			strbuf_add_char(&blanks, text[i] == '\t' ? '\t' : ' ');
		width++;
	}
	doc_textf(doc, STYLE_PLAIN, "    %s", text);
	doc_textf(doc, STYLE_BAD, "    %s^", width ? strbuf_text(&blanks) : "");
}

static struct error *address_of_value(const struct expression *x, const struct value *value,
				      uint64_t *address)
{
	enum type_kind kind = type_kind(type_strip(value->type));

	*address = value->address;
	if (value->place == VALUE_MEMORY && !value->bit_size &&
	    (kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_NONE))
		return NULL;
	return value_number(&x->env.value, value, address);
}

struct error *expression_address(struct session *session, const char *text, uint64_t *address)
{
	struct expression x;
	struct value value;

	expression_init(&x, session);
	x.env.bare_hex = true;
	x.env.value.bytes = true;
	/* Who asks has better words for a name that does not exist. */
	x.env.nearest = NULL;
	struct error *err = expression_parse(&x, text);
	if (!err && expr_cpu_list(x.expr))
		err = error_new(ERROR_USAGE, "one CPU is enough for an address");
	if (!err)
		err = expression_eval(&x, &value);
	if (!err)
		err = address_of_value(&x, &value, address);
	expression_deinit(&x);
	return err;
}
