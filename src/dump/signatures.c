// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a file is that none of our formats takes: other dumps are called by their name, compressed
 * files are to be decompressed first. Each signature's source is the program in its line.
 */
#include <string.h>

#include "base/bytes.h"
#include "dump/format.h"

struct signature {
	uint32_t offset;
	uint8_t size;
	const char *bytes;
	const char *name;
	enum { DUMP, COMPRESSED, OTHER } kind;
};

#define SIGNATURE(offset, bytes, name, kind)                                                       \
	{                                                                                          \
		offset, sizeof(bytes) - 1, bytes, name, kind                                       \
	}

static const struct signature signatures[] = {
	SIGNATURE(0, "\xed\x23\x8f\x61\x73\x01\x19\xa8", "an LKCD dump", DUMP),
	SIGNATURE(0, "\xa8\x19\x01\x73\x61\x8f\x23\xed", "a big-endian LKCD dump", DUMP),
	SIGNATURE(0, "\xa8\x19\x01\x73\x61\x8f\x23\xfd", "an s390 stand-alone dump", DUMP),
	SIGNATURE(0, "DISKDUMP", "a diskdump of a 2.4 or 2.6 kernel", DUMP),
	SIGNATURE(0, "sadump", "a sadump", DUMP),
	SIGNATURE(0, "sadu", "a Fujitsu stand-alone dump (sadump)", DUMP),
	SIGNATURE(0, "LinuxGuestRecord", "a Xen guest image (xl save)", DUMP),
	SIGNATURE(0, "XenSavedDomain", "a Xen guest image (xl save)", DUMP),
	SIGNATURE(0, "Xen saved domain, xl format\n", "a Xen guest image (xl save)", DUMP),
	SIGNATURE(0, "\xed\xeb\x0f\xf0", "a Xen domain dump (xc_core)", DUMP),
	SIGNATURE(0, "\xee\xeb\x0f\xf0", "a Xen domain dump (xc_core)", DUMP),
	SIGNATURE(0, "\xd0\xbe\xd2\xbe", "a VMware state file (vmss, vmsn)", DUMP),
	SIGNATURE(0, "\xd1\xba\xd1\xba", "a VMware state file (vmss, vmsn)", DUMP),
	SIGNATURE(0, "\xd2\xbe\xd2\xbe", "a VMware state file (vmss, vmsn)", DUMP),
	SIGNATURE(0, "\xd3\xbe\xd3\xbe", "a VMware state file (vmss, vmsn)", DUMP),
	SIGNATURE(0, "LibvirtQemudSave",
		  "a libvirt save file (virsh save, virsh dump "
		  "without --memory-only)",
		  DUMP),
	SIGNATURE(0, "LibvirtQemudPart", "an unfinished libvirt save file", DUMP),
	SIGNATURE(0, "QEVM",
		  "a QEMU machine state (savevm, migration); use "
		  "dump-guest-memory",
		  DUMP),
	SIGNATURE(0, "PAGEDU64", "a Windows crash dump", DUMP),
	SIGNATURE(0, "PAGEDUMP", "a Windows crash dump", DUMP),
	SIGNATURE(0, "MDMP", "a Windows minidump", DUMP),
	SIGNATURE(0, "minidump FreeBSD", "a FreeBSD minidump", DUMP),
	SIGNATURE(0, "EMiL", "a LiME memory image", DUMP),
	SIGNATURE(0, "\x1f\x8b", "gzip", COMPRESSED),
	SIGNATURE(0,
		  "\xfd"
		  "7zXZ\0",
		  "xz", COMPRESSED),
	SIGNATURE(0, "\x28\xb5\x2f\xfd", "zstd", COMPRESSED),
	SIGNATURE(0, "BZh", "bzip2", COMPRESSED),
	SIGNATURE(0, "\x04\x22\x4d\x18", "lz4", COMPRESSED),
	SIGNATURE(0, "\x89LZO\0\r\n\x1a\n", "lzop", COMPRESSED),
	SIGNATURE(0, "PK\3\4", "zip", COMPRESSED),
	SIGNATURE(0, "7z\xbc\xaf\x27\x1c", "7z", COMPRESSED),
	SIGNATURE(257, "ustar", "a tar archive", OTHER),
	SIGNATURE(0, "QFI\xfb", "a qcow2 disk image", OTHER),
	SIGNATURE(0x202, "HdrS", "a kernel image (vmlinuz)", OTHER),
	SIGNATURE(0, "<html", "a web page", OTHER),
	SIGNATURE(0, "<!DOCTYPE", "a web page", OTHER),
};

static bool matches(const struct file_view *view, const struct signature *s)
{
	uint8_t scratch[64];
	const uint8_t *p = view_get(view, s->offset, s->size, scratch);

	return p && memcmp(p, s->bytes, s->size) == 0;
}

/* A dump whose first block was lost, or a sparse file that was never written. */
static bool begins_with_zeroes(const struct file_view *view)
{
	uint8_t head[512], zero[512] = { 0 };

	view_copy(view, 0, head, sizeof(head));
	return memcmp(head, zero, sizeof(head)) == 0;
}

struct error *dump_unknown_format(const struct file_view *view)
{
	if (!view->data_size)
		return error_new(ERROR_FORMAT, "the file is empty");
	for (size_t i = 0; i < array_size(signatures); i++) {
		const struct signature *s = &signatures[i];
		if (!matches(view, s))
			continue;
		if (s->kind == COMPRESSED)
			return error_new(ERROR_UNSUPPORTED,
					 "compressed with %s: decompress it first", s->name);
		if (s->kind == DUMP)
			return error_new(ERROR_UNSUPPORTED, "%s, a format that cannot be read yet",
					 s->name);
		return error_new(ERROR_FORMAT, "not a kernel dump, but %s", s->name);
	}
	if (view->flattened)
		return error_new(ERROR_FORMAT,
				 "flattened dump that does not begin with a header "
				 "of a kdump or an ELF core%s",
				 view->cut_off ? "; it is cut off" : "");
	if (begins_with_zeroes(view))
		return error_new(ERROR_FORMAT, "not a kernel dump: it begins with zeroes, as files "
					       "do that were never finished");
	return error_new(ERROR_FORMAT, "not a kernel dump: neither an ELF core nor "
				       "kdump-compressed");
}
