/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What forensics can say about the verdict: where the bad value came from, which object is at
 * stake and in which state, whose text lies in it. Adds sentences and evidence to the finding.
 */
#pragma once

#include "diagnosis/cause.h"
#include "diagnosis/diagnosis.h"

void explain(struct facts *facts, struct findings *out, struct finding *finding);
/* The same of a text in place of a dump. */
void explain_text(struct facts *facts, struct findings *out, struct finding *finding);
/* Puts names in place of a text's made-up addresses. */
void explain_text_names(const struct facts *facts, struct findings *out, struct finding *finding);
/* The pointer was no NULL with an offset, but a small number that was stored as it is. */
void explain_not_null(struct findings *out, struct finding *finding);
/*
 * The object at @address: cache, state, who allocated and freed it, text in it, and unless that is
 * known by other means (@typed), which type it has by its contents.
 */
void explain_object(struct facts *facts, struct findings *out, struct finding *finding,
		    uint64_t address, bool typed);
/* Whose code stores @value, which is in @cell where it should not be. */
void explain_writer(struct facts *facts, struct findings *out, struct finding *finding,
		    uint64_t cell, uint64_t value);
/*
 * The bad pointer @value: what it was before it was spoilt, or that it was read from memory that
 * nobody owns any more. @cause: where it came from; NULL not known. True: that says it all.
 */
bool explain_pointer(struct facts *facts, struct findings *out, struct finding *finding,
		     uint64_t value, const struct cause *cause);
/* Two pointers should be the same and differ in one bit, which makes one of them no address. */
void explain_one_bit(const struct facts *facts, struct findings *out, struct finding *finding,
		     uint64_t one, uint64_t other);
/*
 * Was @cell overwritten by what fills the object before it? Says so and returns true. @rename: the
 * finding is then about that, not about who tripped over it.
 */
bool explain_overflow(struct facts *facts, struct findings *out, struct finding *finding,
		      uint64_t cell, bool rename);
/*
 * Did @insn, which accessed @address, go beyond the static array that it names? Says so. Returns
 * the register with the index; -1: no.
 */
int explain_array(struct facts *facts, struct findings *out, struct finding *finding,
		  const struct insn *insn, uint64_t address);
/*
 * Is the object that holds @cell still on the list along which frame @frame came to it? Says so and
 * returns true when it is not.
 */
bool explain_list(struct facts *facts, struct findings *out, struct finding *finding, size_t frame,
		  uint64_t cell);
/* How far a string instruction had come. */
void explain_string(struct facts *facts, struct findings *out, struct finding *finding);
struct slab_object;
/* Who allocated and who freed it, where the kernel kept that. */
void explain_tracks(struct facts *facts, struct findings *out, struct finding *finding,
		    const struct slab_object *object);
/* Adds a sentence to the finding's WHY. */
void explain_why(struct findings *out, struct finding *finding, const char *fmt, ...)
	printf_like(3, 4);
