// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Call frame information out of debug files: of each that an address leads to, .debug_frame and
 * .eh_frame are indexed on first use and kept as long as the unwinder.
 *
 * The sections' bytes are libdw's, after it has uncompressed and relocated them; they live as long
 * as the debug file is open.
 */
#include "unwind/cfi_debug.h"

#include <gelf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/dwarf.h"
#include "unwind/cfi.h"

enum { SECTIONS = 2 };

struct cfi_file {
	const struct debug_module *module;
	struct cfi section[SECTIONS]; /* data NULL: it has none */
};

struct cfi_files {
	struct debuginfo *debug;
	pthread_mutex_t lock;
	struct {
		vec_fields(struct cfi_file *);
	} files;
};

struct cfi_files *cfi_files_create(struct debuginfo *debug)
{
	struct cfi_files *files = xcalloc(1, sizeof(*files));

	files->debug = debug;
	pthread_mutex_init(&files->lock, NULL);
	return files;
}

void cfi_files_destroy(struct cfi_files *files)
{
	if (!files)
		return;
	vec_for_each (file, &files->files) {
		for (size_t i = 0; i < SECTIONS; i++)
			cfi_deinit(&(*file)->section[i]);
		free(*file);
	}
	vec_deinit(&files->files);
	pthread_mutex_destroy(&files->lock);
	free(files);
}

static void add_section(struct cfi_file *file, Elf *elf, uint64_t bias)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		if (!name || header.sh_type == SHT_NOBITS)
			continue;
		bool eh = strcmp(name, ".eh_frame") == 0;
		if (!eh && strcmp(name, ".debug_frame") != 0 && strcmp(name, ".zdebug_frame") != 0)
			continue;
		const Elf_Data *data = elf_getdata(section, NULL);
		struct cfi *cfi = &file->section[eh];
		if (cfi->data || !data || !data->d_buf || !data->d_size)
			continue;
		cfi->data = data->d_buf;
		cfi->size = data->d_size;
		cfi->bias = bias;
		cfi->eh = eh;
		cfi->address = header.sh_addr;
		cfi_init(cfi);
	}
}

static struct cfi_file *open_file(struct debug_module *module)
{
	struct cfi_file *file = xcalloc(1, sizeof(*file));
	uint64_t bias;

	file->module = module;
	debug_module_lock(module);
	Dwarf *dwarf = debug_module_dwarf(module, &bias);
	if (dwarf)
		add_section(file, dwarf_getelf(dwarf), bias);
	debug_module_unlock(module);
	return file;
}

static const struct cfi_file *file_of(struct cfi_files *files, struct debug_module *module)
{
	struct cfi_file *found = NULL;

	pthread_mutex_lock(&files->lock);
	vec_for_each (file, &files->files) {
		if ((*file)->module == module)
			found = *file;
	}
	if (!found) {
		found = open_file(module);
		vec_push(&files->files, found);
	}
	pthread_mutex_unlock(&files->lock);
	return found;
}

bool cfi_files_find(struct cfi_files *files, uint64_t pc, struct cfi_row *row)
{
	struct debug_module *module = debuginfo_of(files->debug, pc);
	const char *why;

	if (!module)
		return false;
	const struct cfi_file *file = file_of(files, module);
	for (size_t i = 0; i < SECTIONS; i++) {
		if (file->section[i].data && cfi_find(&file->section[i], pc, row, &why))
			return true;
	}
	return false;
}
