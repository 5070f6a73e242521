// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sockets: the struct socket of an open file, its struct sock, and both ends' addresses. Those of
 * IPv4 and IPv6 are in struct sock_common, of UNIX sockets in struct unix_sock (include/net/).
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/net.h"

/* include/linux/socket.h, include/linux/net.h, include/net/tcp_states.h, uapi/linux/if_arp.h */
enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16,
       FAMILY_PACKET = 17 };
enum { S_IFMT = 0170000, S_IFSOCK = 0140000 };

static const char *name_at(const char *const *names, size_t count, uint64_t i)
{
	return i < count ? names[i] : NULL;
}

const char *socket_family_name(uint64_t family)
{
	static const char *const names[] = {
		[0] = "UNSPEC",    [FAMILY_UNIX] = "UNIX",       [FAMILY_INET] = "INET",
		[3] = "AX25",      [4] = "IPX",                  [FAMILY_INET6] = "INET6",
		[15] = "KEY",      [FAMILY_NETLINK] = "NETLINK", [FAMILY_PACKET] = "PACKET",
		[21] = "RDS",      [24] = "PPPOX",               [29] = "CAN",
		[30] = "TIPC",     [31] = "BLUETOOTH",           [38] = "ALG",
		[40] = "VSOCK",    [41] = "KCM",                 [43] = "SMC",
		[44] = "XDP",      [45] = "MCTP",
	};
	return name_at(names, array_size(names), family);
}

const char *socket_type_name(uint64_t type)
{
	static const char *const names[] = {
		[1] = "STREAM", [2] = "DGRAM", [3] = "RAW", [4] = "RDM", [5] = "SEQPACKET",
		[6] = "DCCP",   [10] = "PACKET",
	};
	return name_at(names, array_size(names), type);
}

const char *socket_state_name(uint64_t state)
{
	static const char *const names[] = {
		[1] = "ESTABLISHED", [2] = "SYN_SENT",   [3] = "SYN_RECV", [4] = "FIN_WAIT1",
		[5] = "FIN_WAIT2",   [6] = "TIME_WAIT",  [7] = "CLOSE",    [8] = "CLOSE_WAIT",
		[9] = "LAST_ACK",    [10] = "LISTEN",    [11] = "CLOSING", [12] = "NEW_SYN_RECV",
	};
	return name_at(names, array_size(names), state);
}

const char *hardware_type_name(uint64_t type)
{
	static const struct {
		uint64_t type;
		const char *name;
	} names[] = {
		{ 1, "ETHER" },       { 6, "IEEE802" },   { 32, "INFINIBAND" }, { 512, "PPP" },
		{ 768, "TUNNEL" },    { 769, "TUNNEL6" }, { 772, "LOOPBACK" },  { 776, "SIT" },
		{ 778, "IPGRE" },     { 801, "IEEE80211" }, { 0xfffe, "NONE" },
	};

	for (size_t i = 0; i < array_size(names); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return NULL;
}

/* --- Addresses --- */

static bool inet_end(struct session *s, const struct socket_info *info, bool far, char *buf,
		     size_t size)
{
	bool ipv6 = info->family == FAMILY_INET6;
	const char *member = ipv6 ? (far ? "skc_v6_daddr" : "skc_v6_rcv_saddr")
				  : (far ? "skc_daddr" : "skc_rcv_saddr");
	uint64_t offset, port;
	uint8_t bytes[16];
	char ip[64];

	if (!koffset(s, "sock_common", member, &offset) ||
	    !kread(s, info->sock, "sock_common", far ? "skc_dport" : "skc_num", &port) ||
	    memory_read(s->memory, info->sock + offset, bytes, ipv6 ? 16 : 4) != READ_OK ||
	    !inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, ip, sizeof(ip)))
		return false;
	/* The far port is in the network's order, the near one is not. */
	if (far)
		port = ntohs((uint16_t)port);
	snprintf(buf, size, ipv6 ? "[%s]:%" PRIu64 : "%s:%" PRIu64, ip, port);
	return true;
}

/* Name of a UNIX socket: "@abstract" begins with a NUL; "" none. */
static bool unix_name(struct session *s, uint64_t sock, char *buf, size_t size)
{
	uint64_t address, offset, length;
	char name[110] = "";

	buf[0] = '\0';
	if (!kread(s, sock, "unix_sock", "addr", &address))
		return false;
	if (!address)
		return true;
	if (!kread(s, address, "unix_address", "len", &length) ||
	    !koffset(s, "unix_address", "name", &offset) || length < 2 || length > sizeof(name))
		return false;
	/* Behind the family's two bytes (struct sockaddr_un). */
	length -= 2;
	if (memory_read(s->memory, address + offset + 2, name, length) != READ_OK)
		return false;
	bool abstract = !name[0];
	/* An abstract name may hold more of them; /proc/net/unix shows each like this. */
	for (uint64_t i = 0; abstract && i < length; i++) {
		if (!name[i])
			name[i] = '@';
	}
	snprintf(buf, size, "%.*s", (int)length, name);
	return true;
}

static bool unix_ends(struct session *s, struct socket_info *info)
{
	uint64_t peer;

	if (!unix_name(s, info->sock, info->local, sizeof(info->local)) ||
	    !kread(s, info->sock, "unix_sock", "peer", &peer))
		return false;
	return !peer || unix_name(s, peer, info->remote, sizeof(info->remote));
}

static bool read_ends(struct session *s, struct socket_info *info)
{
	uint64_t number;

	switch (info->family) {
	case FAMILY_INET:
	case FAMILY_INET6:
		return inet_end(s, info, false, info->local, sizeof(info->local)) &&
		       inet_end(s, info, true, info->remote, sizeof(info->remote));
	case FAMILY_UNIX:
		return unix_ends(s, info);
	case FAMILY_NETLINK:
		if (!kread(s, info->sock, "netlink_sock", "portid", &number))
			return false;
		snprintf(info->local, sizeof(info->local), "port %" PRIu64, number);
		return true;
	case FAMILY_PACKET:
		if (!kread(s, info->sock, "packet_sock", "ifindex", &number))
			return false;
		snprintf(info->local, sizeof(info->local), "interface %" PRId64, (int64_t)number);
		return true;
	default:
		return true;
	}
}

bool socket_of_file(struct session *s, uint64_t file, struct socket_info *info)
{
	uint64_t inode, mode;

	*info = (struct socket_info){ .socket = 0 };
	info->incomplete = !kread(s, file, "file", "f_inode", &inode) ||
			   !kread(s, inode, "inode", "i_mode", &mode);
	if (info->incomplete || (mode & S_IFMT) != S_IFSOCK)
		return false;
	kread(s, inode, "inode", "i_ino", &info->inode_number);
	if (!kread(s, file, "file", "private_data", &info->socket) || !info->socket ||
	    !kread(s, info->socket, "socket", "sk", &info->sock)) {
		info->incomplete = true;
		return true;
	}
	info->incomplete |= !kread(s, info->socket, "socket", "type", &info->type);
	if (!info->sock) /* closed, or not made whole */
		return true;
	if (!kread(s, info->sock, "sock_common", "skc_family", &info->family) ||
	    !kread(s, info->sock, "sock_common", "skc_state", &info->state) ||
	    !kread(s, info->sock, "sock", "sk_protocol", &info->protocol)) {
		info->family = 0; /* which tells that the others are unknown, too */
		info->incomplete = true;
		return true;
	}
	info->incomplete |= !read_ends(s, info);
	return true;
}
