// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pointers, arrays and functions made from types of other sources: "struct page *" is asked for, and the
 * source need not have a record of it. Bounded: nobody types ten thousand type expressions, and
 * who feeds them from a dump must not exhaust our memory. Entries never change once counted, so
 * that readers need no lock.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "types/source.h"

#define DERIVED_MAX 8192

struct derived_entry {
	enum type_kind kind;
	struct type target;
	uint64_t length;
};

struct derived {
	struct type_source source;
	pthread_mutex_t lock;
	_Atomic uint32_t count;
	struct derived_entry *entries;
};

static const struct derived *derived_of(const struct type_source *source)
{
	return container_of((uintptr_t)source, struct derived, source);
}

static bool describe(const struct type_source *source, uint32_t id, struct type_info *info)
{
	const struct derived *d = derived_of(source);

	if (id >= atomic_load_explicit(&d->count, memory_order_acquire))
		return false;
	const struct derived_entry *e = &d->entries[id];
	*info = (struct type_info){ .kind = e->kind,
				    .name = "",
				    .target = e->target,
				    .length = e->length,
				    .count = e->kind == TYPE_FUNCTION,
				    .size = e->kind == TYPE_POINTER ? 8 : 0 };
	return true;
}

/* The one parameter of a function: of type void, which stands for "...". */
static bool describe_member(const struct type_source *source unused_arg, uint32_t id unused_arg,
			    unsigned i unused_arg, struct raw_member *member)
{
	*member = (struct raw_member){ .name = "", .type = basic_type(BASIC_VOID) };
	return true;
}

static bool no_enumerator(const struct type_source *source unused_arg, uint32_t id unused_arg,
			  unsigned i unused_arg, const char **name unused_arg,
			  int64_t *value unused_arg)
{
	return false;
}

static bool find_none(const struct type_source *source unused_arg, enum name_class as unused_arg,
		      const char *name unused_arg, struct type *type unused_arg)
{
	return false;
}

static bool find_no_enumerator(const struct type_source *source unused_arg,
			       const char *name unused_arg, int64_t *value unused_arg)
{
	return false;
}

static void no_destroy(struct type_source *source unused_arg)
{
}

static const struct type_ops derived_ops = {
	.describe = describe,
	.member = describe_member,
	.enumerator = no_enumerator,
	.find = find_none,
	.find_enumerator = find_no_enumerator,
	.destroy = no_destroy, /* derived_destroy() */
};

struct derived *derived_create(void)
{
	struct derived *d = xcalloc(1, sizeof(*d));

	d->source.ops = &derived_ops;
	pthread_mutex_init(&d->lock, NULL);
	d->entries = xcalloc(DERIVED_MAX, sizeof(*d->entries));
	return d;
}

void derived_destroy(struct derived *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d->entries);
	free(d);
}

static struct type derive(struct derived *d, const struct derived_entry *wanted)
{
	struct type type = { .source = &d->source };
	uint32_t i;

	pthread_mutex_lock(&d->lock);
	uint32_t count = atomic_load(&d->count);
	for (i = 0; i < count; i++) {
		const struct derived_entry *e = &d->entries[i];
		if (e->kind == wanted->kind && e->length == wanted->length &&
		    e->target.source == wanted->target.source && e->target.id == wanted->target.id)
			break;
	}
	if (i == DERIVED_MAX) {
		type.source = NULL;
	} else if (i == count) {
		d->entries[i] = *wanted;
		atomic_store_explicit(&d->count, count + 1, memory_order_release);
	}
	pthread_mutex_unlock(&d->lock);
	type.id = type.source ? i : 0;
	return type;
}

struct type derived_pointer(struct derived *d, struct type target)
{
	return derive(d, &(struct derived_entry){ .kind = TYPE_POINTER, .target = target });
}

struct type derived_array(struct derived *d, struct type element, uint64_t length)
{
	return derive(d, &(struct derived_entry){
				 .kind = TYPE_ARRAY, .target = element, .length = length });
}

struct type derived_function(struct derived *d, struct type result)
{
	return derive(d, &(struct derived_entry){ .kind = TYPE_FUNCTION, .target = result });
}
