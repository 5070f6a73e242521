// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who has the memory, by the dump's own state: processes by their resident pages, slab caches by
 * their slabs, vmalloc() areas by who asked for them, tmpfs mounts by their files. Each is the sum
 * over what has the same name; only the biggest is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "diagnosis/oom.h"
#include "kernel/cpus.h"
#include "kernel/mappings.h"
#include "kernel/slab.h"
#include "kernel/vmalloc.h"

/* --- Processes. --- */

/* Of very many tasks on very many CPUs the counters are not read to the last page. */
enum { EXACT_READS = 1 << 15 };

struct process_sum {
	vec_fields(struct oom_eater);
	struct map by_comm, seen;
};

static void add_process(const struct facts *facts, struct process_sum *sum,
			const struct task *task, bool anon_only, bool exact)
{
	uint64_t rss[RSS_KINDS], at;
	/* Named for as long as the arena lives: keys of the map. */
	const char *comm = arena_strndup(facts->arena, task->comm, sizeof(task->comm));

	if (!task->mm || !map_set(&sum->seen, task->mm, 1) ||
	    !task_rss(facts->session, task, exact, rss))
		return;
	uint64_t bytes = rss[RSS_ANON] + (anon_only ? 0 : rss[RSS_SHMEM] + rss[RSS_FILE]);
	if (!map_get_name(&sum->by_comm, comm, &at)) {
		struct oom_eater row = { .comm = comm };
		at = sum->count;
		map_set_name(&sum->by_comm, comm, at);
		vec_push(sum, row);
	}
	struct oom_eater *eater = &sum->data[at];
	eater->count++;
	eater->bytes += bytes;
	if (bytes >= eater->biggest) {
		eater->biggest = bytes;
		eater->pid = task->tgid;
	}
}

bool oom_task_eater(const struct facts *facts, bool anon_only, struct oom_eater *eater)
{
	struct process_sum sum = { 0 };
	size_t count, cpu_count;

	*eater = (struct oom_eater){ 0 };
	if (!facts->session->memory || !facts->session->types)
		return false;
	const struct task *all = tasks(facts->session, &count);
	cpus(facts->session, &cpu_count);
	bool exact = count * cpu_count < EXACT_READS;
	for (size_t i = 0; i < count; i++)
		add_process(facts, &sum, &all[i], anon_only, exact);
	vec_for_each(row, &sum) {
		if (!eater->comm || row->bytes > eater->bytes)
			*eater = *row;
	}
	map_deinit(&sum.by_comm);
	map_deinit(&sum.seen);
	vec_deinit(&sum);
	return eater->comm && eater->bytes;
}

const char *oom_eater_words(const struct facts *facts, const struct oom_eater *eater)
{
	if (eater->count == 1)
		return arena_printf(facts->arena, "%s (pid %d)", eater->comm, eater->pid);
	return arena_printf(facts->arena, "%u processes named %s, the biggest with %s (pid %d),",
			    eater->count, eater->comm,
			    bytes_words(facts->arena, eater->biggest), eater->pid);
}

static void who_processes(const struct facts *facts, struct findings *out, struct finding *f,
			  struct oom_answer *answer)
{
	struct oom_eater eater;

	if (!oom_task_eater(facts, true, &eater))
		return;
	answer->who = oom_eater_words(facts, &eater);
	answer->bytes = eater.bytes;
	finding_evidence_shows(out, f, finding_text(out, "ps %d", eater.pid), eater.comm,
			       "%s has %s of its own", eater.count == 1 ? answer->who : eater.comm,
			       bytes_words(facts->arena, eater.bytes));
}

/* --- Slab caches. --- */

enum { NODES_MAX = 64 };

/* Bytes in the slabs of @cache as its nodes count them (CONFIG_SLUB_DEBUG); false: they do not. */
static bool cache_bytes(struct session *s, const struct slab_cache *cache, uint64_t *bytes)
{
	uint64_t offset, stride, nodes = 1, node, slabs;
	bool any = false;

	*bytes = 0;
	if (!slab_node_pointers(s, &offset, &stride))
		return false;
	(void)(kglobal(s, "nr_node_ids", 4, &nodes) || (nodes = 1));
	for (uint64_t i = 0; i < nodes && i < NODES_MAX; i++) {
		if (memory_u64(s->memory, cache->address + offset + i * stride, &node) != READ_OK ||
		    !node)
			continue;
		if (!kread(s, node, "kmem_cache_node", "nr_slabs", &slabs))
			return any;
		*bytes += slabs << (PAGE_SHIFT + cache->order);
		any = true;
	}
	return any;
}

static const struct slab_cache *biggest_cache(struct session *s, uint64_t *bytes, uint64_t *all)
{
	const struct slab_cache *found = NULL;
	size_t count;
	const struct slab_cache *caches = slab_caches(s, &count);
	uint64_t each;

	*bytes = *all = 0;
	for (size_t i = 0; i < count; i++) {
		if (!cache_bytes(s, &caches[i], &each))
			continue;
		*all += each;
		if (each > *bytes) {
			*bytes = each;
			found = &caches[i];
		}
	}
	return found;
}

/* The first function of @module on the crash stack: it was busy with the like when it died. */
static bool blame_frame_of(const struct facts *facts, const struct module *module,
			   struct blame *blame)
{
	struct symbol sym;

	for (size_t i = 0; i < facts->stack.count; i++) {
		if (!facts_frame_symbol(facts, i, &sym) || sym.module != module)
			continue;
		*blame = facts_blame(facts, i);
		blame->skipped = NULL;
		return true;
	}
	return false;
}

/* A function that the table @sym (data of a module) points to: one of its methods. */
static bool blame_method_of(const struct facts *facts, const struct symbol *sym,
			    struct blame *blame)
{
	uint64_t size = min_u64(sym->size, 256), word;
	struct symbol method;

	for (uint64_t at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
		if (memory_u64(facts->session->memory, sym->address + at, &word) != READ_OK ||
		    !symbols_is_text(facts->session->symbols, word) ||
		    !symbols_by_address(facts->session->symbols, word, &method) ||
		    method.module != sym->module)
			continue;
		*blame = facts_blame_symbol(facts, &method);
		return true;
	}
	return false;
}

static void blame_pointer(const struct facts *facts, const struct symbol *sym,
			  struct blame *blame)
{
	if (!sym->module || blame_frame_of(facts, sym->module, blame))
		return;
	if (symbols_is_text(facts->session->symbols, sym->address))
		*blame = facts_blame_symbol(facts, sym);
	else
		blame_method_of(facts, sym, blame);
}

/* Blames whoever the objects point to, or who allocated them. */
static void blame_sample(const struct facts *facts, const struct oom_sample *sample,
			 const char *objects, struct findings *out, struct finding *f,
			 struct oom_answer *answer)
{
	const struct symbol *sym = &sample->symbol;
	const char *module = sym->module ? sym->module->name : NULL;
	const char *name = finding_text(out, "%s%s%s%s", sym->name, module ? " [" : "",
					module ? module : "", module ? "]" : "");

	if (sample->by_track) {
		answer->more = finding_text(out, "%u of %u %s that were looked at were allocated "
					    "by %s", sample->agree, sample->looked_at, objects,
					    name);
		f->blame = facts_blame_symbol(facts, sym);
		f->blame.because = "most of the objects are its allocations";
		finding_evidence(out, f, finding_text(out, "slab -t 0x%" PRIx64, sample->example),
				 "who allocated one of them");
		return;
	}
	answer->more = finding_text(out, "%u of %u %s that were looked at hold, at +0x%x, a "
				    "pointer to %s", sample->agree, sample->looked_at, objects,
				    sample->offset, name);
	finding_evidence_shows(out, f,
			       finding_text(out, "rd 0x%" PRIx64,
					    sample->example + sample->offset),
			       finding_text(out, "%016" PRIx64, sample->value),
			       "one of them, 0x%" PRIx64 ", holds the pointer to %s",
			       sample->example, name);
	blame_pointer(facts, sym, &f->blame);
	if (f->blame.known)
		f->blame.because = finding_text(out, "most of the %s hold a pointer to its "
						"module's %s", objects, sym->name);
}

static void who_slab(const struct facts *facts, const struct memory_use *use, enum use_kind kind,
		     struct findings *out, struct finding *f, struct oom_answer *answer)
{
	struct session *s = facts->session;
	uint64_t bytes, all, whole = use->bytes[USE_SLAB_FIXED] + use->bytes[USE_SLAB_CACHE];
	const struct slab_cache *cache = biggest_cache(s, &bytes, &all);
	struct oom_sample sample;

	if (!cache)
		return;
	if (whole > all && whole - all > bytes) {
		answer->who = "kmalloc() of pieces bigger than any slab cache";
		answer->bytes = whole - all;
		return;
	}
	answer->who = finding_text(out, "the slab cache %s", cache->name);
	answer->bytes = bytes;
	finding_evidence_shows(out, f, finding_text(out, "kmem -s %s", cache->name), cache->name,
			       "its slabs: %s, objects of %u bytes",
			       bytes_words(facts->arena, bytes), cache->object_size);
	if (oom_sample_objects(facts, cache->address, &sample))
		blame_sample(facts, &sample, "objects", out, f, answer);
	if (kind == USE_SLAB_FIXED && !cache->store_user)
		answer->next = finding_text(out, "boot with slub_debug=U,%s: then each object "
					    "knows who allocated it", cache->name);
}

/* --- vmalloc(). --- */

struct area_sum {
	uint64_t caller, bytes, example, function;
};

static void who_vmalloc(const struct facts *facts, struct findings *out, struct finding *f,
			struct oom_answer *answer)
{
	struct {
		vec_fields(struct area_sum);
	} sums = { 0 };
	struct map by_function = { 0 };
	struct area_sum best = { 0 };
	struct symbol sym;
	size_t count;
	const struct vmalloc_area *areas = vmalloc_areas(facts->session, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t at;
		if (!areas[i].page_count || !areas[i].caller ||
		    !symbols_by_address(facts->session->symbols, areas[i].caller, &sym))
			continue;
		if (!map_get(&by_function, sym.address, &at)) {
			struct area_sum first = { .caller = areas[i].caller,
						  .example = areas[i].start };
			at = sums.count;
			map_set(&by_function, sym.address, at);
			vec_push(&sums, first);
		}
		sums.data[at].bytes += (uint64_t)areas[i].page_count << PAGE_SHIFT;
	}
	vec_for_each(sum, &sums) {
		if (sum->bytes > best.bytes)
			best = *sum;
	}
	map_deinit(&by_function);
	vec_deinit(&sums);
	if (!best.bytes || !symbols_by_address(facts->session->symbols, best.caller, &sym))
		return;
	answer->who = finding_text(out, "vmalloc() for %s%s%s%s", sym.name,
				   sym.module ? " [" : "", sym.module ? sym.module->name : "",
				   sym.module ? "]" : "");
	answer->bytes = best.bytes;
	finding_evidence_shows(out, f, finding_text(out, "kmem -v 0x%" PRIx64, best.example),
			       sym.name, "one of its areas");
	f->blame = facts_blame_symbol(facts, &sym);
}

/* --- tmpfs. --- */

enum { INODES_MAX = 1 << 16, MOUNTS_MAX = 4096 };

struct tmpfs {
	struct session *session;
	uint64_t sb, pages;     /* of the one being looked at */
	uint64_t inode, biggest; /* its biggest file, in pages */
	unsigned inodes;
	uint64_t best_sb, best_pages, best_inode, best_biggest;
};

static bool add_inode(void *ctx, uint64_t inode)
{
	struct tmpfs *t = ctx;
	uint64_t mapping, pages;

	if (kread(t->session, inode, "inode", "i_mapping", &mapping) &&
	    kread(t->session, mapping, "address_space", "nrpages", &pages)) {
		t->pages += pages;
		if (pages > t->biggest) {
			t->biggest = pages;
			t->inode = inode;
		}
	}
	return ++t->inodes < INODES_MAX;
}

static bool is_in_memory(struct session *s, uint64_t sb)
{
	char name[16];
	uint64_t type;

	return kread(s, sb, "super_block", "s_type", &type) &&
	       kread_string(s, type, "file_system_type", "name", name, sizeof(name)) &&
	       (strcmp(name, "tmpfs") == 0 || strcmp(name, "ramfs") == 0 ||
		strcmp(name, "devtmpfs") == 0 || strcmp(name, "rootfs") == 0);
}

static bool add_super_block(void *ctx, uint64_t sb)
{
	struct tmpfs *t = ctx;
	uint64_t offset;

	if (!is_in_memory(t->session, sb) ||
	    !koffset(t->session, "super_block", "s_inodes", &offset))
		return true;
	t->pages = t->biggest = 0;
	t->inode = 0;
	klist_each(t->session, sb + offset, "inode", "i_sb_list", "the files of a tmpfs",
		   add_inode, t);
	if (t->pages > t->best_pages) {
		t->best_pages = t->pages;
		t->best_sb = sb;
		t->best_inode = t->inode;
		t->best_biggest = t->biggest;
	}
	return t->inodes < INODES_MAX;
}

static void who_tmpfs(const struct facts *facts, struct findings *out, struct finding *f,
		      struct oom_answer *answer)
{
	struct session *s = facts->session;
	uint64_t head = symbols_address(s->symbols, "super_blocks");
	struct tmpfs t = { .session = s };
	char mount[256] = "", file[256] = "";

	if (!head)
		return;
	klist_each(s, head, "super_block", "s_list", "the list of file systems", add_super_block,
		   &t);
	if (!t.best_pages)
		return;
	bool mounted = super_block_path(s, t.best_sb, mount, sizeof(mount)) && *mount;
	answer->who = mounted ? finding_text(out, "the tmpfs at %s", mount)
			      : "shared memory that no path leads to (System V, memfd, or "
				"anonymous shared mappings)";
	answer->bytes = t.best_pages << PAGE_SHIFT;
	if (!t.best_inode || !inode_path(s, t.best_inode, file, sizeof(file)) || !*file)
		return;
	answer->more = finding_text(out, "Its biggest file is %s, %s", file,
				    bytes_words(facts->arena, t.best_biggest << PAGE_SHIFT));
	finding_evidence_shows(out, f,
			       finding_text(out, "p ((struct inode *)0x%" PRIx64 ")->i_size",
					    t.best_inode), "i_size",
			       "the size of its biggest file, %s", file);
}

/* --- The rest. --- */

static void who_uncounted(const struct facts *facts, struct findings *out, struct finding *f,
			  struct oom_answer *answer)
{
	struct oom_sample sample;

	answer->next = "boot with page_owner=on: then each page knows who took it; meanwhile "
		       "look at what drivers keep (network and disk buffers, balloons)";
	if (oom_sample_objects(facts, 0, &sample))
		blame_sample(facts, &sample, "pages", out, f, answer);
}

static void who_huge(struct findings *out, struct finding *f, struct oom_answer *answer)
{
	answer->who = "the pool of huge pages (vm.nr_hugepages, hugepages=)";
	answer->next = "make the pool smaller, or give the machine more memory: nobody else can "
		       "use these pages";
	finding_evidence(out, f, "kmem -h", "the pools of huge pages");
}

void oom_who(const struct facts *facts, const struct memory_use *use, enum use_kind kind,
	     struct findings *out, struct finding *f, struct oom_answer *answer)
{
	*answer = (struct oom_answer){ .bytes = use->bytes[kind] };
	if (kind == USE_HUGE) {
		who_huge(out, f, answer);
		return;
	}
	if (!facts->session->memory || !facts->session->types || !facts->session->symbols)
		return;
	if (kind == USE_ANON || kind == USE_TABLES)
		who_processes(facts, out, f, answer);
	else if (kind == USE_SLAB_FIXED || kind == USE_SLAB_CACHE)
		who_slab(facts, use, kind, out, f, answer);
	else if (kind == USE_VMALLOC)
		who_vmalloc(facts, out, f, answer);
	else if (kind == USE_SHMEM || kind == USE_FILE)
		who_tmpfs(facts, out, f, answer);
	else if (kind == USE_UNCOUNTED)
		who_uncounted(facts, out, f, answer);
}
