/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 1: a dump file (or several) -> numbered physical pages, notes, VMCOREINFO.
 *
 * In: paths. Out: `struct dump`: which format, the text and numbers of its headers, and page
 * frames by pfn. The dump owns everything that its functions return pointers to, until
 * dump_close(). After dump_open() a dump is constant: any number of threads may read pages, each
 * with a buffer of its own.
 *
 * A new format is one file with a `struct dump_format` and one line in formats[] (dump.c).
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"

enum { PAGE_SIZE = 4096, PAGE_SHIFT = 12 };

/* A physical address; its own type so that it cannot be mistaken for a virtual one (uint64_t). */
struct paddr {
	uint64_t v;
};

/* What a read of dump memory can answer; a hole is a fact, not a failure. */
enum read_status {
	READ_OK,
	READ_EXCLUDED,  /* the page was filtered out when the dump was made */
	READ_UNMAPPED,  /* no physical memory there, or no page table entry */
	READ_TRUNCATED, /* behind the end of a file that was cut off */
	READ_CORRUPT,   /* the page is there but cannot be decompressed */
};

/* "excluded from the dump", "not mapped" ... for messages. */
const char *read_status_text(enum read_status status);

/* One page frame. Only bytes [from, to) are in the dump (RAM may begin or end inside a page). */
struct dump_page {
	/* PAGE_SIZE bytes: in the file map, at any alignment (load_u64()), or in the caller's buffer */
	const uint8_t *data;
	uint16_t from, to;
};

/* Registers of one CPU as saved in a note; the meaning of the bytes is the architecture's. */
struct dump_cpu_note {
	enum {
		NOTE_PRSTATUS, /* NT_PRSTATUS, struct elf_prstatus: kdump's crash notes, QEMU's too */
		NOTE_QEMU,     /* "QEMU", struct QEMUCPUState: control registers, IDT ... */
	} kind;
	unsigned cpu; /* the note's number among those of its kind; not always the CPU id */
	const uint8_t *data;
	size_t size;
};

/* A run of physical memory that the file's headers speak of (ELF PT_LOAD). */
struct dump_segment {
	struct paddr start;
	uint64_t size;
	uint64_t vaddr; /* 0 where the header has none */
};

/* What the headers say; strings are "" and numbers 0 where the format says nothing. */
struct dump_info {
	const char *format;      /* "kdump-compressed v6 (makedumpfile)", "ELF core (kdump)" ... */
	const char *compression; /* "LZO", "zlib", "zstd", "snappy", "none", "LZO+none" ... */
	bool flattened;
	unsigned files;        /* more than 1: pieces of a split dump */
	uint16_t elf_machine;  /* EM_X86_64 ..., 0 when the headers do not tell */
	char sysname[65], nodename[65], release[65], version[65], machine[65];
	uint64_t timestamp;    /* seconds since 1970 */
	uint32_t dump_level;   /* makedumpfile -d; meaningful with has_dump_level */
	bool has_dump_level;
	uint64_t max_pfn;      /* one past the last page frame the dump knows of */
	uint64_t present_pages; /* pages with data in the file */
	uint64_t file_size;
	/* One sentence for each thing wrong with the file: cut off, incomplete flag, bad notes. */
	const char *const *problems;
	size_t problem_count;
	bool truncated; /* pages are missing because the file was cut off or never finished */
	bool has_phys_base;
	uint64_t phys_base;    /* kdump-compressed sub-header */
	const struct dump_cpu_note *notes;
	size_t note_count;
	const struct dump_segment *segments;
	size_t segment_count;
	const char *vmcoreinfo; /* VMCOREINFO text, not NUL-terminated; NULL when the dump has none */
	size_t vmcoreinfo_size;
};

struct dump;

/*
 * Opens a dump given as one file, or as the pieces of a split dump in any order. Recognises the
 * format by content. Errors are one line each: not a dump at all, unknown version, another
 * architecture or byte order, a damaged header.
 */
struct error *dump_open(const char *const *paths, size_t count, struct dump **dump) must_check;
/* The same of texts, whatever is in them: the user says so. */
struct error *dump_open_text(const char *const *paths, size_t count, struct dump **dump) must_check;
void dump_close(struct dump *dump);
const struct dump_info *dump_info(const struct dump *dump);

/*
 * The text that was given in place of a dump, NUL-terminated behind @size bytes; NULL: it is none.
 * A text has no pages: all reads answer READ_EXCLUDED.
 */
const char *dump_text(const struct dump *dump, size_t *size);

/*
 * The page frame @pfn. @buffer (PAGE_SIZE bytes) is used when the page has to be decompressed or
 * put together. O(1), thread-safe. On anything but READ_OK @page is untouched.
 */
enum read_status dump_read_page(const struct dump *dump, uint64_t pfn, uint8_t *buffer,
				struct dump_page *page) must_check;

/* Is there data for @pfn? Cheaper than reading it. */
enum read_status dump_has_page(const struct dump *dump, uint64_t pfn);

/*
 * For loops over all pages: moves @pfn up to the first page frame at or behind it that the dump's
 * index lists as stored (it can still turn out truncated or corrupt). @false when none is left.
 * Skips holes of any size quickly.
 */
bool dump_next_page(const struct dump *dump, uint64_t *pfn) must_check;

/*
 * @count page frames from @pfn on will be read soon, all of them: lets the kernel fetch them from
 * disk together. On a cold file one wait replaces dozens; on a cached one it costs some 0.1 us a
 * page. For tables of many pages, not for pointer chasing.
 */
void dump_will_need(const struct dump *dump, uint64_t pfn, uint64_t count);

/*
 * Changes bytes as from now on reads see them; the file stays as it is. The bytes lie in one page
 * that the dump has. Not while other threads read, and who keeps copies of pages must be told.
 */
enum read_status dump_overlay_write(struct dump *dump, struct paddr at, const void *bytes,
				    size_t size) must_check;
/* Takes all such changes back. */
void dump_overlay_drop(struct dump *dump);

/*
 * Bytes of the dump's first file at @offset, as they are stored there; returns how many there are.
 */
size_t dump_read_file(const struct dump *dump, uint64_t offset, void *buf, size_t size);

/*
 * A line of VMCOREINFO: dump_vmcoreinfo(d, "OSRELEASE", ...), whole keys only.
 * @false when there is no such key. The text is copied to @value, cut to fit and terminated.
 */
bool dump_vmcoreinfo(const struct dump *dump, const char *key, char *value, size_t size);
/* "SYMBOL(name)=ffff..." (hex), "KERNELOFFSET=..." (hex). */
bool dump_vmcoreinfo_hex(const struct dump *dump, const char *key, uint64_t *value);
/* "NUMBER(name)=-12", "SIZE(...)", "OFFSET(...)", "LENGTH(...)" (decimal, may be negative). */
bool dump_vmcoreinfo_number(const struct dump *dump, const char *key, int64_t *value);
