// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Physical and virtual reads. A virtual read goes page by page: translate (a small translation
 * cache, else the page tables, else the linear mappings), then copy from the page cache.
 *
 * The translation cache is lock-free: an entry is two words, the second being the frame number and
 * the first its exclusive-or with the page number. A torn entry does not match any page number, so
 * a reader either sees a whole entry or none.
 */
#include "memory/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "memory/page_cache.h"

enum { TRANSLATIONS = 1024 };

struct translation {
	_Atomic uint64_t check; /* page number ^ frame number */
	_Atomic uint64_t pfn;
};

enum { FILLS_MAX = 16 };

struct fill {
	uint64_t vaddr, size;
	const uint8_t *data;
};

struct memory {
	const struct dump *dump;
	const struct arch *arch;
	struct page_cache *cache;
	struct kernel_layout layout;
	struct fill fill[FILLS_MAX];
	unsigned fill_count;
	atomic_bool zero; /* what is missing */
	_Atomic uint64_t zeroed;
	bool is_text; /* there are no page tables: nothing can be said to be unmapped */
	struct translation translation[TRANSLATIONS];
};

/* Direct map of ELF segments: the kernel writes their virtual addresses into /proc/vmcore. */
static void layout_from_segments(const struct dump_info *info, const struct arch *arch,
				 struct kernel_layout *layout)
{
	for (size_t i = 0; i < info->segment_count; i++) {
		const struct dump_segment *seg = &info->segments[i];
		if (!arch->is_kernel_address(seg->vaddr))
			continue;
		if (seg->vaddr >= arch->image_base) {
			if (!layout->has_phys_base) {
				layout->phys_base =
					(int64_t)(seg->start.v - (seg->vaddr - arch->image_base));
				layout->has_phys_base = true;
			}
		} else if (!layout->has_page_offset) {
			layout->page_offset = seg->vaddr - seg->start.v;
			layout->has_page_offset = true;
		}
	}
}

static void layout_from_vmcoreinfo(const struct dump *dump, const struct arch *arch,
				   struct kernel_layout *layout)
{
	uint64_t pgd, mask;
	int64_t number;

	if (dump_vmcoreinfo_number(dump, "NUMBER(phys_base)", &number)) {
		layout->phys_base = number;
		layout->has_phys_base = true;
	}
	if (dump_vmcoreinfo_hex(dump, "KERNELOFFSET", &layout->image_offset))
		layout->has_image_offset = true;
	if (dump_vmcoreinfo_number(dump, "NUMBER(KERNEL_IMAGE_SIZE)", &number) && number > 0 &&
	    (uint64_t)number <= arch->image_size_max)
		layout->image_size = (uint64_t)number;
	layout->root.levels = 4;
	if (dump_vmcoreinfo_number(dump, "NUMBER(pgtable_l5_enabled)", &number) && number == 1)
		layout->root.levels = 5;
	if (dump_vmcoreinfo_number(dump, "NUMBER(sme_mask)", &number)) {
		mask = (uint64_t)number;
		layout->root.phys_mask = ~mask;
	}
	if (layout->has_phys_base && (dump_vmcoreinfo_hex(dump, "SYMBOL(swapper_pg_dir)", &pgd) ||
				      dump_vmcoreinfo_hex(dump, "SYMBOL(init_top_pgt)", &pgd) ||
				      dump_vmcoreinfo_hex(dump, "SYMBOL(init_level4_pgt)", &pgd))) {
		layout->root.table.v = pgd - arch->image_base + (uint64_t)layout->phys_base;
		layout->has_root = true;
	}
}

struct memory *memory_create(const struct dump *dump, const struct arch *arch)
{
	struct memory *mem = xcalloc(1, sizeof(*mem));
	const struct dump_info *info = dump_info(dump);

	size_t text_size;

	mem->is_text = dump_text(dump, &text_size) != NULL;
	mem->dump = dump;
	mem->arch = arch;
	mem->cache = page_cache_create(dump);
	mem->layout.image_size = arch->image_size_max / 2;
	mem->layout.has_phys_base = info->has_phys_base;
	mem->layout.phys_base = (int64_t)info->phys_base;
	layout_from_vmcoreinfo(dump, arch, &mem->layout);
	layout_from_segments(info, arch, &mem->layout);
	return mem;
}

void memory_destroy(struct memory *mem)
{
	if (!mem)
		return;
	page_cache_destroy(mem->cache);
	free(mem);
}

const struct kernel_layout *memory_layout(const struct memory *mem)
{
	return &mem->layout;
}

static void forget_translations(struct memory *mem)
{
	for (size_t i = 0; i < TRANSLATIONS; i++) {
		atomic_store(&mem->translation[i].check, 0);
		atomic_store(&mem->translation[i].pfn, 0);
	}
}

void memory_set_layout(struct memory *mem, const struct kernel_layout *layout)
{
	mem->layout = *layout;
	forget_translations(mem);
}

void memory_forget(struct memory *mem)
{
	page_cache_forget(mem->cache);
	forget_translations(mem);
}

void memory_add_fill(struct memory *mem, uint64_t vaddr, const void *data, uint64_t size)
{
	if (mem->fill_count < FILLS_MAX && size)
		mem->fill[mem->fill_count++] = (struct fill){ vaddr, size, data };
}

void memory_drop_fills(struct memory *mem)
{
	mem->fill_count = 0;
}

/* How many of the bytes a fill has. */
static size_t read_fill(const struct memory *mem, uint64_t vaddr, void *buf, size_t size)
{
	for (unsigned i = 0; i < mem->fill_count; i++) {
		const struct fill *f = &mem->fill[i];
		if (vaddr < f->vaddr || vaddr - f->vaddr >= f->size)
			continue;
		size_t n = min_u64(size, f->size - (vaddr - f->vaddr));
		memcpy(buf, f->data + (vaddr - f->vaddr), n);
		return n;
	}
	return 0;
}

void memory_zero_missing(struct memory *mem, bool on)
{
	atomic_store(&mem->zero, on);
}

bool memory_zeroes_missing(const struct memory *mem)
{
	return atomic_load(&mem->zero);
}

uint64_t memory_zeroed(const struct memory *mem)
{
	return atomic_load(&mem->zeroed);
}

/* What a read that failed comes to: zeros, where the user wants that for what is missing. */
static enum read_status zeros_for(struct memory *mem, enum read_status status, void *buf,
				  size_t size)
{
	if ((status != READ_EXCLUDED && status != READ_TRUNCATED) || mem->is_text ||
	    !atomic_load_explicit(&mem->zero, memory_order_relaxed))
		return status;
	memset(buf, 0, size);
	atomic_fetch_add_explicit(&mem->zeroed, 1, memory_order_relaxed);
	return READ_OK;
}

const struct dump *memory_dump(const struct memory *mem)
{
	return mem->dump;
}

const struct arch *memory_arch(const struct memory *mem)
{
	return mem->arch;
}

static enum read_status read_phys(struct memory *mem, struct paddr addr, void *buf, size_t size,
				  bool zeros)
{
	char *out = buf;

	while (size) {
		unsigned offset = (unsigned)(addr.v & (PAGE_SIZE - 1));
		size_t n = min_u64(size, PAGE_SIZE - offset);
		enum read_status status =
			page_cache_read(mem->cache, addr.v >> PAGE_SHIFT, offset, out, n);
		if (zeros && status != READ_OK)
			status = zeros_for(mem, status, out, n);
		if (status != READ_OK)
			return status;
		out += n;
		addr.v += n;
		size -= n;
	}
	return READ_OK;
}

enum read_status memory_read_phys(struct memory *mem, struct paddr addr, void *buf, size_t size)
{
	return read_phys(mem, addr, buf, size, true);
}

static enum read_status read_table(void *ctx, struct paddr addr, void *buf, size_t size)
{
	return read_phys(ctx, addr, buf, size, false);
}

/* The mappings that are sums: good when the page tables themselves are missing. */
static bool linear(const struct memory *mem, uint64_t vaddr, struct paddr *paddr)
{
	const struct kernel_layout *layout = &mem->layout;
	uint64_t base = mem->arch->image_base;
	uint64_t ram_end = dump_info(mem->dump)->max_pfn << PAGE_SHIFT;

	if (layout->has_phys_base && vaddr >= base && vaddr - base < layout->image_size) {
		paddr->v = vaddr - base + (uint64_t)layout->phys_base;
		return paddr->v < ram_end;
	}
	if (layout->has_page_offset && vaddr >= layout->page_offset &&
	    vaddr - layout->page_offset < ram_end) {
		paddr->v = vaddr - layout->page_offset;
		return true;
	}
	return false;
}

void memory_walk(struct memory *mem, uint64_t vaddr, struct walk *walk)
{
	struct paddr paddr;

	if (mem->layout.has_root)
		mem->arch->walk(&mem->layout.root, vaddr, read_table, mem, walk);
	else
		*walk = (struct walk){ .status = mem->is_text ? READ_EXCLUDED : READ_UNMAPPED };
	/* Tables that say "not mapped" are believed; tables that cannot be read are not. */
	if ((!mem->layout.has_root || (walk->status != READ_OK && walk->status != READ_UNMAPPED)) &&
	    linear(mem, vaddr, &paddr))
		*walk = (struct walk){ .status = READ_OK, .paddr = paddr, .page_size = PAGE_SIZE };
}

void memory_walk_user(struct memory *mem, const struct page_root *root, uint64_t vaddr,
		      struct walk *walk)
{
	mem->arch->walk(root, vaddr, read_table, mem, walk);
}

enum read_status memory_vtop(struct memory *mem, uint64_t vaddr, struct paddr *paddr)
{
	uint64_t page = vaddr >> PAGE_SHIFT;
	struct translation *t = &mem->translation[page % TRANSLATIONS];
	uint64_t pfn = atomic_load_explicit(&t->pfn, memory_order_relaxed);
	struct walk walk;

	if (page && (atomic_load_explicit(&t->check, memory_order_relaxed) ^ pfn) == page) {
		paddr->v = pfn << PAGE_SHIFT | (vaddr & (PAGE_SIZE - 1));
		return READ_OK;
	}
	memory_walk(mem, vaddr, &walk);
	if (walk.status != READ_OK)
		return walk.status;
	*paddr = walk.paddr;
	pfn = paddr->v >> PAGE_SHIFT;
	atomic_store_explicit(&t->pfn, pfn, memory_order_relaxed);
	atomic_store_explicit(&t->check, page ^ pfn, memory_order_relaxed);
	return READ_OK;
}

/* Bytes up to the first that cannot be read; @root NULL means the kernel's address space. */
static size_t read_virtual(struct memory *mem, const struct page_root *root, uint64_t vaddr,
			   void *buf, size_t size, struct fault *fault)
{
	size_t done = 0;

	while (done < size) {
		uint64_t at = vaddr + done;
		unsigned offset = (unsigned)(at & (PAGE_SIZE - 1));
		size_t n = min_u64(size - done, PAGE_SIZE - offset);
		struct paddr paddr = { 0 };
		bool wrapped = at < vaddr;
		enum read_status status = READ_UNMAPPED;

		if (!wrapped && !root) {
			status = memory_vtop(mem, at, &paddr);
		} else if (!wrapped) {
			struct walk walk;
			memory_walk_user(mem, root, at, &walk);
			status = walk.status;
			paddr = walk.paddr;
		}
		bool mapped = status == READ_OK;
		if (mapped)
			status = page_cache_read(mem->cache, paddr.v >> PAGE_SHIFT, offset,
						 (char *)buf + done, n);
		size_t filled = status != READ_OK && !root ?
					read_fill(mem, at, (char *)buf + done, n) : 0;
		if (mapped && status != READ_OK && !filled)
			status = zeros_for(mem, status, (char *)buf + done, n);
		done += status == READ_OK ? n : filled;
		/* Where one fill ends, another may go on. */
		if (status != READ_OK && !filled) {
			*fault = (struct fault){ status, at, paddr, mapped };
			break;
		}
	}
	return done;
}

enum read_status memory_read_fault(struct memory *mem, uint64_t vaddr, void *buf, size_t size,
				   struct fault *fault)
{
	struct fault ignored;

	if (!fault)
		fault = &ignored;
	return read_virtual(mem, NULL, vaddr, buf, size, fault) == size ? READ_OK : fault->status;
}

enum read_status memory_read(struct memory *mem, uint64_t vaddr, void *buf, size_t size)
{
	return memory_read_fault(mem, vaddr, buf, size, NULL);
}

size_t memory_read_some(struct memory *mem, uint64_t vaddr, void *buf, size_t size)
{
	struct fault ignored;

	return read_virtual(mem, NULL, vaddr, buf, size, &ignored);
}

enum read_status memory_u64(struct memory *mem, uint64_t vaddr, uint64_t *value)
{
	return memory_read(mem, vaddr, value, sizeof(*value));
}

enum read_status memory_u32(struct memory *mem, uint64_t vaddr, uint32_t *value)
{
	return memory_read(mem, vaddr, value, sizeof(*value));
}

enum read_status memory_u16(struct memory *mem, uint64_t vaddr, uint16_t *value)
{
	return memory_read(mem, vaddr, value, sizeof(*value));
}

enum read_status memory_u8(struct memory *mem, uint64_t vaddr, uint8_t *value)
{
	return memory_read(mem, vaddr, value, sizeof(*value));
}

enum read_status memory_string(struct memory *mem, uint64_t vaddr, char *buf, size_t size)
{
	enum read_status status = READ_OK;
	size_t done = 0;

	if (!size)
		return READ_OK;
	while (done < size - 1 && status == READ_OK) {
		size_t n = min_u64(size - 1 - done, PAGE_SIZE - ((vaddr + done) & (PAGE_SIZE - 1)));
		status = memory_read(mem, vaddr + done, buf + done, n);
		if (status != READ_OK)
			break;
		const char *end = memchr(buf + done, '\0', n);
		if (end)
			return READ_OK;
		done += n;
	}
	buf[done] = '\0';
	return status;
}

enum read_status memory_read_user(struct memory *mem, const struct page_root *root, uint64_t vaddr,
				  void *buf, size_t size, struct fault *fault)
{
	struct fault ignored;

	if (!fault)
		fault = &ignored;
	return read_virtual(mem, root, vaddr, buf, size, fault) == size ? READ_OK : fault->status;
}
