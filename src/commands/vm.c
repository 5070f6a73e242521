// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vm: the mappings of tasks' address spaces, as /proc/PID/maps would have shown them; with options
 * their pages, and the kernel's structures themselves.
 */
#include "commands/vm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/show.h"
#include "commands/table.h"
#include "kernel/vma_flags.h"

enum { PATH_BYTES = 4096 };

enum { OPT_PAGES, OPT_VMA, OPT_MM, OPT_STRUCTS, OPT_MM_STRUCT, OPT_REFERENCE, OPT_FLAGS, OPT_HEX,
       OPT_DEC };

static const struct option vm_option_table[] = {
	[OPT_PAGES] = { "p", false },     [OPT_VMA] = { "P", true },
	[OPT_MM] = { "M", true },         [OPT_STRUCTS] = { "v", false },
	[OPT_MM_STRUCT] = { "m", false }, [OPT_REFERENCE] = { "R", true },
	[OPT_FLAGS] = { "f", true },      [OPT_HEX] = { "x", false },
	[OPT_DEC] = { "d", false },
};

static const struct column mapping_columns[] = {
	{ .key = "vma", .title = "VMA" },
	{ .key = "start", .title = "START", .right = true },
	{ .key = "end", .title = "END", .right = true },
	{ .key = "permissions", .title = "PERM" },
	{ .key = "offset", .title = "OFFSET", .right = true },
	{ .key = "flags", .title = "FLAGS", .right = true },
	{ .key = "name", .title = "WHAT", .style = STYLE_STRONG },
	{ .key = "file" },
};

struct vm_run {
	struct command_args *args;
	struct options options;
	struct vm_reference reference;
	uint64_t mm;
	struct page_root root; /* with -p */
	uint64_t only;         /* with -P: this vm_area_struct */
	size_t shown;
	bool holes;
	struct error *err;
};

static bool is_wanted(const struct vm_run *run, const struct mapping *m, const char *name)
{
	const struct vm_reference *r = &run->reference;

	if (run->options.set[OPT_VMA] && m->vma != run->only)
		return false;
	if (!r->word || vm_reference_names(r, name))
		return true;
	return r->has_number && (r->number == m->vma || r->number == m->flags ||
				 (m->file && r->number == m->file) || r->number == m->end ||
				 (r->number >= m->start && r->number < m->end));
}

static void add_row(struct vm_run *run, const struct mapping *m, const char *name)
{
	char permissions[5] = {
		m->flags & VMA_READ ? 'r' : '-', m->flags & VMA_WRITE ? 'w' : '-',
		m->flags & VMA_EXEC ? 'x' : '-', m->flags & VMA_MAYSHARE ? 's' : 'p', 0
	};

	bool known = !m->incomplete;
	doc_row(run->args->doc, cell_address(m->vma), cell_hex(m->start), cell_hex(m->end),
		known ? cell_str(permissions) : cell_none(),
		known ? cell_hex(m->file ? m->page_offset << PAGE_SHIFT : 0) : cell_none(),
		known ? cell_hex(m->flags) : cell_none(),
		known || *name ? cell_str(name) : cell_none(),
		m->file ? cell_address(m->file) : cell_none());
	run->shown++;
}

static bool add_mapping(void *ctx, const struct mapping *m)
{
	struct vm_run *run = ctx;
	struct doc *doc = run->args->doc;
	char name[PATH_BYTES];
	bool pages = run->options.set[OPT_PAGES] || run->options.set[OPT_VMA];

	if (session_stopped(run->args->session))
		return false;
	bool named = mapping_name(run->args->session, run->mm, m, name, sizeof(name));
	bool wanted = is_wanted(run, m, name);
	/* A physical address may be in any of them. */
	if (!wanted && !(pages && run->reference.has_number && !run->options.set[OPT_VMA]))
		return true;
	run->holes |= !named;
	if (!pages) {
		add_row(run, m, name);
		return true;
	}
	add_row(run, m, name);
	doc_detail(doc);
	size_t rows = vm_pages(run->args, &run->root, m, name, &run->reference);
	doc_end(doc);
	if (!wanted && !rows) {
		doc_row_hide(doc);
		run->shown--;
	}
	return !run->options.set[OPT_VMA];
}

/* -v */
static bool add_struct(void *ctx, const struct mapping *m)
{
	struct vm_run *run = ctx;
	char name[PATH_BYTES];

	mapping_name(run->args->session, run->mm, m, name, sizeof(name));
	if (!is_wanted(run, m, name))
		return true;
	run->shown++;
	run->err = show_object(run->args, "struct vm_area_struct", m->vma,
			       run->options.set[OPT_HEX], run->options.set[OPT_DEC]);
	return !run->err && !session_stopped(run->args->session);
}

static void add_mm_fields(struct vm_run *run, const struct task *task)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct task owner = { .address = 0 };
	uint64_t vsz, rss, pgd;
	char text[2][32];

	/* -M: of an exiting task, whose own pointer to it is gone. */
	if (task)
		owner = *task;
	owner.mm = run->mm;
	bool known = task_memory(s, &owner, &vsz, &rss);
	doc_field(doc, "pgd", "PGD", kread(s, run->mm, "mm_struct", "pgd", &pgd)
					     ? cell_address(pgd) : cell_none());
	doc_field(doc, "rss", "RSS", size_cell(known, rss, text[0], sizeof(text[0])));
	doc_field(doc, "vsz", "TOTAL", size_cell(known, vsz, text[1], sizeof(text[1])));
}

static void add_mappings(struct vm_run *run, int pid)
{
	struct doc *doc = run->args->doc;
	bool structs = run->options.set[OPT_STRUCTS];

	if (structs)
		doc_array(doc, "vm_area_structs", NULL);
	else
		doc_table(doc, "mappings", mapping_columns, array_size(mapping_columns));
	bool whole = mappings_each(run->args->session, run->mm,
				   structs ? add_struct : add_mapping, run);
	doc_end(doc);
	if (!whole)
		doc_remark(doc, REMARK_HOLE, "PID %d: not all mappings can be read", pid);
	if (run->holes)
		doc_remark(doc, REMARK_HOLE, "PID %d: names of some mappings are not in the dump",
			   pid);
}

/* What was asked for of an address space; the task that has, or had it, may be NULL. */
static struct error *add_space(struct vm_run *run, const struct task *task)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct error *err = NULL;

	if (run->options.set[OPT_MM_STRUCT]) {
		doc_array(doc, "mm_struct", NULL);
		err = show_object(run->args, "struct mm_struct", run->mm,
				  run->options.set[OPT_HEX], run->options.set[OPT_DEC]);
		doc_end(doc);
		return err;
	}
	if (run->options.set[OPT_PAGES] || run->options.set[OPT_VMA]) {
		struct task owner = task ? *task : (struct task){ .pid = 0 };
		owner.mm = run->mm;
		err = task_page_root(s, &owner, &run->root);
		if (err)
			return err;
	}
	if (!run->options.set[OPT_STRUCTS])
		add_mm_fields(run, task);
	run->shown = 0;
	add_mappings(run, task ? task->pid : 0);
	err = run->err;
	run->err = NULL;
	if (!err && run->options.set[OPT_VMA] && !run->shown && task)
		err = error_new(ERROR_NOT_FOUND, "no mapping of PID %d is the vm_area_struct "
				"%" PRIx64, task->pid, run->only);
	return err;
}

static struct error *add_task(struct vm_run *run, const struct task *task)
{
	struct doc *doc = run->args->doc;
	char title[TASK_TITLE_MAX];
	struct error *err = NULL;

	run->mm = run->options.set[OPT_MM] ? run->mm : task->mm;
	run->holes = false;
	doc_record(doc, NULL, NULL);
	show_task_line(doc, task);
	doc_field(doc, "mm", "MM",
		  run->mm ? cell_address(run->mm)
			  : cell_shown(cell_none(), task_has_no_memory(task)
				       ? "none: a kernel thread, or exiting" : "unknown"));
	if (run->mm)
		err = add_space(run, task);
	else if (!task_has_no_memory(task))
		doc_remark(doc, REMARK_HOLE, "%s: which memory it has is not known: its "
			   "task_struct is not in the dump", task_title(task, title));
	doc_end(doc);
	return err;
}

/* The task that a vm_area_struct belongs to, by its address space. */
static struct error *task_of_vma(struct session *s, uint64_t vma, const struct task **task)
{
	uint64_t mm;
	size_t count;

	if (!kread(s, vma, "vm_area_struct", "vm_mm", &mm))
		return error_new(ERROR_MISSING, "the vm_area_struct %" PRIx64 " cannot be read", vma);
	const struct task *all = tasks(s, &count);
	for (size_t i = 0; mm && i < count; i++) {
		if (all[i].mm == mm) {
			*task = &all[i];
			return NULL;
		}
	}
	return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is no vm_area_struct of any task", vma);
}

static struct error *run_tasks(struct vm_run *run)
{
	struct session *s = run->args->session;
	struct error *err = NULL;

	for (int i = 0; i < run->options.word_count || i == 0; i++) {
		const char *word = run->options.word_count ? run->options.words[i] : NULL;
		const struct task *task;
		if (session_stopped(s))
			break;
		err = run->options.set[OPT_VMA] && !word ? task_of_vma(s, run->only, &task)
					 : task_or_current(s, word, &task);
		if (!err)
			err = add_task(run, task);
		if (!err)
			continue;
		if (run->options.word_count <= 1)
			break;
		doc_remark(run->args->doc, REMARK_ERROR, "%s", err->message);
		error_free(err);
		err = NULL;
	}
	return err;
}

static struct error *decode_flags(struct vm_run *run)
{
	char text[1024];
	uint64_t flags;

	struct error *err = parse_address(run->args->session, run->options.value[OPT_FLAGS],
					  &flags);
	if (err)
		return err;
	vma_flags_text(run->args->session, flags, text, sizeof(text));
	doc_record(run->args->doc, "vma_flags", NULL);
	doc_plain(run->args->doc);
	doc_field(run->args->doc, "value", NULL, cell_hex(flags));
	doc_fieldf(run->args->doc, NULL, "FLAGS", "%" PRIx64 ": (%s)", flags, text);
	doc_field(run->args->doc, "names", NULL, cell_str(text));
	doc_end(run->args->doc);
	return NULL;
}

/* Addresses that options have; -R may be a number or a file's name. */
static struct error *read_options(struct vm_run *run)
{
	struct session *s = run->args->session;
	const struct options *o = &run->options;
	struct error *err = NULL;

	if (o->set[OPT_VMA])
		err = parse_address(s, o->value[OPT_VMA], &run->only);
	if (!err && o->set[OPT_MM])
		err = parse_address(s, o->value[OPT_MM], &run->mm);
	if (err || !o->set[OPT_REFERENCE])
		return err;
	run->reference.word = o->value[OPT_REFERENCE];
	err = parse_address(s, run->reference.word, &run->reference.number);
	run->reference.has_number = !err;
	error_free(err);
	return NULL;
}

static struct error *run_vm(struct command_args *args)
{
	struct vm_run run = { .args = args };

	struct error *err = options_parse(args, vm_option_table, array_size(vm_option_table),
					  &run.options);
	if (!err)
		err = read_options(&run);
	if (err)
		return err;
	if (run.options.set[OPT_FLAGS])
		return decode_flags(&run);
	doc_array(args->doc, "address_spaces", NULL);
	err = run_tasks(&run);
	doc_end(args->doc);
	return err;
}

const struct command command_vm = {
	.name = "vm",
	.usage = "[-p | -P VMA | -v | -m] [-M MM] [-R REF] [-x | -d] [PID|TASK ...] | -f FLAGS",
	.summary = "mappings of a task's address space",
	.help = "What is mapped where in the user space of tasks, by default of the current one:\n"
		"permissions (s: shared, p: private), offset in the file, and the file's path, [heap],\n"
		"[stack] and so on. FLAGS are those of the vm_area_struct.\n"
		"  -p        where each page is: in memory, in a swap device, or still in its file\n"
		"            only; pages in a row that are nowhere, or in the file, are one line\n"
		"  -P VMA    the same of the mapping with this vm_area_struct alone\n"
		"  -M MM     this mm_struct, of a task that is exiting and has lost its own\n"
		"  -v        the vm_area_structs themselves; -m  the mm_struct; -x, -d  in this base\n"
		"  -R REF    only what this names: an address of a vm_area_struct, of a struct file, or\n"
		"            within the mapping, flags, with -p a physical address, or a file (its path\n"
		"            or last part; * and ? may be in it)\n"
		"  -f FLAGS  what the bits of a FLAGS value mean\n"
		"Examples: vm | vm 1 | vm -p 1 | vm -R busybox 1 | vm -f 875",
	.run = run_vm,
};
