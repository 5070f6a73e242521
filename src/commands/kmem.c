// SPDX-License-Identifier: LGPL-2.1-or-later
/* kmem: the kernel's memory. Which view of it is wanted, an option says; see kmem.h. */
#include "commands/kmem.h"

#include "commands/table.h"

static const struct option kmem_option_table[KMEM_OPTIONS] = {
	[KMEM_CACHES] = { .name = "s" },
	[KMEM_SLABS] = { .name = "S", .value = OPTION_MAY },
	[KMEM_ROOT_CACHES] = { .name = "r" },
	[KMEM_IGNORE] = { .name = "I", .value = true },
	[KMEM_CHECK] = { .name = "-check" },
	[KMEM_VMALLOC] = { .name = "v" },
	[KMEM_INFO] = { .name = "i", .value = OPTION_MAY },
	[KMEM_FREE] = { .name = "f" },
	[KMEM_FREE_PAGES] = { .name = "F" },
	[KMEM_NODES] = { .name = "n" },
	[KMEM_ZONES] = { .name = "z" },
	[KMEM_COUNTERS] = { .name = "V" },
	[KMEM_CPU_OFFSETS] = { .name = "o" },
	[KMEM_HUGE_PAGES] = { .name = "h" },
	[KMEM_PAGES] = { .name = "p" },
	[KMEM_MEMBERS] = { .name = "m", .value = true },
	[KMEM_FLAGS] = { .name = "g" },
	[KMEM_PHYSICAL] = { .name = "P" },
	[KMEM_HASH] = { .name = "c" },
	[KMEM_HASH_PAGES] = { .name = "C" },
};

static struct error *no_hash(struct command_args *args unused_arg,
			     const struct options *options unused_arg)
{
	return error_new(ERROR_MISSING, "kernels since 2.6 have no page hash table: the pages of a "
			 "file hang on its address_space (files -p, tree -t xarray), and kmem -p "
			 "names the mapping of each page");
}

/* NULL: an option that goes with others. The first one given of this order is done. */
static const kmem_view_fn views[KMEM_OPTIONS] = {
	[KMEM_CACHES] = kmem_caches,
	[KMEM_SLABS] = kmem_slabs,
	[KMEM_ROOT_CACHES] = kmem_root_caches,
	[KMEM_CHECK] = kmem_check,
	[KMEM_VMALLOC] = kmem_vmalloc,
	[KMEM_INFO] = kmem_info,
	[KMEM_FREE] = kmem_free,
	[KMEM_FREE_PAGES] = kmem_free_pages,
	[KMEM_NODES] = kmem_nodes,
	[KMEM_ZONES] = kmem_zones,
	[KMEM_COUNTERS] = kmem_counters,
	[KMEM_CPU_OFFSETS] = kmem_cpu_offsets,
	[KMEM_HUGE_PAGES] = kmem_huge_pages,
	[KMEM_PAGES] = kmem_pages,
	[KMEM_MEMBERS] = kmem_pages,
	[KMEM_FLAGS] = kmem_flags,
	[KMEM_HASH] = no_hash,
	[KMEM_HASH_PAGES] = no_hash,
};

static struct error *run_kmem(struct command_args *args)
{
	struct options options;

	struct error *err = options_parse(args, kmem_option_table, array_size(kmem_option_table),
					  &options);
	if (err)
		return err;
	for (size_t i = 0; i < array_size(views); i++) {
		if (options.set[i] && views[i])
			return views[i](args, &options);
	}
	if (options.word_count)
		return kmem_addresses(args, &options);
	return error_new(ERROR_USAGE, "what of the kernel's memory?");
}

const struct command command_kmem = {
	.name = "kmem",
	.usage = "[-P] ADDRESS ... | -s | -S[=CPUS] | -r | --check [-I CACHE,...] [CACHE ...|list|ADDRESS ...] | "
		 "-v [ADDRESS ...] | -i | -i=shared | -f [ADDRESS ...] | -F [ADDRESS ...] | -n | -z | -V | -o | -h | "
		 "-p [-m MEMBERS] [ADDRESS ...] | -g [FLAGS] | -c | -C",
	.summary = "the kernel's memory: use, pages, zones, slab caches, vmalloc areas",
	.help = "Of an address: whose memory it is, and all that is known of its page. It may be one of\n"
		"the kernel, of a struct page, a physical one, or pfn:NUMBER.\n"
		"  -P          addresses are physical, whatever they look like\n"
		"  -s          slab caches: objects in use and in all, slabs and their size\n"
		"  -S[=CPUS]   the same, with each slab and object; of CPUs (\"0,2-3\", \"a\") only theirs\n"
		"  -r          as -s, with caches of memory cgroups added to those they belong to\n"
		"  -I CACHE,.. leave these caches out\n"
		"  --check     is the allocator's own data in order? Freelists, counters, lists of slabs;\n"
		"              with slub_debug red zones, poison, padding and tracks as well. Each damage\n"
		"              comes with the objects before and behind it\n"
		"  -v          vmalloc areas, or those that these addresses, also physical ones, are in\n"
		"  -i          what memory is used for: by the kernel's counters (as /proc/meminfo), and\n"
		"              by the owner of every page; -i=shared counts pages that several use, too\n"
		"  -f, -F      free pages of each zone by order and migrate type; -F names each block;\n"
		"              with addresses the free block that each is in\n"
		"  -n          nodes, zones, sections and hot-pluggable blocks of memory\n"
		"  -z          zones with their counters\n"
		"  -V          all counters of pages and events\n"
		"  -o          where each CPU's variables are\n"
		"  -h          pools of huge pages\n"
		"  -p          the array of struct page, or the rows of these addresses' pages\n"
		"  -m MEMBERS  the same with these members (\"flags,lru\": of a struct all its members)\n"
		"  -g          flags of pages: their names and bits, or those of this number\n"
		"  -c, -C      the page hash table of old kernels: there is none\n"
		"A CACHE is a name (which may hold * and ?), an alias, or the address of a kmem_cache.\n"
		"The word list gives only their names; an object's address tells of that object.\n"
		"Objects that CPUs keep for their next allocations count as free.\n"
		"Examples: kmem init_task | kmem -i | kmem -s dentry 'kmalloc-*' | kmem -S=0 filp\n"
		"          kmem --check",
	.run = run_kmem,
};
