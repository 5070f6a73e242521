// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names that other stations ask for on the way to a report, present in some kernels or others.
 * Only for speed, on kernels without an index by name: looking many names up takes as long as
 * looking up one. A name that is missing here is found all the same.
 */
#include "symbols/source.h"

const char *const symbols_well_known[] = {
	/* the image and its tables */
	"_text", "_stext", "_etext", "_sinittext", "_einittext", "_end", "system_state",
	"linux_banner", "init_top_pgt", "init_level4_pgt", "swapper_pg_dir", "sme_me_mask",
	"page_offset_base", "vmalloc_base", "vmemmap_base", "phys_base", "mem_section",
	"__start_BTF", "__stop_BTF", "btf_modules", "modules", "mod_tree",
	"__start_orc_unwind", "__stop_orc_unwind", "__start_orc_unwind_ip", "__stop_orc_unwind_ip",
	"orc_lookup", "orc_lookup_end", "orc_header", "__start_orc_header", "__stop_orc_header",
	"__start___bug_table", "__stop___bug_table", "__start___ex_table", "__stop___ex_table",
	/* CPUs and their stacks */
	"__per_cpu_offset", "__per_cpu_start", "__per_cpu_end", "nr_cpu_ids", "nr_node_ids",
	"__cpu_online_mask", "__cpu_possible_mask", "__cpu_present_mask", "__cpu_active_mask",
	"cpu_online_mask", "cpu_possible_mask", "cpu_online_bits", "cpu_possible_bits",
	"__num_online_cpus", "cpu_number", "pcpu_hot", "current_task", "cpu_current_top_of_stack",
	"hardirq_stack_ptr", "irq_stack_ptr", "irq_stack_union", "softirq_stack_ptr",
	"cea_exception_stacks", "exception_stacks", "cpu_tss_rw", "cpu_tss", "init_tss", "orig_ist",
	"gdt_page", "idt_table", "runqueues", "crash_notes", "crashing_cpu", "panic_cpu",
	/* tasks */
	"init_task", "init_pid_ns", "pid_hash", "pidhash_shift", "init_thread_union", "init_stack",
	"__start_init_task", "__end_init_task", "__start_init_stack", "__end_init_stack",
	"task_struct_cachep", "nr_threads", "ret_from_fork", "ret_from_fork_asm",
	/* the log */
	"prb", "printk_rb_static", "log_buf", "log_buf_len", "log_first_idx", "log_next_idx",
	"log_first_seq", "log_next_seq", "logged_chars", "clear_seq", "clear_idx",
	/* the machine */
	"init_uts_ns", "saved_command_line", "boot_command_line", "dump_stack_arch_desc_str",
	"dmi_ident", "avenrun", "tainted_mask", "tainted", "jiffies", "jiffies_64", "tk_core",
	"shadow_timekeeper", "timekeeper", "xtime", "totalram_pages", "_totalram_pages", "max_pfn",
	"panic_on_oops", "panic_on_warn", "panic_timeout", "oops_in_progress", "vmcoreinfo_data",
	"slab_caches", "init_mm", "vmap_area_list", "vmap_nodes", "workqueues", "super_blocks",
	"sysctl_hung_task_timeout_secs", "softlockup_panic", "watchdog_thresh", "die_counter",
	NULL,
};
