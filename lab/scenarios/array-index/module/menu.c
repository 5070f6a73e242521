/* An index that nobody checked: far behind the table nothing is mapped. */
#include "trigger.h"

struct dish {
	const char *name;
	unsigned int price;
};

static const struct dish soup = { "soup", 3 }, bread = { "bread", 1 }, cake = { "cake", 4 };
static const struct dish *const table[] = { &soup, &bread, &cake };

static noinline unsigned int dish_price(const struct dish *dish)
{
	return READ_ONCE(dish->price);
}

static noinline unsigned int order(unsigned int number)
{
	return dish_price(table[number]);
}

static unsigned int wanted = 1000000;

static void serve(void)
{
	pr_info("price %u\n", order(READ_ONCE(wanted)));
}

TRIGGER(serve, "lab: an index beyond an array");
