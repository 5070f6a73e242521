/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 6b: what can be iterated, as data: a name -> objects of a type, one after the other.
 *
 * In: a session and the words behind a walker's name. Out: calls with the address of each object.
 * A walker bounds its own loop and notes holes as problems of the session. Pipelines, commands and
 * tests use the same ones. A new one is a row of its file's table (docs/adding.md).
 *
 * Objects come with fields beside their members: what a walker knows (the CPU of a per-CPU
 * variable), and what is computed of objects of a type wherever they come from (a task's state).
 */
#pragma once

#include "base/strbuf.h"
#include "kernel/session.h"
#include "types/value.h"

struct walking;

/* What lies at walked.data. Fields of a type meet objects of all walkers: they have to ask. */
enum walked_kind {
	WALKED_PLAIN,   /* nothing */
	WALKED_TASK,    /* struct task */
	WALKED_FRAME,
	WALKED_SLAB,    /* struct slab_object */
	WALKED_PAGE,    /* struct page_info */
	WALKED_ELEMENT, /* uint64_t: the index */
	WALKED_FILE,    /* int64_t: its number */
	WALKED_ENTRY,   /* struct tree_entry */
};

struct walked {
	uint64_t address; /* 0: rows that are no objects in memory */
	int cpu;          /* -1: none */
	enum walked_kind kind;
	const void *data; /* what the walker knows of it, see walked_data() */
};

/* What the walker knows of it, if it is of that kind; else NULL. */
static inline const void *walked_data(const struct walked *object, enum walked_kind kind)
{
	return object->kind == kind ? object->data : NULL;
}

/* False ends the walk. */
typedef bool (*walk_fn)(void *ctx, const struct walked *object);

/* What a walk is begun with. */
struct walk_input {
	struct session *session;
	struct arena *arena; /* lives as long as the walk */
	int argc;            /* words behind the name */
	char *const *argv;
	/*
	 * The value of a C expression, and as an address: of a struct or array where it is, else
	 * the number.
	 */
	struct error *(*value)(void *ctx, const char *text, struct value *value,
			       uint64_t *address);
	void *ctx;
	bool dry; /* only the type of the objects is asked for: values are 0, nothing is walked */
};

struct walker {
	const char *name;
	const char *usage;   /* "CACHE [TYPE]"; "" for none */
	const char *summary; /* one line, no full stop */
	const char *type;    /* of its objects, a struct's name; NULL: begin() says, or there is none */
	const char *example;
	/* May be NULL when there is nothing to parse. Too many words are refused before. */
	struct error *(*begin)(struct walking *walk, const struct walk_input *input);
	void (*each)(struct walking *walk, walk_fn fn, void *ctx);
	void (*end)(struct walking *walk); /* NULL: nothing to free */
	uint8_t words_max;
	bool has_cpu;        /* its objects belong to CPUs */
	bool has_none;       /* it gives rows of fields, no objects */
	size_t data_size;    /* of walked.data, where that lasts only as long as the call */
};

struct walking {
	const struct walker *walker;
	struct session *session;
	struct arena *arena;
	struct type type;      /* of the objects; {0}: rows of fields only */
	uint64_t address;      /* for the walker's own use: where to begin */
	uint64_t offset, count;
	const char *name;
	void *state;
};

/* The i-th of all walkers; NULL past the end. */
const struct walker *walker_at(size_t i);
const struct walker *walker_find(const char *name);

struct error *walk_begin(const struct walker *walker, const struct walk_input *input,
			 struct walking *walk) must_check;
/* Calls @fn with each object until it returns false, or the user has had enough. */
void walk_each(struct walking *walk, walk_fn fn, void *ctx);
void walk_end(struct walking *walk);

/* --- Fields --- */

enum field_kind {
	FIELD_NUMBER,
	FIELD_ADDRESS,
	FIELD_BYTES,
	FIELD_TIME, /* ns */
	FIELD_BOOL,
	FIELD_TEXT,
	FIELD_STACK, /* text: functions, innermost first, " <- " between */
};

/* What fields are computed with; zero-initialised by who asks for many. */
struct field_cache {
	uint64_t now; /* run_queue_now() */
};

/* A question for a field: the answer is .number or what is added to .text. */
struct field_ask {
	struct session *session;
	const struct walked *object;
	struct field_cache *cache;
	uint64_t number;
	struct strbuf *text;
};

enum field_found {
	FIELD_LOST,    /* it cannot be told: what would tell is not in the dump */
	FIELD_KNOWN,
	FIELD_NOTHING, /* there is no such thing of this object */
};

struct walk_field {
	const char *of; /* a walker's name or a struct's */
	const char *name;
	enum field_kind kind;
	const char *help;
	enum field_found (*get)(struct field_ask *ask);
};

/* The field @name of objects that walker @walker (NULL: none) gave or that are @type's. */
const struct walk_field *walk_field_find(const char *walker, const char *type, const char *name);
/* The i-th of all fields; NULL past the end. */
const struct walk_field *walk_field_at(size_t i);
/* What to show of objects when nobody says: "pid, state, comm"; NULL: nothing particular. */
const char *walk_columns(const char *walker, const char *type);
