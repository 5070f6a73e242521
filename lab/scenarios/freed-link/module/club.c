/* A member is freed, and its friend asked for afterwards: where the friend was, the slab allocator has written its own link. */
#include <linux/slab.h>

#include "trigger.h"

struct member {
	unsigned long number;
	unsigned long joined;
	char name[32];
	struct member *friend; /* in the middle of 96 bytes, as the link of free objects */
	char street[40];
};

static struct member *members[20];

static noinline unsigned long friend_number(struct member *member)
{
	return member->friend->number;
}

static noinline void member_leave(struct member *member)
{
	kfree(member);
}

static void ask(void)
{
	int i;

	BUILD_BUG_ON(sizeof(struct member) != 96 || offsetof(struct member, friend) != 48);
	for (i = 0; i < 20; i++) {
		members[i] = kzalloc(sizeof(*members[i]), GFP_KERNEL);
		if (!members[i])
			return;
		members[i]->number = i;
		members[i]->friend = members[i / 2];
	}
	member_leave(members[11]);
	member_leave(members[7]);
	pr_info("friend %lu\n", friend_number(members[7]));
}

TRIGGER(ask, "lab: a pointer read from a freed object");
