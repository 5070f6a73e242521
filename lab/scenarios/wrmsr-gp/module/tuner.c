/* A model-specific register is given a value that it does not take: the CPU raises a general protection fault. */
#include <asm/msr.h>

#include "trigger.h"

static noinline void tuner_write(u32 number, u64 value)
{
	asm volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static void tune(void)
{
	tuner_write(0xc0010117, 0x123); /* MSR_VM_HSAVE_PA: page-aligned */
}

TRIGGER(tune, "lab: wrmsr of a value that the CPU refuses");
