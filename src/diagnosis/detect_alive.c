// SPDX-License-Identifier: LGPL-2.1-or-later
/* Not every dump is of a dead kernel: a hypervisor can dump a machine that merely runs or hangs. */
#include "diagnosis/diagnosis.h"

static bool died(const struct facts *facts)
{
	if (facts->panic_message || facts->fault.trap != TRAP_NONE || facts->cpu >= 0)
		return true;
	for (size_t i = 0; i < facts->anomaly_count; i++) {
		if (facts->anomalies[i].weight == ANOMALY_FATAL)
			return true;
	}
	return false;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const char *lacking = !facts->session->symbols ? "no symbols were found in the dump"
			      : !facts->log_readable && facts->cpu < 0
				      ? "neither the kernel's log nor the CPU that crashed can be "
					"read from the dump"
				      : NULL;

	if (lacking) {
		struct finding *f = finding_add(out, "unknown", "Unknown", RANK_FALLBACK,
						CONFIDENCE_POSSIBLE,
						"Why this kernel died cannot be told: %s", lacking);
		f->next = "MISSING, below, says what the dump lacks; a vmlinux or System.map of "
			  "this kernel may help: inquest VMCORE VMLINUX";
		return NULL;
	}
	if (facts->session->text && !died(facts)) {
		finding_add(out, "unknown", "Unknown", RANK_FALLBACK, CONFIDENCE_POSSIBLE,
			    "The text has no report of a kernel's death: it may end before, or be "
			    "of something else");
		return NULL;
	}
	if (died(facts)) {
		finding_add(out, "unknown", "Unknown", RANK_FALLBACK - 1, CONFIDENCE_POSSIBLE,
			    "The kernel crashed %s, but neither registers, stack nor log say why",
			    facts_where(facts));
		return NULL;
	}
	struct finding *f = finding_add(
		out, "alive", "No crash", RANK_FALLBACK, CONFIDENCE_LIKELY,
		"Nothing shows that this kernel had crashed: no panic in its log, no CPU that says "
		"it crashed. It was dumped from outside while it ran or hung");
	f->next = "look at what its CPUs and tasks were doing: bt -a, ps, log";
	return NULL;
}

const struct detector detector_alive = {
	.name = "alive",
	.looks_for = "a dump of a machine that had not crashed",
	.run = run,
};
