// SPDX-License-Identifier: LGPL-2.1-or-later
/* Frame by frame, innermost first: a loop that is called in a loop is two lines of evidence. */
#include "diagnosis/loops.h"

#include <inttypes.h>

#include "base/strbuf.h"
#include "forensics/busy_loop.h"

enum { FRAMES_LOOKED_AT = 8 };

void loops_tell(const struct facts *facts, const struct stack *stack, size_t from, size_t to,
		const char *bt, struct findings *out, struct finding *f)
{
	for (size_t i = from; i <= to && i < stack->count && i < from + FRAMES_LOOKED_AT; i++) {
		struct busy_loop loop;
		char words[160];
		struct symbol symbol;
		/* That a delay goes round is what it is for: who asks for it is of interest. */
		if (!facts_frame_symbol_of(facts, &stack->frames[i], &symbol) ||
		    starts_with(symbol.name, "delay_") ||
		    !busy_loop_find(facts->session, stack, i, &loop))
			continue;
		busy_loop_words(facts->session, &loop, words, sizeof(words));
		finding_evidence_shows(out, f, bt, finding_text(out, "%s", symbol.name),
				       "%s is in a loop, %016" PRIx64 " to %016" PRIx64 "%s%s",
				       facts_text_of_frame(facts, &stack->frames[i]), loop.first,
				       loop.last, *words ? ": " : "", words);
	}
}
