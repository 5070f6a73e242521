// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers what DWARF expressions ask about a frame. Registers are those that unwinding knows;
 * addresses in the debug file count from where it was linked, bias takes them to where it ran.
 *
 * For a caller the place in the code is the call itself, one byte before the return address: so
 * that what the call clobbers is not taken for what it gave back.
 */
#include "unwind/var_frame.h"

#include <dwarf.h>
#include <string.h>

#include "base/bytes.h"
#include "unwind/loclist.h"
#include "unwind/var_type.h"

enum { NESTING_MAX = 8, ENTRIES_MAX = 1 << 21 };

bool var_next(struct var_query *query, Dwarf_Die *die)
{
	Dwarf_Die next;

	if (++query->entries > ENTRIES_MAX || dwarf_siblingof(die, &next) != 0 ||
	    (const char *)next.addr <= (const char *)die->addr)
		return false;
	*die = next;
	return true;
}

bool var_has_range(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

bool var_covers(const struct var_frame *frame, Dwarf_Die *die)
{
	return dwarf_haspc(die, frame->pc) == 1;
}

/* --- Sections. --- */

static const Elf_Data *find_section(struct debug_module *module, const char *wanted)
{
	uint64_t bias;
	Dwarf *dwarf = debug_module_dwarf(module, &bias);
	Elf *elf = dwarf ? dwarf_getelf(dwarf) : NULL;
	Elf_Scn *section = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		/* .zdebug_loc is how GNU tools once named compressed ones. */
		if (!name || header.sh_type == SHT_NOBITS ||
		    (strcmp(name, wanted) != 0 &&
		     (strncmp(name, ".z", 2) != 0 || strcmp(name + 2, wanted + 1) != 0)))
			continue;
		const Elf_Data *data = elf_getdata(section, NULL);
		return data && data->d_buf ? data : NULL;
	}
	return NULL;
}

/* Entry @index of the unit's part of .debug_addr. */
static bool indexed_address(void *ctx, uint64_t index, uint64_t *value)
{
	const struct var_frame *f = ctx;
	const Elf_Data *data = find_section(f->module, ".debug_addr");
	Dwarf_Die unit = f->unit;
	Dwarf_Attribute attr;
	Dwarf_Word base = 8; /* behind the header of the only table */
	uint64_t at;

	if (!dwarf_attr(&unit, DW_AT_addr_base, &attr))
		(void)dwarf_attr(&unit, DW_AT_GNU_addr_base, &attr);
	if (attr.valp && dwarf_formudata(&attr, &base) != 0)
		return false;
	if (!data || __builtin_mul_overflow(index, 8, &at) ||
	    __builtin_add_overflow(at, base, &at) || !range_fits(at, 8, data->d_size))
		return false;
	*value = load_u64((const char *)data->d_buf + at);
	return true;
}

static bool list_expr(struct var_frame *f, Dwarf_Attribute *attr, const uint8_t **expr,
		      size_t *size)
{
	const Elf_Data *data =
		find_section(f->module, f->version >= 5 ? ".debug_loclists" : ".debug_loc");
	Dwarf_Word offset;
	Dwarf_Addr base;

	if (!data || dwarf_formudata(attr, &offset) != 0)
		return false;
	if (dwarf_lowpc(&f->unit, &base) != 0)
		base = 0;
	struct loclist list = { .data = data->d_buf,
				.size = data->d_size,
				.version = f->version,
				.base = base,
				.indexed = indexed_address,
				.ctx = f };
	return loclist_find(&list, offset, f->pc, expr, size, NULL);
}

bool var_frame_expr(struct var_frame *f, Dwarf_Attribute *attr, const uint8_t **expr, size_t *size)
{
	Dwarf_Block block;

	switch (dwarf_whatform(attr)) {
	case DW_FORM_exprloc:
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
		if (dwarf_formblock(attr, &block) != 0)
			return false;
		*expr = block.data;
		*size = block.length;
		return true;
	default:
		return list_expr(f, attr, expr, size);
	}
}

/* --- What expressions ask. --- */

static bool frame_reg(void *ctx, unsigned reg, uint64_t *value)
{
	struct var_frame *f = ctx;
	const struct frame *frame = &f->query->stack->frames[f->index];
	const struct arch *arch = f->query->unwinder->env.arch;

	if (f->gone)
		return false;
	if (reg == arch->sp)
		*value = f->sp;
	else if (reg < arch->pc && regs_known(&frame->regs, reg))
		*value = frame->regs.value[reg];
	else if (f->at_call && frame->is_call && reg < arch->pc)
		return var_register_at_call(f, reg, value);
	else
		return false;
	return true;
}

static enum read_status frame_read(void *ctx, uint64_t address, void *buf, size_t size)
{
	const struct var_frame *f = ctx;
	const struct unwind_env *env = &f->query->unwinder->env;

	if ((f->depth || f->at_call) &&
	    (f->gone || !f->cfa || address < f->sp || address >= f->cfa))
		f->query->reads_elsewhere = true;
	return env->read(env->ctx, address, buf, size);
}

static bool frame_cfa(void *ctx, uint64_t *value)
{
	const struct var_frame *f = ctx;

	*value = f->cfa;
	return f->cfa && !f->gone;
}

static bool frame_base(void *ctx, uint64_t *value, struct expr_trouble *trouble)
{
	struct var_frame *f = ctx;
	struct dwarf_expr_env env = f->env;
	Dwarf_Attribute attr;
	const uint8_t *expr;
	size_t size;

	env.frame_base = NULL;
	env.entry_value = NULL;
	return dwarf_attr_integrate(&f->function, DW_AT_frame_base, &attr) &&
	       var_frame_expr(f, &attr, &expr, &size) &&
	       expr_value(&env, expr, size, NULL, value, trouble);
}

/* The entry at @offset in the frame's unit. */
static bool unit_entry(struct var_frame *f, uint64_t offset, Dwarf_Die *die)
{
	uint64_t start = dwarf_dieoffset(&f->unit) - dwarf_cuoffset(&f->unit);

	return dwarf_offdie(dwarf_cu_getdwarf(f->unit.cu), start + offset, die) &&
	       die->cu == f->unit.cu;
}

static bool frame_base_type(void *ctx, uint64_t offset, struct expr_type *type)
{
	Dwarf_Die die;

	return unit_entry(ctx, offset, &die) && var_type_base(&die, type);
}

static bool frame_entry_value(void *ctx, const uint8_t *expr, size_t size, uint64_t *value,
			      struct expr_trouble *trouble)
{
	return var_entry_value(ctx, expr, size, value, trouble);
}

static bool frame_parameter(void *ctx, uint64_t offset, uint64_t *value,
			    struct expr_trouble *trouble)
{
	Dwarf_Die die;

	return unit_entry(ctx, offset, &die) && var_parameter_value(ctx, &die, value, trouble);
}

/* --- Opening. --- */

static bool lock(struct var_query *q, struct debug_module *module)
{
	for (unsigned i = 0; i < q->locked_count; i++) {
		if (q->locked[i] == module)
			return true;
	}
	if (q->locked_count == VAR_FILES_MAX)
		return false;
	debug_module_lock(module);
	q->locked[q->locked_count++] = module;
	return true;
}

void var_query_end(struct var_query *q)
{
	while (q->locked_count)
		debug_module_unlock(q->locked[--q->locked_count]);
}

/* The function around the frame's pc; in C at the top, in Rust within namespaces and types. */
static bool find_function(struct var_frame *f, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return false;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram && var_has_range(&die) && var_covers(f, &die)) {
			f->function = die;
			return true;
		}
		if ((tag == DW_TAG_namespace ||
		     (dwarf_srclang(&f->unit) == DW_LANG_Rust &&
		      (tag == DW_TAG_structure_type || tag == DW_TAG_enumeration_type))) &&
		    find_function(f, &die, depth + 1))
			return true;
	} while (var_next(f->query, &die));
	return false;
}

/* The CFA: as the walk found it, or where the caller's frame begins. */
static uint64_t cfa_of(const struct stack *stack, size_t index)
{
	const struct frame *frame = &stack->frames[index];

	if (frame->cfa || index + 1 >= stack->count)
		return frame->cfa;
	const struct frame *caller = frame + 1;
	return caller->is_call && caller->retaddr_at && caller->how != FRAME_SCAN ? caller->sp : 0;
}

static bool open_at(struct var_frame *f, uint64_t pc)
{
	struct var_query *q = f->query;
	Dwarf_Half version = 0;
	uint8_t offset_size = 4;
	Dwarf_Die unit;

	f->module = q->unwinder->debug ? debuginfo_of(q->unwinder->debug, pc) : NULL;
	if (!f->module || !lock(q, f->module) || !debug_module_dwarf(f->module, &f->bias) ||
	    !debug_module_unit(f->module, pc, &f->unit))
		return false;
	f->pc = pc - f->bias;
	if (dwarf_cu_die(f->unit.cu, &unit, &version, NULL, NULL, &offset_size, NULL, NULL) == NULL)
		return false;
	f->version = version;
	f->env = (struct dwarf_expr_env){
		.ctx = f,
		.bias = f->bias,
		.offset_size = offset_size,
		.reg = frame_reg,
		.read = frame_read,
		.frame_base = frame_base,
		.cfa = frame_cfa,
		.entry_value = frame_entry_value,
		.parameter = frame_parameter,
		.indexed = indexed_address,
		.base_type = frame_base_type,
	};
	return find_function(f, &f->unit, 0);
}

bool var_frame_open(struct var_query *q, size_t index, unsigned depth, struct var_frame *f)
{
	const struct frame *frame = &q->stack->frames[index];

	*f = (struct var_frame){ .query = q, .index = index, .depth = depth };
	f->cfa = cfa_of(q->stack, index);
	f->sp = unwind_code_sp(q->unwinder, q->stack, index);
	return frame->how != FRAME_SCAN && open_at(f, frame->pc - frame->is_call);
}

bool var_frame_open_gone(const struct var_frame *callee, uint64_t target, struct var_frame *f)
{
	*f = (struct var_frame){ .query = callee->query,
				 .index = callee->index,
				 .depth = callee->depth + 1,
				 .gone = true };
	return open_at(f, target);
}
