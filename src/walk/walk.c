// SPDX-License-Identifier: LGPL-2.1-or-later
/* The tables of walkers and fields, and what walkers need: addresses, tasks and types by name. */
#include "walk/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "kernel/context.h"
#include "walk/walk_row.h"

static const struct walker_table *const walker_tables[] = { &walkers_tasks, &walkers_memory,
							    &walkers_files, &walkers_lists };
static const struct field_table *const field_tables[] = { &fields_tasks, &fields_memory,
							  &fields_files, &fields_lists };

/* What is shown of objects when nobody says. Names that a kernel lacks are left out. */
static const struct {
	const char *of, *columns;
} columns_of[] = {
	{ "task_struct", "pid, cpu, state, comm" },
	{ "module", "name, size, used" },
	{ "frames", "n, pc, function, module" },
	{ "cpus", "cpu, online, nr_running, curr->pid as pid, curr->comm as comm" },
	{ "percpu", "cpu" },
	{ "slab", "allocated" },
	{ "kmem_cache", "name, object_size, objects, allocated" },
	{ "page", "pfn, kind, refs, order" },
	{ "dentry", "d_lockref.count as count, d_sb->s_id as sb, d_name.name as name" },
	{ "inode", "i_ino as ino, i_sb->s_id as sb, path" },
	{ "super_block", "s_type->name as type, s_id as id, mountpoint" },
	{ "mount", "mnt.mnt_sb->s_type->name as type, mnt_devname as device, path" },
	{ "file", "path" },
	{ "files", "fd, path" },
	{ "vm_area_struct", "(void *)vm_start as start, (void *)vm_end as end, perms, name" },
	{ "list_head", "next, prev" },
};

const struct walker *walker_at(size_t i)
{
	for (size_t t = 0; t < array_size(walker_tables); t++) {
		if (i < walker_tables[t]->count)
			return &walker_tables[t]->rows[i];
		i -= walker_tables[t]->count;
	}
	return NULL;
}

const struct walker *walker_find(const char *name)
{
	const struct walker *w;

	for (size_t i = 0; (w = walker_at(i)); i++) {
		if (strcmp(w->name, name) == 0)
			return w;
	}
	return NULL;
}

const struct walk_field *walk_field_at(size_t i)
{
	for (size_t t = 0; t < array_size(field_tables); t++) {
		if (i < field_tables[t]->count)
			return &field_tables[t]->rows[i];
		i -= field_tables[t]->count;
	}
	return NULL;
}

const struct walk_field *walk_field_find(const char *walker, const char *type, const char *name)
{
	const struct walk_field *f, *of_type = NULL;

	for (size_t i = 0; (f = walk_field_at(i)); i++) {
		if (strcmp(f->name, name) != 0)
			continue;
		if (walker && strcmp(f->of, walker) == 0)
			return f;
		if (type && strcmp(f->of, type) == 0)
			of_type = f;
	}
	return of_type;
}

const char *walk_columns(const char *walker, const char *type)
{
	const char *columns = NULL;

	for (size_t i = 0; i < array_size(columns_of); i++) {
		if (walker && strcmp(columns_of[i].of, walker) == 0)
			return columns_of[i].columns;
		if (type && strcmp(columns_of[i].of, type) == 0)
			columns = columns_of[i].columns;
	}
	return columns;
}

/* --- A walk --- */

struct error *walk_begin(const struct walker *walker, const struct walk_input *input,
			 struct walking *walk)
{
	struct error *err = NULL;

	*walk = (struct walking){ .walker = walker, .session = input->session,
			       .arena = input->arena };
	if (input->argc > walker->words_max)
		return error_new(ERROR_USAGE, "too many words behind %s (%s%s%s)", walker->name,
				 walker->name, *walker->usage ? " " : "", walker->usage);
	/* Without the type there are no members, but the objects and what is known of them. */
	if (walker->type)
		err = walk_type(input->session, walker->type, &walk->type);
	if (err)
		session_problem(input->session, "%s: %s: members are not known", walker->name,
				err->message);
	error_free(err);
	err = NULL;
	if (!err && walker->begin)
		err = walker->begin(walk, input);
	return err;
}

struct giving {
	struct session *session;
	walk_fn fn;
	void *ctx;
};

static bool give(void *ctx, const struct walked *object)
{
	const struct giving *g = ctx;

	return g->fn(g->ctx, object) && !session_stopped(g->session);
}

void walk_each(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving giving = { walk->session, fn, ctx };

	walk->walker->each(walk, give, &giving);
}

void walk_end(struct walking *walk)
{
	if (walk->walker && walk->walker->end)
		walk->walker->end(walk);
}

/* --- For walkers --- */

bool walk_give(walk_fn fn, void *ctx, uint64_t address)
{
	return fn(ctx, &(struct walked){ .address = address, .cpu = -1 });
}

struct error *walk_address(const struct walk_input *input, int i, uint64_t *address)
{
	struct value v;

	if (i >= input->argc)
		return error_new(ERROR_USAGE, "an address is missing");
	return input->value(input->ctx, input->argv[i], &v, address);
}

struct error *walk_task(const struct walk_input *input, int i, const struct task **task)
{
	struct session *s = input->session;
	static const struct task none = { 0 };
	uint64_t number;

	*task = &none;
	if (i >= input->argc) {
		if (input->dry)
			return NULL;
		*task = context_task(s);
		return *task ? NULL : error_new(ERROR_NOT_FOUND, "no task is chosen, and which one "
						"crashed is not known: say a PID");
	}
	const char *word = input->argv[i];
	if (parse_u64(word, &number) && number <= INT32_MAX) {
		if (input->dry)
			return NULL;
		*task = task_by_pid(s, (int32_t)number);
		return *task ? NULL : error_new(ERROR_NOT_FOUND, "no task has PID %s", word);
	}
	struct error *err = walk_address(input, i, &number);
	if (err || input->dry)
		return err;
	*task = number <= INT32_MAX ? task_by_pid(s, (int32_t)number)
				    : task_by_address(s, number);
	return *task ? NULL : error_new(ERROR_NOT_FOUND, "%s is no task", word);
}

struct error *walk_type(struct session *s, const char *word, struct type *type)
{
	static const char *const tags[] = { "struct ", "union ", "" };
	char name[128];

	for (size_t i = 0; i < array_size(tags); i++) {
		snprintf(name, sizeof(name), "%s%s", tags[i], word);
		if (types_find(s->types, name, type) && type_is_complete(*type))
			return NULL;
	}
	return error_new(ERROR_NOT_FOUND, "there is no type %s", word);
}

struct error *walk_type_member(struct session *s, const char *word, struct type *type,
			       struct member *member)
{
	size_t length = strcspn(word, ".");
	char name[128];

	if (!word[length] || length >= sizeof(name))
		return error_new(ERROR_USAGE, "%s is no TYPE.MEMBER (such as task_struct.tasks)",
				 word);
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	struct error *err = walk_type(s, name, type);
	if (!err && !type_find_member(*type, word + length + 1, member))
		err = error_new(ERROR_NOT_FOUND, "%s has no member %s", name, word + length + 1);
	return err;
}
