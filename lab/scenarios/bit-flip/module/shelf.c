/* One bit of a pointer in a list turns over, as failing memory does: the next walk along the list dies. */
#include <linux/list.h>
#include <linux/slab.h>

#include "trigger.h"

struct book {
	unsigned long pages;
	unsigned long lent;
	struct list_head shelf;
	char title[40];
};

static LIST_HEAD(shelf);

static noinline unsigned long count_pages(struct list_head *books)
{
	unsigned long pages = 0;
	struct book *book;

	list_for_each_entry(book, books, shelf)
		pages += book->pages;
	return pages;
}

static void turn_bit(void)
{
	struct book *third = NULL;
	int i;

	for (i = 0; i < 6; i++) {
		struct book *book = kzalloc(sizeof(*book), GFP_KERNEL);
		if (!book)
			return;
		book->pages = 100 + i;
		snprintf(book->title, sizeof(book->title), "volume %d", i);
		list_add_tail(&book->shelf, &shelf);
		if (i == 2)
			third = book;
	}
	third->shelf.next = (struct list_head *)((unsigned long)third->shelf.next ^ 1ul << 43);
	pr_info("%lu pages\n", count_pages(&shelf));
}

TRIGGER(turn_bit, "lab: one bit of a pointer turns over");
