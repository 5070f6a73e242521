// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who handed in the bad value? General helpers (copying, lists, trees, slabs, locks, reference
 * counts, printing) trip over what their callers give them: the first frame that is none of them
 * is the one to look at. syzkaller's guilty-frame rules are the model (shared/triage.md).
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/facts.h"
#include "forensics/tail_calls.h"
#include "kernel/modules.h"

/* Globs over function names; suffixes of the compiler (".cold", ".isra.0") are cut off before. */
static const char *const helpers[] = {
	/* copying and strings */
	"mem*cpy*", "__memcpy*", "__memset*", "__memmove*", "__memchr*", "__memcmp*", "memcpy*",
	"memmove*", "memset*", "memcmp*", "memchr*", "memscan",
	"str*cpy*", "strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strchr*", "strstr",
	"strscpy*", "strlcpy", "strcat", "strsep", "copy_*user*", "_copy_*", "__copy_*",
	"rep_movs*", "rep_stos*", "clear_page*", "copy_page*", "copy_mc*", "csum_partial*",
	"*_erms", "memcpy_erms",
	/* lists, trees, bitmaps, arrays */
	"__list_*", "list_*", "llist_*", "klist_*", "hlist_*", "plist_*", "rb_*", "__rb_*",
	"radix_tree_*", "__radix_tree_*", "xa_*", "xas_*", "__xa_*", "idr_*", "ida_*", "find_*_bit",
	"_find_*", "mas_*", "mt_*", "rht_*", "rhashtable_*", "sort", "bsearch",
	/* memory allocators */
	"kfree*", "kmalloc*", "__kmalloc*", "kmem_cache_*", "__kmem_cache_*", "__slab_*",
	"___slab_*", "slab_*", "kzalloc*", "krealloc*", "kvfree*", "vfree*", "__vfree*", "vmalloc*", "__vmalloc*",
	"__free_pages*", "free_pages*", "__free_page*", "free_unref_*", "put_page*", "__put_page*",
	"free_slab", "discard_slab", "build_skb*", "kasan_*", "__kasan_*", "check_object*",
	"free_to_partial_list", "free_debug_processing", "alloc_debug_processing",
	"check_bytes_and_report", "object_err", "slab_err", "slab_bug", "get_partial*",
	"get_any_partial", "alloc_single_from_*", "*_consistency_checks", "on_freelist",
	"kobject_put*", "get_page*",
	"cache_from_obj", "__phys_addr*", "unlock_page", "folio_unlock", "do_slab_free", "virt_to_cache",
	"free_large_kmalloc",
	/* locks and waiting */
	"*_spin_*lock*", "__raw_spin_*", "native_queued_*", "queued_*lock*", "mutex_*", "__mutex_*",
	"down_*", "up_*", "down", "up", "rwsem_*", "*rt_mutex_*", "*rtlock_*",
	"*rwbase_*", "rt_*_unlock", "__wake_up*", "wake_up_*", "complete*",
	"wait_for_completion*", "io_schedule*", "__switch_to*", "context_switch",
	"touch_*watchdog*", "*cond_resched*", "delay_*", "__udelay", "__const_udelay", "__delay",
	"__wait_for_common", "__wait_on_*", "out_of_line_wait_*", "folio_wait_*", "__folio_lock*",
	"blk_io_schedule", "submit_bio_wait", "__down", "__down_*", "___down_*",
	"percpu_rwsem_wait", "__percpu_down_*", "percpu_down_*", "usleep_range*", "msleep*",
	"do_wait_intr*", "wait_on_*", "bit_wait*", "try_to_wake_up", "prepare_to_wait*",
	"finish_wait", "wait_transaction_*", "start_this_handle", "add_transaction_credits",
	"jbd2_log_wait_commit", "jbd2_journal_wait_updates",
	"*_write_lock*", "*_read_lock*", "__lock_*", "lock_acquire", "lock_release", "osq_*",
	"atomic_*", "cmpxchg*", "schedule*", "__schedule*", "preempt_schedule*", "__preempt_schedule*",
	/* the way from a trap to its report */
	"handle_bug", "exc_invalid_op", "asm_exc_*", "do_error_trap", "do_trap", "do_invalid_op",
	"invalid_op", "fixup_bug", "page_fault_oops", "exc_page_fault", "bad_area*", "__bad_area*",
	"no_context", "do_user_addr_fault", "do_kern_addr_fault", "handle_page_fault",
	"do_page_fault", "__do_page_fault", "page_fault", "async_page_fault",
	/* work, timers, threads */
	"drain_workqueue", "flush_work*", "__flush_work*", "cancel_work*", "__cancel_work*",
	"cancel_delayed_work*", "__queue_work*", "queue_work*", "queue_delayed_work*", "kthread_stop*",
	"lock_timer_base", "mod_timer*", "__mod_timer*", "add_timer*", "del_timer*", "timer_delete*",
	"try_to_del_timer*", "_compound_head", "__hwasan_*", "__read_once_*", "kvmalloc*",
	"device_del", "device_unregister",
	/* reference counts, objects */
	"refcount_*", "__refcount_*", "kref_*", "kobject_*", "percpu_ref_*",
	/* waiting for other CPUs to run a function, control registers */
	"smp_call_function*", "on_each_cpu*", "generic_exec_single", "csd_lock_wait*",
	"__csd_lock_wait*", "native_write_cr*", "pv_native_write_cr*",
	/* checking and reporting */
	"panic", "vpanic", "nmi_panic", "dump_stack*", "__warn*", "warn_*", "report_bug", "die*",
	"oops_*", "__die*", "usercopy_abort", "__check_object_size", "__check_heap_object",
	"fortify_panic", "__fortify_panic", "__fortify_report", "__stack_chk_fail", "ubsan_*",
	"__ubsan_*", "kfence_*", "__kfence_*", "print_*report*", "end_report", "add_taint",
	"check_panic_on_warn", "__asan_*", "check_memory_region", "__tsan_*", "kcsan_*",
	"__list_*_or_report", "*printk*", "vsnprintf",
	"snprintf", "sprintf", "string", "string_nocheck", "pointer", "number", "vscnprintf",
	"__x86_indirect_thunk_*", "__x86_return_thunk", "srso_*", "retbleed_*", "ftrace_*",
	/* freeing of network buffers: victims of whoever spoilt the buffer */
	"skb_release_*", "__kfree_skb*", "kfree_skb*", "consume_skb*", "napi_consume_skb",
	"skb_free_*", "__skb_*", "skb_panic", "skb_over_panic", "skb_under_panic", "skb_put*",
	"skb_push*", "skb_pull*", "sk_free*", "sk_skb_reason_drop", "kfree_skb*",
};

/* The name as it stands in the source. */
static const char *source_name(const struct facts *facts, const char *name)
{
	return arena_strndup(facts->arena, name, strcspn(name, "."));
}

static bool is_one_of(const char *const *globs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (glob_match(globs[i], name))
			return true;
	}
	return false;
}

bool blame_is_helper(const char *base)
{
	return is_one_of(helpers, array_size(helpers), base);
}

/* Taint bits of a module: Documentation/admin-guide/tainted-kernels.rst. */
enum { TAINT_PROPRIETARY = 0, TAINT_OUT_OF_TREE = 12, TAINT_UNSIGNED = 13 };

static void add_taints(const struct module_info *module, struct blame *blame)
{
	blame->proprietary = module->taints >> TAINT_PROPRIETARY & 1;
	blame->out_of_tree = module->taints >> TAINT_OUT_OF_TREE & 1;
	blame->unsigned_module = module->taints >> TAINT_UNSIGNED & 1;
}

static void add_module(const struct facts *facts, const struct symbol *sym, struct blame *blame)
{
	size_t count;

	if (!sym->module)
		return;
	blame->module = sym->module->name;
	const struct module_info *mods = modules(facts->session, &count);
	for (size_t i = 0; i < count; i++) {
		if (mods[i].module.address == sym->module->address)
			add_taints(&mods[i], blame);
	}
}

struct blame facts_blame_symbol(const struct facts *facts, const struct symbol *symbol)
{
	struct blame blame = {
		.known = true,
		.frame = SIZE_MAX,
		.function = source_name(facts, symbol->name),
		.on_no_stack = true,
	};

	add_module(facts, symbol, &blame);
	return blame;
}

struct blame facts_blame_name(const struct facts *facts, const char *function,
			      const char *module)
{
	struct blame blame = {
		.known = true,
		.frame = SIZE_MAX,
		.function = source_name(facts, function),
	};
	size_t count;
	const struct module_info *mods = modules(facts->session, &count);

	if (!*module)
		return blame;
	blame.module = arena_strdup(facts->arena, module);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(mods[i].module.name, module) == 0)
			add_taints(&mods[i], &blame);
	}
	return blame;
}

/* Inline functions of headers, which the compiler may put into a module as functions of their own. */
static const char *const inlines[] = {
	"__refcount_*", "refcount_add*", "refcount_inc*", "refcount_sub*", "refcount_dec*",
	"kref_get", "kref_put", "__list_add", "__list_del", "__list_del_entry", "list_add",
	"list_add_tail", "list_del", "list_del_init", "copy_from_user", "copy_to_user",
	"check_copy_size", "kmalloc", "kzalloc", "kcalloc", "spin_lock*", "spin_unlock*",
	"get_page", "put_page", "folio_put", "atomic_*",
};

/* Any other function of a module's own is never a general helper, whatever it is called. */
static bool is_helper(const struct symbol *sym, const char *name)
{
	return sym->module ? is_one_of(inlines, array_size(inlines), name) : blame_is_helper(name);
}

/*
 * Between frame @i, a helper, and the one that called may have been functions that jumped on to the
 * helper as their last act, so that the stack shows them no more. The last of them that is no
 * helper handed in what the helper tripped over.
 */
static bool blame_gone(const struct facts *facts, const struct stack *stack, size_t i,
		       const char *helper, struct blame *blame)
{
	const struct task *task = stack == &facts->stack ? facts->task : NULL;
	const char *next = helper;
	struct tail_calls gone;
	struct symbol sym;

	enum tail_answer answer = tail_calls_find(facts->session, task, stack, i, &gone);
	if (answer == TAIL_UNKNOWN)
		blame->unsure = arena_printf(facts->arena, "%s was reached through a pointer: what "
					     "that led to may have jumped on to it and left the stack",
					     helper);
	if (answer != TAIL_SOME)
		return false;
	blame->unsure = NULL;
	while (gone.count-- > 0) {
		if (!symbols_by_address(facts->session->symbols, gone.function[gone.count], &sym))
			return false;
		const char *name = source_name(facts, sym.name);
		if (is_helper(&sym, name)) {
			next = name;
			continue;
		}
		blame->known = true;
		blame->frame = i + 1;
		blame->function = name;
		blame->because = arena_printf(facts->arena, "its last act was to jump on to %s, so "
					      "that the stack shows it no more", next);
		if (!gone.complete)
			blame->unsure = arena_printf(facts->arena, "it jumped on to something that "
						     "came to %s", helper);
		add_module(facts, &sym, blame);
		return true;
	}
	return false;
}

/* Helpers that are most often a function's last act, which the compiler then makes a jump. */
static const char *const last_acts[] = {
	"kfree*", "kmem_cache_free*", "kvfree*", "vfree*", "__free_page*", "free_page*", "put_page*",
	"__put_page*", "kfree_skb*", "__kfree_skb*", "consume_skb*", "skb_release_*", "sk_free*",
	"sk_skb_reason_drop", "kobject_put*", "kref_put*", "complete*", "mutex_unlock",
	"*_spin_unlock*", "up_*", "queue_work*", "mod_timer*", "add_timer*",
};

/* Without the kernel's own file a text has no code to tell whether who is at @frame called @helper. */
static void doubt_text(const struct facts *facts, const struct frame *frame, const char *helper,
		       struct blame *blame)
{
	uint8_t code;

	if (facts->session->text && is_one_of(last_acts, array_size(last_acts), helper) &&
	    memory_u8(facts->session->memory, frame->pc - 1, &code) != READ_OK)
		blame->unsure = arena_printf(facts->arena, "a function that it called, and whose "
					     "last act was to jump on to %s, would not be in a "
					     "text's trace", helper);
}

struct blame facts_blame_stack(const struct facts *facts, const struct stack *stack, size_t frame)
{
	struct blame blame = { 0 };
	auto_strbuf skipped = { 0 };
	const char *helper = NULL;
	struct symbol sym;

	for (size_t i = frame; i < stack->count; i++) {
		const struct frame *f = &stack->frames[i];
		if (f->how == FRAME_SCAN)
			continue;
		/* Code without a name (of a module that is not known) may be the one: not its caller. */
		if (!facts_frame_symbol_of(facts, f, &sym))
			break;
		const char *name = source_name(facts, sym.name);
		if (is_helper(&sym, name)) {
			strbuf_addf(&skipped, "%s%s", skipped.len ? ", " : "", name);
			helper = name;
			if (blame_gone(facts, stack, i, name, &blame))
				break;
			continue;
		}
		blame.known = true;
		blame.frame = i;
		blame.pc = f->is_call ? f->pc - 1 : f->pc;
		blame.function = name;
		add_module(facts, &sym, &blame);
		if (helper && !blame.unsure)
			doubt_text(facts, f, helper, &blame);
		break;
	}
	blame.deduced = skipped.len;
	if (skipped.len)
		blame.skipped = arena_strdup(facts->arena, strbuf_text(&skipped));
	return blame;
}

struct blame facts_blame(const struct facts *facts, size_t frame)
{
	return facts_blame_stack(facts, &facts->stack, frame);
}

void blame_place(const struct facts *facts, struct blame *blame)
{
	struct source_line at;

	if (!blame->known || !blame->pc ||
	    !debuginfo_line(facts->session->debuginfo, blame->pc, &at) || !at.file)
		return;
	blame->file = arena_strdup(facts->arena, at.file);
	blame->line = at.line;
}
