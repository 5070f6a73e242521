// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * /proc/meminfo (fs/proc/meminfo.c) out of the dump: most lines are one counter, some are sums.
 * Lines whose parts this kernel does not have, or that are not in the dump, are unknown.
 */
#include <string.h>

#include "kernel/cpus.h"
#include "kernel/vmstat.h"
#include "kernel/zones.h"

enum { INODES_MAX = 1 << 20, HSTATES_MAX = 8, WATERMARK_LOW = 1 };

/* All values here are in pages. */
typedef bool (*pages_fn)(struct session *s, uint64_t *pages);

static bool total(struct session *s, uint64_t *pages)
{
	return kglobal(s, "_totalram_pages", 8, pages) || kglobal(s, "totalram_pages", 8, pages);
}

struct inode_sum {
	struct session *session;
	uint64_t pages;
	unsigned count;
	bool holes;
};

static bool add_inode(void *ctx, uint64_t inode)
{
	struct inode_sum *sum = ctx;
	uint64_t mapping, pages;

	if (kread(sum->session, inode, "inode", "i_mapping", &mapping) &&
	    kread(sum->session, mapping, "address_space", "nrpages", &pages))
		sum->pages += pages;
	else
		sum->holes = true;
	if (++sum->count < INODES_MAX)
		return true;
	sum->holes = true; /* the rest is not counted */
	return false;
}

/* Pages of block devices themselves (nr_blockdev_pages()). */
static bool buffers(struct session *s, uint64_t *pages)
{
	struct inode_sum sum = { .session = s };
	uint64_t sb, offset;

	if (!kglobal(s, "blockdev_superblock", 8, &sb) || !sb ||
	    !koffset(s, "super_block", "s_inodes", &offset))
		return false;
	klist_each(s, sb + offset, "inode", "i_sb_list", "the list of block devices", add_inode,
		   &sum);
	*pages = sum.pages;
	return !sum.holes;
}

/* Before 5.12 the swap cache was counted by address_space, which is not gone through here. */
static bool swap_cached(struct session *s, uint64_t *pages)
{
	uint64_t swap;

	if (vm_counter(s, "NR_SWAPCACHE", pages))
		return true;
	*pages = 0;
	return kglobal(s, "total_swap_pages", 8, &swap) && !swap;
}

static bool cached(struct session *s, uint64_t *pages)
{
	uint64_t file, swap, block;

	if (!vm_counter(s, "NR_FILE_PAGES", &file) || !swap_cached(s, &swap) || !buffers(s, &block))
		return false;
	*pages = file > swap + block ? file - swap - block : 0;
	return true;
}

static bool reclaimable_slab(struct session *s, uint64_t *pages)
{
	return vm_counter(s, "NR_SLAB_RECLAIMABLE_B", pages) ||
	       vm_counter(s, "NR_SLAB_RECLAIMABLE", pages);
}

static bool unreclaimable_slab(struct session *s, uint64_t *pages)
{
	return vm_counter(s, "NR_SLAB_UNRECLAIMABLE_B", pages) ||
	       vm_counter(s, "NR_SLAB_UNRECLAIMABLE", pages);
}

static bool slab(struct session *s, uint64_t *pages)
{
	uint64_t fixed;

	if (!reclaimable_slab(s, pages) || !unreclaimable_slab(s, &fixed))
		return false;
	*pages += fixed;
	return true;
}

static bool reclaimable(struct session *s, uint64_t *pages)
{
	uint64_t misc;

	if (!reclaimable_slab(s, pages) || !vm_counter(s, "NR_KERNEL_MISC_RECLAIMABLE", &misc))
		return false;
	*pages += misc;
	return true;
}

/* si_mem_available(), mm/show_mem.c: what could be had without swapping, half of each cache kept. */
static bool available(struct session *s, uint64_t *pages)
{
	uint64_t free, reserve, active, inactive, reclaim, boost, low = 0;
	size_t count;
	const struct zone_info *zone = zones(s, &count);

	if (!vm_counter(s, "NR_FREE_PAGES", &free) ||
	    !kglobal(s, "totalreserve_pages", 8, &reserve) ||
	    !vm_counter(s, "NR_ACTIVE_FILE", &active) ||
	    !vm_counter(s, "NR_INACTIVE_FILE", &inactive) || !reclaimable(s, &reclaim))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!zone[i].has_watermarks)
			return false;
		kread(s, zone[i].address, "zone", "watermark_boost", &boost);
		low += zone[i].watermark[WATERMARK_LOW] + boost;
	}
	uint64_t cache = active + inactive;
	int64_t sum = (int64_t)(free + cache - min_u64(cache / 2, low) + reclaim -
				min_u64(reclaim / 2, low) - reserve);
	*pages = sum < 0 ? 0 : (uint64_t)sum;
	return true;
}

static bool huge_pages(struct session *s, uint64_t *pages)
{
	uint64_t count, order, each, size = types_sizeof(s->types, "hstate");

	*pages = 0;
	if (!s->symbols)
		return false;
	uint64_t table = symbols_address(s->symbols, "hstates");
	if (!table)
		return true; /* a kernel without them */
	if (!size || !kglobal(s, "hugetlb_max_hstate", 4, &count) || count > HSTATES_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!kread(s, table + i * size, "hstate", "order", &order) || order > 30 ||
		    !kread(s, table + i * size, "hstate", "nr_huge_pages", &each))
			return false;
		*pages += each << order;
	}
	return true;
}

static bool swap_total(struct session *s, uint64_t *pages)
{
	return kglobal(s, "total_swap_pages", 8, pages);
}

static bool swap_free(struct session *s, uint64_t *pages)
{
	return kglobal(s, "nr_swap_pages", 8, pages);
}

static bool commit_limit(struct session *s, uint64_t *pages)
{
	uint64_t kbytes, ratio, ram, huge, swap;

	if (!kglobal(s, "sysctl_overcommit_kbytes", 8, &kbytes) ||
	    !kglobal(s, "sysctl_overcommit_ratio", 4, &ratio) || !total(s, &ram) ||
	    !huge_pages(s, &huge) || !swap_total(s, &swap))
		return false;
	*pages = (kbytes ? kbytes >> (PAGE_SHIFT - 10) : (ram - huge) * ratio / 100) + swap;
	return true;
}

/* A struct percpu_counter: the count and what each CPU has on top of it. */
static bool committed(struct session *s, uint64_t *pages)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, "vm_committed_as") : 0;
	uint64_t count, counters;
	uint32_t part;
	size_t cpu_count;
	const struct cpu *cpu = cpus(s, &cpu_count);

	if (!at || !kread(s, at, "percpu_counter", "count", &count) ||
	    !kread(s, at, "percpu_counter", "counters", &counters))
		return false;
	for (size_t i = 0; i < cpu_count; i++) {
		if (memory_u32(s->memory, counters + cpu[i].percpu_offset, &part) != READ_OK)
			return false;
		count += (uint64_t)(int64_t)(int32_t)part;
	}
	*pages = (int64_t)count < 0 ? 0 : count;
	return true;
}

static bool vmalloc_used(struct session *s, uint64_t *pages)
{
	return kglobal(s, "nr_vmalloc_pages", 8, pages) || vm_counter(s, "NR_VMALLOC", pages);
}

static bool percpu(struct session *s, uint64_t *pages)
{
	uint64_t units;

	if (!kglobal(s, "pcpu_nr_populated", 8, pages) || !kglobal(s, "pcpu_nr_units", 4, &units))
		return false;
	*pages *= units;
	return true;
}

static const struct {
	const char *name;
	const char *counter; /* a vm_counter() ... */
	pages_fn fn;         /* ... or this */
	bool kbytes;         /* the counter is in KiB */
} lines_table[] = {
	{ "MemTotal", NULL, total, false },
	{ "MemFree", "NR_FREE_PAGES", NULL, false },
	{ "MemAvailable", NULL, available, false },
	{ "Buffers", NULL, buffers, false },
	{ "Cached", NULL, cached, false },
	{ "SwapCached", NULL, swap_cached, false },
	{ "Active(anon)", "NR_ACTIVE_ANON", NULL, false },
	{ "Inactive(anon)", "NR_INACTIVE_ANON", NULL, false },
	{ "Active(file)", "NR_ACTIVE_FILE", NULL, false },
	{ "Inactive(file)", "NR_INACTIVE_FILE", NULL, false },
	{ "Unevictable", "NR_UNEVICTABLE", NULL, false },
	{ "Mlocked", "NR_MLOCK", NULL, false },
	{ "SwapTotal", NULL, swap_total, false },
	{ "SwapFree", NULL, swap_free, false },
	{ "Dirty", "NR_FILE_DIRTY", NULL, false },
	{ "Writeback", "NR_WRITEBACK", NULL, false },
	{ "AnonPages", "NR_ANON_MAPPED", NULL, false },
	{ "Mapped", "NR_FILE_MAPPED", NULL, false },
	{ "Shmem", "NR_SHMEM", NULL, false },
	{ "KReclaimable", NULL, reclaimable, false },
	{ "Slab", NULL, slab, false },
	{ "SReclaimable", NULL, reclaimable_slab, false },
	{ "SUnreclaim", NULL, unreclaimable_slab, false },
	{ "KernelStack", "NR_KERNEL_STACK_KB", NULL, true },
	{ "PageTables", "NR_PAGETABLE", NULL, false },
	{ "CommitLimit", NULL, commit_limit, false },
	{ "Committed_AS", NULL, committed, false },
	{ "VmallocUsed", NULL, vmalloc_used, false },
	{ "Percpu", NULL, percpu, false },
	{ "Hugetlb", NULL, huge_pages, false },
};

_Static_assert(array_size(lines_table) <= MEMINFO_LINES_MAX, "struct meminfo_line array");

size_t meminfo(struct session *s, struct meminfo_line lines[MEMINFO_LINES_MAX])
{
	for (size_t i = 0; i < array_size(lines_table); i++) {
		uint64_t value = 0;
		bool known = lines_table[i].fn ? lines_table[i].fn(s, &value)
					       : vm_counter(s, lines_table[i].counter, &value);
		lines[i] = (struct meminfo_line){
			.name = lines_table[i].name,
			.bytes = known ? value << (lines_table[i].kbytes ? 10 : PAGE_SHIFT) : 0,
			.known = known,
		};
	}
	return array_size(lines_table);
}
