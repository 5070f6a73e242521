// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BPF: prog_idr and map_idr have every program and map by its id (kernel/bpf/syscall.c). Of a
 * program there are two structures, bpf_prog with the code and bpf_prog_aux with all else.
 */
#include "kernel/bpf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/trees.h"

/* "BPF_PROG_TYPE_XDP" of an enum of the kernel's without what all of them begin with. */
static void type_text(struct session *s, const char *name, const char *prefix, uint64_t value,
		      char *buf, size_t size)
{
	struct type type;
	const char *text = types_find(s->types, name, &type)
				   ? type_enum_name(type, (int64_t)value) : NULL;

	if (text && strncmp(text, prefix, strlen(prefix)) == 0)
		snprintf(buf, size, "%s", text + strlen(prefix));
	else
		snprintf(buf, size, "%" PRIu64, value);
}

static void read_maps(struct session *s, struct bpf_program *p)
{
	uint64_t array, map;

	if (!kread(s, p->aux, "bpf_prog_aux", "used_map_cnt", &p->map_count) ||
	    !kread(s, p->aux, "bpf_prog_aux", "used_maps", &array)) {
		p->incomplete = true;
		return;
	}
	for (uint64_t i = 0; i < p->map_count && i < array_size(p->map_ids); i++) {
		if (memory_u64(s->memory, array + i * 8, &map) != READ_OK ||
		    !kread(s, map, "bpf_map", "id", &p->map_ids[i]))
			p->incomplete = true;
	}
	/* MAX_USED_MAPS of include/linux/bpf.h. */
	p->incomplete |= p->map_count > array_size(p->map_ids);
}

static void read_program(struct session *s, uint64_t id, uint64_t at, struct bpf_program *p)
{
	uint64_t offset, length, pages, gpl, user;
	uint8_t tag[8];

	*p = (struct bpf_program){ .id = id, .address = at };
	p->incomplete |= !kread(s, at, "bpf_prog", "aux", &p->aux);
	p->incomplete |= !kread(s, at, "bpf_prog", "type", &p->type);
	p->incomplete |= !kread(s, at, "bpf_prog", "len", &length);
	p->incomplete |= !kread(s, at, "bpf_prog", "jited_len", &p->jited);
	p->incomplete |= !kread(s, at, "bpf_prog", "pages", &pages);
	p->incomplete |= !kread(s, at, "bpf_prog", "gpl_compatible", &gpl);
	p->instructions = length * 8;
	p->memory = pages * PAGE_SIZE;
	p->gpl = gpl;
	if (!p->incomplete)
		type_text(s, "enum bpf_prog_type", "BPF_PROG_TYPE_", p->type, p->type_name,
			  sizeof(p->type_name));
	if (koffset(s, "bpf_prog", "tag", &offset) &&
	    memory_read(s->memory, at + offset, tag, sizeof(tag)) == READ_OK)
		for (unsigned i = 0; i < sizeof(tag); i++)
			snprintf(p->tag + 2ul * i, 3, "%02x", tag[i]);
	if (!p->aux)
		return;
	p->incomplete |= !kread(s, p->aux, "bpf_prog_aux", "load_time", &p->loaded_ns);
	/* No such member before 4.15. */
	p->incomplete |= koffset(s, "bpf_prog_aux", "name", &offset) &&
			 !kread_string(s, p->aux, "bpf_prog_aux", "name", p->name, sizeof(p->name));
	p->uid_known = kread(s, p->aux, "bpf_prog_aux", "user", &user) && user &&
		       kread(s, user, "user_struct", "uid.val|uid", &p->uid);
	read_maps(s, p);
}

static void read_map(struct session *s, uint64_t id, uint64_t at, struct bpf_map *m)
{
	uint64_t offset;

	*m = (struct bpf_map){ .id = id, .address = at };
	m->incomplete |= !kread(s, at, "bpf_map", "map_type", &m->type);
	m->incomplete |= !kread(s, at, "bpf_map", "map_flags", &m->flags);
	m->incomplete |= !kread(s, at, "bpf_map", "key_size", &m->key_size);
	m->incomplete |= !kread(s, at, "bpf_map", "value_size", &m->value_size);
	m->incomplete |= !kread(s, at, "bpf_map", "max_entries", &m->max_entries);
	m->incomplete |= koffset(s, "bpf_map", "name", &offset) &&
			 !kread_string(s, at, "bpf_map", "name", m->name, sizeof(m->name));
	if (!m->incomplete)
		type_text(s, "enum bpf_map_type", "BPF_MAP_TYPE_", m->type, m->type_name,
			  sizeof(m->type_name));
}

struct idr_run {
	struct session *s;
	bpf_program_fn program_fn;
	bpf_map_fn map_fn;
	void *ctx;
};

static void see(const struct idr_run *run, uint64_t id, uint64_t at)
{
	if (run->program_fn) {
		struct bpf_program program;
		read_program(run->s, id, at, &program);
		run->program_fn(run->ctx, &program);
	} else {
		struct bpf_map map;
		read_map(run->s, id, at, &map);
		run->map_fn(run->ctx, &map);
	}
}

static void each_of_idr(const struct idr_run *run, const char *symbol, struct walk_trouble *trouble)
{
	struct session *s = run->s;
	uint64_t idr = s->symbols ? symbols_address(s->symbols, symbol) : 0, offset;
	struct tree_walk walk;
	struct tree_entry entry;

	if (!idr) /* a kernel without BPF */
		return;
	if (!koffset(s, "idr", "idr_rt", &offset)) {
		walk_trouble_add(trouble, "how this kernel keeps them is not known");
		return;
	}
	bool ok = tree_walk_init(&walk, s, TREE_XARRAY, idr + offset);
	while (ok && !session_stopped(s) && tree_walk_step(&walk, &entry)) {
		if (entry.kind == TREE_POINTER)
			see(run, entry.first, entry.address);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	tree_walk_fini(&walk);
}

void bpf_programs_each(struct session *s, struct walk_trouble *trouble, bpf_program_fn fn,
		       void *ctx)
{
	each_of_idr(&(struct idr_run){ .s = s, .program_fn = fn, .ctx = ctx }, "prog_idr", trouble);
}

void bpf_maps_each(struct session *s, struct walk_trouble *trouble, bpf_map_fn fn, void *ctx)
{
	each_of_idr(&(struct idr_run){ .s = s, .map_fn = fn, .ctx = ctx }, "map_idr", trouble);
}
