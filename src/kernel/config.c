// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With CONFIG_IKCONFIG the kernel (or its module "configs") has its .config, compressed by gzip,
 * between the marks "IKCFG_ST" and "IKCFG_ED" (kernel/configs.c, scripts/bin2c before 5.1). The
 * symbol kernel_config_data stands behind the first mark, or before it on old kernels.
 */
#include "kernel/config.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum { PACKED_MAX = 1 << 20, TEXT_MAX = 8 << 20, MARK_SIZE = 8 };

struct config_state {
	char *text; /* lines are NUL-terminated; NULL: the kernel does not tell */
	size_t size;
};

static void destroy_state(void *data)
{
	struct config_state *state = data;

	free(state->text);
	free(state);
}

/* The packed bytes; the caller frees them. */
static uint8_t *read_packed(struct session *s, size_t *size)
{
	static const char *const names[] = { "kernel_config_data", "configs:kernel_config_data" };
	uint64_t start = 0;

	for (size_t i = 0; !start && s->symbols && i < array_size(names); i++)
		start = symbols_address(s->symbols, names[i]);
	if (!start)
		return NULL;
	uint8_t *bytes = xmalloc(PACKED_MAX);
	size_t n = memory_read_some(s->memory, start, bytes, PACKED_MAX);
	size_t skip = n > MARK_SIZE && memcmp(bytes, "IKCFG_ST", MARK_SIZE) == 0 ? MARK_SIZE : 0;
	const uint8_t *end = n > skip ? memmem(bytes + skip, n - skip, "IKCFG_ED", MARK_SIZE) : NULL;
	if (!end) {
		free(bytes);
		return NULL;
	}
	*size = (size_t)(end - bytes) - skip;
	memmove(bytes, bytes + skip, *size);
	return bytes;
}

static void unpack(struct session *s, struct config_state *state)
{
	size_t packed = 0, got;
	auto_free uint8_t *bytes = read_packed(s, &packed);
	struct libdeflate_decompressor *d = bytes ? libdeflate_alloc_decompressor() : NULL;

	if (!d)
		return;
	state->text = xmalloc(TEXT_MAX + 1);
	if (libdeflate_gzip_decompress(d, bytes, packed, state->text, TEXT_MAX, &got) ==
	    LIBDEFLATE_SUCCESS) {
		state->text = xrealloc(state->text, got + 1);
		state->text[got] = '\0';
		state->size = got;
		for (size_t i = 0; i < got; i++) {
			if (state->text[i] == '\n')
				state->text[i] = '\0';
		}
	} else {
		free(state->text);
		state->text = NULL;
	}
	libdeflate_free_decompressor(d);
}

static const struct config_state *config_of(struct session *s)
{
	struct config_state *state = s->slot[SLOT_CONFIG].data;

	if (!state) {
		state = xcalloc(1, sizeof(*state));
		s->slot[SLOT_CONFIG].data = state;
		s->slot[SLOT_CONFIG].destroy = destroy_state;
		unpack(s, state);
	}
	return state;
}

bool kernel_config_known(struct session *s)
{
	return config_of(s)->text;
}

const char *kernel_config(struct session *s, const char *name)
{
	const struct config_state *state = config_of(s);
	size_t length = strlen(name);

	if (!state->text)
		return NULL;
	for (const char *line = state->text; line < state->text + state->size;
	     line += strlen(line) + 1) {
		if (strncmp(line, name, length) != 0 || line[length] != '=')
			continue;
		const char *value = line + length + 1;
		size_t n = strlen(value);
		if (n >= 2 && *value == '"')
			return arena_strndup(&s->arena, value + 1, n - 2);
		return value;
	}
	return NULL;
}
