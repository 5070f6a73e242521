// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unpacking of .ko.gz, .ko.xz, .ko.zst and of kernels compressed as a whole or inside a bzImage.
 * The format is told by its first bytes, never by the name. What comes out goes to a temporary file
 * without a name (a vmlinux has hundreds of megabytes), bounded in size.
 *
 * A bzImage says where its payload is (setup header, Documentation/arch/x86/boot.rst, protocol
 * 2.08): payload_offset at 0x248 counts from the end of the setup sectors, whose number is at
 * 0x1f1; payload_length at 0x24c includes 4 bytes behind it, the unpacked size.
 */
#include "symbols/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/bytes.h"

enum {
	OUT_CHUNK = 1 << 20,
	LZMA_MEMORY_MAX = 512 << 20,
	/* Deflate cannot do better than 1032 to 1. */
	DEFLATE_RATIO_MAX = 1032,
	BZIMAGE_MAGIC_AT = 0x202,
	BZIMAGE_SETUP_SECTS = 0x1f1,
	BZIMAGE_VERSION = 0x206,
	BZIMAGE_PAYLOAD_OFFSET = 0x248,
	BZIMAGE_PAYLOAD_LENGTH = 0x24c,
	SECTOR = 512,
	LZ4_BLOCK = 8 << 20, /* LEGACY_BLOCKSIZE, lz4/programs/lz4io.c */
};

static const uint64_t unpacked_max = UINT64_C(8) << 30;

struct unpacker {
	const uint8_t *data;
	size_t size;
	int out;
	uint64_t written;
};

static int temporary_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* A file system without O_TMPFILE: memory will do. */
	return fd >= 0 ? fd : memfd_create("inquest", MFD_CLOEXEC);
}

static struct error *write_out(struct unpacker *u, const void *data, size_t size)
{
	const uint8_t *from = data;

	if (u->written + size > unpacked_max)
		return error_new(ERROR_FORMAT, "it is larger than any kernel when unpacked");
	while (size) {
		ssize_t n = write(u->out, from, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_new(ERROR_SYSTEM, "cannot write what is unpacked: %s",
					 strerror(errno));
		from += n;
		size -= (size_t)n;
		u->written += (uint64_t)n;
	}
	return NULL;
}

static struct error *damaged(const char *format)
{
	return error_new(ERROR_FORMAT, "its %s data is damaged or cut off", format);
}

/* In one go: the last 4 bytes are the size (RFC 1952, ISIZE). */
static struct error *unpack_gzip(struct unpacker *u)
{
	struct error *err = NULL;
	size_t got = 0;

	if (u->size < 18)
		return damaged("gzip");
	size_t size = load_u32(u->data + u->size - 4);
	if (size / DEFLATE_RATIO_MAX > u->size || ftruncate(u->out, (off_t)size) != 0 || !size)
		return damaged("gzip");
	uint8_t *out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, u->out, 0);
	if (out == MAP_FAILED)
		return error_new(ERROR_SYSTEM, "cannot map what is unpacked: %s", strerror(errno));
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d || libdeflate_gzip_decompress(d, u->data, u->size, out, size, &got) !=
			  LIBDEFLATE_SUCCESS || got != size)
		err = damaged("gzip");
	if (d)
		libdeflate_free_decompressor(d);
	munmap(out, size);
	u->written = size;
	return err;
}

static struct error *unpack_lzma(struct unpacker *u)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	auto_free uint8_t *chunk = xmalloc(OUT_CHUNK);
	struct error *err = NULL;
	lzma_ret ret;

	if (lzma_auto_decoder(&stream, LZMA_MEMORY_MAX, 0) != LZMA_OK)
		return error_new(ERROR_UNSUPPORTED, "the xz decoder cannot be set up");
	stream.next_in = u->data;
	stream.avail_in = u->size;
	do {
		stream.next_out = chunk;
		stream.avail_out = OUT_CHUNK;
		ret = lzma_code(&stream, LZMA_FINISH);
		if (ret == LZMA_OK || ret == LZMA_STREAM_END)
			err = write_out(u, chunk, OUT_CHUNK - stream.avail_out);
	} while (!err && ret == LZMA_OK);
	lzma_end(&stream);
	return err || ret == LZMA_STREAM_END ? err : damaged("xz");
}

static struct error *unpack_zstd(struct unpacker *u)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	auto_free uint8_t *chunk = xmalloc(OUT_CHUNK);
	ZSTD_inBuffer in = { u->data, u->size, 0 };
	struct error *err = NULL;
	size_t left = 1;

	if (!stream)
		return error_new(ERROR_SYSTEM, "the zstd decoder cannot be set up");
	/* The kernel is packed with a window of 128 MB (zstd --ultra -22). */
	ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27);
	/* Until the frame ends: what follows in a bzImage is the size. */
	while (!err && left) {
		ZSTD_outBuffer out = { chunk, OUT_CHUNK, 0 };
		size_t before = in.pos;
		left = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(left) || (left && !out.pos && in.pos == before))
			err = damaged("zstd");
		else
			err = write_out(u, chunk, out.pos);
	}
	ZSTD_freeDStream(stream);
	return err;
}

/* The length that a token's 4 bits begin: 15 goes on in bytes of 255. */
static size_t lz4_length(struct bytes *in, size_t length)
{
	uint8_t more = 255;

	while (length >= 15 && more == 255 && !in->bad) {
		more = bytes_u8(in);
		length += more;
	}
	return length;
}

/* One block (LZ4 block format); false when it is damaged. */
static bool lz4_block(struct bytes *in, uint8_t *out, size_t size, size_t *written)
{
	size_t at = 0;

	while (bytes_left(in)) {
		uint8_t token = bytes_u8(in);
		size_t length = lz4_length(in, token >> 4);
		const void *literals = bytes_take(in, length);
		if (!literals || length > size - at)
			return false;
		memcpy(out + at, literals, length);
		at += length;
		if (!bytes_left(in))
			break;
		size_t distance = bytes_u16(in);
		length = lz4_length(in, token & 15) + 4;
		if (in->bad || !distance || distance > at || length > size - at)
			return false;
		/* Byte by byte: the match may overlap what it makes. */
		for (size_t i = 0; i < length; i++, at++)
			out[at] = out[at - distance];
	}
	*written = at;
	return !in->bad;
}

/* The legacy frame, which `lz4 -l` and so the kernel's build makes: blocks of up to 8 MB. */
static struct error *unpack_lz4(struct unpacker *u)
{
	auto_free uint8_t *out = xmalloc(LZ4_BLOCK);
	struct bytes all = bytes_of(u->data, u->size);
	struct error *err = NULL;

	bytes_seek(&all, 4);
	/* What is left in a bzImage is the size. */
	while (!err && bytes_left(&all) > 4) {
		size_t written, size = bytes_u32(&all);
		const void *data = bytes_take(&all, size);
		struct bytes block = bytes_of(data, data ? size : 0);
		if (!data || !lz4_block(&block, out, LZ4_BLOCK, &written))
			err = damaged("lz4");
		else
			err = write_out(u, out, written);
	}
	return err;
}

struct format {
	const char *magic;
	size_t magic_size;
	struct error *(*unpack)(struct unpacker *u); /* NULL: not supported */
	const char *name;
};

static const struct format formats[] = {
	{ "\x1f\x8b\x08", 3, unpack_gzip, "gzip" },
	{ "\xfd" "7zXZ\0", 6, unpack_lzma, "xz" },
	{ "\x5d\0\0", 3, unpack_lzma, "lzma" },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd, "zstd" },
	{ "BZh", 3, NULL, "bzip2" },
	{ "\x02\x21\x4c\x18", 4, unpack_lz4, "lz4" },
	{ "\x89LZO", 4, NULL, "lzo" },
};

static const struct format *format_of(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < array_size(formats); i++) {
		if (size > formats[i].magic_size &&
		    memcmp(data, formats[i].magic, formats[i].magic_size) == 0)
			return &formats[i];
	}
	return NULL;
}

/* Narrows the input to what a bzImage carries; leaves others alone. */
static bool enter_bzimage(struct unpacker *u)
{
	const uint8_t *d = u->data;

	if (u->size < BZIMAGE_PAYLOAD_LENGTH + 4 || memcmp(d + BZIMAGE_MAGIC_AT, "HdrS", 4) != 0 ||
	    load_u16(d + BZIMAGE_VERSION) < 0x208)
		return false;
	/* 0 means 4, for old loaders. */
	uint64_t sectors = d[BZIMAGE_SETUP_SECTS] ? d[BZIMAGE_SETUP_SECTS] : 4;
	uint64_t start = (sectors + 1) * SECTOR + load_u32(d + BZIMAGE_PAYLOAD_OFFSET);
	uint64_t length = load_u32(d + BZIMAGE_PAYLOAD_LENGTH);
	if (!range_fits(start, length, u->size))
		return false;
	u->data += start;
	u->size = (size_t)length;
	const struct format *format = format_of(u->data, u->size);
	/* gzip has the size at its end anyway; the others' decoders must not see it. */
	if (format && format->unpack == unpack_lzma && u->size > 4)
		u->size -= 4;
	return true;
}

struct error *unpack_bytes(const uint8_t *data, size_t size, int *unpacked)
{
	struct unpacker u = { .data = data, .size = size };

	*unpacked = -1;
	bool image = enter_bzimage(&u);
	const struct format *format = format_of(u.data, u.size);
	if (!format)
		return image ? error_new(ERROR_UNSUPPORTED, "its payload is packed in a way that "
					 "is not known") : NULL;
	if (!format->unpack)
		return error_new(ERROR_UNSUPPORTED, "it is packed with %s: unpack it first",
				 format->name);
	u.out = temporary_file();
	if (u.out < 0)
		return error_new(ERROR_SYSTEM, "no temporary file can be made: %s",
				 strerror(errno));
	struct error *err = format->unpack(&u);
	if (err)
		close(u.out);
	else
		*unpacked = u.out;
	return err;
}

struct error *unpack_file(int fd, int *unpacked)
{
	uint8_t start[BZIMAGE_PAYLOAD_LENGTH + 4];
	struct stat st;

	*unpacked = -1;
	ssize_t n = pread(fd, start, sizeof(start), 0);
	if (n <= 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	bool image = n == (ssize_t)sizeof(start) &&
		     memcmp(start + BZIMAGE_MAGIC_AT, "HdrS", 4) == 0;
	if (!image && !format_of(start, (size_t)n))
		return NULL;
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_new(ERROR_SYSTEM, "cannot map it: %s", strerror(errno));
	struct error *err = unpack_bytes(data, (size_t)st.st_size, unpacked);
	munmap(data, (size_t)st.st_size);
	return err;
}
