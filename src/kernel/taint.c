// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel's taint bits mean. The numbers are fixed for good: they are user-space interface
 * (/proc/sys/kernel/tainted). Source: Documentation/admin-guide/tainted-kernels.rst and
 * include/linux/panic.h.
 */
#include "kernel/system.h"

static const struct taint_flag flags[] = {
	{ 'P', "a module with a proprietary licence was loaded" },
	{ 'F', "a module was loaded by force" },
	{ 'S', "the hardware is out of specification, or this kernel is not made for it" },
	{ 'R', "a module was unloaded by force" },
	{ 'M', "the processor reported a machine check" },
	{ 'B', "a bad page was found: page tables or reference counts were wrong" },
	{ 'U', "a user-space program asked for the taint" },
	{ 'D', "the kernel has died before: an Oops or BUG" },
	{ 'A', "the ACPI tables were overridden by the user" },
	{ 'W', "the kernel has issued a warning" },
	{ 'C', "a driver of the staging area was loaded" },
	{ 'I', "a workaround for a severe firmware bug is in use" },
	{ 'O', "a module from outside the kernel tree was loaded" },
	{ 'E', "a module without a valid signature was loaded" },
	{ 'L', "a soft lockup has happened" },
	{ 'K', "the kernel was live-patched" },
	{ 'X', "the distribution has a meaning of its own for this" },
	{ 'T', "the kernel was built with randomised structure layout" },
	{ 'N', "an in-kernel test was run" },
	{ 'J', "user space did a mutating debug operation through fwctl" },
};

const struct taint_flag *taint_flag(unsigned bit)
{
	return bit < array_size(flags) ? &flags[bit] : NULL;
}
