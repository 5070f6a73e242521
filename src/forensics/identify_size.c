// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Structs that others are built around by beginning with them (tcp_sock begins with inet_sock, that
 * with sock) all fit where the largest does. But some of them lead to a description of their kind
 * in which the kernel keeps the size to allocate: struct proto for sockets, request_sock_ops for
 * requests (include/net/sock.h, request_sock.h).
 */
#include "forensics/identify_search.h"

static const struct {
	const char *inner, *member;     /* a pointer in it ... */
	const char *described, *length; /* ... to this, where the size is */
} rows[] = {
	{ "sock", "__sk_common.skc_prot", "proto", "obj_size" },
	{ "request_sock", "rsk_ops", "request_sock_ops", "obj_size" },
};

_Static_assert(array_size(rows) == array_size(((struct search *)0)->told), "a slot for each row");

#define TOLD_RIGHT 6.0
#define TOLD_WRONG -6.0
#define SIZE_MAX_TOLD (1 << 16)

double identify_size_told(struct search *q, uint32_t id, uint64_t base)
{
	struct session *s = q->id->session;
	uint64_t to;

	if (base != q->view.start)
		return 0;
	for (size_t i = 0; i < array_size(rows); i++) {
		uint32_t inner = id_struct_named(q->id->types, rows[i].inner);
		if (inner == ID_NONE || !id_struct_holds(q->id->types, id, 0, inner))
			continue;
		struct size_told *told = &q->told[i];
		if (!told->asked) {
			told->asked = true;
			told->known = kread(s, base, rows[i].inner, rows[i].member, &to) &&
				      s->arch->is_kernel_address(to) &&
				      kread(s, to, rows[i].described, rows[i].length,
					    &told->size) &&
				      told->size >= 64 && told->size < SIZE_MAX_TOLD;
		}
		if (told->known)
			return told->size == id_struct_at(q->id->types, id)->size ? TOLD_RIGHT
										 : TOLD_WRONG;
	}
	return 0;
}
