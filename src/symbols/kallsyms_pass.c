// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Many names in one pass over the compressed ones, for kernels without an index by name.
 *
 * The wanted names make a trie. An entry is a string of token numbers; how a token moves through
 * the trie from a node is worked out once and remembered, so that an entry costs one table look-up
 * a token, and most entries leave the trie at their first or second token. Nothing is expanded.
 */
#include <stdlib.h>
#include <string.h>

#include "symbols/kallsyms_names.h"

struct node {
	uint16_t child, sibling; /* 0: none */
	uint16_t name;           /* 1 + position of the name that ends here; 0: none */
	uint8_t c;
};

enum {
	START = 0, /* before the type letter; every letter leads to ROOT */
	ROOT = 1,
	NODES_MAX = 0xfff0,
	/* Values of a step: 0 is "not worked out yet". */
	STEP_DEAD = 1,
	STEP_FIRST = 2, /* + node */
};

struct trie {
	struct node *nodes;
	size_t count;
	uint16_t *step; /* [count][256] */
};

static uint16_t find_child(const struct trie *trie, uint16_t node, uint8_t c)
{
	uint16_t child = trie->nodes[node].child;

	while (child && trie->nodes[child].c != c)
		child = trie->nodes[child].sibling;
	return child;
}

/* False when the trie is full. The first of two equal names gets the entry. */
static bool add_name(struct trie *trie, const char *name, size_t which)
{
	uint16_t node = ROOT;

	if (trie->count + strlen(name) > NODES_MAX)
		return false;
	for (; *name; name++) {
		uint16_t child = find_child(trie, node, (uint8_t)*name);
		if (!child) {
			child = (uint16_t)trie->count++;
			trie->nodes[child] = (struct node){ .sibling = trie->nodes[node].child,
							    .c = (uint8_t)*name };
			trie->nodes[node].child = child;
		}
		node = child;
	}
	if (!trie->nodes[node].name)
		trie->nodes[node].name = (uint16_t)(which + 1);
	return true;
}

static uint16_t work_out(const struct trie *trie, const struct kallsyms *k, uint16_t node,
			 unsigned token)
{
	const uint8_t *text = k->tokens + k->token_at[token];

	for (unsigned i = 0; i < k->token_len[token]; i++) {
		if (node == START) {
			node = ROOT;
			continue;
		}
		node = find_child(trie, node, text[i]);
		if (!node)
			return STEP_DEAD;
	}
	return (uint16_t)(STEP_FIRST + node);
}

/* The node that the entry ends at, or START. */
static inline uint16_t run(const struct trie *trie, const struct kallsyms *k, const uint8_t *data,
			   uint32_t len)
{
	uint16_t node = START;

	for (uint32_t i = 0; i < len; i++) {
		uint16_t *step = &trie->step[(size_t)node * KALLSYMS_TOKENS + data[i]];
		if (!*step)
			*step = work_out(trie, k, node, data[i]);
		if (*step == STEP_DEAD)
			return START;
		node = (uint16_t)(*step - STEP_FIRST);
	}
	return node;
}

static void pass(const struct trie *trie, const struct kallsyms *k, uint32_t *found, size_t left)
{
	uint32_t at = 0, data = 0, len;

	kallsyms_need(k, k->names, k->names_size);
	for (uint32_t i = 0; i < k->count && left; i++) {
		if (i % KALLSYMS_MARKER_STEP == 0)
			at = k->markers[i / KALLSYMS_MARKER_STEP];
		len = kallsyms_entry(k, at, &data);
		if (!len) {
			i |= KALLSYMS_MARKER_STEP - 1;
			continue;
		}
		at = data + len;
		uint16_t node = run(trie, k, k->names + data, len);
		if (node == START || !trie->nodes[node].name ||
		    !kallsyms_there(k, k->names + data, len))
			continue;
		uint16_t which = (uint16_t)(trie->nodes[node].name - 1);
		if (found[which] == UINT32_MAX) {
			found[which] = i;
			left--;
		}
	}
}

/* As many of the names as fit in a trie; returns how many. */
static size_t pass_some(const struct kallsyms *k, const char *const *names, size_t n,
			uint32_t *found)
{
	struct trie trie = { .count = ROOT + 1 };
	size_t nodes = ROOT + 1, used = 0;

	while (used < n && nodes + strlen(names[used]) <= NODES_MAX)
		nodes += strlen(names[used++]);
	trie.nodes = xcalloc(nodes, sizeof(*trie.nodes));
	for (size_t i = 0; i < used; i++)
		(void)add_name(&trie, names[i], i);
	trie.step = xcalloc(trie.count * KALLSYMS_TOKENS, sizeof(*trie.step));
	pass(&trie, k, found, used);
	free(trie.nodes);
	free(trie.step);
	return used;
}

void kallsyms_pass_names(const struct kallsyms *k, const char *const *names, size_t n,
			 uint32_t *found)
{
	for (size_t done = 0, some; done < n; done += some) {
		some = pass_some(k, names + done, n - done, found + done);
		if (!some) /* a name of 64 K characters is no symbol's */
			some = 1;
	}
}
