/* A user pointer followed without copy_from_user(): the page is mapped, but the CPU (SMAP) forbids the access. */
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "trigger.h"

static noinline unsigned long sum_request(const unsigned long *request)
{
	return READ_ONCE(request[0]) + READ_ONCE(request[1]);
}

static void take_request(void)
{
	unsigned long user = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, 0);
	unsigned long words[2] = { 40, 2 };

	if (copy_to_user((void __user *)user, words, sizeof(words))) /* the page is there from now on */
		return;
	pr_info("the sum is %lu\n", sum_request((const unsigned long *)user));
}

TRIGGER(take_request, "lab: user memory accessed as if it were the kernel's");
