/*
 * Text that is too long for its buffer runs over the next slab object, which is free: over the pointer to the free object behind it. The
 * machine dies a little later, of somebody else's allocation.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "trigger.h"

enum { OBJECTS = 64, LABEL_SIZE = 96 };

struct label {
	char text[LABEL_SIZE];
};

static struct kmem_cache *labels;
static struct label *kept[OBJECTS];

static void label_ready(void *address)
{
	memset(address, 0, sizeof(struct label));
}

/* Two neighbours, the second one the first that will be allocated next. */
static struct label *free_neighbour(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		for (int j = 0; j < OBJECTS; j++) {
			if (virt_to_page(kept[i]) != virt_to_page(kept[OBJECTS - 1]) || (char *)kept[j] - (char *)kept[i] <= 0 ||
			    (char *)kept[j] - (char *)kept[i] > 2 * LABEL_SIZE - 1 || virt_to_page(kept[j]) != virt_to_page(kept[i]))
				continue;
			pr_info("freelist_text: writes from %px over %px\n", kept[i], kept[j]);
			kmem_cache_free(labels, kept[j]);
			return kept[i];
		}
	}
	return NULL;
}

static noinline void set_label(struct label *label, size_t length)
{
	for (size_t i = 0; i < length; i++)
		label->text[i] = "customer-label-"[i % 15];
}

static noinline void use_labels(void)
{
	for (int i = 0; i < 4; i++)
		pr_info("freelist_text: got %px\n", kmem_cache_alloc(labels, GFP_ATOMIC));
}

static void freelist_text(void)
{
	struct label *label;

	labels = kmem_cache_create("lab_labels", sizeof(struct label), 0, 0, label_ready);
	preempt_disable();
	for (int i = 0; i < OBJECTS; i++)
		kept[i] = kmem_cache_alloc(labels, GFP_ATOMIC);
	label = free_neighbour();
	if (label)
		set_label(label, LABEL_SIZE + 8 + LABEL_SIZE + 8);
	use_labels();
	preempt_enable();
}

TRIGGER(freelist_text, "lab: text over a free slab object");
