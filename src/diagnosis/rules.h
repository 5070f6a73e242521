/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Known issues: rules (rules/ID.yaml, docs/rules.md) say which facts together are the mark of a bug
 * that is described somewhere. A rule asks plain facts (struct rule_facts), wherever these are
 * from: a dump, a text, or the rule's own tests.
 */
#pragma once

#include "base/vec.h"
#include "diagnosis/diagnosis.h"

enum rule_answer { RULE_NO, RULE_YES, RULE_UNKNOWN };

struct rule_words {
	const char *const *data;
	size_t count;
};

/* What rules match on. NULL, 0 and "unknown" are what nobody knows. */
struct rule_facts {
	const char *kind;           /* of the verdict: "bug", "null-pointer" */
	const char *plain_kind;     /* what the kernel itself calls it: no value was looked at */
	const char *function;       /* to blame; without the compiler's suffixes, as all names */
	const char *fault_function; /* where the CPU stopped */
	bool module_known;
	const char *module;         /* of the function to blame; NULL: the kernel itself */
	const char *module_version;
	struct rule_words stack;    /* of the crash, from the top, without the way down to panic() */
	struct rule_words members;  /* "scsi_cmnd.SCp.phase": where the bad value was, was accessed */
	bool has_value;
	uint64_t value;             /* the bad one */
	bool has_offset;
	uint64_t offset;            /* of the access from the bad pointer */
	const char *release;        /* uname -r */
	const char *banner;         /* uname -v */
	bool log_known;
	struct rule_words log;      /* lines up to the end */
	const char *taint;          /* letters; NULL unknown */
	bool loaded_known;
	struct rule_words loaded;   /* modules */
	/* Looked up when a rule asks: */
	void *ctx;
	/* "y", "m", "n", a number or a text; RULE_NO: it is not set (as good as "n"). */
	enum rule_answer (*config)(void *ctx, const char *name, const char **value);
	/* "Y", "N", a number or a text. RULE_NO: there is no such parameter. */
	enum rule_answer (*parameter)(void *ctx, const char *module, const char *name,
				      const char **value);
};

struct rule;

struct rule_set {
	struct arena arena;
	struct {
		vec_fields(const struct rule *);
	} rules;
	/* Of files that cannot be used: "FILE:LINE: what", one each. */
	struct {
		vec_fields(const char *);
	} problems;
};

/*
 * All rules, by name: of @folder (--rules; NULL: none), $INQUEST_RULES, the user's configuration,
 * then the shipped ones. A rule hides those of the same name that come later.
 */
void rules_load(const char *folder, struct rule_set *set);
/* Those of one folder or of one file only. */
void rules_load_path(const char *path, struct rule_set *set);
void rules_deinit(struct rule_set *set);

/* The rules that fit, the surest first, in @arena. */
const struct known_issue *rules_match(const struct rule_set *set, const struct rule_facts *facts,
				      struct arena *arena, size_t *count);

/* What `rules` shows of one. */
struct rule_info {
	const char *id, *title, *explains, *workaround, *path;
	struct rule_words reference, fixed_in;
	enum confidence confidence; /* when all of it matches */
	size_t positive, negative;  /* of its fact sets */
};
void rule_info(const struct rule *rule, struct rule_info *info);
/* Its conditions, "function: ida_simple_remove" each. */
struct rule_words rule_conditions(const struct rule *rule, struct arena *arena);
/* Runs its fact sets: how many came out right; the others are told in @failures. */
size_t rule_test(const struct rule *rule, struct arena *arena, struct rule_words *failures);

/* "channel.sent": the members that the faulting instruction accessed, where types tell. */
void rule_members(const struct facts *facts, struct arena *arena, struct rule_words *members);
/* The facts of a diagnosis that has its findings. */
void rule_facts_of(const struct diagnosis *diagnosis, struct arena *arena,
		   struct rule_facts *facts);
