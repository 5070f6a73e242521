// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With CONFIG_IKCONFIG the kernel (or its module "configs") has its .config, compressed by gzip,
 * between the marks "IKCFG_ST" and "IKCFG_ED" (kernel/configs.c, scripts/bin2c before 5.1). The
 * symbol kernel_config_data stands behind the first mark, or before it on old kernels.
 */
#include "kernel/config.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/system.h"

enum { PACKED_MAX = 1 << 20, TEXT_MAX = 8 << 20, MARK_SIZE = 8 };

void config_unpack(const uint8_t *bytes, size_t size, struct config_text *text)
{
	bool marked = size > MARK_SIZE && memcmp(bytes, "IKCFG_ST", MARK_SIZE) == 0;
	size_t skip = marked ? MARK_SIZE : 0;
	const uint8_t *end = NULL;
	if (size > skip)
		end = memmem(bytes + skip, size - skip, "IKCFG_ED", MARK_SIZE);
	struct libdeflate_decompressor *d = end ? libdeflate_alloc_decompressor() : NULL;
	size_t got;

	*text = (struct config_text){ 0 };
	if (!d)
		return;
	char *data = xmalloc(TEXT_MAX + 1);
	size_t packed = (size_t)(end - bytes) - skip;
	if (libdeflate_gzip_decompress(d, bytes + skip, packed, data, TEXT_MAX, &got) ==
	    LIBDEFLATE_SUCCESS) {
		data = xrealloc(data, got + 1);
		data[got] = '\0';
		for (size_t i = 0; i < got; i++) {
			if (data[i] == '\n')
				data[i] = '\0';
		}
		*text = (struct config_text){ data, got };
	} else {
		free(data);
	}
	libdeflate_free_decompressor(d);
}

const char *config_find(const struct config_text *text, const char *name)
{
	size_t length = strlen(name);

	if (!text->data)
		return NULL;
	for (const char *line = text->data; line < text->data + text->size;
	     line += strlen(line) + 1) {
		if (strncmp(line, name, length) == 0 && line[length] == '=')
			return line + length + 1;
	}
	return NULL;
}

static void destroy_text(void *data)
{
	struct config_text *text = data;

	free(text->data);
	free(text);
}

static const struct config_text *config_of(struct session *s)
{
	static const char *const names[] = { "kernel_config_data", "configs:kernel_config_data" };
	struct config_text *text = s->slot[SLOT_CONFIG].data;
	uint64_t start = 0;

	if (text)
		return text;
	text = xcalloc(1, sizeof(*text));
	s->slot[SLOT_CONFIG].data = text;
	s->slot[SLOT_CONFIG].destroy = destroy_text;
	for (size_t i = 0; !start && s->symbols && i < array_size(names); i++)
		start = symbols_address(s->symbols, names[i]);
	if (!start)
		return text;
	auto_free uint8_t *bytes = xmalloc(PACKED_MAX);
	config_unpack(bytes, memory_read_some(s->memory, start, bytes, PACKED_MAX), text);
	return text;
}

bool kernel_config_known(struct session *s)
{
	return config_of(s)->data;
}

const char *kernel_config(struct session *s, const char *name)
{
	const char *value = config_find(config_of(s), name);
	size_t length = value ? strlen(value) : 0;

	return length >= 2 && *value == '"' ? arena_strndup(&s->arena, value + 1, length - 2) : value;
}

static bool read_file(const char *path, struct arena *arena, struct config_text *text)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	text->data = arena_alloc(arena, TEXT_MAX + 1);
	text->size = fread(text->data, 1, TEXT_MAX, file);
	text->data[text->size] = '\0';
	(void)fclose(file);
	/* Any file may be given; one without an option is not what was meant. */
	return memmem(text->data, text->size, "CONFIG_", strlen("CONFIG_"));
}

struct error *kernel_config_text(struct session *s, const char *file, struct arena *arena,
				 struct config_text *text, const char **source)
{
	static const char *const places[] = {
		"/boot/config-%s", "/usr/lib/debug/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	struct system_info *info = arena_zalloc(arena, sizeof(*info));

	*text = (struct config_text){ 0 };
	if (file) {
		*source = arena_strdup(arena, file);
		if (read_file(file, arena, text))
			return NULL;
		return error_new(ERROR_NOT_FOUND, "%s is not a kernel's configuration, or cannot be "
				 "read", file);
	}
	if (kernel_config_known(s)) {
		*text = *config_of(s);
		*source = "the dump";
		return NULL;
	}
	system_info(s, info);
	/* It comes from the dump: no path of its own. */
	bool usable = info->release[0] && !strchr(info->release, '/');
	for (size_t i = 0; usable && i < array_size(places); i++) {
		const char *path = strchr(places[i], '%');
		path = arena_printf(arena, "%.*s%s%s", (int)(path - places[i]), places[i],
				    info->release, path + 2);
		*source = path;
		if (read_file(path, arena, text))
			return NULL;
	}
	return error_new(ERROR_MISSING, "the kernel does not carry its configuration "
			 "(CONFIG_IKCONFIG), and there is no /boot/config-%s here: "
			 "sys config -f FILE", info->release);
}
