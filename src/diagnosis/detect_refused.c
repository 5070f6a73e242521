// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * General protection faults that are about no address: an instruction was given what it refuses.
 * The registers say what: the number and value of a model-specific register (Intel SDM vol. 2,
 * RDMSR and WRMSR: number in ecx, value in edx:eax), a selector, a state image of the FPU, an
 * operand that is not aligned.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"

/* What is well known, by arch/x86/include/asm/msr-index.h, without its MSR_ prefixes. */
static const struct msr {
	uint32_t first, last;
	const char *name;
} msrs[] = {
	{ 0x10, 0x10, "IA32_TSC" },
	{ 0x1b, 0x1b, "IA32_APICBASE" },
	{ 0x3a, 0x3a, "IA32_FEAT_CTL" },
	{ 0x48, 0x48, "IA32_SPEC_CTRL" },
	{ 0x49, 0x49, "IA32_PRED_CMD" },
	{ 0x79, 0x79, "IA32_UCODE_WRITE" },
	{ 0x8b, 0x8b, "IA32_UCODE_REV" },
	{ 0xc1, 0xc8, "performance counters" },
	{ 0xce, 0xce, "PLATFORM_INFO" },
	{ 0xe2, 0xe2, "PKG_CST_CONFIG_CONTROL" },
	{ 0xe7, 0xe8, "IA32_MPERF, IA32_APERF" },
	{ 0x10a, 0x10a, "IA32_ARCH_CAPABILITIES" },
	{ 0x10b, 0x10b, "IA32_FLUSH_CMD" },
	{ 0x122, 0x122, "IA32_TSX_CTRL" },
	{ 0x123, 0x123, "IA32_MCU_OPT_CTRL" },
	{ 0x140, 0x140, "MISC_FEATURES_ENABLES" },
	{ 0x174, 0x176, "IA32_SYSENTER_*" },
	{ 0x179, 0x17b, "IA32_MCG_*" },
	{ 0x186, 0x18d, "performance event selectors" },
	{ 0x198, 0x199, "IA32_PERF_STATUS, IA32_PERF_CTL" },
	{ 0x19a, 0x19a, "IA32_THERM_CONTROL" },
	{ 0x19b, 0x19c, "IA32_THERM_INTERRUPT, IA32_THERM_STATUS" },
	{ 0x1a0, 0x1a0, "IA32_MISC_ENABLE" },
	{ 0x1a2, 0x1a2, "IA32_TEMPERATURE_TARGET" },
	{ 0x1a4, 0x1a4, "MISC_FEATURE_CONTROL" },
	{ 0x1ad, 0x1ae, "TURBO_RATIO_LIMIT" },
	{ 0x1b0, 0x1b0, "IA32_ENERGY_PERF_BIAS" },
	{ 0x1c8, 0x1c9, "LBR_SELECT, LBR_TOS" },
	{ 0x1d9, 0x1d9, "IA32_DEBUGCTLMSR" },
	{ 0x200, 0x26f, "memory type ranges (MTRR)" },
	{ 0x277, 0x277, "IA32_CR_PAT" },
	{ 0x280, 0x29f, "IA32_MC*_CTL2" },
	{ 0x2ff, 0x2ff, "MTRRdefType" },
	{ 0x309, 0x30c, "fixed performance counters" },
	{ 0x345, 0x345, "IA32_PERF_CAPABILITIES" },
	{ 0x38d, 0x390, "CORE_PERF_*" },
	{ 0x3f1, 0x3f1, "IA32_PEBS_ENABLE" },
	{ 0x400, 0x47f, "machine-check banks" },
	{ 0x480, 0x491, "IA32_VMX_*" },
	{ 0x4c1, 0x4c8, "IA32_PMC*" },
	{ 0x560, 0x58f, "IA32_RTIT_* (processor trace)" },
	{ 0x600, 0x600, "IA32_DS_AREA" },
	{ 0x601, 0x60f, "package power and C-states" },
	{ 0x610, 0x64f, "RAPL power limits and energy" },
	{ 0x6a0, 0x6a8, "control-flow enforcement (CET)" },
	{ 0x6e0, 0x6e0, "IA32_TSC_DEADLINE" },
	{ 0x770, 0x777, "hardware P-states (HWP)" },
	{ 0x800, 0x8ff, "x2APIC" },
	{ 0xd90, 0xd90, "IA32_BNDCFGS" },
	{ 0xda0, 0xda0, "IA32_XSS" },
	{ 0x40000000, 0x400001ff, "Hyper-V synthetic" },
	{ 0x4b564d00, 0x4b564dff, "KVM's own" },
	{ 0xc0000080, 0xc0000080, "EFER" },
	{ 0xc0000081, 0xc0000084, "STAR, LSTAR, CSTAR, SYSCALL_MASK" },
	{ 0xc0000100, 0xc0000102, "FS_BASE, GS_BASE, KERNEL_GS_BASE" },
	{ 0xc0000103, 0xc0000103, "TSC_AUX" },
	{ 0xc0000104, 0xc0000104, "AMD64_TSC_RATIO" },
	{ 0xc0010000, 0xc0010007, "K7 event selectors and counters" },
	{ 0xc0010010, 0xc0010010, "AMD64_SYSCFG" },
	{ 0xc0010015, 0xc0010015, "K7_HWCR" },
	{ 0xc001001f, 0xc001001f, "AMD64_NB_CFG" },
	{ 0xc0010055, 0xc0010055, "K8_INT_PENDING_MSG" },
	{ 0xc0010058, 0xc0010058, "FAM10H_MMIO_CONF_BASE" },
	{ 0xc0010061, 0xc0010064, "AMD_PSTATE_*, AMD_PERF_*" },
	{ 0xc0010114, 0xc0010114, "VM_CR" },
	{ 0xc0010117, 0xc0010117, "VM_HSAVE_PA" },
	{ 0xc0010130, 0xc0010131, "AMD64_SEV_ES_GHCB, AMD64_SEV" },
	{ 0xc0010200, 0xc001020b, "F15H_PERF_*" },
	{ 0xc00102b0, 0xc00102b4, "AMD_CPPC_*" },
	{ 0xc0011020, 0xc0011020, "AMD64_LS_CFG" },
	{ 0xc0011029, 0xc0011029, "AMD64_DE_CFG" },
	{ 0xc0011030, 0xc001103d, "AMD64_IBS*" },
};

static const char *msr_name(uint32_t number)
{
	for (size_t i = 0; i < array_size(msrs); i++) {
		if (number >= msrs[i].first && number <= msrs[i].last)
			return msrs[i].name;
	}
	return NULL;
}

static const struct refusal {
	const char *insn; /* glob of its text */
	const char *kind, *title, *why;
	bool msr, write;
} refusals[] = {
	{ "rdmsr*", "msr", "Refused read of a model-specific register",
	  "this CPU or hypervisor has no such register, or does not let it be read", true, false },
	{ "wrmsr*", "msr", "Refused write of a model-specific register",
	  "this CPU or hypervisor has no such register, or does not take that value", true, true },
	{ "rdpmc*", "msr", "Refused read of a performance counter",
	  "there is no performance counter of that number", true, false },
	{ "xsetbv*", "cpu-state", "Refused value of XCR0",
	  "features of the FPU were to be enabled that this CPU has not, or not in this combination",
	  false, false },
	{ "iret*", "cpu-state", "Refused return from an exception",
	  "the saved selectors or flags that the CPU was to go back to are none that it takes: the frame on "
	  "the stack was overwritten, or a process set bad segments", false, false },
	{ "sysret*", "cpu-state", "Refused return to user space",
	  "the address in rcx is not canonical", false, false },
	{ "*xrstor*", "cpu-state", "Refused state of the FPU",
	  "the saved registers of the FPU were overwritten, or came from user space unchecked", false,
	  false },
	{ "ldmxcsr*", "cpu-state", "Refused state of the FPU", "reserved bits are set in it", false, false },
	{ "l?dt*", "cpu-state", "Refused descriptor table", NULL, false, false },
	{ "ltr*", "cpu-state", "Refused task register", "the selector is of no free task segment", false,
	  false },
	{ "mov*%cr*", "cpu-state", "Refused value of a control register",
	  "reserved bits are set in it, or this combination is not allowed", false, false },
	{ "mov*%dr*", "cpu-state", "Refused value of a debug register", NULL, false, false },
	{ "mov*%?s", "cpu-state", "Refused segment selector", "it is of no usable descriptor", false,
	  false },
	{ "swapgs*", "cpu-state", "Refused swapgs", NULL, false, false },
};

/* Is it that the address is not a multiple of the 16 bytes or more that are accessed at once? */
static bool is_misaligned(const struct fault_site *fault)
{
	static const char *const aligned[] = { "*mova*", "*movdqa*", "*movnt*", "*fxsave*", "*fxrstor*",
					       "*xsave*", "*xrstor*", "*cmpxchg16b*" };

	if (!fault->has_address || !fault->insn.memory.present || !(fault->address & 15))
		return false;
	for (size_t i = 0; i < array_size(aligned); i++) {
		if (glob_match(aligned[i], fault->insn_text))
			return true;
	}
	return false;
}

static const struct refusal *refusal_of(const struct fault_site *fault)
{
	static const struct refusal misaligned = {
		"", "misaligned", "Misaligned access",
		"the instruction needs an address that is a multiple of 16 (64 for some)", false, false,
	};

	if (is_misaligned(fault))
		return &misaligned;
	for (size_t i = 0; i < array_size(refusals); i++) {
		if (glob_match(refusals[i].insn, fault->insn_text))
			return &refusals[i];
	}
	return NULL;
}

static void tell_msr(const struct facts *facts, const struct refusal *r, struct findings *out,
		     struct finding *f)
{
	const struct regs *regs = facts->fault.regs;

	if (!regs_known(regs, X86_RCX))
		return;
	uint32_t number = (uint32_t)regs->value[X86_RCX];
	const char *name = msr_name(number);
	f->why = finding_text(out, "register 0x%" PRIx32 "%s%s%s", number, name ? " (" : "", name ? name : "",
			      name ? ")" : "");
	if (r->write && regs_known(regs, X86_RAX) && regs_known(regs, X86_RDX)) {
		uint64_t value = regs->value[X86_RDX] << 32 | (uint32_t)regs->value[X86_RAX];
		f->why = finding_text(out, "%s was to be set to 0x%" PRIx64, f->why, value);
	} else {
		f->why = finding_text(out, "%s was to be read", f->why);
	}
	f->why = finding_text(out, "%s: %s", f->why, r->why);
	finding_evidence_shows(out, f, "bt", finding_text(out, "RCX: %016" PRIx64, regs->value[X86_RCX]),
			       "its number is in ecx: 0x%" PRIx32, number);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;

	if (fault->trap != TRAP_GENERAL_PROTECTION || !fault->has_insn || fault->pc_is_wild ||
	    fault->has_target)
		return NULL;
	const struct refusal *r = refusal_of(fault);
	if (!r)
		return NULL;
	struct finding *f = finding_add(out, r->kind, r->title, RANK_SPECIAL, CONFIDENCE_CERTAIN,
					"%s stopped with a general protection fault at \"%s\", %s",
					facts_frame_text(facts, fault->frame), fault->insn_text,
					facts_where(facts));
	f->why = r->why;
	f->blame = facts_blame(facts, fault->frame);
	finding_evidence(out, f, finding_text(out, "dis -lr 0x%" PRIx64 " 8", fault->pc), "%s: %s",
			 facts_frame_text(facts, fault->frame), fault->insn_text);
	if (r->msr)
		tell_msr(facts, r, out, f);
	return NULL;
}

const struct detector detector_refused = {
	.name = "refused",
	.looks_for = "general protection faults of instructions: model-specific registers, FPU state, "
		     "misaligned operands",
	.run = run,
};
