// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects of slab caches, and KFENCE's. Where the cache has objects of one certain type
 * (cache_types.h), the member at the address is named, and a task_struct by its task. What is known
 * of who allocated or freed the object last goes into the detail.
 */
#include <stdio.h>
#include <string.h>

#include "forensics/cache_types.h"
#include "forensics/what.h"
#include "kernel/slab.h"

static bool is_free(const struct slab_object *object)
{
	return object->state == OBJECT_FREE || object->state == OBJECT_FREE_CPU;
}

/* "task_struct of init (pid 1)", "sk_buff"; of a task that has exited nothing is known. */
static void name_object(const struct what_ask *ask, const char *type, uint64_t address, char *buf,
			size_t size)
{
	const struct task *task = NULL;
	char name[48];

	if (strcmp(type, "task_struct") == 0)
		task = task_by_address(ask->s, address);
	if (!task) {
		snprintf(buf, size, "%s", type);
		return;
	}
	what_task_name(task, name, sizeof(name));
	snprintf(buf, size, "task_struct of %s", name);
	ask->what->pid = task->pid;
}

static void find_member(const struct what_ask *ask, const struct slab_object *object)
{
	struct type type;
	struct what *what = ask->what;

	if (!what->type || object->in_metadata || object->in_redzone || !object->offset)
		return;
	if (types_find(ask->s->types, what->type, &type))
		type_path_at(type, object->offset, what->member, sizeof(what->member));
}

static void label(const struct what_ask *ask, const struct slab_object *object)
{
	char name[96];
	const char *cache = object->slab.cache ? object->slab.cache->name : "slab";

	if (ask->what->type)
		name_object(ask, ask->what->type, object->address, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s", cache);
	if (object->in_metadata || object->in_redzone || object->state == OBJECT_PADDING)
		what_textf(ask, "%s (padding)", name);
	else if (is_free(object))
		what_textf(ask, "%s (free)", name);
	else
		what_plus(ask->what->text, sizeof(ask->what->text), name, object->offset);
}

/* "+0x10", ", member se.vruntime", "behind it, in ..." */
static void name_place(const struct what_ask *ask, const struct slab_object *object, char *buf,
		       size_t size)
{
	const struct what *what = ask->what;
	const struct slab_cache *cache = object->slab.cache;

	buf[0] = '\0';
	if (object->in_redzone)
		snprintf(buf, size, ", %lu bytes before it, in its red zone",
			 (unsigned long)(object->address - ask->address));
	else if (object->in_metadata && cache)
		snprintf(buf, size, ", +0x%lx, behind its %u bytes", (unsigned long)object->offset,
			 cache->object_size);
	else if (*what->member)
		snprintf(buf, size, ", member %s", what->member);
	else if (object->offset)
		snprintf(buf, size, ", +0x%lx", (unsigned long)object->offset);
}

static void add_track(const struct what_ask *ask, const struct slab_object *object, bool freed)
{
	struct slab_track track;
	char caller[160] = "?";

	if (!slab_track(ask->s, object, freed, &track) || !track.caller)
		return;
	what_label_of(ask, track.caller, caller, sizeof(caller));
	what_detailf(ask, "%s by %s, pid %d, CPU %d", freed ? "freed" : "allocated", caller,
		     track.pid, track.cpu);
}

static void describe(const struct what_ask *ask, const struct slab_object *object)
{
	static const char *const states[] = {
		[OBJECT_UNKNOWN] = "", [OBJECT_ALLOCATED] = "", [OBJECT_FREE] = "free ",
		[OBJECT_FREE_CPU] = "free ", [OBJECT_PADDING] = "",
	};
	const struct slab_cache *cache = object->slab.cache;
	const char *name = cache ? cache->name : "?";
	char object_name[96], place[256], start[32] = "";

	if (ask->address != object->address)
		snprintf(start, sizeof(start), " at 0x%lx", (unsigned long)object->address);
	find_member(ask, object);
	name_place(ask, object, place, sizeof(place));
	if (object->state == OBJECT_PADDING) {
		what_textf(ask, "padding in a slab of cache %s", name);
		return;
	}
	if (ask->what->type) {
		name_object(ask, ask->what->type, object->address, object_name,
			    sizeof(object_name));
		what_textf(ask, "%s%s%s%s (slab cache %s%s)", states[object->state], object_name,
			   start, place, name,
			   object->kfence ? ", in KFENCE's pool" : "");
	} else {
		what_textf(ask, "%sobject of slab cache %s%s%s%s", states[object->state], name,
			   start, place,
			   object->kfence ? " (in KFENCE's pool)" : "");
	}
	unsigned asked = slab_orig_size(ask->s, object);
	if (asked)
		what_detailf(ask, "%u bytes were asked for", asked);
	if (object->state == OBJECT_FREE_CPU)
		what_detailf(ask, "on CPU %d's list of free objects", object->cpu);
	add_track(ask, object, false);
	if (is_free(object))
		add_track(ask, object, true);
}

/* Between KFENCE's objects there are pages that are not mapped, to catch overruns. */
static bool kfence_guard(const struct what_ask *ask)
{
	struct slab_object object;
	bool before = slab_object_at(ask->s, ask->address - PAGE_SIZE, &object) && object.kfence;

	if (!before &&
	    (!slab_object_at(ask->s, ask->address + PAGE_SIZE, &object) || !object.kfence))
		return false;
	what_set(ask, WHAT_KFENCE, ask->address & ~(uint64_t)(PAGE_SIZE - 1), PAGE_SIZE);
	what_textf(ask, "the guard page %s KFENCE's object at 0x%lx",
		   before ? "behind" : "before", (unsigned long)object.address);
	return true;
}

bool what_slab(const struct what_ask *ask)
{
	struct slab_object object;
	struct what *what = ask->what;

	if (!ask->s->arch->is_kernel_address(ask->address))
		return false;
	if (!slab_object_at(ask->s, ask->address, &object))
		return !ask->brief && !what->mapped && kfence_guard(ask);
	what_set(ask, object.kfence ? WHAT_KFENCE : WHAT_SLAB, object.address,
		 object.kfence && object.kfence_size ? object.kfence_size
		 : object.slab.cache		      ? object.slab.cache->object_size
						      : 0);
	what->object = object.slab.cache ? object.slab.cache->address : 0;
	what->freed = is_free(&object);
	what->type = what->object ? cache_type(ask->s, what->object) : NULL;
	if (!what->type && !what->freed)
		what->type = what_listed_type(ask, object.address);
	if (ask->brief)
		label(ask, &object);
	else
		describe(ask, &object);
	return true;
}
