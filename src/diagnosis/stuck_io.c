// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * I/O stuck below: who waits for a page in the end waits for a disk. The request that has the page
 * tells which (kernel/block_io.h), and the queue whose function took it: that driver, or the
 * hardware behind it, has not answered. Which of the two the dump does not tell. A volume of the
 * device-mapper that is suspended makes no request: it has put the I/O aside.
 */
#include "diagnosis/stuck_io.h"

#include <inttypes.h>
#include <string.h>

#include "forensics/whatis.h"
#include "kernel/block_io.h"
#include "kernel/device_mapper.h"
#include "kernel/scsi.h"
#include "kernel/xfs.h"

enum { NS_PER_S = 1000 * 1000 * 1000, LONG_SECONDS = 2 };

/* What is waited for, as far as it is I/O: a page, of a device where no file has it, or a bio. */
struct waited {
	uint64_t page, bdev, bio;
};

static void find_waited(struct session *s, const struct wait *wait, struct waited *w)
{
	struct what what;

	*w = (struct waited){ 0 };
	if (!wait->object)
		return;
	if (wait->kind == WAIT_PAGE)
		w->page = wait->object;
	else if (wait->kind == WAIT_BUFFER)
		w->page = block_page_of_buffer(s, wait->object);
	else if (wait->kind == WAIT_IO)
		w->bio = wait->object;
	if (wait->kind != WAIT_LOCK)
		return;
	/* A metadata buffer of XFS is locked while it is read or written. */
	whatis(s, NULL, wait->object, &what);
	if (what.type && strcmp(what.type, "xfs_buf") == 0)
		(void)xfs_buffer_io(s, what.start, &w->bdev, &w->page);
}

static bool find_io(struct session *s, const struct waited *w, struct io_request *io)
{
	if (w->bdev)
		return block_io_of_device(s, w->bdev, w->page, io);
	if (w->page)
		return block_io_of_page(s, w->page, io);
	return w->bio && block_io_of_bio(s, w->bio, io);
}

/*
 * @driver: the function that took the request, or what that is a command of, and has not ended it.
 */
static void blame_driver(const struct facts *facts, const struct io_request *io, uint64_t driver,
			 struct findings *out, struct finding *f)
{
	struct symbol symbol;

	if (!driver || !symbols_by_address(facts->session->symbols, driver, &symbol) ||
	    symbol.address != driver)
		return;
	f->blame = facts_blame_symbol(facts, &symbol);
	if (!f->blame.known)
		return;
	f->who = NULL;
	f->blame.because = finding_text(out, "it took the request for %s and nobody has ended it",
					io->disk_name);
	f->blame.unsure = "the device behind it, or what it hands requests on to, may be the one that "
			  "does not answer";
}

/*
 * What SCSI knows of the request: the device, and the adapter's driver, which has it. The function
 * that took it; 0: one of SCSI's, but which is not known.
 */
static uint64_t tell_scsi(struct session *s, const struct io_request *io, struct findings *out,
			  struct finding *f)
{
	struct scsi_command command;
	struct symbol symbol;

	if (!io->driver || !symbols_by_address(s->symbols, io->driver, &symbol) ||
	    strcmp(symbol.name, "scsi_queue_rq") != 0)
		return io->driver;
	if (!scsi_command_of_request(s, io->request, &command))
		return 0;
	bool well = strcmp(command.device_state, "running") == 0 || !*command.device_state;
	bool recovers = strstr(command.host_state, "recovery");
	f->why = finding_text(out, "%s; %s is SCSI %s%s%s%s%s%s%s", f->why, io->disk_name, command.address,
			      *command.model ? " (" : "", command.model, *command.model ? ")" : "",
			      well ? "" : ", and that is ", well ? "" : command.device_state,
			      recovers ? ", whose host is in error recovery" : "");
	finding_evidence_shows(out, f,
			       finding_text(out, "struct Scsi_Host.hostt,shost_state,host_failed %016" PRIx64,
					    command.host),
			       "shost_state", "its host adapter is %s, with %" PRIu64 " failed commands",
			       *command.host_state ? command.host_state : "in a state that is not known",
			       command.failed);
	return command.queuecommand;
}

/*
 * A volume that is suspended has put the I/O aside. That the page is in one of the bios put aside,
 * or the bio is one of them (@page is 0 then), makes it sure; else the I/O may be on its way.
 */
static bool tell_suspended(struct session *s, const struct io_request *io, uint64_t page,
			   uint64_t bio, struct findings *out, struct finding *f)
{
	struct dm_volume volume;

	if (!io->disk || !dm_volume_of_disk(s, io->disk, &volume) || !volume.holds_back)
		return false;
	bool found = page ? block_bios_have_page(s, volume.deferred, page)
			  : block_bios_have_bio(s, volume.deferred, bio);
	const char *name = *volume.name ? finding_text(out, "%s (volume %s of the device-mapper)",
						       io->disk_name, volume.name)
					: finding_text(out, "%s (a volume of the device-mapper)",
						       io->disk_name);
	finding_add_why(out, f,
			"%s %s suspended%s: somebody did that (dmsetup, LVM, a "
			"snapshot) and has not resumed it", name, volume.suspended ? "is" : "is just being",
			!found ? "" : page ? ", and has put the I/O for that page aside"
			: ", and has put that I/O aside");
	finding_evidence_shows(out, f,
			       finding_text(out, "struct mapped_device.flags,deferred %016" PRIx64,
					    volume.address),
			       "flags", "%s has put %" PRIu64 " bio%s aside%s", io->disk_name,
			       volume.deferred_count, volume.deferred_count == 1 ? "" : "s",
			       !found ? "" : page ? ", with that page among them"
					    : ", that one among them");
	f->against = found ? "who suspended it is not kept in the device"
			   : "the I/O waited for was not found among what it has put aside";
	if (!found) {
		f->origin_confidence = confidence_name(CONFIDENCE_POSSIBLE);
		f->origin_of = "that this holds it up";
	}
	f->blame = (struct blame){ 0 };
	f->who = finding_text(out, "whoever suspended %s", name);
	return true;
}

/*
 * A disk without requests hands its bios on to others. What it is waiting for is not known here;
 * that it, or one of those, has not ended the I/O is.
 */
static bool tell_stacked(const struct facts *facts, const struct io_request *io,
			 const struct wait *wait, uint64_t page, struct findings *out,
			 struct finding *f)
{
	struct session *s = facts->session;
	struct symbol symbol;

	if (!io->submit || !symbols_by_address(s->symbols, io->submit, &symbol) ||
	    symbol.address != io->submit ||
	    (wait->kind == WAIT_PAGE && !block_page_in_io(s, page)))
		return false;
	finding_add_why(out, f,
			"the I/O waited for was given to %s, which hands it on (%s%s%s%s), and has not ended",
			io->disk_name, symbol.name,
			symbol.module ? " [" : "", symbol.module ? symbol.module->name : "",
			symbol.module ? "]" : "");
	finding_evidence_shows(out, f,
			       finding_text(out, "struct gendisk.disk_name,fops,queue %016" PRIx64,
					    io->disk), io->disk_name, "the disk");
	f->against = "where below that disk it is stuck is not known";
	f->origin_confidence = confidence_name(CONFIDENCE_LIKELY);
	f->origin_of = "that this holds it up";
	f->blame = (struct blame){ 0 };
	f->who = finding_text(out, "disk %s, or one below it", io->disk_name);
	return true;
}

/* The request itself, and what is behind the disk. */
static void tell_request(const struct facts *facts, const struct io_request *io, const char *age,
			 struct findings *out, struct finding *f)
{
	finding_evidence_shows(out, f,
			       finding_text(out, "struct request.__sector,start_time_ns,state %016" PRIx64,
					    io->request),
			       "MQ_RQ_IN_FLIGHT", "%s is in flight%s", io->words, age);
	uint64_t driver = tell_scsi(facts->session, io, out, f);
	/* A busy disk takes its time: only what took long is the driver's or the device's fault. */
	if (io->age_ns < (uint64_t)LONG_SECONDS * NS_PER_S)
		return;
	if (!driver && io->driver) {
		f->blame = (struct blame){ 0 };
		f->who = finding_text(out, "the SCSI host adapter of %s, its driver, or the disk",
				      io->disk_name);
	}
	blame_driver(facts, io, driver, out, f);
}

bool stuck_queue_tell(const struct facts *facts, uint64_t queue, struct findings *out,
		      struct finding *f)
{
	struct io_request io;

	if (!queue || !block_io_of_queue(facts->session, queue, &io) ||
	    io.age_ns < (uint64_t)LONG_SECONDS * NS_PER_S)
		return false;
	const char *age = finding_text(out, " for %" PRIu64 " s", io.age_ns / NS_PER_S);
	finding_add_why(out, f,
			"%s lets no more in: it has %" PRIu64 " request%s under way, of which "
			"the oldest (%s) has been with the disk's driver%s",
			io.disk_name, io.in_flight, io.in_flight == 1 ? "" : "s", io.words, age);
	tell_request(facts, &io, age, out, f);
	return true;
}

bool stuck_io_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
		   struct finding *f)
{
	struct session *s = facts->session;
	struct io_request io, below;
	const char *age = "", *road = "";
	struct waited w;

	find_waited(s, wait, &w);
	if (!find_io(s, &w, &io))
		return false;
	if (!io.request) {
		if (tell_suspended(s, &io, w.page, w.bio, out, f))
			return true;
		uint64_t page = w.page ? w.page : block_page_of_bio(s, w.bio);
		if (!io.submit || !page || !block_io_below(s, page, &below))
			return tell_stacked(facts, &io, wait, w.page, out, f);
		road = finding_text(out, "that is I/O of %s, which handed it on to %s: ", io.disk_name,
				    below.disk_name);
		io = below;
	}
	if (io.age_ns)
		age = finding_text(out, " for %" PRIu64 " s", io.age_ns / NS_PER_S);
	const char *others = io.in_flight > 1 ? finding_text(out, ", as %" PRIu64 " of that disk are",
							     io.in_flight) : "";
	finding_add_why(out, f,
			"%sthe request for %s (%s) has been with the disk's driver%s%s",
			road, w.page ? "that page" : "it", io.words, age, others);
	tell_request(facts, &io, age, out, f);
	return true;
}
