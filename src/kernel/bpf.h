/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BPF programs and maps. */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

struct bpf_program {
	uint64_t id, address, aux;
	uint64_t type;          /* enum bpf_prog_type */
	char type_name[48];     /* "SOCKET_FILTER" */
	char tag[17], name[17];
	uint64_t instructions;  /* bytes of BPF code */
	uint64_t jited;         /* bytes of machine code; 0: interpreted */
	uint64_t memory;        /* bytes charged for it */
	uint64_t loaded_ns;     /* since boot */
	uint64_t uid;
	bool gpl, uid_known, incomplete;
	uint64_t map_count, map_ids[64];
};
typedef void (*bpf_program_fn)(void *ctx, const struct bpf_program *program);
void bpf_programs_each(struct session *s, struct walk_trouble *trouble, bpf_program_fn fn,
		       void *ctx);

struct bpf_map {
	uint64_t id, address;
	uint64_t type, flags, key_size, value_size, max_entries;
	char type_name[48], name[17];
	bool incomplete;
};
typedef void (*bpf_map_fn)(void *ctx, const struct bpf_map *map);
void bpf_maps_each(struct session *s, struct walk_trouble *trouble, bpf_map_fn fn, void *ctx);
