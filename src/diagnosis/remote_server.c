// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A server that does not answer. Who waits for a call itself has its rpc_task; who waits for a page
 * of a file on NFS waits for one of the calls that are under way to that file system's server.
 * Which of them it is the page does not tell.
 *
 * Sources, in linux/: include/linux/sunrpc/{clnt,xprt}.h, include/linux/nfs_fs_sb.h.
 */
#include "diagnosis/remote_server.h"

#include <inttypes.h>
#include <string.h>

#include "kernel/block_io.h"
#include "kernel/meaning.h"
#include "kernel/rpc.h"

enum { SERVER_NAME = 64, LONG_S = 30 };
#define NS_PER_S UINT64_C(1000000000)

struct server {
	uint64_t transport; /* struct rpc_xprt */
	char name[SERVER_NAME];
};

static bool server_of(struct session *s, uint64_t client, struct server *server)
{
	return client && kread(s, client, "rpc_clnt", "cl_xprt", &server->transport) &&
	       server->transport &&
	       kread_string(s, server->transport, "rpc_xprt", "servername", server->name,
			    sizeof(server->name)) &&
	       *server->name;
}

static void tell(struct findings *out, struct finding *f, const struct server *server,
		 const char *why)
{
	finding_add_why(out, f, "%s", why);
	finding_evidence_shows(out, f,
			       finding_text(out, "struct rpc_xprt.servername,state,stat %016" PRIx64,
					    server->transport),
			       server->name, "the transport to %s", server->name);
	f->blame = (struct blame){ 0 };
	f->who = finding_text(out, "server %s, or the network to it", server->name);
}

/* Says how long the call has waited; one that has not waited long may be answered yet. */
static const char *call_words(struct findings *out, struct finding *f, const struct rpc_call *call)
{
	const char *age = "", *times = "";

	if (call->age_ns >= NS_PER_S)
		age = finding_text(out, " for %" PRIu64 " s", call->age_ns / NS_PER_S);
	if (call->timeouts)
		times = finding_text(out, ", in spite of %" PRIu64 " time-out%s", call->timeouts,
				     call->timeouts == 1 ? "" : "s");
	f->against = NULL;
	if (!call->timeouts && call->age_ns < LONG_S * NS_PER_S) {
		f->against = "no call to it has timed out yet";
		f->origin_confidence = confidence_name(CONFIDENCE_POSSIBLE);
		f->origin_of = "that this holds it up";
	}
	return finding_text(out, "%s%s", age, times);
}

static bool of_call(struct session *s, uint64_t rpc, struct findings *out, struct finding *f)
{
	struct server server;
	struct rpc_call call;

	rpc_call_read(s, rpc, &call);
	if (!server_of(s, call.client, &server))
		return false;
	tell(out, f, &server, finding_text(out, "the server %s has not answered that call%s", server.name,
					   call_words(out, f, &call)));
	return true;
}

/* --- A page of a file on NFS. --- */

struct calls {
	struct session *s;
	unsigned count;
	uint64_t rpc; /* the one that has waited longest */
	struct rpc_call longest;
};

static bool add_call(void *ctx, uint64_t rpc)
{
	struct calls *calls = ctx;
	struct rpc_call call;

	rpc_call_read(calls->s, rpc, &call);
	if (!calls->rpc || call.age_ns > calls->longest.age_ns ||
	    (call.age_ns == calls->longest.age_ns && call.timeouts > calls->longest.timeouts)) {
		calls->rpc = rpc;
		calls->longest = call;
	}
	calls->count++;
	return true;
}

/* The client of the file system that the page's file is on; 0: it is not NFS. */
static uint64_t client_of_page(struct session *s, uint64_t page)
{
	uint64_t inode = block_inode_of_page(s, page), sb, type, server, client;
	char name[16];

	if (!inode || !kread(s, inode, "inode", "i_sb", &sb) || !sb ||
	    !kread(s, sb, "super_block", "s_type", &type) || !type ||
	    !kread_string(s, type, "file_system_type", "name", name, sizeof(name)) ||
	    (strcmp(name, "nfs") != 0 && strcmp(name, "nfs4") != 0) ||
	    !kread(s, sb, "super_block", "s_fs_info", &server) || !server ||
	    !kread(s, server, "nfs_server", "client", &client))
		return 0;
	return client;
}

static bool of_page(struct session *s, uint64_t page, struct findings *out, struct finding *f)
{
	uint64_t client = client_of_page(s, page), offset;
	struct calls calls = { .s = s };
	struct server server;
	char call[128];

	if (!server_of(s, client, &server) || !koffset(s, "rpc_clnt", "cl_tasks", &offset))
		return false;
	klist_each(s, client + offset, "rpc_task", "tk_task", "calls of a server", add_call, &calls);
	if (!calls.count)
		return false;
	bool known = meaning_of(s, "rpc_task", calls.rpc, call, sizeof(call));
	tell(out, f, &server,
	     finding_text(out, "the server %s has not answered %u call%s%s%s%s%s", server.name,
			  calls.count, calls.count == 1 ? "" : "s", known ? " (" : "",
			  known ? call : "", known ? calls.count > 1 ? " ...)" : ")" : "",
			  call_words(out, f, &calls.longest)));
	return true;
}

bool remote_server_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
			struct finding *f)
{
	if (!wait->object)
		return false;
	if (wait->kind == WAIT_RPC)
		return of_call(facts->session, wait->object, out, f);
	return wait->kind == WAIT_PAGE && of_page(facts->session, wait->object, out, f);
}
