// SPDX-License-Identifier: LGPL-2.1-or-later
/* net: network devices and their addresses, neighbours (the ARP cache), tasks' sockets. */
#include "kernel/net.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/open_files.h"

enum { OPT_ARP, OPT_SOCKETS, OPT_STRUCTS, OPT_NAMESPACE, OPT_NUMBER, OPT_REFERENCE, OPT_HEX,
       OPT_DEC };

static const struct option net_option_table[] = {
	[OPT_ARP] = { "a", false },      [OPT_SOCKETS] = { "s", false },
	[OPT_STRUCTS] = { "S", false },  [OPT_NAMESPACE] = { "n", true },
	[OPT_NUMBER] = { "N", true },    [OPT_REFERENCE] = { "R", true },
	[OPT_HEX] = { "x", false },      [OPT_DEC] = { "d", false },
};

struct net_run {
	struct command_args *args;
	struct options options;
	uint64_t number;  /* of -R */
	size_t count, incomplete, unknown;
	struct walk_trouble trouble;
	struct {
		vec_fields(struct cell);
	} addresses; /* of the device at hand */
	struct error *err;
};

static struct cell text_or_none(const char *text)
{
	return text[0] ? cell_str(text) : cell_none();
}

/* --- Devices --- */

static const struct column device_columns[] = {
	{ .key = "address", .title = "NET_DEVICE" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "addresses", .title = "IP ADDRESS(ES)" },
	{ .key = "hardware_address", .title = "HW ADDRESS" },
	{ .key = "mtu", .title = "MTU", .right = true },
	{ .key = "up", .title = "UP" },
	{ .key = "index" },
	{ .key = "flags" },
};

static void add_address(void *ctx, const char *address)
{
	struct net_run *run = ctx;

	vec_push(&run->addresses, cell_str(arena_strdup(&run->args->doc->arena, address)));
}

static void add_device(void *ctx, const struct net_device *d)
{
	struct net_run *run = ctx;
	bool known = !d->incomplete;

	run->count++;
	run->incomplete += d->incomplete;
	run->addresses.count = 0;
	net_addresses_each(run->args->session, d->address, &run->trouble, add_address, run);
	struct cell_list list = { run->addresses.data, run->addresses.count };
	bool up = d->flags & 1; /* IFF_UP */
	doc_row(run->args->doc, cell_address(d->address), text_or_none(d->name),
		cell_of_list(&list),
		known || d->hardware_address[0] ? cell_str(d->hardware_address) : cell_none(),
		known ? cell_udec(d->mtu) : cell_none(),
		known ? cell_shown(cell_bool(up), up ? "up" : "down") : cell_none(),
		known ? cell_udec(d->index) : cell_none(),
		known ? cell_hex(d->flags) : cell_none());
}

/* --- -a --- */

static const struct column neighbour_columns[] = {
	{ .key = "address", .title = "NEIGHBOUR" },
	{ .key = "ip", .title = "IP ADDRESS", .style = STYLE_STRONG },
	{ .key = "hardware_type", .title = "HW TYPE" },
	{ .key = "hardware_address", .title = "HW ADDRESS" },
	{ .key = "device", .title = "DEVICE" },
	{ .key = "state", .title = "STATE" },
};

static void add_neighbour(void *ctx, const struct neighbour *n)
{
	struct net_run *run = ctx;
	bool known = !n->incomplete;

	run->count++;
	run->incomplete += n->incomplete;
	doc_row(run->args->doc, cell_address(n->address), text_or_none(n->ip),
		cell_str(known ? hardware_type_name(n->hardware_type) : NULL),
		known ? cell_str(n->hardware_address) : cell_none(), text_or_none(n->device_name),
		text_or_none(n->state_name));
}

/* --- -s, -S --- */

static const struct column socket_columns[] = {
	{ .key = "fd", .title = "FD", .right = true },
	{ .key = "socket", .title = "SOCKET" },
	{ .key = "sock", .title = "SOCK" },
	{ .key = "kind", .title = "FAMILY:TYPE" },
	{ .key = "state", .title = "STATE" },
	{ .key = "local", .title = "SOURCE" },
	{ .key = "remote", .title = "DESTINATION" },
	{ .key = "protocol" },
	{ .key = "inode_number" },
};

static bool is_wanted(const struct net_run *run, const struct open_file *f,
		      const struct socket_info *info)
{
	const char *word = run->options.value[OPT_REFERENCE];
	uint64_t fd;

	if (!word)
		return true;
	return (parse_u64(word, &fd) && fd == (uint64_t)f->fd) ||
	       (run->number && (run->number == info->socket || run->number == info->sock ||
				run->number == f->file));
}

static void add_socket_row(struct net_run *run, const struct open_file *f,
			   const struct socket_info *info)
{
	char kind[64];
	const char *family = socket_family_name(info->family);
	const char *type = socket_type_name(info->type);
	bool known = info->sock && !(info->incomplete && !info->family);
	/* A UNIX socket may have no name. */
	bool local = known && (!info->incomplete || info->local[0]);
	bool remote = known && (!info->incomplete || info->remote[0]);

	snprintf(kind, sizeof(kind), "%s:%s", family ? family : "?", type ? type : "?");
	doc_row(run->args->doc, cell_dec(f->fd),
		info->socket ? cell_address(info->socket) : cell_none(),
		info->sock ? cell_address(info->sock) : cell_none(),
		known ? cell_str(kind) : cell_none(),
		known ? cell_str(socket_state_name(info->state)) : cell_none(),
		local ? cell_str(info->local) : cell_none(),
		remote ? cell_str(info->remote) : cell_none(),
		known ? cell_udec(info->protocol) : cell_none(),
		info->inode_number ? cell_udec(info->inode_number) : cell_none());
}

/* The object that a struct sock is the first part of. */
static const char *sock_struct(const struct socket_info *info)
{
	switch (info->family) {
	case AF_INET:
	case AF_INET6:
		return info->protocol == IPPROTO_TCP ? "struct tcp_sock"
		       : info->protocol == IPPROTO_UDP ? "struct udp_sock" : "struct inet_sock";
	case AF_UNIX:
		return "struct unix_sock";
	default:
		return "struct sock";
	}
}

static bool add_socket(void *ctx, const struct open_file *f)
{
	struct net_run *run = ctx;
	struct socket_info info;

	if (!socket_of_file(run->args->session, f->file, &info)) {
		run->unknown += info.incomplete;
		return true;
	}
	if (!is_wanted(run, f, &info))
		return true;
	run->count++;
	run->incomplete += info.incomplete;
	if (!run->options.set[OPT_STRUCTS]) {
		add_socket_row(run, f, &info);
		return true;
	}
	bool hex = run->options.set[OPT_HEX], decimal = run->options.set[OPT_DEC];
	if (info.socket)
		run->err = show_object(run->args, "struct socket", info.socket, hex, decimal);
	if (!run->err && info.sock)
		run->err = show_object(run->args, sock_struct(&info), info.sock, hex, decimal);
	return !run->err;
}

static struct error *add_task(struct net_run *run, const struct task *task)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { .count = 0 };
	char what[64], title[TASK_TITLE_MAX];

	run->count = run->incomplete = run->unknown = 0;
	doc_record(doc, NULL, NULL);
	show_task_line(doc, task);
	if (run->options.set[OPT_STRUCTS])
		doc_array(doc, "structs", NULL);
	else
		doc_table(doc, "sockets", socket_columns, array_size(socket_columns));
	open_files_each(run->args->session, task, &trouble, add_socket, run);
	if (!run->count)
		doc_hidden(doc);
	doc_end(doc);
	if (!run->count && !run->unknown && !trouble.count)
		doc_textf(doc, STYLE_FAINT, run->options.set[OPT_REFERENCE]
						    ? "No such open socket." : "No open sockets.");
	doc_end(doc);
	snprintf(what, sizeof(what), "open files of %s", task_title(task, title));
	show_trouble(doc, &trouble, what);
	if (run->unknown)
		doc_remark(doc, REMARK_HOLE, "%s: of %zu open files it is not known whether they "
			   "are sockets", title, run->unknown);
	if (run->incomplete)
		doc_remark(doc, REMARK_HOLE, "%s: %zu sockets are only partly in the dump",
			   title, run->incomplete);
	struct error *err = run->err;
	run->err = NULL;
	return err;
}

static struct error *show_sockets(struct net_run *run)
{
	const struct task *task;
	struct error *err = NULL;

	doc_array(run->args->doc, "tasks", NULL);
	for (int i = 0; !err && (i < run->options.word_count || i == 0); i++) {
		const char *word = run->options.word_count ? run->options.words[i] : NULL;
		err = task_or_current(run->args->session, word, &task);
		if (!err)
			err = add_task(run, task);
	}
	doc_end(run->args->doc);
	return err;
}

/* --- -N --- */

static struct error *show_number(struct net_run *run)
{
	uint64_t number;
	char text[INET_ADDRSTRLEN] = "?";

	struct error *err = parse_address(run->args->session, run->options.value[OPT_NUMBER],
					  &number);
	if (!err && number > UINT32_MAX)
		err = error_new(ERROR_USAGE, "an IPv4 address has 32 bits: %s",
				run->options.value[OPT_NUMBER]);
	if (err)
		return err;
	uint32_t bytes = (uint32_t)number; /* as the machine keeps it: the first byte is the lowest */
	inet_ntop(AF_INET, &bytes, text, sizeof(text));
	doc_record(run->args->doc, "ipv4", NULL);
	doc_plain(run->args->doc);
	doc_field(run->args->doc, "value", NULL, cell_hex(number));
	doc_field(run->args->doc, "address", "IPv4", cell_str(text));
	doc_end(run->args->doc);
	return NULL;
}

/* --- The command --- */

static struct error *find_namespace(struct net_run *run, uint64_t *namespace)
{
	const struct task *task;

	struct error *err = parse_task_option(run->args->session,
					      run->options.value[OPT_NAMESPACE], &task);
	if (err)
		return err;
	*namespace = net_namespace(run->args->session, task);
	if (*namespace)
		return NULL;
	return error_new(ERROR_MISSING, "the network namespace is not in the dump");
}

static struct error *run_net(struct command_args *args)
{
	struct net_run run = { .args = args };
	struct session *s = args->session;
	uint64_t namespace;

	struct error *err = options_parse(args, net_option_table, array_size(net_option_table),
					  &run.options);
	if (err)
		return err;
	if (run.options.set[OPT_NUMBER])
		return show_number(&run);
	if (run.options.set[OPT_REFERENCE]) {
		err = parse_address(s, run.options.value[OPT_REFERENCE], &run.number);
		if (err)
			return err;
	}
	if (run.options.set[OPT_SOCKETS] || run.options.set[OPT_STRUCTS])
		return show_sockets(&run);
	if (run.options.word_count)
		return error_new(ERROR_USAGE, "unexpected word: %s (-s or -S shows a task's sockets)",
				 run.options.words[0]);
	err = find_namespace(&run, &namespace);
	if (err)
		return err;
	bool neighbours = run.options.set[OPT_ARP];
	if (neighbours) {
		doc_table(args->doc, "neighbours", neighbour_columns, array_size(neighbour_columns));
		neighbours_each(s, namespace, false, &run.trouble, add_neighbour, &run);
		neighbours_each(s, namespace, true, &run.trouble, add_neighbour, &run);
	} else {
		doc_table(args->doc, "devices", device_columns, array_size(device_columns));
		net_devices_each(s, namespace, &run.trouble, add_device, &run);
		vec_deinit(&run.addresses);
	}
	doc_end(args->doc);
	show_trouble(args->doc, &run.trouble, neighbours ? "neighbours" : "network devices");
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu of them are only partly in the dump",
			   run.incomplete);
	return NULL;
}

const struct command command_net = {
	.name = "net",
	.usage = "[-a] [-n PID|TASK] | -s|-S [-R REF] [-x | -d] [PID|TASK ...] | -N NUMBER",
	.summary = "network devices, neighbours, sockets",
	.help = "The network devices of the first network namespace, with their IPv4 and IPv6 addresses.\n"
		"  -a         the neighbours that the kernel knows (the ARP cache, and IPv6's)\n"
		"  -n PID     in the namespace of this task\n"
		"  -s         open sockets of tasks, by default of the current one\n"
		"  -S         the same as struct socket and the protocol's own structure; -x, -d  base\n"
		"  -R REF     only the descriptor, socket, sock or file that this names\n"
		"  -N NUMBER  a number from memory as IPv4 address\n"
		"Examples: net | net -a | net -s 1 | net -N 0100007f",
	.run = run_net,
};
