// SPDX-License-Identifier: LGPL-2.1-or-later
/* What they mean: devices, modules, interrupts, and other things with names. */
#include "base/strbuf.h"
#include "kernel/meaning_rows.h"
#include "kernel/modules.h"

enum { KOBJECT_DEPTH_MAX = 24 };

static bool tell_kobject(struct session *s, uint64_t kobject, char *buf, size_t size)
{
	char name[64], joined[256] = "";

	for (unsigned depth = 0; kobject; depth++) {
		if (depth == KOBJECT_DEPTH_MAX ||
		    !meaning_name(s, kobject, "kobject", "name", name, sizeof(name)))
			return false;
		auto_free char *longer = xasprintf("/%s%s", name, joined);
		snprintf(joined, sizeof(joined), "%s", longer);
		if (!kread(s, kobject, "kobject", "parent", &kobject))
			return false;
	}
	snprintf(buf, size, "%s", joined);
	return *joined;
}

static bool tell_device(struct session *s, uint64_t device, char *buf, size_t size)
{
	char driver[48] = "";
	uint64_t address;

	if (!meaning_name(s, device, "device", "init_name", buf, size) &&
	    !meaning_name(s, device, "device", "kobj.name", buf, size))
		return false;
	size_t length = strlen(buf);
	if (kread(s, device, "device", "driver", &address) && address &&
	    meaning_name(s, address, "device_driver", "name", driver, sizeof(driver)))
		snprintf(buf + length, size - length, ", driver %s", driver);
	return true;
}

/* A structure that has a struct device in it. */
static bool tell_inner(struct session *s, uint64_t address, const char *type, const char *member,
		       char *buf, size_t size)
{
	uint64_t offset;

	return koffset(s, type, member, &offset) && tell_device(s, address + offset, buf, size);
}

static bool tell_pci(struct session *s, uint64_t device, char *buf, size_t size)
{
	return tell_inner(s, device, "pci_dev", "dev", buf, size);
}

static bool tell_usb(struct session *s, uint64_t device, char *buf, size_t size)
{
	return tell_inner(s, device, "usb_device", "dev", buf, size);
}

static bool tell_scsi(struct session *s, uint64_t device, char *buf, size_t size)
{
	return tell_inner(s, device, "scsi_device", "sdev_gendev", buf, size);
}

static bool tell_scsi_host(struct session *s, uint64_t host, char *buf, size_t size)
{
	return tell_inner(s, host, "Scsi_Host", "shost_gendev", buf, size);
}

static bool tell_scsi_command(struct session *s, uint64_t command, char *buf, size_t size)
{
	uint64_t device;

	return kread(s, command, "scsi_cmnd", "device", &device) && device &&
	       tell_scsi(s, device, buf, size);
}

static bool tell_driver(struct session *s, uint64_t driver, char *buf, size_t size)
{
	return meaning_name(s, driver, "device_driver", "name", buf, size);
}

static bool tell_module(struct session *s, uint64_t module, char *buf, size_t size)
{
	size_t count;
	const struct module_info *all = modules(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].module.address != module)
			continue;
		snprintf(buf, size, "%s", all[i].module.name);
		return true;
	}
	return false;
}

static bool tell_action(struct session *s, uint64_t action, char *buf, size_t size)
{
	char name[64] = "?", handler[128];
	uint64_t number;

	if (!meaning_function_member(s, action, "irqaction", "handler", handler, sizeof(handler)) ||
	    !kread(s, action, "irqaction", "irq", &number))
		return false;
	(void)meaning_name(s, action, "irqaction", "name", name, sizeof(name));
	snprintf(buf, size, "IRQ %" PRIu64 " %s, %s", number & UINT32_MAX, name, handler);
	return true;
}

static bool tell_irq(struct session *s, uint64_t desc, char *buf, size_t size)
{
	char name[64] = "";
	uint64_t number, action;

	if (!kread(s, desc, "irq_desc", "irq_data.irq", &number) || number > 1u << 20)
		return false;
	if (kread(s, desc, "irq_desc", "action", &action) && action)
		(void)meaning_name(s, action, "irqaction", "name", name, sizeof(name));
	snprintf(buf, size, "IRQ %" PRIu64 "%s%s", number, *name ? " " : "", name);
	return true;
}

static bool tell_tty(struct session *s, uint64_t tty, char *buf, size_t size)
{
	return meaning_name(s, tty, "tty_struct", "name", buf, size);
}

static bool tell_attribute(struct session *s, uint64_t attribute, char *buf, size_t size)
{
	return meaning_name(s, attribute, "attribute", "name", buf, size);
}

static bool tell_parameter(struct session *s, uint64_t parameter, char *buf, size_t size)
{
	return meaning_name(s, parameter, "kernel_param", "name", buf, size);
}

static bool tell_cgroup(struct session *s, uint64_t cgroup, char *buf, size_t size)
{
	uint64_t node;

	return kread(s, cgroup, "cgroup", "kn", &node) && node &&
	       meaning_name(s, node, "kernfs_node", "name", buf, size);
}

static bool tell_bpf(struct session *s, uint64_t prog, char *buf, size_t size)
{
	uint64_t aux;

	return kread(s, prog, "bpf_prog", "aux", &aux) && aux &&
	       meaning_name(s, aux, "bpf_prog_aux", "name", buf, size);
}

static bool tell_clock_event(struct session *s, uint64_t device, char *buf, size_t size)
{
	return meaning_name(s, device, "clock_event_device", "name", buf, size);
}

const struct meaning_row meaning_device_rows[] = {
	{ "kobject", tell_kobject, false },
	{ "device", tell_device, false },
	{ "pci_dev", tell_pci, false },
	{ "usb_device", tell_usb, false },
	{ "scsi_device", tell_scsi, false },
	{ "Scsi_Host", tell_scsi_host, false },
	{ "scsi_cmnd", tell_scsi_command, false },
	{ "device_driver", tell_driver, false },
	{ "module", tell_module, false },
	{ "irqaction", tell_action, false },
	{ "irq_desc", tell_irq, false },
	{ "tty_struct", tell_tty, false },
	{ "attribute", tell_attribute, false },
	{ "kernel_param", tell_parameter, false },
	{ "cgroup", tell_cgroup, false },
	{ "bpf_prog", tell_bpf, false },
	{ "clock_event_device", tell_clock_event, false },
	{ NULL, NULL, false },
};
