// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads just what tells whether a file is wanted: its section headers, the build-id among its
 * notes, srcversion in a module's .modinfo, the name in .gnu_debuglink. libelf checks each bound;
 * files are read, not mapped: faults would read megabytes ahead around each of a few small pieces.
 */
#include "symbols/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "symbols/build_id.h"
#include "symbols/unpack.h"

enum { SYMBOLS_MAX = 1 << 24 };

void debug_file_close(struct debug_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->debuglink);
	free(file);
}

/* "srcversion=ABC" among the strings of .modinfo. */
static void read_modinfo(struct debug_file *file, const char *data, size_t size)
{
	static const char key[] = "srcversion=";

	for (size_t pos = 0; pos < size;) {
		size_t length = strnlen(data + pos, size - pos);
		if (length >= strlen(key) && memcmp(data + pos, key, strlen(key)) == 0)
			snprintf(file->srcversion, sizeof(file->srcversion), "%.*s",
				 (int)min_u64(length - strlen(key), 63), data + pos + strlen(key));
		pos += length + 1;
	}
}

static void read_section(struct debug_file *file, Elf_Scn *scn, const GElf_Shdr *header,
			 const char *name)
{
	char id[BUILD_ID_HEX_MAX];
	const Elf_Data *data;

	if (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)
		file->has_dwarf = header->sh_type != SHT_NOBITS;
	bool note = header->sh_type == SHT_NOTE && !file->build_id[0];
	bool modinfo = strcmp(name, ".modinfo") == 0, link = strcmp(name, ".gnu_debuglink") == 0;
	if ((!note && !modinfo && !link) || header->sh_type == SHT_NOBITS)
		return;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf)
		return;
	if (note && elf_notes_build_id(data->d_buf, data->d_size, id))
		snprintf(file->build_id, sizeof(file->build_id), "%s", id);
	if (modinfo)
		read_modinfo(file, data->d_buf, data->d_size);
	if (link && !file->debuglink)
		file->debuglink = xstrndup(data->d_buf, data->d_size);
}

static struct error *read_elf(struct debug_file *file, Elf *elf)
{
	GElf_Ehdr ehdr;
	size_t names, count;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		return error_new(ERROR_UNSUPPORTED, "not an ELF file");
	file->machine = ehdr.e_machine;
	file->relocatable = ehdr.e_type == ET_REL;
	if (elf_getshdrnum(elf, &count) != 0 || elf_getshdrstrndx(elf, &names) != 0 || !count)
		return error_new(ERROR_FORMAT, "its ELF section headers are cut off or damaged");
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(scn, &header) ?
				   elf_strptr(elf, names, header.sh_name) : NULL;
		if (name)
			read_section(file, scn, &header, name);
	}
	return NULL;
}

struct error *debug_file_open_fd(int fd, const char *path, struct debug_file **result)
{
	struct debug_file *file = xcalloc(1, sizeof(*file));
	int unpacked;

	file->path = xstrdup(path);
	file->fd = fd;
	struct error *err = unpack_file(fd, &unpacked);
	if (!err && unpacked >= 0) {
		close(fd);
		file->fd = unpacked;
		file->packed = true;
	}
	if (!err) {
		elf_version(EV_CURRENT);
		Elf *elf = elf_begin(file->fd, ELF_C_READ, NULL);
		err = elf ? read_elf(file, elf) : error_new(ERROR_UNSUPPORTED, "not an ELF file");
		elf_end(elf);
	}
	if (err) {
		debug_file_close(file);
		return error_prefix(err, "%s", path);
	}
	*result = file;
	return NULL;
}

struct error *debug_file_open(const char *path, struct debug_file **file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_new(ERROR_SYSTEM, "%s: cannot open: %s", path, strerror(errno));
	return debug_file_open_fd(fd, path, file);
}

static bool find_symbol(Elf *elf, const char *wanted, GElf_Sym *sym)
{
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		Elf_Data *data;
		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 1; i < SYMBOLS_MAX && gelf_getsym(data, i, sym); i++) {
			const char *name = elf_strptr(elf, header.sh_link, sym->st_name);
			if (name && strcmp(name, wanted) == 0 && sym->st_shndx < SHN_LORESERVE)
				return true;
		}
	}
	return false;
}

bool debug_file_text(const struct debug_file *file, const char *name, char *buf, size_t size)
{
	Elf *elf = elf_begin(file->fd, ELF_C_READ, NULL);
	GElf_Shdr header;
	GElf_Sym sym;
	bool found = false;

	buf[0] = '\0';
	if (elf && find_symbol(elf, name, &sym)) {
		Elf_Scn *scn = elf_getscn(elf, sym.st_shndx);
		const Elf_Data *data = scn && gelf_getshdr(scn, &header) &&
				       header.sh_type != SHT_NOBITS ? elf_rawdata(scn, NULL) : NULL;
		uint64_t at = sym.st_value - (data ? header.sh_addr : 0);
		found = data && data->d_buf && at < data->d_size;
		if (found)
			snprintf(buf, size, "%.*s", (int)min_u64(data->d_size - at, size - 1),
				 (const char *)data->d_buf + at);
	}
	elf_end(elf);
	return found && *buf;
}
