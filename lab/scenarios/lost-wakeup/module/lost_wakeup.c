/*
 * Who gives back a ticket counts it by hand, and wakes nobody: who waits for one sleeps on, though there is one.
 */
#include <linux/kthread.h>
#include <linux/semaphore.h>
#include <linux/slab.h>

#include "trigger.h"

struct cloakroom {
	char name[16];
	struct semaphore tickets;
};

static struct cloakroom *cloakroom;

static noinline int take_ticket(void *room)
{
	struct cloakroom *c = room;

	down(&c->tickets);
	up(&c->tickets);
	return 0;
}

/* The mistake: up() would look who waits. */
static noinline void give_ticket_back(struct cloakroom *c)
{
	c->tickets.count++;
}

static void die(void)
{
	cloakroom = kzalloc(sizeof(*cloakroom), GFP_KERNEL);
	strscpy(cloakroom->name, "west", sizeof(cloakroom->name));
	sema_init(&cloakroom->tickets, 1);
	down(&cloakroom->tickets);
	kthread_run(take_ticket, cloakroom, "guest");
	schedule_timeout_uninterruptible(HZ / 2);
	give_ticket_back(cloakroom);
}

TRIGGER(die, "lab: a semaphore that is given back by hand");
