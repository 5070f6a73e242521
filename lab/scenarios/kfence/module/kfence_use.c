/* A freed object is read, and KFENCE, which guards a few of all objects, happens to guard this one. */
#include <linux/delay.h>
#include <linux/slab.h>

#include "trigger.h"

enum { TRIES = 4000 };

struct session {
	unsigned long id, user;
};

static noinline void close_session(struct session *session)
{
	kfree(session);
}

static noinline unsigned long user_of_session(struct session *session)
{
	return READ_ONCE(session->user);
}

static void use_after_close(void)
{
	for (int i = 0; i < TRIES; i++) {
		struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

		close_session(session);
		user_of_session(session);
		usleep_range(200, 400);
	}
}

TRIGGER(use_after_close, "lab: a read of a freed object that KFENCE guards");
