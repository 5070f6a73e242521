// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A text in place of a dump: a console log, a vmcore-dmesg.txt, records of pstore, a bug report. It
 * has no pages; what reads it asks for the text itself (dump_text()) and gets the bytes of all
 * files one behind the other. A file is taken for such a text when it is text and has words in it
 * that the kernel prints when it dies, or when the user says that it is one.
 */
#include <elf.h>
#include <string.h>

#include "dump/format.h"

enum {
	LOOK_AT = 4 << 20, /* a kernel log is seldom larger, and its end is looked at as well */
	STRANGE_MAX = 50,  /* of a thousand bytes so many may be none of a text: serial lines stutter */
	TEXT_MAX = 256 << 20,
};

/* Words of the kernel's reports, and of crash's sessions. */
static const char *const signs[] = {
	"Call Trace:", "Call trace:", "Kernel panic - not syncing", "kernel BUG at ", "Oops: ",
	"BUG: ", "Modules linked in:", "[ cut here ]", "RIP: 0010:", "] Linux version ",
	"[exception RIP: ", "crash> ", "invoked oom-killer", "Unable to handle kernel ",
	"general protection fault", "soft lockup - CPU#", "blocked for more than ",
	"detected stalls on CPUs", " kernel: [", "Kernel Offset: ", "end Kernel panic",
	"] Command line: ", "Comm: ",
};

static bool is_strange(uint8_t c)
{
	return (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' &&
		c != 27) || c == 127;
}

static bool is_text(const uint8_t *data, size_t size)
{
	enum { SAMPLE = 64 << 10 };
	size_t strange = 0, n = size < SAMPLE ? size : SAMPLE;

	for (size_t i = 0; i < n; i++)
		strange += is_strange(data[i]);
	return n && strange * 1000 <= n * STRANGE_MAX;
}

static bool has_sign(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < array_size(signs); i++) {
		if (memmem(data, size, signs[i], strlen(signs[i])))
			return true;
	}
	return false;
}

static bool probe(const struct file_view *view)
{
	size_t tail = view->data_size > LOOK_AT ? view->data_size - LOOK_AT : 0;

	if (view->flattened || view->data_size > TEXT_MAX ||
	    !is_text(view->data, view->data_size))
		return false;
	return has_sign(view->data, (size_t)min_u64(view->data_size, LOOK_AT)) ||
	       (tail && has_sign(view->data + tail, LOOK_AT));
}

static struct error *open_text(struct dump *dump)
{
	struct dump_info *info = &dump->info;
	size_t size = 0, at = 0;

	for (size_t i = 0; i < dump->file_count; i++)
		size += dump->files[i].view.data_size + 1;
	if (size > TEXT_MAX)
		return error_new(ERROR_UNSUPPORTED, "a text of %zu MB; %d are read at most",
				 size >> 20, TEXT_MAX >> 20);
	char *text = arena_alloc(&dump->arena, size + 1);
	for (size_t i = 0; i < dump->file_count; i++) {
		const struct file_view *view = &dump->files[i].view;
		if (view->data_size)
			memcpy(text + at, view->data, view->data_size);
		at += view->data_size;
		text[at++] = '\n';
	}
	text[at] = '\0';
	dump->state = text;
	info->format = "kernel log (text)";
	info->compression = "none";
	info->elf_machine = EM_X86_64;
	return NULL;
}

static void close_text(struct dump *dump unused_arg)
{
}

static enum read_status read_page(const struct dump *dump unused_arg, uint64_t pfn unused_arg,
				  uint8_t *buffer unused_arg, struct dump_page *page unused_arg)
{
	return READ_EXCLUDED;
}

static enum read_status has_page(const struct dump *dump unused_arg, uint64_t pfn unused_arg)
{
	return READ_EXCLUDED;
}

static bool next_page(const struct dump *dump unused_arg, uint64_t *pfn unused_arg)
{
	return false;
}

static void will_need(const struct dump *dump unused_arg, uint64_t pfn unused_arg,
		      uint64_t count unused_arg)
{
}

const struct dump_format text_format = {
	.probe = probe,
	.open = open_text,
	.close = close_text,
	.read_page = read_page,
	.has_page = has_page,
	.next_page = next_page,
	.will_need = will_need,
};

const char *dump_text(const struct dump *dump, size_t *size)
{
	if (dump->format != &text_format) {
		*size = 0;
		return NULL;
	}
	*size = (size_t)dump->info.file_size + dump->file_count;
	return dump->state;
}
