/*
 * A label that is too long runs over the spinlock behind it. Whoever wants that lock next spins for ever: nobody has it, and nobody will give it
 * back.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "trigger.h"

struct parcel {
	char label[24];
	spinlock_t lock;
	unsigned long weight;
};

static const char *sender = "from the post office of Paris";
static struct parcel *last;

static noinline void write_label(struct parcel *p, const char *text, size_t size)
{
	char *to = (char *)p;

	while (size--)
		*to++ = *text++;
}

static noinline void weigh_parcel(struct parcel *p)
{
	spin_lock(&p->lock);
	p->weight++;
	spin_unlock(&p->lock);
}

static void send(void)
{
	struct parcel *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return;
	last = p;
	spin_lock_init(&p->lock);
	pr_info("parcel %px lock %px\n", p, &p->lock);
	write_label(p, sender, strlen(sender));
	weigh_parcel(p);
}

TRIGGER(send, "lab: a spinlock that text runs over");
