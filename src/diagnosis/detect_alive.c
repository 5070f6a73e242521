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

/* Printed when the machine goes down as it should (kernel/reboot.c, kernel/kexec_core.c). */
static const struct {
	const char *text, *means;
} farewells[] = {
	{ "reboot: Restarting system", "it was being restarted" },
	{ "Restarting system.", "it was being restarted" },
	{ "reboot: Power down", "it was being switched off" },
	{ "reboot: System halted", "it had been halted" },
	{ "Starting new kernel", "another kernel was being started in its place (kexec)" },
};

enum { FAREWELL_LINES = 40 };

/* How the machine went down, if that is among the last lines of the log; NULL. */
static const char *farewell(const struct facts *facts, const struct log_record **record)
{
	size_t from = facts->log_count > FAREWELL_LINES ? facts->log_count - FAREWELL_LINES : 0;

	for (size_t i = 0; i < array_size(farewells); i++) {
		*record = facts_log_find(facts, farewells[i].text, from);
		if (*record)
			return farewells[i].means;
	}
	return NULL;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const char *lacking = !facts->session->symbols ? "no symbols were found in the dump"
			      : !facts->log_readable && facts->cpu < 0
				      ? "neither the kernel's log nor the CPU that crashed can be "
					"read from the dump"
				      : NULL;

	if (lacking && !facts->session->text) {
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
	const struct log_record *last;
	const char *how = farewell(facts, &last);
	if (!how)
		return NULL;
	f->why = finding_text(out, "%s when it was dumped, so this may be a machine that hung on "
			      "its way down", how);
	finding_evidence(out, f, "log", "%s", last->text);
	return NULL;
}

const struct detector detector_alive = {
	.name = "alive",
	.looks_for = "a dump of a machine that had not crashed",
	.run = run,
};
