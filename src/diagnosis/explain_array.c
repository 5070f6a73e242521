// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An index that is too large: the kernel and its modules lie in the top 2 GiB, so that the compiler
 * puts the address of a static array into the instruction ("table(,%rax,8)"). What the instruction
 * reached is then so many elements from the array's start, and the symbol table says how large the
 * array is.
 */
#include <inttypes.h>
#include <string.h>

#include "diagnosis/explain.h"

enum { CONSTANT_MAX = 64 }; /* bytes that a constant in the index makes */
#define INDEX_MAX INT64_C(0xffffffff)

/* An array is data with a name of its own; its size may reach to the next symbol. */
static bool array_at(const struct facts *facts, uint64_t address, struct symbol *array)
{
	return facts->session->arch->is_kernel_address(address) &&
	       symbols_by_address(facts->session->symbols, address, array) && array->size &&
	       strchr("dDbBrR", array->type ? array->type : '?');
}

/* "table[i - 1]" has the address of what lies before the table. */
static bool begins_in(const struct symbol *array, uint64_t start)
{
	return start == array->address || start - array->address + CONSTANT_MAX < array->size;
}

/* The register that the index was in; -1: it is no such access, or it is within the array. */
int explain_array(struct facts *facts, struct findings *out, struct finding *finding,
		  const struct insn *insn, uint64_t address)
{
	const struct insn_memory *m = &insn->memory;
	bool scaled = m->base < 0 && m->index >= 0;
	uint64_t start = (uint64_t)m->displacement;
	struct symbol array;

	if (!m->present || m->absolute || m->per_cpu ||
	    (!scaled && (m->base < 0 || m->index >= 0)) || !array_at(facts, start, &array) ||
	    address - array.address < array.size || !begins_in(&array, start))
		return -1;
	unsigned element = scaled ? m->scale : 1;
	int64_t index = (int64_t)(address - start) / (int64_t)element;
	/* What is further away was reached by no index, but by the offset of a CPU's own variables. */
	if (index > INDEX_MAX || index < -INDEX_MAX)
		return -1;
	finding->kind = "out-of-bounds";
	finding->title = "Index beyond an array";
	finding->confidence = CONFIDENCE_LIKELY;
	finding->why = NULL;
	explain_why(out, finding, "%s has at most %" PRIu64 " bytes, and the %s was %" PRId64 "%s", array.name,
		    array.size, scaled ? "index" : "offset into it", index,
		    scaled ? finding_text(out, " (of elements of %u byte%s)", element,
					  element == 1 ? "" : "s") : "");
	finding_evidence_shows(out, finding, finding_text(out, "sym %s", array.name),
			       finding_text(out, "%" PRIx64, array.address), "%s begins at %016" PRIx64
			       ", and the access went to %016" PRIx64, array.name, array.address, address);
	return scaled ? m->index : m->base;
}
