/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices and their addresses, neighbours, and sockets. */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"
#include "kernel/walk.h"

/* The network namespace of a task; of NULL the first one. 0 unknown. */
uint64_t net_namespace(struct session *s, const struct task *task);

struct net_device {
	uint64_t address;
	char name[17];
	uint64_t index, mtu, flags; /* IFF_UP ... */
	uint64_t type;              /* ARPHRD_... */
	char hardware_address[100]; /* "52:54:00:12:34:56"; "" none */
	bool incomplete;
};
typedef void (*net_device_fn)(void *ctx, const struct net_device *device);
void net_devices_each(struct session *s, uint64_t namespace, struct walk_trouble *trouble,
		      net_device_fn fn, void *ctx);
/* Its addresses, "10.0.0.1/24", "fe80::1/64". */
typedef void (*net_address_fn)(void *ctx, const char *address);
void net_addresses_each(struct session *s, uint64_t device, struct walk_trouble *trouble,
			net_address_fn fn, void *ctx);

struct neighbour {
	uint64_t address, device;
	uint64_t hardware_type, state; /* NUD_... */
	char ip[64], hardware_address[100], device_name[17], state_name[64];
	bool incomplete;
};
typedef void (*neighbour_fn)(void *ctx, const struct neighbour *neighbour);
/* Of IPv4 (arp_tbl) or IPv6 (nd_tbl), in a namespace; 0: in all. */
void neighbours_each(struct session *s, uint64_t namespace, bool ipv6,
		     struct walk_trouble *trouble, neighbour_fn fn, void *ctx);

struct socket_info {
	uint64_t socket, sock;
	uint64_t family, type, protocol, state, inode_number;
	char local[128], remote[128]; /* "127.0.0.1:80"; a path, "@name" of UNIX sockets */
	bool incomplete;
};
/* The socket of an open file; false when the file is none, or (then incomplete) that is not known. */
bool socket_of_file(struct session *s, uint64_t file, struct socket_info *info);
/* "INET", "STREAM", "ESTABLISHED"; NULL when unknown. */
const char *socket_family_name(uint64_t family);
const char *socket_type_name(uint64_t type);
const char *socket_state_name(uint64_t state);
/* "ETHER", "LOOPBACK" of ARPHRD_ETHER ...; NULL. */
const char *hardware_type_name(uint64_t type);
