// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The index of names as a piece of memory and as a file; see the header for its form.
 *
 * A file is believed when its header's checksum is right and it says to be of the same debug file;
 * then each block when its checksum is. Numbers are bounded all the same: checksums tell damage,
 * not malice. A damaged block makes the whole index useless, which is said and remedied by who
 * asked (it makes a new one).
 */
#include "types/index_file.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

#define INDEX_MAGIC   "InqIndex"
#define INDEX_VERSION 1 /* to be raised with each change of the form or of what is gathered */
#define BLOCK         65536
#define FILE_SIZE_MAX (1u << 30)
/* About eight entries a bucket. */
#define BUCKET_BITS_MIN 4
#define BUCKET_BITS_MAX 20

struct header {
	char magic[8];
	uint32_t version;
	uint32_t entry_count;
	uint64_t checksum; /* of the header with 0 here, and of the blocks' checksums */
	uint64_t size;     /* of all */
	uint32_t unit_count[2];
	uint32_t bucket_bits;
	uint32_t spare;
	struct index_identity identity;
};

struct block {
	_Atomic bool sound;
};

struct index_image {
	uint8_t *bytes;
	size_t size;
	bool mapped;
	_Atomic bool damaged;
	struct block *checked;
	struct header header;
	size_t payload; /* where it begins */
};

uint32_t index_hash(const char *name)
{
	return (uint32_t)XXH3_64bits(name, strlen(name));
}

/* Within the payload; behind the buckets. */
static size_t entries_at(const struct header *h)
{
	return (((size_t)1 << h->bucket_bits) + 1) * 4;
}

static size_t payload_size(const struct header *h)
{
	return entries_at(h) + (size_t)h->entry_count * sizeof(struct index_entry) +
	       ((size_t)h->unit_count[0] + h->unit_count[1]) * 4;
}

static size_t block_count(size_t payload)
{
	return (payload + BLOCK - 1) / BLOCK;
}

static uint64_t header_checksum(const uint8_t *bytes, size_t blocks)
{
	struct header h;

	memcpy(&h, bytes, sizeof(h));
	h.checksum = 0;
	return XXH3_64bits_withSeed(bytes + sizeof(h), blocks * 8, XXH3_64bits(&h, sizeof(h)));
}

static uint64_t block_checksum(const uint8_t *bytes, size_t payload, size_t size, size_t i)
{
	size_t at = payload + i * BLOCK;

	return XXH3_64bits(bytes + at, size - at < BLOCK ? size - at : BLOCK);
}

/* --- Making --- */

void index_image_seal(uint8_t *bytes, size_t size)
{
	struct header h;

	if (size < sizeof(h))
		return;
	memcpy(&h, bytes, sizeof(h));
	if (h.bucket_bits > BUCKET_BITS_MAX)
		return;
	size_t blocks = block_count(payload_size(&h));
	if (size != sizeof(h) + blocks * 8 + payload_size(&h))
		return;
	for (size_t i = 0; i < blocks; i++) {
		uint64_t sum = block_checksum(bytes, sizeof(h) + blocks * 8, size, i);
		memcpy(bytes + sizeof(h) + i * 8, &sum, 8);
	}
	h.checksum = header_checksum(bytes, blocks);
	memcpy(bytes, &h, sizeof(h));
}

static int compare_entries(const void *left, const void *right)
{
	const struct index_entry *a = left, *b = right;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int compare_hashes(const void *left, const void *right)
{
	const struct index_entry *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return compare_entries(left, right);
}

/* Into buckets first, in one pass: they are small then, and quickly sorted. */
static void sort_entries(const struct index_entry *entries, size_t count, unsigned bits,
			 uint32_t *bucket, struct index_entry *sorted)
{
	size_t buckets = (size_t)1 << bits;
	uint32_t *at = xcalloc(buckets + 1, sizeof(*at));

	for (size_t i = 0; i < count; i++)
		at[(entries[i].hash >> (32 - bits)) + 1]++;
	for (size_t b = 0; b < buckets; b++)
		at[b + 1] += at[b];
	memcpy(bucket, at, (buckets + 1) * sizeof(*at));
	for (size_t i = 0; i < count; i++)
		sorted[at[entries[i].hash >> (32 - bits)]++] = entries[i];
	for (size_t b = 0; b < buckets; b++)
		qsort(sorted + bucket[b], bucket[b + 1] - bucket[b], sizeof(*sorted),
		      compare_hashes);
	free(at);
}

struct index_image *index_image_make(const struct index_identity *identity,
				     struct index_entry *entries, size_t count,
				     const struct index_units units[2])
{
	struct header h = { .version = INDEX_VERSION,
			    .entry_count = (uint32_t)count,
			    .unit_count = { (uint32_t)units[0].count, (uint32_t)units[1].count } };

	h.bucket_bits = BUCKET_BITS_MIN;
	while (h.bucket_bits < BUCKET_BITS_MAX && count >> (h.bucket_bits + 3))
		h.bucket_bits++;
	memcpy(h.magic, INDEX_MAGIC, sizeof(h.magic));
	/* Member by member: bytes behind the string's end are checksummed too. */
	snprintf(h.identity.build_id, sizeof(h.identity.build_id), "%s", identity->build_id);
	h.identity.info_size = identity->info_size;
	h.identity.abbrev_size = identity->abbrev_size;
	h.identity.str_size = identity->str_size;
	h.identity.alt_size = identity->alt_size;
	size_t blocks = block_count(payload_size(&h));
	size_t payload = sizeof(h) + blocks * 8;
	h.size = payload + payload_size(&h);

	uint8_t *bytes = xcalloc(1, (size_t)h.size);
	uint32_t *bucket = (uint32_t *)(void *)(bytes + payload);
	struct index_entry *sorted = (void *)(bytes + payload + entries_at(&h));
	sort_entries(entries, count, h.bucket_bits, bucket, sorted);
	uint32_t *starts = (uint32_t *)(void *)(sorted + count);
	for (unsigned file = 0; file < 2; file++) {
		if (units[file].count)
			memcpy(starts, units[file].data, units[file].count * 4);
		starts += units[file].count;
	}
	memcpy(bytes, &h, sizeof(h));
	index_image_seal(bytes, (size_t)h.size);

	struct index_image *image = xcalloc(1, sizeof(*image));
	image->bytes = bytes;
	image->size = (size_t)h.size;
	memcpy(&image->header, bytes, sizeof(image->header));
	image->payload = payload;
	image->checked = xcalloc(blocks + 1, sizeof(*image->checked));
	for (size_t i = 0; i < blocks; i++)
		atomic_store(&image->checked[i].sound, true);
	return image;
}

/* --- Reading --- */

void index_image_close(struct index_image *image)
{
	if (!image)
		return;
	if (image->mapped)
		munmap(image->bytes, image->size);
	else
		free(image->bytes);
	free(image->checked);
	free(image);
}

static bool same_identity(const struct index_identity *a, const struct index_identity *b)
{
	return strncmp(a->build_id, b->build_id, sizeof(a->build_id)) == 0 &&
	       a->info_size == b->info_size && a->abbrev_size == b->abbrev_size &&
	       a->str_size == b->str_size && a->alt_size == b->alt_size;
}

static struct error *check_header(const uint8_t *bytes, size_t size,
				  const struct index_identity *identity, struct header *h)
{
	if (size < sizeof(*h))
		return error_new(ERROR_FORMAT, "too short");
	memcpy(h, bytes, sizeof(*h));
	if (memcmp(h->magic, INDEX_MAGIC, sizeof(h->magic)) != 0)
		return error_new(ERROR_FORMAT, "no index");
	if (h->version != INDEX_VERSION)
		return error_new(ERROR_UNSUPPORTED, "version %u", h->version);
	if (h->bucket_bits < BUCKET_BITS_MIN || h->bucket_bits > BUCKET_BITS_MAX)
		return error_new(ERROR_FORMAT, "damaged");
	size_t blocks = block_count(payload_size(h));
	if (h->size != size || size != sizeof(*h) + blocks * 8 + payload_size(h))
		return error_new(ERROR_FORMAT, "has %zu bytes", size);
	if (header_checksum(bytes, blocks) != h->checksum)
		return error_new(ERROR_FORMAT, "wrong checksum");
	if (!same_identity(&h->identity, identity))
		return error_new(ERROR_NOT_FOUND, "of another file");
	return NULL;
}

static struct error *parse(uint8_t *bytes, size_t size, bool mapped,
			   const struct index_identity *identity, struct index_image **ret)
{
	struct index_image *image = xcalloc(1, sizeof(*image));
	struct error *err = check_header(bytes, size, identity, &image->header);

	image->bytes = bytes;
	image->size = size;
	image->mapped = mapped;
	if (err) {
		index_image_close(image);
		return err;
	}
	size_t blocks = block_count(payload_size(&image->header));
	image->payload = sizeof(image->header) + blocks * 8;
	image->checked = xcalloc(blocks + 1, sizeof(*image->checked));
	*ret = image;
	return NULL;
}

struct error *index_image_parse(uint8_t *bytes, size_t size, const struct index_identity *identity,
				struct index_image **image)
{
	return parse(bytes, size, false, identity, image);
}

/* The bytes [@at, @at + @length) of the payload, if the blocks that they are in are sound. */
static const void *sound(struct index_image *image, size_t at, size_t length)
{
	if (!range_fits(at, length, image->size - image->payload))
		return NULL;
	for (size_t i = at / BLOCK; length && i <= (at + length - 1) / BLOCK; i++) {
		if (atomic_load_explicit(&image->checked[i].sound, memory_order_relaxed))
			continue;
		uint64_t sum = block_checksum(image->bytes, image->payload, image->size, i);
		if (sum != load_u64(image->bytes + sizeof(image->header) + i * 8)) {
			atomic_store(&image->damaged, true);
			return NULL;
		}
		atomic_store_explicit(&image->checked[i].sound, true, memory_order_relaxed);
	}
	return image->bytes + image->payload + at;
}

/* The first of the @n sorted entries whose hash is at least @hash. */
static size_t lower_bound(const struct index_entry *entries, size_t n, uint64_t hash)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		if (entries[middle].hash < hash)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

size_t index_image_find(struct index_image *image, uint32_t hash,
			const struct index_entry **entries)
{
	unsigned bits = image->header.bucket_bits;
	const uint8_t *bounds = sound(image, (size_t)(hash >> (32 - bits)) * 4, 8);

	if (!bounds)
		return 0;
	uint32_t start = load_u32(bounds), end = load_u32(bounds + 4);
	if (start > end || end > image->header.entry_count)
		return 0;
	const struct index_entry *all =
		sound(image, entries_at(&image->header) + (size_t)start * sizeof(*all),
		      (size_t)(end - start) * sizeof(*all));
	if (!all)
		return 0;
	size_t first = lower_bound(all, end - start, hash);
	size_t last = lower_bound(all, end - start, (uint64_t)hash + 1);
	*entries = all + first;
	return last > first ? last - first : 0;
}

bool index_image_units(struct index_image *image, unsigned file, const uint32_t **starts,
		       size_t *count)
{
	const struct header *h = &image->header;
	size_t at = entries_at(h) + (size_t)h->entry_count * sizeof(struct index_entry) +
		    (file ? (size_t)h->unit_count[0] * 4 : 0);

	*count = h->unit_count[file];
	*starts = sound(image, at, *count * 4);
	return *starts;
}

bool index_image_damaged(const struct index_image *image)
{
	return atomic_load(&image->damaged);
}

size_t index_image_size(const struct index_image *image)
{
	return image->size;
}

/* --- Files --- */

/* The folder, without creating it; false when there is no home for it. */
static bool cache_folder(char *buf, size_t size, bool create)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	/* The XDG specification: relative paths are to be ignored. */
	if (base && *base == '/')
		n = snprintf(buf, size, "%s", base);
	else if (home && *home == '/')
		n = snprintf(buf, size, "%s/.cache", home);
	else
		return false;
	if (n < 0 || (size_t)n >= size)
		return false;
	if (create)
		(void)mkdir(buf, 0700);
	int more = snprintf(buf + n, size - (size_t)n, "/inquest");
	if (more < 0 || (size_t)(n + more) >= size)
		return false;
	if (create)
		(void)mkdir(buf, 0700);
	return true;
}

static bool cache_path(const struct index_identity *identity, bool create, char *buf, size_t size)
{
	const char *id = identity->build_id;
	char folder[3800];

	if (strlen(id) < 8 || id[strspn(id, "0123456789abcdef")] ||
	    !cache_folder(folder, sizeof(folder), create))
		return false;
	int n = snprintf(buf, size, "%s/%s.types", folder, id);
	return n > 0 && (size_t)n < size;
}

struct index_image *index_file_load(const struct index_identity *identity)
{
	struct index_image *image = NULL;
	char path[4096];
	struct stat st;

	if (!cache_path(identity, false, path, sizeof(path)))
		return NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= FILE_SIZE_MAX) {
		void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (bytes != MAP_FAILED)
			error_free(parse(bytes, (size_t)st.st_size, true, identity, &image));
	}
	close(fd);
	return image;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

bool index_file_save(const struct index_image *image)
{
	char path[4096], temporary[4128];

	if (image->size > FILE_SIZE_MAX ||
	    !cache_path(&image->header.identity, true, path, sizeof(path)))
		return false;
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = write_all(fd, image->bytes, image->size);
	good = close(fd) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	unlink(temporary);
	return false;
}

void index_file_remove(const struct index_identity *identity)
{
	char path[4096];

	if (cache_path(identity, false, path, sizeof(path)))
		unlink(path);
}
