/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The BTF reader from inside: btf.c reads records, btf_names.c finds them by name. */
#pragma once

#include "types/blob.h"
#include "types/names.h"
#include "types/source.h"

/* include/uapi/linux/btf.h, BTF_KIND_* */
enum btf_kind {
	BTF_INT = 1,
	BTF_PTR = 2,
	BTF_ARRAY = 3,
	BTF_STRUCT = 4,
	BTF_UNION = 5,
	BTF_ENUM = 6,
	BTF_FWD = 7,
	BTF_TYPEDEF = 8,
	BTF_VOLATILE = 9,
	BTF_CONST = 10,
	BTF_RESTRICT = 11,
	BTF_FUNC = 12,
	BTF_FUNC_PROTO = 13,
	BTF_VAR = 14,
	BTF_DATASEC = 15,
	BTF_FLOAT = 16,
	BTF_DECL_TAG = 17,
	BTF_TYPE_TAG = 18,
	BTF_ENUM64 = 19,
	BTF_KIND_LIMIT = 128, /* seven bits since Linux 7.1, five before */
};

/* The head that all records share (struct btf_type). */
struct btf_record {
	uint32_t name; /* offset of its string */
	unsigned kind;
	unsigned vlen;
	bool kind_flag;
	uint32_t size_or_type;
	size_t body; /* offset in the blob of what follows */
};

struct btf {
	struct type_source source;
	struct blob blob;
	struct btf *base;     /* NULL: the kernel's */
	pthread_mutex_t lock; /* scanning, and the indexes */
	_Atomic int opened;   /* 0 not yet, 1 usable, -1 not */
	_Atomic int header;   /* the same of its header alone */

	/* Header. */
	size_t type_start, type_end;
	size_t string_start, string_end;
	uint32_t base_strings; /* string offsets below are the base's */
	size_t layout_start;   /* struct btf_layout[], 7.1 and later */
	unsigned layout_count;

	/* Types met so far, in order: id first_id + i is at offsets[i]. */
	uint32_t first_id;
	uint32_t *offsets;
	_Atomic uint32_t count;
	size_t scan_pos;
	_Atomic bool scanned; /* to the end, or as far as is possible */
	bool damaged;         /* not to the end */
	/* A name is the end of another: strings do not tell what is absent. */
	_Atomic bool shared_strings;
	_Atomic uint64_t absent; /* hash of the name that was last not among the strings */

	struct names types;     /* everything but functions; grows with the scan */
	struct names functions; /* on first use */
	struct names enumerators;
	_Atomic bool enums_signed; /* the encoder did not say: before pahole 1.24, libbpf 1.0 */
};

bool btf_open(struct btf *btf);
/* The header only, which is enough for strings. */
bool btf_open_header(struct btf *btf);
/* Head of the record of @id; the base's records too (@owner tells whose). */
bool btf_read(const struct btf *btf, uint32_t id, struct btf_record *record, struct btf **owner);
/* With the lock held: reads the next record's head; false at the end. */
bool btf_scan_next(struct btf *btf);
bool btf_record_at(struct btf *btf, size_t offset, struct btf_record *record);
/* The string at @name, never NULL. @length may be NULL. */
const char *btf_string(struct btf *btf, uint32_t name, size_t *length);
struct type btf_type(const struct btf *btf, uint32_t id);

/* btf_names.c */
void btf_index_type(struct btf *btf, uint32_t id, const struct btf_record *record);
bool btf_find(const struct type_source *source, enum name_class as, const char *name,
	      struct type *type);
bool btf_find_enumerator(const struct type_source *source, const char *name, int64_t *value);
bool btf_enumerator(const struct type_source *source, uint32_t id, unsigned i, const char **name,
		    int64_t *value);
