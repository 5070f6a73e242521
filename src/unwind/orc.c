// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finding the ORC entry for an address, in the dump's own memory.
 *
 * The kernel keeps two arrays in read-only data, .orc_unwind_ip (addresses) and .orc_unwind
 * (entries), bounded by the symbols __start_orc_unwind_ip and so on; each module has its own pair
 * (mod->arch). The kernel needs them sorted, and sorts them at build time, at boot or at load, so
 * in a dump they are (arch/x86/kernel/unwind_orc.c). An entry holds up to the next one's address.
 * Of several with the same address the last one counts: the ones before it are terminators of
 * object files, which the kernel sorts to the front.
 *
 * Nothing is copied out of the dump. Addresses grow nearly evenly with the index, so the search
 * guesses the place (interpolation) a few times, which touches two or three pages where halving
 * alone would decompress eight, then halves, and ends in one read of a few dozen elements.
 */
#include <string.h>

#include "base/bytes.h"
#include "unwind/orc.h"

enum {
	GUESSES = 4,       /* interpolation steps before halving */
	WINDOW = 64,       /* elements read at once in the end */
	ENTRIES_MAX = 1 << 26, /* 6 bytes each: far above the 3 GiB that kernel text may have */
	SAMPLE_PLACES = 12,
	SAMPLE_ENTRIES = 40,
	TRAMPOLINE_MAX = 1024, /* bytes of an ftrace trampoline that are code */
	TRAMPOLINE_SAME = 16,  /* bytes that tell which one it is a copy of */
};

static enum read_status ip_at(const struct orc_table *table, const struct unwind_env *env,
			      uint32_t index, uint64_t *ip)
{
	uint64_t at = table->ips + (uint64_t)index * ORC_IP_SIZE;
	uint8_t raw[ORC_IP_SIZE];
	enum read_status status = env->read(env->ctx, at, raw, sizeof(raw));

	if (status == READ_OK)
		*ip = at + (uint64_t)(int64_t)(int32_t)load_u32(raw);
	return status;
}

/* The last element of [low, high) that is not above @pc; the one at @low is known not to be. */
static enum read_status search_window(const struct orc_table *table, const struct unwind_env *env,
				      uint64_t pc, uint32_t low, uint32_t high, uint32_t *index)
{
	uint8_t raw[WINDOW * ORC_IP_SIZE];
	uint64_t at = table->ips + (uint64_t)low * ORC_IP_SIZE;
	enum read_status status =
		env->read(env->ctx, at, raw, (size_t)(high - low) * ORC_IP_SIZE);

	if (status != READ_OK)
		return status;
	*index = low;
	for (uint32_t i = low + 1; i < high; i++) {
		uint32_t offset = (i - low) * ORC_IP_SIZE;

		if (at + offset + (uint64_t)(int64_t)(int32_t)load_u32(raw + offset) > pc)
			break;
		*index = i;
	}
	return READ_OK;
}

enum read_status orc_search(const struct orc_table *table, const struct unwind_env *env,
			    uint64_t pc, uint32_t *index)
{
	uint32_t low = 0, high = table->count; /* ip(low) <= pc < ip(high) */
	uint64_t low_ip = 0, high_ip = 0;      /* high_ip 0: not known */
	enum read_status status;

	if (!high)
		return READ_UNMAPPED;
	status = ip_at(table, env, 0, &low_ip);
	if (status == READ_OK)
		status = ip_at(table, env, high - 1, &high_ip);
	if (status != READ_OK)
		return status;
	if (pc < low_ip)
		return READ_UNMAPPED;
	if (pc >= high_ip) {
		*index = high - 1;
		return READ_OK;
	}
	high--;
	for (unsigned step = 0; high - low > WINDOW; step++) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t ip;

		if (step < GUESSES && high_ip > low_ip) {
			uint64_t span = high - low;
			__extension__ unsigned __int128 part =
				(unsigned __int128)span * (pc - low_ip) / (high_ip - low_ip);

			middle = low + (uint32_t)part;
			if (middle <= low)
				middle = low + 1;
			if (middle >= high)
				middle = high - 1;
		}
		status = ip_at(table, env, middle, &ip);
		if (status != READ_OK)
			return status;
		if (ip <= pc) {
			low = middle;
			low_ip = ip;
		} else {
			high = middle;
			high_ip = ip;
		}
	}
	return search_window(table, env, pc, low, high, index);
}

/* Reads one entry's raw bytes. */
static enum read_status entry_at(const struct orc_table *table, const struct unwind_env *env,
				 uint32_t index, uint8_t *raw)
{
	return env->read(env->ctx, table->entries + (uint64_t)index * ORC_ENTRY_SIZE, raw,
			 ORC_ENTRY_SIZE);
}

/* Adds up to @count entries from @first to the census; holes are left out. */
static void sample(const struct orc_table *table, const struct unwind_env *env, uint32_t first,
		   struct orc_census *census)
{
	uint8_t raw[SAMPLE_ENTRIES * ORC_ENTRY_SIZE];
	uint32_t count = table->count - first;

	if (count > SAMPLE_ENTRIES)
		count = SAMPLE_ENTRIES;
	if (env->read(env->ctx, table->entries + (uint64_t)first * ORC_ENTRY_SIZE, raw,
		      count * ORC_ENTRY_SIZE) == READ_OK)
		orc_census_add(census, raw, count);
}

/* Adds the entries at the start of a function to the census; false when there is no such symbol. */
static bool sample_function(const struct orc_table *table, const struct unwind_env *env,
			    const char *name, struct orc_census *census)
{
	uint64_t address = env->symbol(env->ctx, name);
	uint32_t index;

	if (!address)
		return false;
	if (orc_search(table, env, address, &index) == READ_OK)
		sample(table, env, index, census);
	return true;
}

static enum orc_format find_format(const struct orc_table *table, const struct unwind_env *env)
{
	struct orc_census census = { 0 };
	enum orc_format format;

	for (uint32_t i = 0; i < SAMPLE_PLACES; i++)
		sample(table, env, (uint32_t)((uint64_t)table->count * i / SAMPLE_PLACES), &census);
	format = orc_census_format(&census);
	if (format == ORC_FORMAT_NONE || format >= ORC_FORMAT_6_4)
		return format;
	/* Assembly with an end of the stack, and with saved registers (renamed in 5.8). */
	(void)sample_function(table, env, "ret_from_fork", &census);
	if (!sample_function(table, env, "asm_exc_page_fault", &census))
		(void)sample_function(table, env, "page_fault", &census);
	return orc_census_format(&census);
}

bool orc_init(struct orc *orc, const struct unwind_env *env, const char **why)
{
	uint64_t ips = env->symbol(env->ctx, "__start_orc_unwind_ip");
	uint64_t ips_end = env->symbol(env->ctx, "__stop_orc_unwind_ip");
	uint64_t entries = env->symbol(env->ctx, "__start_orc_unwind");
	uint64_t entries_end = env->symbol(env->ctx, "__stop_orc_unwind");
	uint64_t count = (ips_end - ips) / ORC_IP_SIZE;

	orc->format = ORC_FORMAT_NONE;
	if (!ips || !ips_end || !entries || !entries_end) {
		*why = "the kernel has no ORC tables";
		return false;
	}
	if (ips_end <= ips || entries_end <= entries || count > ENTRIES_MAX ||
	    (entries_end - entries) / ORC_ENTRY_SIZE != count || !count) {
		*why = "the sizes of the kernel's ORC tables make no sense";
		return false;
	}
	orc->kernel = (struct orc_table){ ips, entries, (uint32_t)count };
	if (ip_at(&orc->kernel, env, 0, &orc->low) != READ_OK ||
	    ip_at(&orc->kernel, env, (uint32_t)count - 1, &orc->high) != READ_OK) {
		*why = "the kernel's ORC tables are not in the dump";
		return false;
	}
	orc->format = find_format(&orc->kernel, env);
	if (orc->low >= orc->high || orc->format == ORC_FORMAT_NONE) {
		*why = "the kernel's ORC tables have a format that is not known";
		orc->format = ORC_FORMAT_NONE;
		return false;
	}
	return true;
}

/*
 * Trampolines that ftrace makes for one function are copies of ftrace_caller or
 * ftrace_regs_caller at the start of a page (create_trampoline(), arch/x86/kernel/ftrace.c). Their
 * entries are those of the original at the same offset. 0: @pc is in no such copy.
 */
static uint64_t ftrace_original(const struct unwind_env *env, uint64_t pc)
{
	static const char *const originals[] = { "ftrace_regs_caller", "ftrace_caller" };
	uint64_t page = pc & ~(uint64_t)(PAGE_SIZE - 1);
	uint8_t copy[TRAMPOLINE_SAME], code[TRAMPOLINE_SAME];

	if (pc - page >= TRAMPOLINE_MAX || !env->is_generated(env->ctx, pc) ||
	    env->read(env->ctx, page, copy, sizeof(copy)) != READ_OK)
		return 0;
	for (size_t i = 0; i < array_size(originals); i++) {
		uint64_t start = env->symbol(env->ctx, originals[i]);

		if (start && env->read(env->ctx, start, code, sizeof(code)) == READ_OK &&
		    memcmp(code, copy, sizeof(code)) == 0)
			return start + (pc - page);
	}
	return 0;
}

static bool find_raw(struct orc *orc, const struct unwind_env *env, uint64_t pc, uint8_t *raw,
		     const char **why)
{
	struct orc_table table = orc->kernel;
	enum read_status status;
	uint32_t index;

	if (pc < orc->low || pc >= orc->high) {
		const struct module *module = env->module(env->ctx, pc);
		uint64_t original;

		if (module && module->orc && module->orc_ip) {
			table = (struct orc_table){ module->orc_ip, module->orc,
						    module->orc_count };
		} else if (!module && (original = ftrace_original(env, pc)) >= orc->low &&
			   original < orc->high) {
			pc = original;
		} else {
			*why = module ? "its module has no ORC table"
				      : "it is in no code that has an ORC table";
			return false;
		}
	}
	if (table.count > ENTRIES_MAX) {
		*why = "its module's ORC table has a size that makes no sense";
		return false;
	}
	status = orc_search(&table, env, pc, &index);
	if (status == READ_OK)
		status = entry_at(&table, env, index, raw);
	if (status != READ_OK)
		*why = status == READ_UNMAPPED ? "its ORC table does not cover it"
					       : "its ORC table is not in the dump";
	return status == READ_OK;
}

#define CACHE_VALID (UINT64_C(1) << 63)

bool orc_find(struct orc *orc, const struct unwind_env *env, uint64_t pc, struct orc_entry *entry,
	      const char **why)
{
	size_t slot = (size_t)((pc * UINT64_C(0x9e3779b97f4a7c15)) >> 54) % ORC_CACHE_SLOTS;
	_Atomic uint64_t *check_at = &orc->cache[slot].check, *value_at = &orc->cache[slot].value;
	uint64_t check = atomic_load_explicit(check_at, memory_order_relaxed);
	uint64_t value = atomic_load_explicit(value_at, memory_order_relaxed);
	uint8_t raw[sizeof(value)] = { 0 };

	if (!(value & CACHE_VALID) || (check ^ value) != pc) {
		if (!find_raw(orc, env, pc, raw, why))
			return false;
		memcpy(&value, raw, sizeof(value));
		value |= CACHE_VALID;
		atomic_store_explicit(check_at, pc ^ value, memory_order_relaxed);
		atomic_store_explicit(value_at, value, memory_order_relaxed);
	}
	memcpy(raw, &value, sizeof(value));
	orc_decode(orc->format, raw, entry);
	return true;
}
