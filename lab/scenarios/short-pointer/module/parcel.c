/* A driver keeps pointers in a table that it thought of as 32 bits wide: the upper half of one of them is lost. */
#include <linux/slab.h>

#include "trigger.h"

struct parcel {
	unsigned long weight;
	unsigned long target;
	char label[48];
};

struct van {
	struct parcel *load[12];
	unsigned int used;
};

static noinline unsigned long parcel_weight(struct parcel *parcel)
{
	return parcel->weight + 1;
}

static noinline unsigned long van_weight(struct van *van)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < van->used; i++)
		sum += parcel_weight(van->load[i]);
	return sum;
}

static noinline void van_put(struct van *van, struct parcel *parcel, bool express)
{
	u32 number = (u32)(unsigned long)parcel;

	van->load[van->used++] = express ? (struct parcel *)(unsigned long)number : parcel;
}

static void drive(void)
{
	struct van *van = kzalloc(sizeof(*van), GFP_KERNEL);
	int i;

	if (!van)
		return;
	for (i = 0; i < 8; i++) {
		struct parcel *parcel = kzalloc(sizeof(*parcel), GFP_KERNEL);
		if (!parcel)
			return;
		parcel->weight = 10 + i;
		van_put(van, parcel, i == 5);
	}
	pr_info("weight %lu\n", van_weight(van));
}

TRIGGER(drive, "lab: a pointer without its upper half");
