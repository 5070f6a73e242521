// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sysctls and the variables behind them: kernel/{panic,exit,watchdog,hung_task,sysctl}.c,
 * kernel/rcu/update.c, mm/oom_kill.c, arch/x86/kernel/{nmi,traps}.c. Several names are those of
 * different versions. Types of globals are not in BTF, so the command that shows one casts.
 */
#include "diagnosis/settings.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *sysctl;
	const char *variable;
	unsigned size;
	const char *type;
} settings[] = {
	{ "kernel.panic_on_oops", "panic_on_oops", 4, "int" },
	/* Not kernel.panic_on_warn: panic() clears that one. */
	{ "kernel.panic_on_taint", "panic_on_taint", 8, "unsigned long" },
	{ "kernel.oops_limit", "oops_limit", 4, "unsigned int" },
	{ "kernel.warn_limit", "warn_limit", 4, "unsigned int" },
	{ "kernel.softlockup_panic", "softlockup_panic", 4, "unsigned int" },
	{ "kernel.hardlockup_panic", "hardlockup_panic", 4, "unsigned int" },
	{ "kernel.watchdog_thresh", "watchdog_thresh", 4, "int" },
	{ "kernel.hung_task_panic", "sysctl_hung_task_panic", 4, "unsigned int" },
	{ "kernel.hung_task_timeout_secs", "sysctl_hung_task_timeout_secs", 8, "unsigned long" },
	{ "kernel.panic_on_rcu_stall", "sysctl_panic_on_rcu_stall", 4, "int" },
	{ "kernel.panic_on_stackoverflow", "sysctl_panic_on_stackoverflow", 4, "int" },
	{ "kernel.unknown_nmi_panic", "unknown_nmi_panic", 4, "int" },
	{ "kernel.panic_on_unrecovered_nmi", "panic_on_unrecovered_nmi", 4, "int" },
	{ "kernel.panic_on_io_nmi", "panic_on_io_nmi", 4, "int" },
	{ "vm.panic_on_oom", "sysctl_panic_on_oom", 4, "int" },
	{ "vm.overcommit_memory", "sysctl_overcommit_memory", 4, "int" },
};

static bool read_row(const struct facts *facts, size_t i, uint64_t *value)
{
	struct session *s = facts->session;

	return s && s->symbols && s->memory &&
	       kglobal(s, settings[i].variable, settings[i].size, value);
}

bool setting_read(const struct facts *facts, const char *name, uint64_t *value)
{
	for (size_t i = 0; i < array_size(settings); i++) {
		if (strcmp(settings[i].sysctl, name) == 0 && read_row(facts, i, value))
			return true;
	}
	return false;
}

bool setting_evidence(const struct facts *facts, struct findings *out, struct finding *f,
		      const char *name)
{
	uint64_t value;

	for (size_t i = 0; i < array_size(settings); i++) {
		if (strcmp(settings[i].sysctl, name) != 0 || !read_row(facts, i, &value))
			continue;
		finding_evidence_shows(out, f,
				       finding_text(out, "p *(%s *)&%s", settings[i].type,
						    settings[i].variable),
				       finding_text(out, "= %" PRIu64, value), "%s = %" PRIu64, name,
				       value);
		return true;
	}
	return false;
}

void settings_of_oops(const struct facts *facts, struct findings *out, struct finding *f)
{
	static const char name[] = "kernel.panic_on_oops";
	bool warned = facts->panic_message && strstr(facts->panic_message, "panic_on_warn");
	uint64_t value;

	if (facts->fault.trap == TRAP_NONE || facts->fault.trap == TRAP_MACHINE_CHECK || warned ||
	    strcmp(f->kind, "sysrq") == 0 || !setting_read(facts, name, &value) || !value)
		return;
	setting_evidence(facts, out, f, name);
}
