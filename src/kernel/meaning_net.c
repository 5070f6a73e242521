// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What they mean: packets, sockets, network devices. Numbers of the protocols' headers:
 * include/linux/socket.h (families), include/net/tcp_states.h, include/linux/net.h (types).
 */
#include "kernel/meaning_rows.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16,
       FAMILY_PACKET = 17, TYPE_STREAM = 1 };

static const char *const family_names[] = {
	[FAMILY_UNIX] = "unix", [FAMILY_INET] = "inet", [FAMILY_INET6] = "inet6",
	[FAMILY_NETLINK] = "netlink", [FAMILY_PACKET] = "packet", [38] = "alg", [40] = "vsock",
};

static const char *const type_names[] = {
	[1] = "stream", [2] = "datagram", [3] = "raw", [5] = "seqpacket", [10] = "packet",
};

/* TCP_ESTABLISHED ..., which stream sockets of other families use as well. */
static const char *const state_names[] = {
	[1] = "established", [2] = "syn-sent", [3] = "syn-received", [4] = "fin-wait-1",
	[5] = "fin-wait-2", [6] = "time-wait", [7] = "closed", [8] = "close-wait",
	[9] = "last-ack", [10] = "listening", [11] = "closing", [12] = "new-syn-received",
};

static const char *name_at(const char *const *names, size_t count, uint64_t i)
{
	return i < count ? names[i] : NULL;
}

static unsigned swapped16(uint64_t v)
{
	return (unsigned)((v & 0xff) << 8 | (v >> 8 & 0xff));
}

static void inet_address(struct session *s, uint64_t sk, bool far, char *buf, size_t size)
{
	uint64_t address = 0, port = 0;

	(void)kread(s, sk, "sock_common", far ? "skc_daddr" : "skc_rcv_saddr", &address);
	(void)kread(s, sk, "sock_common", far ? "skc_dport" : "skc_num", &port);
	snprintf(buf, size, "%u.%u.%u.%u:%u", (unsigned)(address & 0xff),
		 (unsigned)(address >> 8 & 0xff), (unsigned)(address >> 16 & 0xff),
		 (unsigned)(address >> 24 & 0xff), far ? swapped16(port) : (unsigned)port);
}

static void inet6_address(struct session *s, uint64_t sk, bool far, char *buf, size_t size)
{
	uint64_t offset, port = 0;
	uint8_t bytes[16];
	size_t length = 0;

	(void)kread(s, sk, "sock_common", far ? "skc_dport" : "skc_num", &port);
	if (!koffset(s, "sock_common", far ? "skc_v6_daddr" : "skc_v6_rcv_saddr", &offset) ||
	    memory_read(s->memory, sk + offset, bytes, sizeof(bytes)) != READ_OK) {
		snprintf(buf, size, "?");
		return;
	}
	snprintf(buf, size, "[");
	for (unsigned i = 0; i < 16; i += 2) {
		length = strlen(buf);
		snprintf(buf + length, size - length, "%s%x", i ? ":" : "",
			 bytes[i] << 8 | bytes[i + 1]);
	}
	length = strlen(buf);
	snprintf(buf + length, size - length, "]:%u", far ? swapped16(port) : (unsigned)port);
}

static void unix_address(struct session *s, uint64_t sk, char *buf, size_t size)
{
	uint64_t address, offset;
	char path[108];

	buf[0] = '\0';
	if (!kread(s, sk, "unix_sock", "addr", &address) || !address ||
	    !koffset(s, "unix_address", "name", &offset) ||
	    /* Behind the family's two bytes (struct sockaddr_un). */
	    memory_string(s->memory, address + offset + 2, path, sizeof(path)) != READ_OK)
		return;
	snprintf(buf, size, " %s", *path ? path : "(abstract name)");
}

static void addresses(struct session *s, uint64_t sk, uint64_t family, uint64_t state, char *buf,
		      size_t size)
{
	char near[64], far[64];

	buf[0] = '\0';
	if (family == FAMILY_UNIX) {
		unix_address(s, sk, buf, size);
		return;
	}
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return;
	void (*tell)(struct session *, uint64_t, bool, char *, size_t) =
		family == FAMILY_INET ? inet_address : inet6_address;
	tell(s, sk, false, near, sizeof(near));
	tell(s, sk, true, far, sizeof(far));
	if (state == 10 || state == 7)
		snprintf(buf, size, " %s", near);
	else
		snprintf(buf, size, " %s -> %s", near, far);
}

static bool tell_sock(struct session *s, uint64_t sk, char *buf, size_t size)
{
	uint64_t family, state, type = 0;
	char where[160];

	if (!kread(s, sk, "sock_common", "skc_family", &family) ||
	    !kread(s, sk, "sock_common", "skc_state", &state))
		return false;
	(void)kread(s, sk, "sock", "sk_type", &type);
	const char *name = name_at(family_names, array_size(family_names), family);
	const char *kind = name_at(type_names, array_size(type_names), type);
	const char *in = name_at(state_names, array_size(state_names), state);
	if (!name || !in)
		return false;
	addresses(s, sk, family, state, where, sizeof(where));
	snprintf(buf, size, "%s%s%s%s, %s", name, kind ? " " : "", kind ? kind : "", where,
		 type != TYPE_STREAM && state == 7 ? "not connected" : in);
	return true;
}

static bool tell_socket(struct session *s, uint64_t socket, char *buf, size_t size)
{
	uint64_t sk;

	if (!kread(s, socket, "socket", "sk", &sk))
		return false;
	if (!sk) {
		snprintf(buf, size, "no sock");
		return true;
	}
	return tell_sock(s, sk, buf, size);
}

static bool tell_device(struct session *s, uint64_t device, char *buf, size_t size)
{
	uint64_t operations, index;

	/* Anything may hold some letters: its functions must be a constant of somebody's. */
	return kread(s, device, "net_device", "netdev_ops", &operations) &&
	       s->arch->is_kernel_address(operations) &&
	       kread(s, device, "net_device", "ifindex", &index) && index && index < 1u << 30 &&
	       meaning_name(s, device, "net_device", "name", buf, size) && !strpbrk(buf, " /");
}

static bool tell_packet(struct session *s, uint64_t skb, char *buf, size_t size)
{
	uint64_t length, paged, device, protocol;
	char name[32] = "";

	if (!kread(s, skb, "sk_buff", "len", &length) ||
	    !kread(s, skb, "sk_buff", "data_len", &paged) || paged > length ||
	    !kread(s, skb, "sk_buff", "protocol", &protocol))
		return false;
	if (kread(s, skb, "sk_buff", "dev", &device) && s->arch->is_kernel_address(device))
		(void)tell_device(s, device, name, sizeof(name));
	snprintf(buf, size, "%s%s%" PRIu64 " bytes", name, *name ? ", " : "", length);
	size_t at = strlen(buf);
	if (paged && at < size)
		snprintf(buf + at, size - at, " (%" PRIu64 " in pages)", paged);
	at = strlen(buf);
	if (protocol && at < size)
		snprintf(buf + at, size - at, ", protocol 0x%04x", swapped16(protocol));
	return true;
}

static bool tell_message(struct session *s, uint64_t message, char *buf, size_t size)
{
	uint64_t count, flags;

	if (!kread(s, message, "msghdr", "msg_iter.count", &count) || count > UINT64_C(1) << 47 ||
	    !kread(s, message, "msghdr", "msg_flags", &flags))
		return false;
	snprintf(buf, size, "%" PRIu64 " bytes left, flags 0x%" PRIx64, count,
		 flags & UINT32_MAX);
	return true;
}

static bool tell_net(struct session *s, uint64_t net, char *buf, size_t size)
{
	uint64_t number;

	if (net == symbols_address(s->symbols, "init_net")) {
		snprintf(buf, size, "the initial network namespace");
		return true;
	}
	if (!kread(s, net, "net", "ns.inum", &number))
		return false;
	snprintf(buf, size, "network namespace %" PRIu64, number & UINT32_MAX);
	return true;
}

static bool tell_napi(struct session *s, uint64_t napi, char *buf, size_t size)
{
	char name[32] = "?", function[128];
	uint64_t device;

	if (!meaning_function_member(s, napi, "napi_struct", "poll", function, sizeof(function)))
		return false;
	if (kread(s, napi, "napi_struct", "dev", &device) && device)
		(void)tell_device(s, device, name, sizeof(name));
	snprintf(buf, size, "%s, %s", name, function);
	return true;
}

/* "LOOKUP of nfs 3 to server" (include/linux/sunrpc/sched.h, clnt.h, xprt.h). */
static bool tell_rpc(struct session *s, uint64_t rpc, char *buf, size_t size)
{
	char procedure[32], program[32], server[64];
	uint64_t info, client, of, version, transport;

	if (!kread(s, rpc, "rpc_task", "tk_client", &client) || !client ||
	    !kread(s, rpc, "rpc_task", "tk_msg.rpc_proc", &info) || !info ||
	    !meaning_name(s, info, "rpc_procinfo", "p_name", procedure, sizeof(procedure)) ||
	    !kread(s, client, "rpc_clnt", "cl_program", &of) || !of ||
	    !meaning_name(s, of, "rpc_program", "name", program, sizeof(program)) ||
	    !kread(s, client, "rpc_clnt", "cl_vers", &version) ||
	    !kread(s, client, "rpc_clnt", "cl_xprt", &transport) || !transport ||
	    !meaning_name(s, transport, "rpc_xprt", "servername", server, sizeof(server)))
		return false;
	snprintf(buf, size, "%s of %s %" PRIu64 " to %s", procedure, program, version & UINT32_MAX,
		 server);
	return true;
}

const struct meaning_row meaning_net_rows[] = {
	{ "sk_buff", tell_packet, false },
	{ "sock", tell_sock, false },
	{ "sock_common", tell_sock, false },
	{ "socket", tell_socket, false },
	{ "net_device", tell_device, false },
	{ "msghdr", tell_message, false },
	{ "net", tell_net, false },
	{ "napi_struct", tell_napi, false },
	{ "rpc_task", tell_rpc, false },
	{ NULL, NULL, false },
};
