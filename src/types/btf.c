// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BTF, the kernel's own compact description of its C types.
 *
 * A blob is a header, a section of type records and a section of strings. Records have no index
 * and differ in length; a type's number (id) is its place in the sequence, 1 for the first, 0 is
 * void. A module's blob ("split" BTF) continues the numbers and the string offsets of the
 * kernel's ("base").
 *
 * Finding record number n means to walk all before it, once: the walk notes where each record is
 * and indexes its name, stops as soon as what was asked for is met, and goes on from there the
 * next time. The compiler puts what everybody includes first, so that task_struct is within the
 * first kilobytes of four megabytes, and the rest is neither read from the dump nor decompressed
 * unless somebody asks for a rare type.
 *
 * Records are read in place and believed in nothing: each access is bounded by the blob, and ids
 * are looked up, not followed. A record that cannot be read ends the walk; types behind it are
 * unknown.
 *
 * Format: include/uapi/linux/btf.h and Documentation/bpf/btf.rst of the kernel.
 */
#include "types/btf.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"

#define BTF_MAGIC         0xeb9f
#define BTF_MAGIC_SWAPPED 0x9feb
#define BTF_VERSION       1
#define BTF_HEADER_MIN    24
#define BTF_HEADER_LAYOUT 32 /* with layout_off and layout_len, Linux 7.1 */
#define BTF_RECORD_HEAD   12
#define BTF_BLOB_MAX      (256u << 20)
#define POINTER_SIZE      8
#define OLD_TYPEDEFS_MAX  8

static struct btf *btf_of(const struct type_source *source)
{
	return container_of((uintptr_t)source, struct btf, source);
}

/* --- Opening --- */

static struct error *parse_header(struct btf *btf)
{
	const uint8_t *h = blob_at(&btf->blob, 0, BTF_HEADER_MIN);

	if (!h)
		return error_new(ERROR_MISSING, "the header is not in the dump");
	if (load_u16(h) == BTF_MAGIC_SWAPPED)
		return error_new(ERROR_UNSUPPORTED, "big-endian");
	if (load_u16(h) != BTF_MAGIC)
		return error_new(ERROR_FORMAT, "wrong magic number 0x%x", load_u16(h));
	if (h[2] != BTF_VERSION)
		return error_new(ERROR_UNSUPPORTED, "version %u is unknown", h[2]);
	uint32_t length = load_u32(h + 4);
	uint64_t type_off = load_u32(h + 8), type_len = load_u32(h + 12);
	uint64_t str_off = load_u32(h + 16), str_len = load_u32(h + 20);
	if (length < BTF_HEADER_MIN || length > btf->blob.size)
		return error_new(ERROR_FORMAT, "header length %u", length);
	uint64_t rest = btf->blob.size - length;
	if (!range_fits(type_off, type_len, rest) || !range_fits(str_off, str_len, rest))
		return error_new(ERROR_FORMAT, "sections outside of its %zu bytes", btf->blob.size);
	btf->type_start = length + type_off;
	btf->type_end = btf->type_start + type_len;
	btf->string_start = length + str_off;
	btf->string_end = btf->string_start + str_len;
	if (length >= BTF_HEADER_LAYOUT && (h = blob_at(&btf->blob, 24, 8)) &&
	    range_fits(load_u32(h), load_u32(h + 4), rest)) {
		btf->layout_start = length + load_u32(h);
		btf->layout_count = load_u32(h + 4) / 4;
	}
	return NULL;
}

static void scan_all(struct btf *btf)
{
	if (atomic_load(&btf->scanned))
		return;
	pthread_mutex_lock(&btf->lock);
	while (btf_scan_next(btf))
		;
	pthread_mutex_unlock(&btf->lock);
}

static struct error *open_header(struct btf *btf)
{
	struct error *err = parse_header(btf);

	if (!err && btf->base) {
		if (btf_open(btf->base))
			btf->base_strings =
				(uint32_t)(btf->base->string_end - btf->base->string_start);
		else
			err = error_new(ERROR_MISSING, "the kernel's own BTF is not usable");
	}
	atomic_store_explicit(&btf->header, err ? -1 : 1, memory_order_release);
	return err;
}

bool btf_open_header(struct btf *btf)
{
	int header = atomic_load_explicit(&btf->header, memory_order_acquire);

	if (header)
		return header > 0;
	pthread_mutex_lock(&btf->lock);
	if (!atomic_load(&btf->header))
		error_free(open_header(btf));
	pthread_mutex_unlock(&btf->lock);
	return atomic_load(&btf->header) > 0;
}

/* With the header open: where its types' numbers begin. */
static struct error *open_types(struct btf *btf)
{
	btf->first_id = 1;
	if (btf->base) {
		struct btf *base = btf->base;
		scan_all(base);
		if (base->damaged)
			return error_new(ERROR_MISSING, "the kernel's own BTF is incomplete");
		btf->first_id = base->first_id + atomic_load(&base->count);
	}
	size_t types = btf->type_end - btf->type_start;
	btf->scan_pos = btf->type_start;
	btf->offsets = xcalloc(types / BTF_RECORD_HEAD + 1, sizeof(*btf->offsets));
	names_init(&btf->types, types / 128);
	return NULL;
}

bool btf_open(struct btf *btf)
{
	int opened = atomic_load_explicit(&btf->opened, memory_order_acquire);

	if (opened)
		return opened > 0;
	if (!btf_open_header(btf))
		return false;
	pthread_mutex_lock(&btf->lock);
	opened = atomic_load(&btf->opened);
	if (!opened) {
		struct error *err = open_types(btf);
		opened = err ? -1 : 1;
		error_free(err);
		atomic_store_explicit(&btf->opened, opened, memory_order_release);
	}
	pthread_mutex_unlock(&btf->lock);
	return opened > 0;
}

/* --- Records --- */

/* Sizes of what follows the head: fixed, and for each of vlen elements. From btf.h. */
static bool body_size(struct btf *btf, unsigned kind, unsigned *fixed, unsigned *element)
{
	static const struct {
		uint8_t known, fixed, element;
	} sizes[] = {
		[BTF_INT] = { 1, 4, 0 },        [BTF_PTR] = { 1, 0, 0 },
		[BTF_ARRAY] = { 1, 12, 0 },     [BTF_STRUCT] = { 1, 0, 12 },
		[BTF_UNION] = { 1, 0, 12 },     [BTF_ENUM] = { 1, 0, 8 },
		[BTF_FWD] = { 1, 0, 0 },        [BTF_TYPEDEF] = { 1, 0, 0 },
		[BTF_VOLATILE] = { 1, 0, 0 },   [BTF_CONST] = { 1, 0, 0 },
		[BTF_RESTRICT] = { 1, 0, 0 },   [BTF_FUNC] = { 1, 0, 0 },
		[BTF_FUNC_PROTO] = { 1, 0, 8 }, [BTF_VAR] = { 1, 4, 0 },
		[BTF_DATASEC] = { 1, 0, 12 },   [BTF_FLOAT] = { 1, 0, 0 },
		[BTF_DECL_TAG] = { 1, 4, 0 },   [BTF_TYPE_TAG] = { 1, 0, 0 },
		[BTF_ENUM64] = { 1, 0, 12 },
	};
	if (kind < array_size(sizes) && sizes[kind].known) {
		*fixed = sizes[kind].fixed;
		*element = sizes[kind].element;
		return true;
	}
	if (kind == 0 || kind >= btf->layout_count)
		return false;
	/* struct btf_layout: u8 info_sz, u8 elem_sz, u16 flags. */
	const uint8_t *layout = blob_at(&btf->blob, btf->layout_start + kind * 4u, 4);
	if (!layout)
		return false;
	*fixed = layout[0];
	*element = layout[1];
	return true;
}

bool btf_record_at(struct btf *btf, size_t offset, struct btf_record *record)
{
	const uint8_t *p = blob_at(&btf->blob, offset, BTF_RECORD_HEAD);

	if (!p)
		return false;
	uint32_t info = load_u32(p + 4);
	*record = (struct btf_record){
		.name = load_u32(p),
		/* 16 and 5 bits before Linux 7.1, where the bits between were zero. */
		.vlen = info & 0xffffff,
		.kind = info >> 24 & 0x7f,
		.kind_flag = info >> 31,
		.size_or_type = load_u32(p + 8),
		.body = offset + BTF_RECORD_HEAD,
	};
	return true;
}

bool btf_scan_next(struct btf *btf)
{
	struct btf_record record;
	unsigned fixed, element;

	if (atomic_load_explicit(&btf->scanned, memory_order_relaxed))
		return false;
	if (btf->type_end - btf->scan_pos < BTF_RECORD_HEAD) {
		atomic_store(&btf->scanned, true);
		return false;
	}
	bool good = btf_record_at(btf, btf->scan_pos, &record) &&
		    body_size(btf, record.kind, &fixed, &element);
	if (good)
		good = range_fits(record.body, fixed + (uint64_t)element * record.vlen,
				  btf->type_end);
	if (!good) {
		btf->damaged = true;
		atomic_store(&btf->scanned, true);
		return false;
	}
	uint32_t count = atomic_load_explicit(&btf->count, memory_order_relaxed);
	btf->offsets[count] = (uint32_t)btf->scan_pos;
	btf->scan_pos = record.body + fixed + (size_t)element * record.vlen;
	btf_index_type(btf, btf->first_id + count, &record);
	atomic_store_explicit(&btf->count, count + 1, memory_order_release);
	return true;
}

bool btf_read(const struct btf *asked, uint32_t id, struct btf_record *record, struct btf **owner)
{
	struct btf *btf = btf_of(&asked->source);

	if (!btf_open(btf))
		return false;
	if (id < btf->first_id)
		return btf->base && btf_read(btf->base, id, record, owner);
	uint32_t i = id - btf->first_id;
	if (i >= (btf->type_end - btf->type_start) / BTF_RECORD_HEAD)
		return false;
	if (i >= atomic_load_explicit(&btf->count, memory_order_acquire)) {
		pthread_mutex_lock(&btf->lock);
		while (i >= atomic_load(&btf->count) && btf_scan_next(btf))
			;
		pthread_mutex_unlock(&btf->lock);
		if (i >= atomic_load_explicit(&btf->count, memory_order_acquire))
			return false;
	}
	*owner = btf;
	return btf_record_at(btf, btf->offsets[i], record);
}

const char *btf_string(struct btf *btf, uint32_t name, size_t *length)
{
	if (btf->base && name < btf->base_strings)
		return btf_string(btf->base, name, length);
	size_t offset = name - btf->base_strings;
	const char *s = NULL;
	if (offset < btf->string_end - btf->string_start)
		s = blob_string(&btf->blob, btf->string_start + offset, btf->string_end, length);
	if (!s && length)
		*length = 0;
	return s ? s : "";
}

struct type btf_type(const struct btf *btf, uint32_t id)
{
	if (btf->base && id < btf->first_id)
		btf = btf->base;
	return (struct type){ .source = &btf->source, .id = id };
}

/* --- Answers (source.h) --- */

static bool describe_int(struct btf *btf, const struct btf_record *r, struct type_info *info)
{
	const uint8_t *p = blob_at(&btf->blob, r->body, 4);

	if (!p)
		return false;
	info->kind = TYPE_INT;
	info->size = r->size_or_type;
	info->is_signed = load_u32(p) >> 24 & 1; /* BTF_INT_SIGNED */
	info->is_bool = load_u32(p) >> 24 & 4;   /* BTF_INT_BOOL */
	return true;
}

static bool describe_array(struct btf *btf, const struct btf_record *r, struct type_info *info)
{
	const uint8_t *p = blob_at(&btf->blob, r->body, 12);

	if (!p)
		return false;
	info->kind = TYPE_ARRAY;
	info->target = btf_type(btf, load_u32(p));
	info->length = load_u32(p + 8);
	return true;
}

static void describe_qualifier(const struct btf_record *r, struct type_info *info)
{
	info->kind = TYPE_QUALIFIER;
	info->name = "";
	info->qualifier = r->kind == BTF_CONST      ? QUALIFIER_CONST
			  : r->kind == BTF_VOLATILE ? QUALIFIER_VOLATILE
			  : r->kind == BTF_RESTRICT ? QUALIFIER_RESTRICT
						    : QUALIFIER_TAG;
}

static bool describe_record(struct btf *btf, const struct btf_record *r, struct type_info *info)
{
	info->name = btf_string(btf, r->name, NULL);
	switch (r->kind) {
	case BTF_INT:
		return describe_int(btf, r, info);
	case BTF_ARRAY:
		return describe_array(btf, r, info);
	case BTF_FLOAT:
		info->kind = TYPE_FLOAT;
		info->size = r->size_or_type;
		return true;
	case BTF_ENUM:
	case BTF_ENUM64:
		info->kind = TYPE_ENUM;
		info->size = r->size_or_type;
		info->is_signed = r->kind_flag;
		info->count = r->vlen;
		return true;
	case BTF_STRUCT:
	case BTF_UNION:
		info->kind = r->kind == BTF_STRUCT ? TYPE_STRUCT : TYPE_UNION;
		info->size = r->size_or_type;
		info->count = r->vlen;
		return true;
	case BTF_FWD:
		info->kind = r->kind_flag ? TYPE_UNION : TYPE_STRUCT;
		info->incomplete = true;
		return true;
	default:
		break;
	}
	info->target = btf_type(btf, r->size_or_type);
	switch (r->kind) {
	case BTF_PTR:
		info->kind = TYPE_POINTER;
		info->size = POINTER_SIZE;
		return true;
	case BTF_TYPEDEF:
		info->kind = TYPE_TYPEDEF;
		return true;
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
		describe_qualifier(r, info);
		return true;
	case BTF_FUNC_PROTO:
		info->kind = TYPE_FUNCTION;
		info->count = r->vlen;
		return true;
	default: /* FUNC, VAR, DATASEC, DECL_TAG and kinds to come are no types of values */
		return false;
	}
}

static bool btf_describe(const struct type_source *source, uint32_t id, struct type_info *info)
{
	struct type_info found = { .name = "" };
	struct btf *btf = btf_of(source);
	struct btf_record record;

	if (id == 0) {
		found.kind = TYPE_VOID;
	} else if (!btf_read(btf, id, &record, &btf) || !describe_record(btf, &record, &found)) {
		return false;
	}
	*info = found;
	return true;
}

/*
 * Before kind_flag existed (Linux 5.0), a bit-field's member had a type of its own: an int of
 * fewer bits than its size has, at an offset.
 */
static void old_bit_field(struct btf *btf, uint32_t id, struct raw_member *member)
{
	struct btf_record r;

	for (int i = 0; i < OLD_TYPEDEFS_MAX && btf_read(btf, id, &r, &btf); i++) {
		if (r.kind == BTF_TYPEDEF || r.kind == BTF_CONST || r.kind == BTF_VOLATILE) {
			id = r.size_or_type;
			continue;
		}
		const uint8_t *p = r.kind == BTF_INT ? blob_at(&btf->blob, r.body, 4) : NULL;
		unsigned bits = p ? p[0] : 0;
		if (bits && bits < (uint64_t)r.size_or_type * 8) {
			member->bit_size = bits;
			member->bits += p[2];
		}
		return;
	}
}

static bool btf_member(const struct type_source *source, uint32_t id, unsigned i,
		       struct raw_member *member)
{
	struct btf *btf = btf_of(source);
	struct btf_record r;
	const uint8_t *p;

	if (!btf_read(btf, id, &r, &btf) || i >= r.vlen)
		return false;
	if (r.kind == BTF_FUNC_PROTO) { /* struct btf_param */
		p = blob_at(&btf->blob, r.body + i * (size_t)8, 8);
		if (!p)
			return false;
		*member = (struct raw_member){ .name = btf_string(btf, load_u32(p), NULL),
					       .type = btf_type(btf, load_u32(p + 4)) };
		return true;
	}
	if (r.kind != BTF_STRUCT && r.kind != BTF_UNION)
		return false;
	p = blob_at(&btf->blob, r.body + i * (size_t)12, 12); /* struct btf_member */
	if (!p)
		return false;
	uint32_t offset = load_u32(p + 8);
	*member = (struct raw_member){ .name = btf_string(btf, load_u32(p), NULL),
				       .bits = r.kind_flag ? offset & 0xffffff : offset,
				       .bit_size = r.kind_flag ? offset >> 24 : 0,
				       .type = btf_type(btf, load_u32(p + 4)) };
	if (!r.kind_flag)
		old_bit_field(btf, load_u32(p + 4), member);
	return true;
}

static void btf_destroy(struct type_source *source)
{
	struct btf *btf = btf_of(source);

	blob_deinit(&btf->blob);
	pthread_mutex_destroy(&btf->lock);
	free(btf->offsets);
	names_deinit(&btf->types);
	names_deinit(&btf->functions);
	names_deinit(&btf->enumerators);
	free(btf);
}

static bool btf_at(const struct type_source *source, uint32_t i, struct type *type)
{
	struct btf *btf = btf_of(source), *owner;
	struct btf_record record;

	if (!btf_open(btf) || !btf_read(btf, btf->first_id + i, &record, &owner))
		return false;
	*type = btf_type(btf, btf->first_id + i);
	return true;
}

static const struct type_ops btf_ops = {
	.describe = btf_describe,
	.member = btf_member,
	.enumerator = btf_enumerator,
	.find = btf_find,
	.find_enumerator = btf_find_enumerator,
	.at = btf_at,
	.destroy = btf_destroy,
};

struct error *btf_create(struct memory *mem, uint64_t vaddr, const void *data, uint64_t size,
			 struct btf *base, struct btf **ret)
{
	if (size < BTF_HEADER_MIN || size > BTF_BLOB_MAX)
		return error_new(ERROR_FORMAT, "a BTF blob cannot have %llu bytes",
				 (unsigned long long)size);
	struct btf *btf = xcalloc(1, sizeof(*btf));
	btf->source.ops = &btf_ops;
	btf->base = base;
	pthread_mutex_init(&btf->lock, NULL);
	blob_init(&btf->blob, mem, vaddr, data, (size_t)size);
	if (!base) {
		struct error *err = open_header(btf);
		if (!err)
			err = open_types(btf);
		if (err) {
			btf_destroy(&btf->source);
			return error_prefix(err, "BTF at 0x%llx", (unsigned long long)vaddr);
		}
		atomic_store(&btf->opened, 1);
	}
	*ret = btf;
	return NULL;
}

struct type_source *btf_source(struct btf *btf)
{
	return &btf->source;
}
