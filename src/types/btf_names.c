// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BTF by name. Types and variables are indexed while the records are walked for the first time
 * (btf.c), so that a search that fails has walked everything, and one that succeeds no more than
 * it needed. Of types with the same name the one of the lowest id counts: that does not depend on
 * how far the walk has come. Half of all records are functions, which few ask for: their index,
 * and that of enumerators, is made on first use.
 */
#include <string.h>

#include "base/bytes.h"
#include "types/btf.h"

#define KIND_BIT(k) (1u << (k))

static const unsigned class_kinds[] = {
	[NAME_ANY] = KIND_BIT(BTF_STRUCT) | KIND_BIT(BTF_UNION) | KIND_BIT(BTF_TYPEDEF) |
		     KIND_BIT(BTF_INT) | KIND_BIT(BTF_FLOAT) | KIND_BIT(BTF_ENUM) |
		     KIND_BIT(BTF_ENUM64),
	[NAME_COMPOUND] = KIND_BIT(BTF_STRUCT) | KIND_BIT(BTF_UNION) | KIND_BIT(BTF_TYPEDEF),
	[NAME_STRUCT] = KIND_BIT(BTF_STRUCT),
	[NAME_UNION] = KIND_BIT(BTF_UNION),
	[NAME_ENUM] = KIND_BIT(BTF_ENUM) | KIND_BIT(BTF_ENUM64),
	[NAME_VARIABLE] = KIND_BIT(BTF_VAR),
};

#define INDEXED_KINDS                                                                              \
	(KIND_BIT(BTF_STRUCT) | KIND_BIT(BTF_UNION) | KIND_BIT(BTF_TYPEDEF) | KIND_BIT(BTF_INT) |  \
	 KIND_BIT(BTF_FLOAT) | KIND_BIT(BTF_ENUM) | KIND_BIT(BTF_ENUM64) | KIND_BIT(BTF_FWD) |     \
	 KIND_BIT(BTF_VAR))

static bool has_kind(unsigned mask, unsigned kind)
{
	return kind < 32 && mask & KIND_BIT(kind);
}

void btf_index_type(struct btf *btf, uint32_t id, const struct btf_record *record)
{
	size_t length;

	if (!has_kind(INDEXED_KINDS, record->kind) || !record->name)
		return;
	const char *name = btf_string(btf, record->name, &length);
	if (!length)
		return;
	names_add(&btf->types, name_hash(name, length), id, record->kind);
	/* Strings follow each other; a module's first has nothing before it. */
	if (name[-1] && !(btf->base && record->name == btf->base_strings))
		btf->shared_strings = true;
}

/* --- Names that are nowhere --- */

#define SEARCH_STEP 65536

/*
 * Is @name one of the strings of this blob? True too where it cannot be told. The strings are half
 * of the blob, so that this is much cheaper than walking the types in order to find nothing.
 */
static bool among_strings(struct btf *btf, const char *name)
{
	size_t length = strlen(name), at = btf->string_start;
	char needle[BLOB_STRING_MAX + 2] = "";

	if (length > BLOB_STRING_MAX)
		return false;
	memcpy(needle + 1, name, length + 1);
	const uint8_t *first = blob_at(&btf->blob, at, length + 1);
	if (first && at + length < btf->string_end && memcmp(first, name, length + 1) == 0)
		return true;
	while (at < btf->string_end) {
		size_t n = btf->string_end - at;
		if (n > SEARCH_STEP + length + 2)
			n = SEARCH_STEP + length + 2;
		const uint8_t *p = blob_at(&btf->blob, at, n);
		if (!p || memmem(p, n, needle, length + 2))
			return true;
		at += SEARCH_STEP;
	}
	return false;
}

/* False: no record of this blob has this name. */
static bool may_have(struct btf *btf, const char *name)
{
	uint64_t hash = name_hash64(name, strlen(name));

	if (!btf_open_header(btf))
		return false;
	if (btf->base && may_have(btf->base, name))
		return true;
	if (atomic_load_explicit(&btf->absent, memory_order_relaxed) == hash)
		return false;
	if (btf->shared_strings || among_strings(btf, name))
		return true;
	atomic_store_explicit(&btf->absent, hash, memory_order_relaxed);
	return false;
}

struct query {
	const char *name;
	uint32_t hash;
	unsigned kinds;
};

/* Is @entry what @q asks for? */
static bool entry_fits(struct btf *btf, const struct query *q, const struct name_entry *entry)
{
	struct btf_record record;
	uint32_t i = entry->id - btf->first_id;

	return entry->hash == q->hash && has_kind(q->kinds, entry->extra) &&
	       btf_record_at(btf, btf->offsets[i], &record) &&
	       strcmp(btf_string(btf, record.name, NULL), q->name) == 0;
}

static uint32_t find_indexed(struct btf *btf, const struct names *names, const struct query *q)
{
	const struct name_entry *entry = NULL;
	uint32_t found = 0;

	while ((entry = names_next(names, q->hash, entry))) {
		if ((!found || entry->id < found) && entry_fits(btf, q, entry))
			found = entry->id;
	}
	return found;
}

/* The lowest id that fits, walking on as far as necessary; 0: none. The lock is held. */
static uint32_t find_type(struct btf *btf, const struct query *q)
{
	uint32_t id = find_indexed(btf, &btf->types, q);

	while (!id && btf_scan_next(btf)) {
		size_t n = btf->types.entries.count;
		if (n && entry_fits(btf, q, &btf->types.entries.data[n - 1]))
			id = btf->types.entries.data[n - 1].id;
	}
	return id;
}

static void walk_all(struct btf *btf)
{
	while (btf_scan_next(btf))
		;
}

static void index_functions(struct btf *btf)
{
	struct btf_record r;
	size_t length;

	walk_all(btf);
	uint32_t count = atomic_load(&btf->count);
	names_init(&btf->functions, count / 2);
	for (uint32_t i = 0; i < count; i++) {
		if (!btf_record_at(btf, btf->offsets[i], &r) || r.kind != BTF_FUNC)
			continue;
		const char *name = btf_string(btf, r.name, &length);
		if (length)
			names_add(&btf->functions, name_hash(name, length), btf->first_id + i,
				  BTF_FUNC);
	}
}

static struct btf *btf_of(const struct type_source *source)
{
	return container_of((uintptr_t)source, struct btf, source);
}

/*
 * Keeps searches for names that do not exist from walking everything. Where the index is complete
 * or has the name already, it is quick itself.
 */
static bool worth_a_search(struct btf *btf, enum name_class as, const char *name)
{
	if (as == NAME_FUNCTION ? btf->functions.bucket != NULL
				: atomic_load_explicit(&btf->scanned, memory_order_acquire))
		return true;
	if (as != NAME_FUNCTION && atomic_load(&btf->opened) > 0) {
		pthread_mutex_lock(&btf->lock);
		bool known = names_next(&btf->types, name_hash(name, strlen(name)), NULL);
		pthread_mutex_unlock(&btf->lock);
		if (known)
			return true;
	}
	return may_have(btf, name);
}

bool btf_find(const struct type_source *source, enum name_class as, const char *name,
	      struct type *type)
{
	struct btf *btf = btf_of(source);
	struct btf_record record;
	uint32_t id;

	if (!*name || !worth_a_search(btf, as, name) || !btf_open(btf))
		return false;
	struct query q = { .name = name, .hash = name_hash(name, strlen(name)) };
	pthread_mutex_lock(&btf->lock);
	if (as == NAME_FUNCTION) {
		if (!btf->functions.bucket)
			index_functions(btf);
		q.kinds = KIND_BIT(BTF_FUNC);
		id = find_indexed(btf, &btf->functions, &q);
	} else {
		q.kinds = class_kinds[as];
		id = find_type(btf, &q);
		if (!id && as != NAME_VARIABLE && as != NAME_ENUM) {
			q.kinds = KIND_BIT(BTF_FWD);
			id = find_indexed(btf, &btf->types, &q);
		}
	}
	pthread_mutex_unlock(&btf->lock);
	if (!id)
		return false;
	if (as == NAME_FUNCTION || as == NAME_VARIABLE) {
		if (!btf_read(btf, id, &record, &btf))
			return false;
		id = record.size_or_type;
	}
	*type = btf_type(btf, id);
	return true;
}

/* --- Enumerators --- */

/* One enumerator's name and bits; struct btf_enum and btf_enum64. */
static bool read_enumerator(struct btf *btf, const struct btf_record *r, unsigned i, uint32_t *name,
			    int64_t *value)
{
	size_t size = r->kind == BTF_ENUM ? 8 : 12;
	const uint8_t *p = blob_at(&btf->blob, r->body + i * size, size);

	if (!p)
		return false;
	*name = load_u32(p);
	if (r->kind == BTF_ENUM64)
		*value = (int64_t)load_u64(p + 4);
	else if (r->kind_flag || btf->enums_signed)
		*value = (int32_t)load_u32(p + 4);
	else
		*value = load_u32(p + 4);
	return true;
}

bool btf_enumerator(const struct type_source *source, uint32_t id, unsigned i, const char **name,
		    int64_t *value)
{
	struct btf *btf = btf_of(source);
	struct btf_record r;
	uint32_t offset;

	if (!btf_read(btf, id, &r, &btf) || i >= r.vlen ||
	    (r.kind != BTF_ENUM && r.kind != BTF_ENUM64) ||
	    !read_enumerator(btf, &r, i, &offset, value))
		return false;
	*name = btf_string(btf, offset, NULL);
	return true;
}

/*
 * Whether an enum is signed is told by kind_flag since libbpf 1.0 (2022); before, no enum has the
 * flag and all values are signed. A kernel without any negative enumerator does not exist.
 */
static void index_enumerators(struct btf *btf)
{
	struct btf_record r;
	uint32_t offset;
	int64_t value;
	size_t length;
	unsigned enums = 0, flagged = 0;

	walk_all(btf);
	uint32_t count = atomic_load(&btf->count);
	names_init(&btf->enumerators, count / 4);
	for (uint32_t i = 0; i < count; i++) {
		if (!btf_record_at(btf, btf->offsets[i], &r) ||
		    (r.kind != BTF_ENUM && r.kind != BTF_ENUM64))
			continue;
		enums++;
		flagged += r.kind_flag;
		for (unsigned k = 0; k < r.vlen && read_enumerator(btf, &r, k, &offset, &value);
		     k++) {
			const char *name = btf_string(btf, offset, &length);
			names_add(&btf->enumerators, name_hash(name, length), btf->first_id + i, k);
		}
	}
	btf->enums_signed = btf->base ? btf->base->enums_signed : enums > 100 && !flagged;
}

bool btf_find_enumerator(const struct type_source *source, const char *wanted, int64_t *value)
{
	struct btf *btf = btf_of(source);
	const struct name_entry *entry = NULL;
	uint32_t hash = name_hash(wanted, strlen(wanted)), best = UINT32_MAX;
	const char *name;
	int64_t v;

	if (!*wanted || !may_have(btf, wanted) || !btf_open(btf))
		return false;
	pthread_mutex_lock(&btf->lock);
	if (!btf->enumerators.bucket)
		index_enumerators(btf);
	while ((entry = names_next(&btf->enumerators, hash, entry))) {
		if (entry->id < best &&
		    btf_enumerator(source, entry->id, entry->extra, &name, &v) &&
		    strcmp(name, wanted) == 0) {
			best = entry->id;
			*value = v;
		}
	}
	pthread_mutex_unlock(&btf->lock);
	return best != UINT32_MAX;
}
