/* An array of samples takes more than it has room for: the object behind it in the slab is overwritten, and dies of it. */
#include <linux/slab.h>

#include "trigger.h"

enum { SAMPLES = 24, TRIES = 64 };

struct meter {
	u64 sample[SAMPLES];
};

struct customer {
	unsigned long number;
	unsigned long orders;
	struct customer *referrer;
	struct customer *next;
	char name[160];
};

/* Both are 192 bytes long, so that they share slabs. */
static struct customer *customers[TRIES];

static noinline void meter_read(struct meter *meter, int count)
{
	int i;

	for (i = 0; i < count; i++)
		meter->sample[i] = 0x2b00000000ull + i * 3; /* the mistake: no limit */
}

static noinline unsigned long referrer_orders(struct customer *customer)
{
	return customer->referrer->orders;
}

static void sample(void)
{
	struct customer *victim = NULL;
	struct meter *meter;
	int i;

	BUILD_BUG_ON(sizeof(struct meter) != 192 || sizeof(struct customer) != 192);
	for (i = 0; i < TRIES; i++) {
		customers[i] = kzalloc(sizeof(*customers[i]), GFP_KERNEL);
		if (!customers[i])
			return;
		customers[i]->number = i;
		customers[i]->referrer = customers[i / 2];
		snprintf(customers[i]->name, sizeof(customers[i]->name), "customer %d", i);
	}
	for (i = 0; i < TRIES * TRIES; i++) {
		victim = customers[i / TRIES];
		if ((char *)victim == (char *)customers[i % TRIES] + 192)
			break;
	}
	meter = (struct meter *)customers[i % TRIES]; /* in the lab, chance is not left to itself */
	customers[i % TRIES] = NULL;
	memset(meter, 0, sizeof(*meter));
	meter_read(meter, SAMPLES + 3);
	pr_info("orders %lu\n", referrer_orders(victim));
}

TRIGGER(sample, "lab: an array runs over its neighbour");
