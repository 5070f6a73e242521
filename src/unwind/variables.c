// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The variables of a frame: the entries of its function in the debug file, down through the blocks
 * and inlined functions that the place in the code is in; then each one's location, and what is
 * there. Which of several locations holds depends on the place: see var_frame.c.
 *
 * Compilers often keep no location for the parameters of inlined functions. Where the function
 * around has a variable of that name and type, that is what was passed in most cases: it is given
 * as a guess. Not so if that variable is in memory, as it might have been written through a pointer
 * since, or is itself a guess.
 */
#include "unwind/variables.h"

#include <dwarf.h>
#include <string.h>

#include "unwind/var_frame.h"
#include "unwind/var_type.h"

enum {
	NESTING_MAX = 24,
	VARIABLES_MAX = 2048,   /* of one frame */
	EXPRESSIONS_MAX = 4096, /* of callers, for one frame */
};

/* What is kept of each variable for guesses: its type, and whether it has a place anywhere. */
struct origin {
	Dwarf_Die type;
	bool has_type, has_place;
};

struct collection {
	struct var_frame *frame;
	struct variables *out;
	struct {
		vec_fields(struct origin);
	} origins;        /* of the variables in out, by index */
	unsigned deepest; /* number of inlined functions around the place */
};

/* --- Why a value is not known. --- */

static const char *register_name(const struct var_frame *f, uint64_t reg)
{
	const struct arch *arch = f->query->unwinder->env.arch;

	return reg < arch->reg_count && reg <= arch->pc ? arch->reg_names[reg] : "a register";
}

static void explain(const struct var_frame *f, struct arena *arena,
		    const struct expr_trouble *trouble, struct variable *v)
{
	switch (trouble->status) {
	case EXPR_OK:
	case EXPR_OPTIMISED_OUT:
		v->state = VARIABLE_OPTIMISED_OUT;
		v->why = "optimised out";
		break;
	case EXPR_REGISTER_LOST:
		v->state = VARIABLE_REGISTER_LOST;
		v->why = arena_printf(arena, "register lost in a call: it was in %s",
				      register_name(f, trouble->detail));
		break;
	case EXPR_NO_MEMORY:
		v->state = VARIABLE_NOT_IN_DUMP;
		v->why = arena_printf(arena, "memory at 0x%llx: %s",
				      (unsigned long long)trouble->detail,
				      read_status_text(trouble->read));
		break;
	case EXPR_NO_ENTRY_VALUE:
		v->state = VARIABLE_NO_ENTRY_VALUE;
		v->why = arena_printf(arena, "only the caller had it: %s",
				      trouble->why ? trouble->why : "it does not say");
		break;
	case EXPR_NO_FRAME:
		v->state = VARIABLE_REGISTER_LOST;
		v->why = "where the function's frame begins is not known";
		break;
	case EXPR_UNSUPPORTED:
		v->state = VARIABLE_UNSUPPORTED;
		v->why = arena_printf(arena, "DWARF operation 0x%llx is not supported",
				      (unsigned long long)trouble->detail);
		break;
	case EXPR_DAMAGED:
		v->state = VARIABLE_UNSUPPORTED;
		v->why = "its location in the debug file makes no sense";
		break;
	}
}

/* --- One variable. --- */

/* A constant of the debug file, as @v->size bytes. */
static bool constant_bytes(Dwarf_Attribute *attr, struct arena *arena, struct variable *v)
{
	Dwarf_Word number;
	Dwarf_Sword number_signed;
	Dwarf_Block block;
	uint8_t *bytes;

	if (!v->size || v->size > VARIABLE_BYTES_MAX)
		return false;
	bytes = arena_zalloc(arena, (size_t)v->size);
	if (dwarf_formblock(attr, &block) == 0) {
		if (block.length != v->size)
			return false;
		memcpy(bytes, block.data, (size_t)v->size);
	} else if (v->size > sizeof(number)) {
		return false;
	} else if (dwarf_whatform(attr) == DW_FORM_sdata ||
		   dwarf_whatform(attr) == DW_FORM_implicit_const) {
		if (dwarf_formsdata(attr, &number_signed) != 0)
			return false;
		memcpy(bytes, &number_signed, (size_t)v->size);
	} else {
		if (dwarf_formudata(attr, &number) != 0)
			return false;
		memcpy(bytes, &number, (size_t)v->size);
	}
	v->bytes = bytes;
	v->where = "constant";
	return true;
}

static bool is_constant(const uint8_t *expr, size_t size)
{
	return size && ((expr[0] >= DW_OP_lit0 && expr[0] <= DW_OP_lit31) ||
			(expr[0] >= DW_OP_const1u && expr[0] <= DW_OP_consts) ||
			expr[0] == DW_OP_addr || expr[0] == DW_OP_implicit_value);
}

static const char *where(const struct var_frame *f, const struct expr_location *l,
			 const uint8_t *expr, size_t size)
{
	if (l->by_entry)
		return "given by the caller";
	if (l->count != 1)
		return "pieces";
	switch (l->piece[0].place) {
	case EXPR_MEMORY:
		return "memory";
	case EXPR_REGISTER:
		return register_name(f, l->piece[0].value);
	default:
		return is_constant(expr, size) ? "constant" : "computed";
	}
}

static void note_gaps(const struct expr_gaps *gaps, struct arena *arena, struct variable *v)
{
	struct variable_gap *noted = arena_alloc(arena, gaps->count * sizeof(*noted));

	for (unsigned i = 0; i < gaps->count; i++)
		noted[i] = (struct variable_gap){ gaps->gap[i].start, gaps->gap[i].end };
	v->gaps = noted;
	v->gap_count = gaps->count;
}

/*
 * DW_OP_implicit_pointer: the compiler did away with the pointer, and with the address of what it
 * points to, but says which variable that is. It has a row of its own.
 */
static void implicit_pointer(struct var_frame *f, const struct expr_piece *piece,
			     struct arena *arena, struct variable *v)
{
	Dwarf_Die target;
	const char *name = NULL;

	if (debug_module_entry(f->module, &f->unit, piece->die, &target))
		name = dwarf_diename(&target);
	v->state = VARIABLE_OPTIMISED_OUT;
	if (!name)
		v->why = "optimised out: a pointer to what has no address";
	else if (piece->value)
		v->why = arena_printf(arena, "optimised out: points %lld bytes into %s, which has "
				      "no address", (long long)piece->value, name);
	else
		v->why = arena_printf(arena, "optimised out: points to %s, which has no address",
				      name);
}

static void load(struct var_frame *f, const uint8_t *expr, size_t size, struct arena *arena,
		 struct variable *v)
{
	struct expr_location location;
	struct expr_trouble trouble;
	struct expr_gaps gaps;

	f->query->reads_elsewhere = false;
	if (!expr_locate(&f->env, expr, size, &location, &trouble)) {
		explain(f, arena, &trouble, v);
		return;
	}
	const struct expr_piece *first = &location.piece[0];
	if (location.count == 1 && first->place == EXPR_POINTER) {
		implicit_pointer(f, first, arena, v);
		return;
	}
	v->has_address = location.count == 1 && first->place == EXPR_MEMORY;
	v->address = v->has_address ? first->value : 0;
	v->where = where(f, &location, expr, size);
	if (v->size > VARIABLE_BYTES_MAX && v->has_address)
		return;
	if (!v->size || v->size > VARIABLE_BYTES_MAX) {
		v->state = VARIABLE_UNSUPPORTED;
		v->why = "its size is not known";
		return;
	}
	uint8_t *bytes = arena_alloc(arena, (size_t)v->size);
	if (!expr_load(&f->env, &location, bytes, (size_t)v->size,
		       v->kind == VARIABLE_AGGREGATE ? &gaps : NULL, &trouble)) {
		explain(f, arena, &trouble, v);
		return;
	}
	v->bytes = bytes;
	if (v->kind == VARIABLE_AGGREGATE && gaps.count)
		note_gaps(&gaps, arena, v);
	v->derived = f->query->reads_elsewhere;
}

static void evaluate_here(struct var_frame *f, Dwarf_Die *die, struct arena *arena,
			  struct variable *v)
{
	Dwarf_Attribute attr;
	const uint8_t *expr;
	size_t size;

	v->state = VARIABLE_KNOWN;
	if (dwarf_attr_integrate(die, DW_AT_const_value, &attr)) {
		if (!constant_bytes(&attr, arena, v)) {
			v->state = VARIABLE_UNSUPPORTED;
			v->why = "its constant in the debug file makes no sense";
		}
	} else if (dwarf_attr_integrate(die, DW_AT_location, &attr) &&
		   var_frame_expr(f, &attr, &expr, &size)) {
		load(f, expr, size, arena, v);
	} else {
		v->state = VARIABLE_OPTIMISED_OUT;
		v->why = "optimised out";
	}
}

/*
 * Where the frame has made a call, variables in registers that calls may overwrite have no location
 * from the return on; debug files mark that by ranges that end one byte before it. What they were
 * when the call was made they still are, as the frame has not run since.
 */
static void evaluate(struct var_frame *f, Dwarf_Die *die, struct arena *arena, struct variable *v)
{
	bool is_call = f->query->stack->frames[f->index].is_call;
	struct variable at_call = *v;

	evaluate_here(f, die, arena, v);
	for (unsigned back = 0; is_call && back < 2 && v->state != VARIABLE_KNOWN; back++) {
		struct variable again = at_call;
		f->at_call = true;
		f->pc -= back;
		evaluate_here(f, die, arena, &again);
		f->pc += back;
		f->at_call = false;
		if (again.state == VARIABLE_KNOWN) {
			*v = again;
			v->at_call = true;
		}
	}
}

static void add_variable(struct collection *c, Dwarf_Die *die, const char *function, bool inlined,
			 unsigned level)
{
	struct arena *arena = &c->out->arena;
	const char *name = dwarf_diename(die);
	struct variable v = {
		.function = function, .inlined = inlined, .scope = level, .kind = VARIABLE_OTHER
	};
	struct origin origin = { 0 };
	Dwarf_Attribute attr;
	Dwarf_Die type;

	if (!name || dwarf_hasattr(die, DW_AT_declaration) || c->out->count >= VARIABLES_MAX)
		return;
	v.name = arena_strdup(arena, name);
	v.parameter = dwarf_tag(die) == DW_TAG_formal_parameter;
	v.type = "?";
	if (var_type_of(die, &type)) {
		auto_strbuf spelling = { 0 };
		var_type_spell(&type, &spelling);
		v.type = arena_strdup(arena, strbuf_text(&spelling));
		v.kind = var_type_kind(&type);
		v.size = var_type_size(&type);
		origin.type = type;
		origin.has_type = true;
	}
	origin.has_place = dwarf_attr_integrate(die, DW_AT_const_value, &attr) ||
			   dwarf_attr_integrate(die, DW_AT_location, &attr);
	evaluate(c->frame, die, arena, &v);
	if (v.kind == VARIABLE_ENUM && v.bytes && v.size <= 8) {
		uint64_t value = 0;
		memcpy(&value, v.bytes, (size_t)v.size);
		const char *enumerator = var_type_enumerator(&type, value);
		v.enumerator = enumerator ? arena_strdup(arena, enumerator) : NULL;
	}
	vec_push(c->out, v);
	vec_push(&c->origins, origin);
}

/* --- Guesses. --- */

/* The variable @i, which has no place, if it may be guessed from one further out: that one. */
static const struct variable *outer_of(const struct collection *c, size_t i)
{
	const struct variable *v = &c->out->data[i], *found = NULL;

	if (!v->inlined || !v->parameter || v->state == VARIABLE_KNOWN || !v->scope ||
	    c->origins.data[i].has_place || !c->origins.data[i].has_type)
		return NULL;
	for (size_t k = 0; k < c->out->count; k++) {
		const struct variable *outer = &c->out->data[k];
		if (outer->scope != v->scope - 1 || strcmp(outer->name, v->name) != 0)
			continue;
		if (found || !c->origins.data[k].has_type ||
		    !var_type_same(&c->origins.data[i].type, &c->origins.data[k].type))
			return NULL; /* several in blocks, or another */
		found = outer;
	}
	if (!found || found->state != VARIABLE_KNOWN || found->guess || found->has_address ||
	    !found->bytes || found->gap_count || found->kind == VARIABLE_AGGREGATE)
		return NULL;
	return found;
}

static void guess(struct collection *c)
{
	for (size_t i = c->out->count; i-- > 0;) {
		struct variable *v = &c->out->data[i];
		const struct variable *outer = outer_of(c, i);
		if (!outer)
			continue;
		v->state = VARIABLE_KNOWN;
		v->why = NULL;
		v->where = arena_printf(&c->out->arena, "the variable of that name in %s",
					outer->function);
		v->bytes = outer->bytes;
		v->enumerator = outer->enumerator;
		v->derived = outer->derived;
		v->guess = true;
	}
}

/* --- All of them. --- */

static void collect(struct collection *c, Dwarf_Die *parent, const char *function, bool inlined,
		    unsigned level, unsigned depth)
{
	Dwarf_Die die;

	if (level > c->deepest)
		c->deepest = level;
	if (depth > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		const char *name;
		switch (dwarf_tag(&die)) {
		case DW_TAG_formal_parameter:
		case DW_TAG_variable:
			add_variable(c, &die, function, inlined, level);
			break;
		case DW_TAG_lexical_block:
			if (!var_has_range(
				    &die)) /* its code was optimised away: nothing is there */
				break;
			if (var_covers(c->frame, &die))
				collect(c, &die, function, inlined, level, depth + 1);
			break;
		case DW_TAG_inlined_subroutine:
			if (!var_covers(c->frame, &die))
				break;
			name = dwarf_diename(&die);
			collect(c, &die, name ? arena_strdup(&c->out->arena, name) : "?", true,
				level + 1, depth + 1);
			break;
		default:
			break;
		}
	} while (var_next(c->frame->query, &die));
}

/* Innermost function first; within one as the debug file has them. */
static void order(struct collection *c)
{
	struct variables *v = c->out;
	size_t done = 0;
	auto_free struct variable *sorted = xcalloc(v->count + 1, sizeof(*sorted));

	for (unsigned scope = 0; scope <= c->deepest; scope++) {
		for (size_t i = 0; i < v->count; i++) {
			if (c->deepest - v->data[i].scope != scope)
				continue;
			sorted[done] = v->data[i];
			sorted[done++].scope = scope;
		}
	}
	if (v->count)
		memcpy(v->data, sorted, v->count * sizeof(*sorted));
}

void frame_variables(struct unwinder *unwinder, const struct stack *stack, size_t index,
		     struct variables *variables)
{
	struct var_query query = { .unwinder = unwinder,
				   .stack = stack,
				   .budget = EXPRESSIONS_MAX };
	struct var_frame frame;
	struct collection c = { .frame = &frame, .out = variables };

	*variables = (struct variables){ 0 };
	if (index < stack->count && var_frame_open(&query, index, 0, &frame)) {
		const char *name = dwarf_diename(&frame.function);
		collect(&c, &frame.function, name ? arena_strdup(&variables->arena, name) : "?",
			false, 0, 0);
		guess(&c);
		order(&c);
		vec_deinit(&c.origins);
	}
	var_query_end(&query);
}

void variables_deinit(struct variables *variables)
{
	vec_deinit(variables);
	arena_deinit(&variables->arena);
}
