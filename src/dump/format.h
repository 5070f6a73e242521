/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the dump station: what dump.c and the formats share.
 *
 * To add a format: a file with a `const struct dump_format`, its declaration below, and its line
 * in formats[] (dump.c).
 */
#pragma once

#include "base/alloc.h"
#include "base/filemap.h"
#include "base/vec.h"
#include "dump/codec.h"
#include "dump/dump.h"
#include "dump/overlay.h"
#include "dump/view.h"

/* No CPU has more than 52 bits of physical address: what lies above is damage. */
#define PHYSICAL_MAX (UINT64_C(1) << 52)

struct dump_file {
	const char *name;    /* without folders, for messages */
	struct filemap *map; /* NULL when opened from memory */
	struct file_view view;
};

struct dump {
	const struct dump_format *format;
	void *state; /* the format's own */
	struct dump_file *files;
	size_t file_count;
	struct dump_info info;
	struct arena arena; /* what info points to */
	struct {
		vec_fields(const char *);
	} problems;
	struct {
		vec_fields(struct dump_cpu_note);
	} notes;
	bool as_text;              /* the user says that it is one */
	bool is_process;           /* it has notes that only cores of processes have */
	struct codec_pool *codecs; /* behind a pointer: changes after opening */
	struct overlay *overlay;   /* pages that the user changed; NULL: none */
};

struct dump_format {
	/* Is it this format? Looks at the content of the first file only. */
	bool (*probe)(const struct file_view *view);
	/*
	 * Reads the headers of all files of the dump, fills info. May fail half-way: close is
	 * called in any case, with state as it was left (NULL or not).
	 */
	struct error *(*open)(struct dump *dump);
	void (*close)(struct dump *dump);
	/* dump_read_page(), dump_has_page(), ...: see dump.h. */
	enum read_status (*read_page)(const struct dump *dump, uint64_t pfn, uint8_t *buffer,
				      struct dump_page *page);
	enum read_status (*has_page)(const struct dump *dump, uint64_t pfn);
	bool (*next_page)(const struct dump *dump, uint64_t *pfn);
	void (*will_need)(const struct dump *dump, uint64_t pfn, uint64_t count);
};

extern const struct dump_format elf_format, kdump_format, text_format;

/* One sentence about something that is wrong with the file. */
void dump_problem(struct dump *dump, const char *fmt, ...) printf_like(2, 3);

/* dump_open() for bytes in memory, which must outlive the dump: tests and fuzzing. */
struct error *dump_open_memory(const void *const *data, const size_t *sizes, size_t count,
			       struct dump **dump) must_check;

/* notes.c: goes through ELF notes; fills notes, vmcoreinfo, elf_machine where it is 0. */
void dump_parse_notes(struct dump *dump, const uint8_t *data, size_t size);
/* Whether notes of QEMU's own were among them. */
bool dump_has_qemu_notes(const struct dump *dump);

/* vmcoreinfo.c: sets info.vmcoreinfo without the padding at its end; empty text is none at all. */
void dump_set_vmcoreinfo(struct dump *dump, const uint8_t *text, size_t size);

/* signatures.c: the error for a file that no format takes. */
struct error *dump_unknown_format(const struct file_view *view) must_check;
