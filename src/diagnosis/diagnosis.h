/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 7: a session -> facts -> findings -> one verdict.
 *
 * Facts are gathered once (facts.h). Each detector looks at them and adds findings; it never
 * prints and never stops the others. The verdict is the finding of the highest rank: what happened
 * first and explains most beats what only followed from it.
 *
 * A new detector is one file with a `struct detector` and one line in detectors[] (diagnosis.c).
 */
#pragma once

#include "diagnosis/facts.h"

enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };

const char *confidence_name(enum confidence confidence);
/* How sure it is that this function is to blame: certain only where it is the one that stopped. */
enum confidence blame_confidence(const struct blame *blame);

/* Ranks: what wins when several findings explain one death. */
enum {
	RANK_FALLBACK = 10,    /* nothing better is known */
	RANK_CONSEQUENCE = 30, /* panic() was called: somebody knew why */
	RANK_POLICY = 60,      /* a watchdog or a policy found a condition */
	RANK_FAULT = 80,       /* the CPU stopped at an instruction */
	RANK_SPECIAL = 90,     /* a fault whose pattern says more than the fault itself */
	RANK_ROOT = 95,        /* the machine was not as it should be: all else follows from that */
};

struct evidence {
	const char *text;    /* one line: what it shows */
	const char *command; /* what the user types to see it; NULL: nothing to type */
	const char *shows;   /* words that are in what the command prints then; NULL */
};

enum { EVIDENCE_MAX = 16 };

/* What a detector found. Strings live as long as the diagnosis. */
struct finding {
	const char *kind;  /* machine word: "null-pointer", "bug", "softlockup" ... */
	const char *title; /* the kind in words: "NULL pointer dereference" */
	const char *what;  /* one sentence: what happened, where */
	const char *why;   /* one sentence, or NULL */
	const char *against; /* what speaks against it or stays open; NULL: nothing known */
	/* How sure it is where the bad value came from ("likely"); NULL: not told. */
	const char *origin_confidence;
	const char *origin_of; /* of what that is said: "who has it"; NULL: where the value came from */
	const char *next;  /* what to do or look at next; NULL */
	enum confidence confidence;
	unsigned rank;
	/* Another trouble than what the kernel died of: told beside the verdict where it is not it. */
	bool apart;
	struct blame blame;
	/* Not code but a person, a program or a part: "worker (pid 9)", "CPU 1, bank 4"; NULL. */
	const char *who;
	uint64_t object;   /* the slab object at stake; 0: none is known */
	const char *member; /* "sk_buff.head": where the bad value was read from; NULL: not known */
	uint64_t cell;     /* where the bad value was in memory; 0: nowhere, or not known */
	unsigned cell_size;
	const struct task *task; /* whose stack shows it; NULL: that of the task that crashed */
	struct evidence evidence[EVIDENCE_MAX];
	unsigned evidence_count;
};

/* A known bug or limitation whose rule (rules.h) fits this death. */
struct known_issue {
	const char *id, *title;
	const char *reference;  /* where it is described: commit, CVE, distribution's erratum */
	const char *fixed_in;   /* NULL: not told */
	const char *workaround; /* NULL */
	const char *because;    /* the facts that matched, a sentence */
	enum confidence confidence;
};

/* The same death on another machine, build or day has the same signature. See signature.c. */
struct signature {
	const char *guilty; /* "null-pointer:channel_store" */
	const char *stack;  /* guilty + "/channel_store<param_attr_store<..."; NULL: no stack */
	const char *value;  /* guilty + " NULL+0x30 struct channel.sent"; NULL: no bad value */
	char hash[9];       /* 32 bits of the stack level, in hex */
};

struct failed_detector {
	const char *name, *why;
};

struct diagnosis {
	struct facts facts;
	struct finding *findings; /* by rank, the verdict first */
	size_t finding_count;
	struct signature signature;
	const struct known_issue *known; /* the best first */
	size_t known_count;
	const char *const *next;  /* what to do, the most useful first; each one sentence */
	size_t next_count;
	const struct failed_detector *failed; /* what could not be looked at */
	size_t failed_count;
};

/* A detector's pen. */
struct findings;

struct detector {
	const char *name;
	const char *looks_for; /* one line, for docs and `help` */
	/* An error: the detector could not do its work; what it had added so far stays. */
	struct error *(*run)(const struct facts *facts, struct findings *out);
};

/* Every detector, ends with NULL. */
extern const struct detector *const detectors[];

/* Empty ones; diagnose() makes its own. */
struct findings *findings_create(void);
void findings_destroy(struct findings *findings);
/* Adds a finding; @what is formatted. The result stays valid until the next one is added. */
struct finding *finding_add(struct findings *out, const char *kind, const char *title,
			    unsigned rank, enum confidence confidence, const char *what, ...)
	printf_like(6, 7);
void finding_evidence(struct findings *out, struct finding *finding, const char *command,
		      const char *fmt, ...) printf_like(4, 5);
/* The same; @shows is what to look for in the command's output. */
void finding_evidence_shows(struct findings *out, struct finding *finding, const char *command,
			    const char *shows, const char *fmt, ...) printf_like(5, 6);
/* A string that lives as long as the findings. */
const char *finding_text(struct findings *out, const char *fmt, ...) printf_like(2, 3);
/* Adds a clause to the finding's reason. */
void finding_add_why(struct findings *out, struct finding *finding, const char *fmt, ...)
	printf_like(3, 4);

/* Never fails: a dump in which nothing can be found gets a finding that says so. */
struct diagnosis *diagnose(struct session *session);
void diagnosis_destroy(struct diagnosis *diagnosis);
