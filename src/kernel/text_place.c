// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the functions of a text are: at the addresses that it prints; in a vmlinux, where one is
 * given and has a function of that name and size; else at made-up ones.
 *
 * The kernel may have run elsewhere than it was linked (KASLR). The log of a panic says how far, or
 * any printed address does. Where neither is there, the vmlinux is put into the hole of made-up
 * addresses too: no pointer in the text can then be mistaken for one of its symbols.
 */
#include "kernel/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"

/* --- Functions of the vmlinux. --- */

enum { NAMED_MAX = 4096, INSIDE_MAX = 1 << 20 /* no function is larger */ };

/* A function of the kernel that the text names, as "func+0x12/0x34". */
struct named {
	const char *name;
	uint64_t size;
	uint64_t printed; /* where it begins by an address in the text; 0: there is none */
	uint64_t address; /* in the vmlinux; 0: it has none of that name and size */
	bool other_size;  /* but one of that name */
	uint32_t next;    /* of the same name, + 1 */
};

struct names {
	struct {
		vec_fields(struct named);
	} list;
	struct map by_name; /* -> number + 1 */
};

static struct named *find_named(const struct names *names, const char *name, uint64_t size)
{
	uint64_t i;

	if (!map_get_name(&names->by_name, name, &i))
		return NULL;
	for (; i; i = names->list.data[i - 1].next) {
		if (names->list.data[i - 1].size == size)
			return &names->list.data[i - 1];
	}
	return NULL;
}

static void add_name(struct names *names, const struct oops_place *place)
{
	struct named named = { .name = place->function, .size = place->size };
	struct named *known;
	uint64_t first = 0;

	if (!place->function || place->module || !place->size || names->list.count >= NAMED_MAX)
		return;
	known = find_named(names, place->function, place->size);
	if (!known) {
		(void)map_get_name(&names->by_name, place->function, &first);
		named.next = (uint32_t)first;
		vec_push(&names->list, named);
		(void)map_set_name(&names->by_name, place->function, names->list.count);
		known = &names->list.data[names->list.count - 1];
	}
	if (place->address && !known->printed)
		known->printed = place->address - place->offset;
}

static bool match(void *ctx, const struct symbol *symbol)
{
	struct names *names = ctx;
	uint64_t i;

	if (symbol->module || !map_get_name(&names->by_name, symbol->name, &i))
		return true;
	for (; i; i = names->list.data[i - 1].next) {
		struct named *named = &names->list.data[i - 1];
		if (named->size == symbol->size && !named->address)
			named->address = symbol->address;
		else if (named->size != symbol->size)
			named->other_size = true;
	}
	return true;
}

static void find_names(struct session *s, struct names *names)
{
	const struct text *text = s->text;

	*names = (struct names){ 0 };
	for (size_t i = 0; i < text_reports_with_stacks(text); i++) {
		const struct oops_report *r = text_report_at(text, i);
		if (!r)
			continue;
		add_name(names, &r->pc);
		for (size_t k = 0; k < r->frame_count; k++)
			add_name(names, &r->frames[k].place);
	}
	symbols_each(s->symbols, match, names);
}

static void names_deinit(struct names *names)
{
	vec_deinit(&names->list);
	map_deinit(&names->by_name);
}

/* "Kernel Offset: 0x1e000000 from 0xffffffff81000000 (relocation range: ...)", of a panic. */
static bool offset_in_log(const struct text *text, uint64_t *offset)
{
	static const char marker[] = "Kernel Offset: ";

	for (size_t i = text->log_count; i-- > 0;) {
		const char *at = strstr(text->log[i].text, marker);
		if (!at)
			continue;
		at += strlen(marker);
		*offset = strtoull(at, NULL, 16);
		return *offset || starts_with(at, "disabled");
	}
	return false;
}

/* Moves the image into the hole of made-up addresses. */
#define HIDDEN_OFFSET (TEXT_MADE_UP + UINT64_C(0x2000000) - UINT64_C(0xffffffff81000000))

uint64_t text_image_offset(struct session *s)
{
	uint64_t offset = HIDDEN_OFFSET;
	struct names names;

	if (offset_in_log(s->text, &offset))
		return offset;
	find_names(s, &names);
	for (size_t i = 0; i < names.list.count; i++) {
		const struct named *named = &names.list.data[i];
		/* The image moves by 2 MiB at least (CONFIG_PHYSICAL_ALIGN). */
		if (named->printed && named->address &&
		    !((named->printed - named->address) & ((2 << 20) - 1))) {
			offset = named->printed - named->address;
			break;
		}
	}
	names_deinit(&names);
	return offset;
}

bool text_fits(struct session *s)
{
	size_t same = 0, other = 0;
	const char *example = NULL;
	struct names names;

	find_names(s, &names);
	for (size_t i = 0; i < names.list.count; i++) {
		const struct named *named = &names.list.data[i];
		same += named->address != 0;
		other += !named->address && named->other_size;
		if (!named->address && named->other_size)
			example = named->name;
	}
	names_deinit(&names);
	if (same > other * 4)
		return true;
	if (example)
		session_problem(s, "the vmlinux is of another kernel: of the functions in the text it "
				"has %zu, and %zu others in another size (%s)", same, other,
				example);
	else
		session_problem(s, "the vmlinux has none of the functions that the text names");
	return false;
}

/* --- Places. --- */

struct placer {
	struct session *s;
	struct {
		vec_fields(struct symbol_place);
	} places;
	uint64_t next;        /* made-up address */
	struct names vmlinux; /* empty without one */
};

/* Only the name was printed, as decode_stacktrace.sh leaves it: "func (file.c:123)". */
static bool is_vague(const struct oops_place *place)
{
	/* Numbers that cannot be are those of a damaged line. */
	return !place->address &&
	       ((!place->size && !place->offset) || (place->size && place->offset > place->size) ||
		place->offset > INSIDE_MAX || place->size > INSIDE_MAX);
}

static struct symbol_place *known_place(struct placer *p, const struct oops_place *place)
{
	const struct module *module = text_module(p->s->text, place->module);
	uint64_t start = place->address && place->size ? place->address - place->offset : 0;
	bool vague = is_vague(place);

	for (size_t i = 0; i < p->places.count; i++) {
		struct symbol_place *known = &p->places.data[i];
		if (known->module != module || strcmp(known->name, place->function) != 0)
			continue;
		if (vague != (known->inside_only && known->address >= TEXT_MADE_UP &&
			      known->address < p->next))
			continue;
		/* Of several functions of one name the size, or the address, tells. */
		if (!vague && place->size && known->size != place->size && !known->inside_only)
			continue;
		if (start && known->address != start && known->address < TEXT_MADE_UP)
			continue;
		return known;
	}
	return NULL;
}

enum { PLACES_MAX = 4096 };

/* The image of a vmlinux may be behind. */
#define MADE_UP_MAX (TEXT_MADE_UP + UINT64_C(0x1e00000))

/* A return address, of which only the function's name is known. */
static void widen(struct symbol_place *known, uint64_t address)
{
	uint64_t low = address - 1 < known->address ? address - 1 : known->address;
	uint64_t high = max_u64(address + 1, known->address + known->size);

	if (!known->inside_only || high - low > INSIDE_MAX)
		return;
	known->address = low;
	known->size = high - low;
}

/* Where the vmlinux has the function; 0: it has it not, or the text knows too little. */
static uint64_t vmlinux_address(const struct placer *p, const struct oops_place *place)
{
	const struct named *named = place->function && !place->module && place->size
					    ? find_named(&p->vmlinux, place->function, place->size)
					    : NULL;

	return named ? named->address : 0;
}

static void add_place(struct placer *p, const struct oops_place *place)
{
	struct symbol_place *known = place->function ? known_place(p, place) : NULL;
	struct symbol_place made = { .name = place->function, .size = place->size,
				     .module = text_module(p->s->text, place->module) };

	if (vmlinux_address(p, place))
		return;
	if (!place->function || p->places.count >= PLACES_MAX || p->next >= MADE_UP_MAX ||
	    (place->address && (place->offset > INSIDE_MAX || place->size > INSIDE_MAX)))
		return;
	if (known) {
		if (place->address && !place->size && !place->offset)
			widen(known, place->address);
		return;
	}
	if (place->address && (place->size || place->offset)) {
		made.address = place->address - place->offset;
		made.size = place->size ? place->size : place->offset + 1;
	} else if (place->address) {
		made.address = place->address - 1;
		made.size = 2;
		made.inside_only = true;
	} else {
		made.inside_only = is_vague(place);
		made.size = made.inside_only ? 2 : place->size ? place->size : place->offset + 1;
		made.address = p->next;
		p->next += (made.size + 31) & ~UINT64_C(15);
	}
	vec_push(&p->places, made);
}

/* The address of a place: as printed, or made up. 0: it has none. */
static uint64_t address_of(struct placer *p, const struct oops_place *place)
{
	const struct symbol_place *known;
	uint64_t start;

	if (place->address)
		return place->address;
	start = is_vague(place) ? 0 : vmlinux_address(p, place);
	if (start)
		return start + place->offset;
	known = place->function ? known_place(p, place) : NULL;
	if (!known)
		return 0;
	return known->inside_only ? known->address : known->address + place->offset;
}

static void add_report(struct placer *p, const struct oops_report *report)
{
	add_place(p, &report->pc);
	for (size_t i = 0; i < report->frame_count; i++)
		add_place(p, &report->frames[i].place);
}

static void place_thread(struct placer *p, struct text_thread *thread)
{
	const struct oops_report *report = thread->report;
	uint64_t *pcs = arena_zalloc(&p->s->arena, (report->frame_count + 1) * sizeof(*pcs));

	thread->regs = report->regs;
	thread->pc = report->pc.function ? address_of(p, &report->pc) : report->pc.address;
	if (report->has_pc && !text_is_made_up(p->s, thread->pc))
		regs_set(&thread->regs, X86_RIP, thread->pc);
	for (size_t i = 0; i < report->frame_count; i++) {
		const struct oops_frame *f = &report->frames[i];
		uint64_t pc = address_of(p, &f->place);
		/* A return address lies behind something of the function. */
		pcs[i] = pc && is_vague(&f->place) && !f->regs ? pc + 1 : pc;
	}
	thread->frame_pc = pcs;
}

/* The address from which an instruction could not be fetched. */
static bool fetched_at(const struct oops_report *death, uint64_t *pc)
{
	enum { PF_INSTR = 1 << 4 }; /* arch/x86/include/asm/trap_pf.h */

	if (!death->has_address || !death->has_error_code || !(death->error_code & PF_INSTR))
		return false;
	*pc = death->address;
	return true;
}

static void find_places(struct session *s, bool vmlinux)
{
	struct text *text = s->text;
	/* Room for the bytes of code before the first function. */
	struct placer p = { .s = s, .next = TEXT_MADE_UP + PAGE_SIZE };

	if (vmlinux)
		find_names(s, &p.vmlinux);
	/* First those with addresses, so that the others find them. */
	for (size_t i = 0; i < text_reports_with_stacks(text); i++) {
		if (text_report_at(text, i))
			add_report(&p, text_report_at(text, i));
	}
	for (size_t i = 0; i < text->thread_count; i++)
		place_thread(&p, &text->threads[i]);
	if (text->death) {
		text->pc = text->threads[0].pc;
		text->pc_is_wild = text->death->has_pc && !text->death->pc.function;
		if (fetched_at(text->death, &text->pc)) {
			/* A name at RIP is one of data, then. */
			text->pc_is_wild = true;
			text->threads[0].pc = text->pc;
			regs_set(&text->threads[0].regs, X86_RIP, text->pc);
		}
	}
	names_deinit(&p.vmlinux);
	text->places = p.places.data;
	text->place_count = p.places.count;
}

/* Five levels of page tables: told by addresses that four cannot have. arm64's are as wide. */
static void set_levels(struct session *s)
{
	struct kernel_layout layout = *memory_layout(s->memory);
	const struct oops_report *death = s->text->death;
	uint64_t sp = death ? death->regs.value[X86_RSP] : 0;

	if (!death || (!death->arm64 && (!regs_known(&death->regs, X86_RSP) ||
					 s->arch->canonical(sp, 4) || !s->arch->canonical(sp, 5))))
		return;
	layout.root.levels = 5;
	memory_set_layout(s->memory, &layout);
}

void text_place(struct session *s, bool vmlinux)
{
	const struct oops_report *death = s->text->death;

	set_levels(s);
	find_places(s, vmlinux);
	symbols_set_places(s->symbols, s->text->places, s->text->place_count);
	if (death && death->code_count && death->code_pc < death->code_count && s->text->pc)
		memory_add_fill(s->memory, s->text->pc - death->code_pc, death->code,
				death->code_count);
}

bool text_has_function(const struct session *s)
{
	const struct oops_report *death = s->text->death;
	uint8_t byte;

	return death && death->pc.function && !death->pc.module && death->pc.size && s->text->pc &&
	       memory_u8(s->memory, s->text->pc - death->pc.offset, &byte) == READ_OK &&
	       memory_u8(s->memory, s->text->pc - death->pc.offset + death->pc.size - 1, &byte) ==
		       READ_OK;
}
