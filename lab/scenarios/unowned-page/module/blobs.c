/*
 * A read takes a page only where it needs one for data stored inline, and its error path gives the page back in any case: __free_pages()
 * gets NULL. What the functions were called with goes to the log.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

#include "trigger.h"

enum read_kind { READ_PLAIN, READ_INLINE, READ_RETRY };

struct blob {
	u64 serial;
	char name[24];
	unsigned int lost; /* its server no longer answers */
	enum read_kind kind;
	loff_t length;
};

static struct blob *blob;

static noinline int blob_refresh(struct blob *b, struct page *page, loff_t at)
{
	if (b->lost)
		return -ESTALE;
	if (page)
		memset(page_address(page), b->serial, PAGE_SIZE);
	b->length = max(b->length, at);
	return 0;
}

static noinline ssize_t blob_read_at(struct blob *b, char __user *to, size_t size, loff_t *pos)
{
	struct page *page = NULL;
	loff_t at = *pos;
	ssize_t got;

	if (b->kind == READ_INLINE) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			return -ENOMEM;
	}
	got = blob_refresh(b, page, at + size);
	if (got < 0) {
		__free_pages(page, 0); /* the mistake: perhaps there is none */
		return got;
	}
	got = min_t(loff_t, size, b->length - at);
	if (page) {
		if (copy_to_user(to, page_address(page), got))
			got = -EFAULT;
		__free_pages(page, 0);
	}
	*pos = at + got;
	return got;
}

static ssize_t blob_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	pr_info("known file %px to %px size %zu pos %px blob %px\n", file, to, size, pos, blob);
	return blob_read_at(blob, to, size, pos);
}

static const struct proc_ops blob_ops = { .proc_read = blob_read };

static void publish(void)
{
	blob = kzalloc(sizeof(*blob), GFP_KERNEL);
	if (!blob)
		return;
	strscpy(blob->name, "picture", sizeof(blob->name));
	blob->serial = 4711;
	blob->kind = READ_RETRY;
	blob->lost = 1;
	proc_create("blob", 0400, NULL, &blob_ops);
}

TRIGGER(publish, "lab: a page is freed that was never allocated");
