// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Network devices: net.dev_base_head lists them; each has its IPv4 addresses by ip_ptr (struct
 * in_device, a chain of struct in_ifaddr) and its IPv6 addresses by ip6_ptr (a list of struct
 * inet6_ifaddr). Neighbours are in hash tables, of all namespaces in one (net/core/neighbour.c):
 * chains by their next until 6.12, struct hlist_head since.
 *
 * Sockets: a file of the file system "sockfs" has its struct socket as private_data.
 */
#include "kernel/net.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lists.h"

enum { HASH_SHIFT_MAX = 24, HARDWARE_MAX = 32 };

uint64_t net_namespace(struct session *s, const struct task *task)
{
	uint64_t proxy, namespace;

	if (!task)
		return s->symbols ? symbols_address(s->symbols, "init_net") : 0;
	return kread(s, task->address, "task_struct", "nsproxy", &proxy) && proxy &&
			       kread(s, proxy, "nsproxy", "net_ns", &namespace)
		       ? namespace : 0;
}

static void hardware_text(const uint8_t *bytes, uint64_t length, char *buf, size_t size)
{
	size_t at = 0;

	if (size)
		buf[0] = '\0';
	for (uint64_t i = 0; i < length && i < HARDWARE_MAX && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%02x", i ? ":" : "", bytes[i]);
}

static void ip_text(const uint8_t *bytes, bool ipv6, char *buf, size_t size)
{
	if (!inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, buf, (socklen_t)size))
		snprintf(buf, size, "?");
}

/* --- Devices --- */

static void read_device(struct session *s, uint64_t at, struct net_device *d)
{
	uint8_t bytes[HARDWARE_MAX];
	uint64_t length, address;

	*d = (struct net_device){ .address = at };
	d->incomplete |= !kread_string(s, at, "net_device", "name", d->name, sizeof(d->name));
	d->incomplete |= !kread(s, at, "net_device", "ifindex", &d->index);
	d->incomplete |= !kread(s, at, "net_device", "mtu", &d->mtu);
	d->incomplete |= !kread(s, at, "net_device", "flags", &d->flags);
	d->incomplete |= !kread(s, at, "net_device", "type", &d->type);
	if (!kread(s, at, "net_device", "addr_len", &length) ||
	    !kread(s, at, "net_device", "dev_addr", &address) || length > HARDWARE_MAX ||
	    (length && memory_read(s->memory, address, bytes, length) != READ_OK))
		d->incomplete = true;
	else
		hardware_text(bytes, length, d->hardware_address, sizeof(d->hardware_address));
}

void net_devices_each(struct session *s, uint64_t namespace, struct walk_trouble *trouble,
		      net_device_fn fn, void *ctx)
{
	uint64_t head, offset, link;
	struct list_walk walk;
	struct net_device device;

	if (!namespace || !koffset(s, "net", "dev_base_head", &head) ||
	    !koffset(s, "net_device", "dev_list", &offset)) {
		walk_trouble_add(trouble, "the network namespace is not known");
		return;
	}
	list_walk_from_head(&walk, s, LIST_DOUBLE, namespace + head);
	while (!session_stopped(s) && list_walk_step(&walk, &link)) {
		read_device(s, link - offset, &device);
		fn(ctx, &device);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}

static void each_ipv4(struct session *s, uint64_t device, struct walk_trouble *trouble,
		      net_address_fn fn, void *ctx)
{
	uint64_t in_device, at, head, prefix, offset;
	struct list_walk walk;
	uint8_t bytes[4];
	char ip[64], text[80];

	enum kread_status status = kread_status(s, device, "net_device", "ip_ptr", &in_device);
	if (status == KREAD_HOLE)
		walk_trouble_add(trouble, "the net_device at %" PRIx64 " is not in the dump", device);
	if (!in_device || !koffset(s, "in_device", "ifa_list", &head) ||
	    !koffset(s, "in_ifaddr", "ifa_local", &offset))
		return;
	list_walk_from_head(&walk, s, LIST_SINGLE, in_device + head);
	walk.only_null_ends = true;
	koffset(s, "in_ifaddr", "ifa_next", &walk.next_offset);
	while (list_walk_step(&walk, &at)) {
		if (memory_read(s->memory, at + offset, bytes, sizeof(bytes)) != READ_OK ||
		    !kread(s, at, "in_ifaddr", "ifa_prefixlen", &prefix)) {
			walk_trouble_add(trouble, "the in_ifaddr at %" PRIx64 " is not in the dump", at);
			continue;
		}
		ip_text(bytes, false, ip, sizeof(ip));
		snprintf(text, sizeof(text), "%s/%" PRIu64, ip, prefix);
		fn(ctx, text);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "IPv4 addresses: %s", walk.trouble.text);
	list_walk_fini(&walk);
}

static void each_ipv6(struct session *s, uint64_t device, struct walk_trouble *trouble,
		      net_address_fn fn, void *ctx)
{
	uint64_t idev, head, offset, addr, prefix, link;
	struct list_walk walk;
	uint8_t bytes[16];
	char ip[64], text[80];

	enum kread_status status = kread_status(s, device, "net_device", "ip6_ptr", &idev);
	if (status == KREAD_HOLE)
		walk_trouble_add(trouble, "the net_device at %" PRIx64 " is not in the dump", device);
	if (!idev)
		return;
	/* With IPv6 as a module its types are in that. */
	if (!koffset(s, "inet6_dev", "addr_list", &head)) {
		types_load_modules(s->types);
		if (!koffset(s, "inet6_dev", "addr_list", &head))
			return;
	}
	if (!koffset(s, "inet6_ifaddr", "if_list", &offset) ||
	    !koffset(s, "inet6_ifaddr", "addr", &addr))
		return;
	list_walk_from_head(&walk, s, LIST_DOUBLE, idev + head);
	while (list_walk_step(&walk, &link)) {
		if (memory_read(s->memory, link - offset + addr, bytes, sizeof(bytes)) != READ_OK ||
		    !kread(s, link - offset, "inet6_ifaddr", "prefix_len", &prefix)) {
			walk_trouble_add(trouble, "the inet6_ifaddr at %" PRIx64 " is not in the "
					 "dump", link - offset);
			continue;
		}
		ip_text(bytes, true, ip, sizeof(ip));
		snprintf(text, sizeof(text), "%s/%" PRIu64, ip, prefix);
		fn(ctx, text);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "IPv6 addresses: %s", walk.trouble.text);
	list_walk_fini(&walk);
}

void net_addresses_each(struct session *s, uint64_t device, struct walk_trouble *trouble,
			net_address_fn fn, void *ctx)
{
	each_ipv4(s, device, trouble, fn, ctx);
	each_ipv6(s, device, trouble, fn, ctx);
}

/* --- Neighbours --- */

/* include/uapi/linux/neighbour.h */
static void nud_text(uint64_t state, char *buf, size_t size)
{
	static const char *const names[] = { "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE",
					     "FAILED", "NOARP", "PERMANENT" };
	size_t at = (size_t)snprintf(buf, size, "%s", state ? "" : "NONE");

	for (size_t i = 0; i < array_size(names) && at < size; i++) {
		if (state >> i & 1)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "|" : "", names[i]);
	}
}

static void read_neighbour(struct session *s, uint64_t at, bool ipv6, struct neighbour *n)
{
	uint64_t key, hardware, length = 0;
	uint8_t bytes[HARDWARE_MAX];
	size_t key_length = ipv6 ? 16 : 4;

	*n = (struct neighbour){ .address = at };
	n->incomplete = !koffset(s, "neighbour", "primary_key", &key) ||
			!koffset(s, "neighbour", "ha", &hardware) ||
			!kread(s, at, "neighbour", "nud_state", &n->state) ||
			!kread(s, at, "neighbour", "dev", &n->device) ||
			memory_read(s->memory, at + key, bytes, key_length) != READ_OK;
	if (n->incomplete)
		return;
	ip_text(bytes, ipv6, n->ip, sizeof(n->ip));
	nud_text(n->state, n->state_name, sizeof(n->state_name));
	n->incomplete |= !kread(s, n->device, "net_device", "type", &n->hardware_type);
	n->incomplete |= !kread_string(s, n->device, "net_device", "name", n->device_name,
				       sizeof(n->device_name));
	n->incomplete |= !kread(s, n->device, "net_device", "addr_len", &length);
	if (length > HARDWARE_MAX || (length && memory_read(s->memory, at + hardware, bytes,
							    length) != READ_OK))
		n->incomplete = true;
	else
		hardware_text(bytes, length, n->hardware_address, sizeof(n->hardware_address));
}

static bool in_namespace(struct session *s, uint64_t device, uint64_t namespace)
{
	uint64_t net;

	/* Without namespaces (CONFIG_NET_NS) there is no such member: all are in the one. */
	return !namespace || !kread(s, device, "net_device", "nd_net.net", &net) ||
	       net == namespace;
}

void neighbours_each(struct session *s, uint64_t namespace, bool ipv6,
		     struct walk_trouble *trouble, neighbour_fn fn, void *ctx)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, ipv6 ? "nd_tbl" : "arp_tbl") : 0;
	uint64_t hash, heads, shift, member = 0, link;
	struct neighbour neighbour;
	struct list_walk walk;

	if (!table) /* no such protocol */
		return;
	bool chained = koffset(s, "neigh_hash_table", "hash_heads", &member);
	if (!kread(s, table, "neigh_table", "nht", &hash) ||
	    !kread(s, hash, "neigh_hash_table", "hash_heads|hash_buckets", &heads) ||
	    !kread(s, hash, "neigh_hash_table", "hash_shift", &shift) || shift > HASH_SHIFT_MAX ||
	    !koffset(s, "neighbour", chained ? "hash" : "next", &member)) {
		walk_trouble_add(trouble, "the table of %s neighbours is not in the dump",
				 ipv6 ? "IPv6" : "IPv4");
		return;
	}
	for (uint64_t i = 0; i < UINT64_C(1) << shift && !session_stopped(s); i++) {
		list_walk_from_head(&walk, s, chained ? LIST_HASH : LIST_SINGLE, heads + i * 8);
		walk.only_null_ends = true;
		walk.next_offset = member;
		while (list_walk_step(&walk, &link)) {
			read_neighbour(s, chained ? link - member : link, ipv6, &neighbour);
			if (neighbour.incomplete || in_namespace(s, neighbour.device, namespace))
				fn(ctx, &neighbour);
		}
		if (walk.trouble.count)
			walk_trouble_add(trouble, "bucket %" PRIu64 " of the table: %s", i,
					 walk.trouble.text);
		list_walk_fini(&walk);
	}
}
