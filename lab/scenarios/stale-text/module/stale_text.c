/* A freed object is used again after somebody else filled the same memory with text: its pointers are letters now. */
#include <linux/slab.h>

#include "trigger.h"

struct connection {
	int state;
	int references;
};

struct session {
	u64 id;
	struct connection *connection;
	u64 bytes;
	char peer[104];
};

static struct session *session;
static char *message;

static noinline int session_close(struct session *closing)
{
	struct connection *connection = closing->connection;

	connection->state = 0;
	return --connection->references;
}

static noinline void log_message(void)
{
	/* The slab's last freed object is the next one handed out. */
	message = kmalloc(sizeof(*session), GFP_KERNEL);
	if (message)
		snprintf(message, sizeof(*session), "kvm [26261]: vcpu0 unhandled rdmsr: 0x1a2 data 0x0, ignored by the host");
}

static void close_session(void)
{
	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return;
	kfree(session);
	log_message();
	pr_info("references left: %d\n", session_close(session));
}

TRIGGER(close_session, "lab: use after free, the memory holds text");
