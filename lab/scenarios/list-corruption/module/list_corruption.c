/* The same entry deleted twice: the list checks of the kernel find it (CONFIG_BUG_ON_DATA_CORRUPTION). */
#include <linux/list.h>
#include <linux/slab.h>

#include "trigger.h"

struct request {
	int tag;
	struct list_head queue;
};

static LIST_HEAD(requests);

static noinline int request_finish(struct request *request)
{
	list_del(&request->queue);
	return request->tag;
}

static void finish_twice(void)
{
	struct request *request = kzalloc(sizeof(*request), GFP_KERNEL);

	if (!request)
		return;
	request->tag = 11;
	list_add(&request->queue, &requests);
	pr_info("finished %d\n", request_finish(request));
	pr_info("finished %d\n", request_finish(request));
}

TRIGGER(finish_twice, "lab: a list entry deleted twice");
