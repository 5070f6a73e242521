/*
 * Reports a memory error as the hardware does: the registers of a bank are filled, then the exception is raised. It is the
 * kernel's own handler that reads them.
 */
#include <asm/mce.h>
#include <asm/msr.h>

#include "trigger.h"

enum { BANK = 4, MEMORY_READ_CHANNEL_1 = 0x91 };

static void report(void)
{
	wrmsrl(MSR_IA32_MCx_ADDR(BANK), 0x1f3a5c40);
	wrmsrl(MSR_IA32_MCx_MISC(BANK), 0x8c);
	wrmsrl(MSR_IA32_MCx_STATUS(BANK), MCI_STATUS_VAL | MCI_STATUS_UC | MCI_STATUS_EN | MCI_STATUS_ADDRV | MCI_STATUS_MISCV |
						  MCI_STATUS_PCC | MEMORY_READ_CHANNEL_1);
	wrmsrl(MSR_IA32_MCG_STATUS, MCG_STATUS_MCIP | MCG_STATUS_EIPV);
	asm volatile("int $18");
}

TRIGGER(report, "lab: a machine check");
