/* A function pointer that points to an object on the heap: the page is there, but the CPU does not execute it. */
#include <linux/slab.h>

#include "trigger.h"

struct handler {
	void (*run)(struct handler *);
	char name[40];
};

static noinline void run_handler(struct handler *handler)
{
	handler->run(handler);
	pr_info("ran %s\n", handler->name);
}

static void mix_up_pointers(void)
{
	struct handler *handler = kzalloc(sizeof(*handler), GFP_KERNEL);

	handler->run = (void *)handler; /* meant: a function; set: the object itself */
	run_handler(handler);
}

TRIGGER(mix_up_pointers, "lab: a call of an object on the heap");
