/* A watcher is freed and then fired: where its function was, the slab allocator has written its own link. */
#include <linux/slab.h>

#include "trigger.h"

struct watcher {
	unsigned long fired;
	char name[40];
	void (*fire)(struct watcher *watcher, int event); /* in the middle of 96 bytes, as the link of free objects */
	char more[40];
};

static struct watcher *watchers[12];

static noinline void count_event(struct watcher *watcher, int event)
{
	watcher->fired += event;
}

static noinline int watcher_fire(struct watcher *watcher, int event)
{
	watcher->fire(watcher, event);
	return event + 1;
}

static void fire(void)
{
	int i;

	BUILD_BUG_ON(sizeof(struct watcher) != 96 || offsetof(struct watcher, fire) != 48);
	for (i = 0; i < 12; i++) {
		watchers[i] = kzalloc(sizeof(*watchers[i]), GFP_KERNEL);
		if (!watchers[i])
			return;
		watchers[i]->fire = count_event;
	}
	kfree(watchers[3]);
	kfree(watchers[5]);
	pr_info("fired %d\n", watcher_fire(watchers[5], 4));
}

TRIGGER(fire, "lab: a function pointer read from a freed object");
