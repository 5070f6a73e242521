// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading kernel structures by member name, global and per-CPU variables, and lists. */
#include <string.h>

#include "base/bytes.h"
#include "kernel/session.h"

/* A little-endian number of @size bytes, sign-extended when @is_signed. */
static uint64_t number(const uint8_t *bytes, uint64_t size, bool is_signed)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	if (is_signed && size < 8 && value >> (size * 8 - 1) & 1)
		value |= UINT64_MAX << (size * 8);
	return value;
}

static uint64_t bit_field(uint64_t storage, const struct member *m)
{
	return storage >> m->bit_offset & (m->bit_size < 64 ? (UINT64_C(1) << m->bit_size) - 1
							    : UINT64_MAX);
}

enum kread_status kread_status(struct session *s, uint64_t address, const char *struct_name,
			       const char *path, uint64_t *value)
{
	struct member m;
	uint8_t bytes[8] = { 0 };

	*value = 0;
	if (!types_member(s->types, struct_name, path, &m))
		return KREAD_NO_MEMBER;
	uint64_t size = m.size < sizeof(bytes) ? m.size : sizeof(bytes);
	if (!size || memory_read(s->memory, address + m.offset, bytes, size) != READ_OK)
		return KREAD_HOLE;
	if (m.bit_size)
		*value = bit_field(number(bytes, size, false), &m);
	else
		*value = number(bytes, size, type_is_signed(m.type));
	return KREAD_OK;
}

bool kread(struct session *s, uint64_t address, const char *struct_name, const char *path,
	   uint64_t *value)
{
	return kread_status(s, address, struct_name, path, value) == KREAD_OK;
}

bool kread_string(struct session *s, uint64_t address, const char *struct_name, const char *path,
		  char *buf, size_t size)
{
	struct member m;
	uint64_t at;

	if (!size)
		return false;
	buf[0] = '\0';
	if (!types_member(s->types, struct_name, path, &m))
		return false;
	at = address + m.offset;
	if (type_kind(type_strip(m.type)) == TYPE_POINTER) {
		if (memory_u64(s->memory, at, &at) != READ_OK || !at)
			return false;
	} else if (m.size && m.size < size) {
		size = m.size + 1;
	}
	return memory_string(s->memory, at, buf, size) == READ_OK;
}

bool koffset(struct session *s, const char *struct_name, const char *path, uint64_t *offset)
{
	struct member m;

	if (!types_member(s->types, struct_name, path, &m))
		return false;
	*offset = m.offset;
	return true;
}

uint64_t kcontainer(struct session *s, uint64_t member_address, const char *struct_name,
		    const char *path)
{
	uint64_t offset;

	return koffset(s, struct_name, path, &offset) ? member_address - offset : 0;
}

bool kglobal(struct session *s, const char *name, unsigned size, uint64_t *value)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, name) : 0;
	uint8_t bytes[8] = { 0 };

	*value = 0;
	if (!at || size > sizeof(bytes) || memory_read(s->memory, at, bytes, size) != READ_OK)
		return false;
	*value = number(bytes, size, false);
	return true;
}

bool symbol_is_percpu(struct session *s, const struct symbol *symbol)
{
	static const char *const names[] = { "__per_cpu_start", "__per_cpu_end",
					     "__per_cpu_offset" };
	uint64_t address[array_size(names)], start, size;

	symbols_addresses(s->symbols, names, array_size(names), address);
	/* The start is 0 on x86-64 before 6.15. */
	if (!address[2] || !address[1])
		return false;
	if (!symbol->module)
		return symbol->address >= address[0] && symbol->address < address[1];
	return kread(s, symbol->module->address, "module", "percpu", &start) && start &&
	       kread(s, symbol->module->address, "module", "percpu_size", &size) &&
	       symbol->address - start < size;
}

uint64_t kpercpu(struct session *s, const char *symbol, unsigned cpu)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, "__per_cpu_offset") : 0;
	uint64_t base;
	struct symbol sym;

	if (!table || !symbols_by_name(s->symbols, symbol, &sym) ||
	    memory_u64(s->memory, table + cpu * UINT64_C(8), &base) != READ_OK)
		return 0;
	/* Per-CPU symbols were offsets from zero until 6.14, so address 0 is a real one. */
	return base + sym.address;
}

enum { LIST_MAX = 10 * 1000 * 1000 };

void klist_each(struct session *s, uint64_t head, const char *struct_name, const char *member,
		const char *what, klist_fn fn, void *ctx)
{
	uint64_t offset, at = 0, seen_at = head;
	size_t power = 1, lap = 0;

	if (!koffset(s, struct_name, member, &offset)) {
		session_problem(s, "%s: no member %s.%s in this kernel's types", what, struct_name,
				member);
		return;
	}
	if (memory_u64(s->memory, head, &at) != READ_OK) {
		session_problem(s, "%s: the list head at %016lx is not in the dump", what,
				(unsigned long)head);
		return;
	}
	for (size_t i = 0; at != head; i++) {
		uint64_t next;
		if (!fn(ctx, at - offset))
			return;
		if (memory_u64(s->memory, at, &next) != READ_OK) {
			session_problem(s, "%s: the list breaks off after %zu entries: %016lx is "
					"not in the dump", what, i, (unsigned long)at);
			return;
		}
		/* Brent: a loop that does not lead back to the head is found within two laps. */
		if (next == seen_at || i >= LIST_MAX) {
			if (next == head)
				return;
			session_problem(s, "%s: the list is damaged: it runs in a circle at %016lx",
					what, (unsigned long)next);
			return;
		}
		if (++lap == power) {
			seen_at = at;
			power *= 2;
			lap = 0;
		}
		at = next;
	}
}
