// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a driver keeps of a request lies behind that (blk_mq_rq_to_pdu(), include/linux/blk-mq.h):
 * of SCSI's it is a struct scsi_cmnd.
 *
 * Sources, in linux/: include/scsi/scsi_cmnd.h, scsi_device.h, scsi_host.h.
 */
#include "kernel/scsi.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

enum { VENDOR_LENGTH = 8, MODEL_LENGTH = 16, FAILED_MAX = 1 << 20 };

/* Names of states are those of the enumerators, without what they have in common. */
static void state_name(struct session *s, uint64_t at, const char *type, const char *member,
		       const char *of, const char *common, char *buf, size_t size)
{
	const char *name;
	uint64_t value;
	int64_t number;
	struct type found;

	buf[0] = '\0';
	if (!kread(s, at, type, member, &value) || !types_find(s->types, of, &found))
		return;
	for (unsigned i = 0; type_enumerator_at(found, i, &name, &number); i++) {
		if ((uint64_t)number != value || !starts_with(name, common))
			continue;
		snprintf(buf, size, "%s", name + strlen(common));
		for (char *c = buf; *c; c++)
			*c = *c == '_' ? ' ' : (char)tolower((unsigned char)*c);
	}
}

/* Of an INQUIRY's answer: letters, with spaces up to their whole length, and no end. */
static void add_name(struct session *s, uint64_t device, const char *member, size_t length,
		     struct strbuf *text)
{
	char name[MODEL_LENGTH];
	uint64_t offset, at;

	/* A pointer into the answer; in 7.3 the letters themselves. */
	if (!koffset(s, "scsi_device", member, &offset) ||
	    memory_u64(s->memory, device + offset, &at) != READ_OK)
		return;
	if (!s->arch->is_kernel_address(at))
		at = device + offset;
	if (memory_read(s->memory, at, name, length) != READ_OK)
		return;
	while (length && (name[length - 1] == ' ' || !name[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (!isprint((unsigned char)name[i]))
			return;
	}
	if (length)
		strbuf_addf(text, "%s%.*s", text->len ? " " : "", (int)length, name);
}

bool scsi_command_of_request(struct session *s, uint64_t request, struct scsi_command *command)
{
	uint64_t size = types_sizeof(s->types, "request"), number, channel, id, lun, driver;
	auto_strbuf model = { 0 };

	*command = (struct scsi_command){ 0 };
	if (!size || !kread(s, request + size, "scsi_cmnd", "device", &command->device) ||
	    !command->device || !kread(s, command->device, "scsi_device", "host", &command->host) ||
	    !command->host || !kread(s, command->host, "Scsi_Host", "host_no", &number) ||
	    !kread(s, command->device, "scsi_device", "channel", &channel) ||
	    !kread(s, command->device, "scsi_device", "id", &id) ||
	    !kread(s, command->device, "scsi_device", "lun", &lun))
		return false;
	snprintf(command->address, sizeof(command->address), "%u:%u:%u:%" PRIu64, (unsigned)number,
		 (unsigned)channel, (unsigned)id, lun);
	add_name(s, command->device, "vendor", VENDOR_LENGTH, &model);
	add_name(s, command->device, "model", MODEL_LENGTH, &model);
	snprintf(command->model, sizeof(command->model), "%s", strbuf_text(&model));
	if (kread(s, command->host, "Scsi_Host", "hostt", &driver) && driver)
		(void)kread(s, driver, "scsi_host_template", "queuecommand", &command->queuecommand);
	state_name(s, command->device, "scsi_device", "sdev_state", "enum scsi_device_state", "SDEV_",
		   command->device_state, sizeof(command->device_state));
	state_name(s, command->host, "Scsi_Host", "shost_state", "enum scsi_host_state", "SHOST_",
		   command->host_state, sizeof(command->host_state));
	if (!kread(s, command->host, "Scsi_Host", "host_failed", &command->failed) ||
	    command->failed > FAILED_MAX)
		command->failed = 0;
	return true;
}
