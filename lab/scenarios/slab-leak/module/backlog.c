/* Keeps every message that it ever got: each is an object of a general slab cache. */
#include <linux/slab.h>

#include "trigger.h"

struct message;

struct message_type {
	const char *name;
	void (*deliver)(struct message *message);
};

struct message {
	struct list_head link;
	const struct message_type *type;
	u32 number;
	char text[900];
};

static LIST_HEAD(backlog);

static void deliver(struct message *message)
{
	list_del(&message->link);
}

static const struct message_type report_type = { .name = "report", .deliver = deliver };

static noinline struct message *message_new(u32 number)
{
	struct message *message = kmalloc(sizeof(*message), GFP_KERNEL);

	if (message) {
		message->type = &report_type;
		message->number = number;
		list_add_tail(&message->link, &backlog);
	}
	return message;
}

static void collect(void)
{
	for (u32 number = 0; message_new(number); number++)
		;
}

TRIGGER(collect, "lab: messages that are never delivered fill a slab cache");
