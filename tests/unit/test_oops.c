// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's reports, as versions from 2.6.32 to 7.x print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "kernel/oops.h"

struct parsed {
	struct arena arena;
	char *text;
	vec_fields(struct log_record);
	const struct oops_report *reports;
	size_t report_count;
};

/* Each line is a record. "@7 text": printed by caller 7. */
static struct parsed *parse(const char *text)
{
	struct parsed *p = xcalloc(1, sizeof(*p));
	char *line = p->text = xstrdup(text);

	while (line) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		struct log_record r = { .text = line };
		if (*line == '@') {
			r.has_caller = true;
			r.caller = (uint32_t)(line[1] - '0');
			r.text += 3;
		}
		r.length = strlen(r.text);
		vec_push(p, r);
		line = end ? end + 1 : NULL;
	}
	oops_parse(p->data, p->count, &p->arena, &p->reports, &p->report_count);
	return p;
}

static void done(struct parsed *p)
{
	arena_deinit(&p->arena);
	vec_deinit(p);
	free(p->text);
	free(p);
}

static void assert_place(const struct oops_place *place, const char *function, uint64_t offset,
			 const char *module)
{
	assert_non_null(place->function);
	assert_string_equal(place->function, function);
	assert_int_equal(place->offset, offset);
	if (module)
		assert_string_equal(place->module, module);
	else
		assert_null(place->module);
}

static void assert_reg(const struct regs *regs, unsigned reg, uint64_t value)
{
	assert_true(regs_known(regs, reg));
	assert_int_equal(regs->value[reg], value);
}

/* --- Oopses by age. --- */

static void test_oops_2_6_32(void **state unused_arg)
{
	struct parsed *p = parse(
		"eth0: link up\n"
		"BUG: unable to handle kernel NULL pointer dereference at (null)\n"
		"IP: [<ffffffffa0380ee3>] nfs4_put_open_state+0x43/0xf0 [nfs]\n"
		"PGD 41d0f3067 PUD 41c4a5067 PMD 0 \n"
		"Oops: 0002 [#1] SMP \n"
		"last sysfs file: /sys/devices/system/cpu/online\n"
		"CPU 2 \n"
		"Modules linked in: nfs lockd sunrpc(U) autofs4 [last unloaded: scsi_wait_scan]\n"
		"\n"
		"Pid: 1822, comm: rpciod/2 Not tainted 2.6.32-642.el6.x86_64 #1 HP ProLiant DL380p\n"
		"RIP: 0010:[<ffffffffa0380ee3>]  [<ffffffffa0380ee3>] nfs4_put_open_state+0x43/0xf0 "
		"[nfs]\n"
		"RSP: 0018:ffff88042c1b9d60  EFLAGS: 00010246\n"
		"RAX: 0000000000000000 RBX: ffff880428b7ba80 RCX: 0000000000000001\n"
		"RDX: 0000000000000002 RSI: 0000000000000246 RDI: ffff880428b7baa0\n"
		"R13: 000000000000001f R14: 0000000000000000 R15: ffffffffa0380ea0\n"
		"FS:  0000000000000000(0000) GS:ffff880028280000(0000) knlGS:0000000000000000\n"
		"CS:  0010 DS: 0018 ES: 0018 CR0: 000000008005003b\n"
		"CR2: 0000000000000000 CR3: 000000041c4a4000 CR4: 00000000000406e0\n"
		"Process rpciod/2 (pid: 1822, threadinfo ffff88042c1b8000, task ffff88042dd4e040)\n"
		"Stack:\n"
		" ffff88042c1b9d80 ffff880428b7ba80 ffff880428b7ba80 0000000000000000\n"
		"<d> ffff88042c1b9dc0 ffffffffa03813d2 ffff88042c1b9dc0 ffff880428b7ba80\n"
		"Call Trace:\n"
		" <IRQ> \n"
		" [<ffffffff81065df5>] ? enqueue_entity+0x125/0x450\n"
		" <EOI>  [<ffffffffa03813d2>] nfs4_open_release+0x42/0xa0 [nfs]\n"
		" [<ffffffff8109e78e>] kthread+0x9e/0xc0\n"
		"Code: 00 48 8b 5f 18 <c7> 00 01 00 00 00 \n"
		"RIP  [<ffffffffa0380ee3>] nfs4_put_open_state+0x43/0xf0 [nfs]\n"
		" RSP <ffff88042c1b9d60>\n"
		"CR2: 0000000000000000\n"
		"---[ end trace 9c9ad6f2b5f7e1c5 ]---\n"
		"Kernel panic - not syncing: Fatal exception\n"
		"Pid: 1822, comm: rpciod/2 Tainted: G      D    ---------------    "
		"2.6.32-642.el6.x86_64 #1\n"
		"Call Trace:\n"
		" [<ffffffff815264bd>] ? panic+0xa7/0x16f\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 2);
	assert_string_equal(r->kind, "NULL pointer dereference");
	assert_int_equal(r->first, 1);
	assert_int_equal(r->count, 31);
	assert_true(r->has_address && r->address == 0);
	assert_true(r->has_error_code && r->error_code == 2);
	assert_int_equal(r->number, 1);
	assert_int_equal(r->cpu, 2);
	assert_int_equal(r->pid, 1822);
	assert_string_equal(r->comm, "rpciod/2");
	assert_string_equal(r->taint, "");
	assert_string_equal(r->release, "2.6.32-642.el6.x86_64");
	assert_string_equal(r->hardware, "HP ProLiant DL380p");
	assert_place(&r->pc, "nfs4_put_open_state", 0x43, "nfs");
	assert_int_equal(r->pc.size, 0xf0);
	assert_reg(&r->regs, X86_RIP, 0xffffffffa0380ee3);
	assert_reg(&r->regs, X86_RBX, 0xffff880428b7ba80);
	assert_reg(&r->regs, X86_RSP, 0xffff88042c1b9d60);
	assert_reg(&r->regs, X86_CS, 0x10);
	assert_false(regs_known(&r->regs, X86_R8));
	assert_true(r->has_cr2 && r->cr2 == 0);
	assert_int_equal(r->code_count, 11);
	assert_int_equal(r->code_pc, 5);
	assert_int_equal(r->code[5], 0xc7);
	assert_int_equal(r->module_count, 4);
	assert_string_equal(r->modules[2].name, "sunrpc");
	assert_string_equal(r->modules[2].taints, "U");
	assert_string_equal(r->last_unloaded, "scsi_wait_scan");
	assert_int_equal(r->frame_count, 3);
	assert_true(r->frames[0].guess);
	assert_string_equal(r->frames[0].stack, "IRQ");
	assert_null(r->frames[1].stack);
	assert_place(&r->frames[1].place, "nfs4_open_release", 0x42, "nfs");
	assert_string_equal(r[1].kind, "panic");
	assert_string_equal(r[1].message, "Fatal exception");
	assert_string_equal(r[1].taint, "GD");
	assert_int_equal(r[1].frame_count, 1);
	done(p);
}

static void test_oops_3_10(void **state unused_arg)
{
	struct parsed *p = parse(
		"------------[ cut here ]------------\n"
		"kernel BUG at lib/idr.c:1157!\n"
		"invalid opcode: 0000 [#1] SMP \n"
		"Modules linked in: AliSecGuard(OE) xfs rbd\n"
		" parport_pc i2c_piix4 ip_tables(E)\n"
		"CPU: 3 PID: 18614 Comm: kworker/3:94 Tainted: G        W  OE  ------------ T "
		"3.10.0-693.2.2.el7.x86_64 #1\n"
		"Hardware name: Alibaba Cloud ECS\n"
		"Workqueue: events free_work\n"
		"task: ffff88015cb20fd0 ti: ffff88015ae30000 task.ti: ffff88015ae30000\n"
		"RIP: 0010:[<ffffffff81324031>]  [<ffffffff81324031>] ida_simple_remove+0x41/0x50\n"
		"RSP: 0018:ffff88015ae33da0  EFLAGS: 00010286\n"
		"RAX: ffff8800743e1000 RBX: 00000000ffffffff RCX: 0000000000002fff\n"
		"DR3: 0000000000000000 DR6: 00000000fffe0ff0 DR7: 0000000000000400\n"
		"Stack:\n"
		" ffff8800743e1000 0000000000000400 ffff88043fe1d6f0 ffff88015ae33e08\n"
		"Call Trace:\n"
		" [<ffffffff811f0654>] __mem_cgroup_free+0x224/0x240\n"
		" [<ffffffff811f0685>] free_work+0x15/0x20\n"
		" [<ffffffff810a93c0>] ? manage_workers.isra.24+0x2a0/0x2a0\n"
		"Code: 5d c3 <0f> 0b 0f 1f\n"
		"RIP  [<ffffffff81324031>] ida_simple_remove+0x41/0x50\n"
		" RSP <ffff88015ae33da0>\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 1);
	assert_string_equal(r->kind, "kernel BUG");
	assert_string_equal(r->header, "kernel BUG at lib/idr.c:1157!");
	assert_null(r->message);
	assert_string_equal(r->file, "lib/idr.c");
	assert_int_equal(r->line, 1157);
	assert_string_equal(r->taint, "GWOET");
	assert_string_equal(r->release, "3.10.0-693.2.2.el7.x86_64");
	assert_string_equal(r->workqueue, "events free_work");
	assert_int_equal(r->module_count, 6);
	assert_string_equal(r->modules[3].name, "parport_pc");
	assert_string_equal(r->modules[5].taints, "E");
	assert_int_equal(r->frame_count, 3);
	assert_place(&r->frames[2].place, "manage_workers.isra.24", 0x2a0, NULL);
	assert_int_equal(r->frames[0].place.address, 0xffffffff811f0654);
	assert_reg(&r->regs, X86_RBX, 0xffffffff);
	done(p);
}

/* Since 4.10 without addresses; code behind the trace up to 4.17. */
static void test_oops_4_14(void **state unused_arg)
{
	struct parsed *p = parse(
		"BUG: unable to handle kernel paging request at ffffffffc0aa0106\n"
		"IP: skb_release_data+0xa3/0x170\n"
		"PGD 0 P4D 0 \n"
		"Oops: 0000 [#1] SMP PTI\n"
		"Modules linked in: ixgbe\n"
		"CPU: 28 PID: 180 Comm: ksoftirqd/28 Tainted: G           OE   4.14.0-generic #1\n"
		"task: ffff9612bb564440 task.stack: ffffabb086974000\n"
		"RIP: 0010:skb_release_data+0xa3/0x170\n"
		"RSP: 0018:ffffabb086977cb8 EFLAGS: 00010206\n"
		"RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000001\n"
		"Call Trace:\n"
		" <IRQ>\n"
		" ixgbe_poll+0x7d7/0x14a0 [ixgbe]\n"
		" </IRQ>\n"
		"RIP: 0010:cpuidle_enter_state+0xa2/0x2e0\n"
		"RSP: 0018:ffffffff89e03e90 EFLAGS: 00000246 ORIG_RAX: ffffffffffffffb4\n"
		"RAX: ffff95617f822cc0 RBX: 000033f2ceffe9f3 RCX: 000000000000001f\n"
		" do_idle+0x181/0x1e0\n"
		"RIP: 0033:0x7f3ecc5b2c4d\n"
		"RSP: 002b:00007fff64cd5d58 EFLAGS: 00000246 ORIG_RAX: 0000000000000000\n"
		"RAX: ffffffffffffffda RBX: 0000000000000777 RCX: 00007f3ecc5b2c4d\n"
		"Code: 8b 7e 08 <48> 8b 1f \n"
		"RIP: skb_release_data+0xa3/0x170 RSP: ffffabb086977cb8\n"
		"CR2: ffffffffc0aa0106\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 1);
	assert_string_equal(r->kind, "bad memory access");
	assert_int_equal(r->address, 0xffffffffc0aa0106);
	assert_place(&r->pc, "skb_release_data", 0xa3, NULL);
	assert_int_equal(r->code_count, 6);
	assert_int_equal(r->code[r->code_pc], 0x48);
	assert_reg(&r->regs, X86_RBX, 0); /* not that of the idle loop, nor of user mode */
	assert_int_equal(r->frame_count, 3);
	assert_string_equal(r->frames[0].stack, "IRQ");
	assert_null(r->frames[1].stack);
	assert_place(&r->frames[1].place, "cpuidle_enter_state", 0xa2, NULL);
	assert_non_null(r->frames[1].regs);
	assert_reg(r->frames[1].regs, X86_RBX, 0x33f2ceffe9f3);
	assert_null(r->frames[2].regs);
	done(p);
}

static void test_oops_6_12(void **state unused_arg)
{
	struct parsed *p = parse(
		"list_del corruption, ffff8e3781a1df68->next is LIST_POISON1 (dead000000000100)\n"
		"------------[ cut here ]------------\n"
		"kernel BUG at lib/list_debug.c:56!\n"
		"Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI\n"
		"CPU: 1 UID: 0 PID: 148 Comm: my app Kdump: loaded Tainted: G           OE      "
		"6.12.95+deb12-cloud-amd64 #1  Debian 6.12.95-1~bpo12+1\n"
		"Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE\n"
		"Hardware name: QEMU Standard PC\n"
		"RIP: 0010:__list_del_entry_valid_or_report+0x7f/0xc0\n"
		"Code: 90 a2 ff <0f> 0b 48\n"
		"RSP: 0018:ffffcf18004fbc18 EFLAGS: 00000246\n"
		"RAX: 000000000000004e RBX: ffff8e3781a1df60 RCX: c0000000ffffefff\n"
		"Call Trace:\n"
		" <TASK>\n"
		" request_finish+0x12/0x50 [blk_core 0f3c51e2a4b7d1d9a3e0c5b2f8a71234deadbeef]\n"
		" ? do_fault+0x281/0x4d0\n"
		" entry_SYSCALL_64_after_hwframe+0x76/0x7e\n"
		"RIP: 0033:0x47b7a0\n"
		"Code: 40 00 48 <48> 3d 00\n"
		"RSP: 002b:00007ffe5e1232b8 EFLAGS: 00000202 ORIG_RAX: 0000000000000001\n"
		"RAX: ffffffffffffffda RBX: 0000000000000001 RCX: 000000000047b7a0\n"
		" </TASK>\n"
		"Modules linked in: blk_core(OE+) virtio_blk\n"
		"---[ end trace 0000000000000000 ]---\n"
		"RIP: 0010:__list_del_entry_valid_or_report+0x7f/0xc0\n"
		"Code: 11 22 33 <0f> 0b 48\n"
		"RAX: 1111111111111111 RBX: 2222222222222222 RCX: 3333333333333333\n"
		"Kernel panic - not syncing: Fatal exception\n"
		"Kernel Offset: 0x2bc00000 from 0xffffffff81000000\n"
		"---[ end Kernel panic - not syncing: Fatal exception ]---\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 2);
	assert_int_equal(r->first, 0);
	assert_int_equal(r->count, 26);
	assert_string_equal(r->kind, "kernel BUG");
	assert_string_equal(r->message,
			    "list_del corruption, ffff8e3781a1df68->next is LIST_POISON1 "
			    "(dead000000000100)");
	assert_string_equal(r->comm, "my app");
	assert_string_equal(r->taint, "GOE");
	assert_string_equal(r->release, "6.12.95+deb12-cloud-amd64");
	assert_reg(&r->regs, X86_RBX, 0xffff8e3781a1df60);
	assert_int_equal(r->code_count, 6);
	assert_int_equal(r->code[0], 0x90);
	assert_int_equal(r->frame_count, 3);
	assert_place(&r->frames[0].place, "request_finish", 0x12, "blk_core");
	assert_string_equal(r->modules[0].taints, "OE");
	assert_int_equal(p->reports[1].count, 3);
	done(p);
}

static void test_headers(void **state unused_arg)
{
	static const struct {
		const char *line, *kind;
		uint64_t address;
	} rows[] = {
		{ "BUG: kernel NULL pointer dereference, address: 0000000000000030",
		  "NULL pointer dereference", 0x30 },
		{ "BUG: unable to handle page fault for address: ffffd3b040424000",
		  "bad memory access", 0xffffd3b040424000 },
		{ "BUG: unable to handle kernel paging request at ffffd3b040424000",
		  "bad memory access", 0xffffd3b040424000 },
		{ "general protection fault, probably for non-canonical address 0xdead000000000110: "
		  "0000 [#1] SMP", "general protection fault", 0xdead000000000110 },
		{ "Oops: general protection fault, maybe for address 0x123: 0000 [#1] SMP",
		  "general protection fault", 0x123 },
		{ "Unable to handle kernel paging request at virtual address ffff80001234",
		  "bad memory access", 0xffff80001234 },
		{ "general protection fault: 0000 [#1] SMP", "general protection fault", 0 },
		{ "divide error: 0000 [#1] SMP", "divide error", 0 },
		{ "Oops: divide error: 0000 [#2] PREEMPT", "divide error", 0 },
		{ "stack segment: 0000 [#1] SMP", "stack segment fault", 0 },
		{ "int3: 0000 [#1] SMP", "breakpoint", 0 },
		{ "alignment check: 0000 [#1] SMP", "alignment check", 0 },
		{ "Oops: control protection fault: 0003 [#1]", "control flow violation", 0 },
		{ "traps: PANIC: double fault, error_code: 0x0", "double fault", 0 },
		{ "double fault: 0000 [#1] SMP", "double fault", 0 },
		{ "BUG: TASK stack guard page was hit at ffffc90000a7bff8 (stack is x..y)",
		  "stack overflow", 0xffffc90000a7bff8 },
		{ "BUG: stack guard page was hit at 0000000076a9f083 (stack is 0..0)",
		  "stack overflow", 0 }, /* a hash */
		{ "kernel stack overflow (double-fault): 0000 [#1] SMP", "stack overflow", 0 },
		{ "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP", "oops", 0 },
		{ "watchdog: Watchdog detected hard LOCKUP on cpu 7", "hard lockup", 0 },
		{ "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 34s!",
		  "work queue stall", 0 },
		{ "BUG: Bad page state in process java  pfn:12345", "bad page state", 0 },
		{ "BUG: Bad page map in process x  pte:80000 pmd:700", "bad page map", 0 },
		{ "usercopy: Kernel memory exposure attempt detected from SLUB object 'x' (offset 1)!",
		  "usercopy overflow", 0 },
		{ "refcount_t: underflow; use-after-free.", "reference count error", 0 },
		{ "BUG: sleeping function called from invalid context at mm/slab.h:494",
		  "sleeping in atomic context", 0 },
		{ "ODEBUG: free active (active state 0) object type: timer_list",
		  "object in the wrong state", 0 },
		{ "mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: b200000000070f0f",
		  "hardware error", 0 },
		{ "BUG: Dentry 0000 still in use (1) [unmount of ext4 sda1]", "kernel bug report", 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct parsed *p = parse(rows[i].line);
		assert_int_equal(p->report_count, 1);
		assert_string_equal(p->reports->kind, rows[i].kind);
		assert_string_equal(oops_kind_of_line(rows[i].line), rows[i].kind);
		assert_int_equal(p->reports->address, rows[i].address);
		assert_int_equal(p->reports->has_address, rows[i].address != 0);
		done(p);
	}
}

static void test_no_report(void **state unused_arg)
{
	static const char *const lines[] = {
		"eth0: renamed from eth1", "foo[123]: segfault at 0 ip 0 sp 0 error 4 in x[1000+2000]",
		"usb 1-1: new high-speed USB device [#2]?", "Command line: panic=1 oops=panic",
		"ACPI: BUG in firmware", "traps: a.out[12] general protection fault ip:1 sp:2",
		"---[ end Kernel panic - not syncing: x ]---", "------------[ cut here ]------------",
	};

	for (size_t i = 0; i < array_size(lines); i++) {
		struct parsed *p = parse(lines[i]);
		assert_int_equal(p->report_count, 0);
		done(p);
	}
}

/* --- RIP, code, places. --- */

static void test_rip(void **state unused_arg)
{
	static const struct {
		const char *line, *function;
		uint64_t address;
		bool has_pc;
	} rows[] = {
		{ "RIP: 0010:0x0", NULL, 0, true },
		{ "RIP: 0010:          (null)", NULL, 0, true },
		{ "RIP: 0010:[<0000000000000000>]  [<          (null)>]           (null)", NULL, 0, true },
		{ "RIP: 0010:0xffffffffc0311ffd", NULL, 0xffffffffc0311ffd, true },
		{ "RIP: 0010:do_x (fs/x.c:123 (discriminator 4)) ext4", "do_x", 0, true },
		{ "RIP: 0010:do_x+0x12/0x34 fs/x.c:123", "do_x", 0, true },
		{ "RIP: e030:do_x+0x12/0x34", "do_x", 0, true },
		{ "RIP: 0033:0x7f3ecc5b2c4d", NULL, 0, false },
		{ "RIP: 0023:0xf7f3e549", NULL, 0, false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		char *text = xasprintf("BUG: unable to handle page fault for address: 0\n%s",
				       rows[i].line);
		struct parsed *p = parse(text);
		free(text);
		const struct oops_report *r = p->reports;
		assert_int_equal(r->has_pc, rows[i].has_pc);
		assert_int_equal(r->pc.address, rows[i].address);
		if (rows[i].function)
			assert_string_equal(r->pc.function, rows[i].function);
		else
			assert_null(r->pc.function);
		done(p);
	}
}

static void test_bad_code(void **state unused_arg)
{
	struct parsed *p = parse("BUG: unable to handle page fault for address: 0000000000000000\n"
				 "RIP: 0010:0x0\n"
				 "Code: Unable to access opcode bytes at RIP 0xffffffffffffffd6.\n"
				 "RSP: 0018:ffff8801 EFLAGS: 00010246\n");

	assert_int_equal(p->reports->code_count, 0);
	assert_int_equal(p->reports->code_pc, SIZE_MAX);
	assert_reg(&p->reports->regs, X86_RIP, 0);
	assert_reg(&p->reports->regs, X86_RSP, 0xffff8801);
	done(p);
}

/* Mails break lines. */
static void test_broken_lines(void **state unused_arg)
{
	struct parsed *p = parse("BUG: kernel NULL pointer dereference, address: 0000000000000030\n"
				 "CPU: 1 PID: 12 Comm: sh Not tainted\n"
				 "6.1.0-57-amd64 #1 Debian\n"
				 "RIP: 0010:do_x+0x12/0x34\n"
				 "Code: b7 c2\n"
				 "4d 27 <0f> 0b\n"
				 "01 d2\n"
				 "RSP: 0018:ffff8801 EFLAGS: 00010246\n"
				 "01 d2\n"
				 "Call Trace:\n"
				 "RIP: 0033:0x1\n"
				 "Code: 11 22\n"
				 "33 44\n");
	const struct oops_report *r = p->reports;

	assert_string_equal(r->release, "6.1.0-57-amd64");
	assert_int_equal(r->code_count, 8);
	assert_int_equal(r->code_pc, 4);
	assert_int_equal(r->code[7], 0xd2);
	assert_int_equal(r->count, 13);
	done(p);
}

static void test_decoded_trace(void **state unused_arg)
{
	struct parsed *p = parse("BUG: kernel NULL pointer dereference, address: 0000000000000030\n"
				 "Call Trace:\n"
				 " <TASK>\n"
				 " __dump_stack lib/dump_stack.c:77 [inline]\n"
				 " dump_stack_lvl+0x57/0x7d lib/dump_stack.c:106\n"
				 " ext4_read (fs/ext4/file.c:12 (discriminator 3)) ext4\n"
				 " vfs_read (fs/read_write.c:470)\n"
				 " do_x+0x12\n"
				 " 0xffffffffa0001234\n"
				 " </TASK>\n");
	const struct oops_frame *f = p->reports->frames;

	assert_int_equal(p->reports->frame_count, 6);
	assert_true(f[0].inlined);
	assert_string_equal(f[0].place.function, "__dump_stack");
	assert_int_equal(f[1].place.line, 106);
	assert_false(f[1].inlined);
	assert_string_equal(f[2].place.module, "ext4");
	assert_string_equal(f[2].place.file, "fs/ext4/file.c");
	assert_int_equal(f[3].place.line, 470);
	assert_null(f[3].place.module);
	assert_int_equal(f[4].place.offset, 0x12);
	assert_int_equal(f[5].place.address, 0xffffffffa0001234);
	done(p);
}

/* --- WARN(). --- */

static void test_warnings(void **state unused_arg)
{
	static const struct {
		const char *text, *file, *function, *message, *comm;
		unsigned line;
		int cpu;
	} rows[] = {
		{ "------------[ cut here ]------------\n"
		  "WARNING: at net/sched/sch_generic.c:261 dev_watchdog+0x26b/0x280() (Not tainted)\n"
		  "Hardware name: ProLiant\n"
		  "NETDEV WATCHDOG: eth0 (tg3): transmit queue 0 timed out\n"
		  "Modules linked in: tg3\n"
		  "Pid: 0, comm: swapper Not tainted 2.6.32-642.el6.x86_64 #1\n",
		  "net/sched/sch_generic.c", "dev_watchdog",
		  "NETDEV WATCHDOG: eth0 (tg3): transmit queue 0 timed out", "swapper", 261, -1 },
		{ "------------[ cut here ]------------\n"
		  "WARNING: CPU: 2 PID: 40 at fs/x.c:7 do_x+0x1/0x2 [xm]()\n"
		  "it is odd\n"
		  "Modules linked in: xm\n"
		  "CPU: 2 PID: 40 Comm: kw Not tainted 3.10.0 #1\n",
		  "fs/x.c", "do_x", "it is odd", "kw", 7, 2 },
		{ "------------[ cut here ]------------\n"
		  "refcount_t: underflow; use-after-free.\n"
		  "WARNING: CPU: 1 PID: 152 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110\n"
		  "Modules linked in: xm(O)\n"
		  "CPU: 1 PID: 152 Comm: sh Tainted: G           O       6.1.0 #1\n",
		  "lib/refcount.c", "refcount_warn_saturate",
		  "refcount_t: underflow; use-after-free.", "sh", 28, 1 },
		{ "------------[ cut here ]------------\n"
		  "WARNING: [ptr == 0 && 1] kernel/sched/core.c:8511 at sched_init+0x20/0x410, CPU#0: "
		  "my app/0\n"
		  "Modules linked in:\n"
		  "CPU: 0 UID: 0 PID: 0 Comm: my app Not tainted 7.0.0 #1 PREEMPT\n",
		  "kernel/sched/core.c", "sched_init", NULL, "my app", 8511, 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct parsed *p = parse(rows[i].text);
		const struct oops_report *r = p->reports;
		assert_int_equal(p->report_count, 1);
		assert_string_equal(r->kind, "kernel warning");
		assert_string_equal(r->file, rows[i].file);
		assert_int_equal(r->line, rows[i].line);
		assert_string_equal(r->pc.function, rows[i].function);
		assert_int_equal(r->cpu, rows[i].cpu);
		assert_string_equal(r->comm, rows[i].comm);
		if (rows[i].message)
			assert_string_equal(r->message, rows[i].message);
		else
			assert_null(r->message);
		done(p);
	}
}

/* --- Stalls. --- */

static void test_hung_tasks(void **state unused_arg)
{
	struct parsed *p = parse(
		"INFO: task jbd2/dm-0:1-8:455 blocked for more than 120 seconds.\n"
		"      Tainted: G           OE     6.12.95 #1 Debian 6.12.95-1\n"
		"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
		"task:jbd2/dm-0:1-8   state:D stack:0     pid:455   ppid:2      flags:0x00004000\n"
		"Call Trace:\n"
		" <TASK>\n"
		" __schedule+0x4fb/0xc00\n"
		" </TASK>\n"
		"INFO: task java:99 blocked for more than 120 seconds.\n"
		"      Not tainted 2.6.32-642.el6.x86_64 #1\n"
		"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
		"java          D 0000000000000001     0    99      1 0x00000080\n"
		" ffff88042c1b9d80 ffff880428b7ba80 ffff880428b7ba80 0000000000000000\n"
		"Call Trace:\n"
		" [<ffffffff8109e78e>] io_schedule+0x73/0xc0\n");

	assert_int_equal(p->report_count, 2);
	assert_string_equal(p->reports[0].comm, "jbd2/dm-0:1-8");
	assert_int_equal(p->reports[0].pid, 455);
	assert_string_equal(p->reports[0].taint, "GOE");
	assert_int_equal(p->reports[0].frame_count, 1);
	assert_int_equal(p->reports[1].first, 8);
	assert_int_equal(p->reports[1].count, 7);
	assert_int_equal(p->reports[1].pid, 99);
	assert_string_equal(p->reports[1].release, "2.6.32-642.el6.x86_64");
	assert_int_equal(p->reports[1].frame_count, 1);
	done(p);
}

/* The stalled CPU prints its own registers, under its own caller; another prints something else. */
static void test_rcu_stall(void **state unused_arg)
{
	struct parsed *p = parse(
		"@1 rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n"
		"@1 rcu: \t1-...0: (1 GPs behind) idle=2134/1/0x4000000000000000\n"
		"@1 rcu: \t(detected by 0, t=1002 jiffies, g=-711, q=48 ncpus=2)\n"
		"@1 Sending NMI from CPU 0 to CPUs 1:\n"
		"@3 usb 1-1: something else\n"
		"@2 NMI backtrace for cpu 1\n"
		"@2 CPU: 1 UID: 0 PID: 148 Comm: sh Not tainted 6.12.95 #1\n"
		"@2 RIP: 0010:wait_for_device+0x17/0x30 [dev]\n"
		"@2 RSP: 0018:ffffd20f801c3c10 EFLAGS: 00000046\n"
		"@2 Call Trace:\n"
		"@3 BUG: sleeping function called from invalid context at mm/slab.h:494\n"
		"@2  probe+0xe/0xfb0 [dev]\n"
		"@3 Call Trace:\n"
		"@3  other+0x1/0x2\n"
		"@1 Kernel panic - not syncing: RCU Stall\n");

	assert_int_equal(p->report_count, 3);
	assert_string_equal(p->reports[0].kind, "RCU stall");
	assert_int_equal(p->reports[0].cpu, 1);
	assert_string_equal(p->reports[0].comm, "sh");
	assert_place(&p->reports[0].pc, "wait_for_device", 0x17, "dev");
	assert_int_equal(p->reports[0].frame_count, 1);
	assert_place(&p->reports[0].frames[0].place, "probe", 0xe, "dev");
	assert_string_equal(p->reports[1].kind, "sleeping in atomic context");
	assert_string_equal(p->reports[1].file, "mm/slab.h");
	assert_place(&p->reports[1].frames[0].place, "other", 1, NULL);
	assert_string_equal(p->reports[2].message, "RCU Stall");
	done(p);
}

static void test_soft_lockup(void **state unused_arg)
{
	struct parsed *p = parse(
		"watchdog: BUG: soft lockup - CPU#5 stuck for 23s! [my:app:102]\n"
		"Modules linked in: xm\n"
		"CPU: 5 PID: 102 Comm: my:app Not tainted 6.1.0 #1\n"
		"RIP: 0010:poll+0x11/0x30 [xm]\n"
		"Call Trace:\n"
		" kthread+0xda/0x100\n"
		"Kernel panic - not syncing: softlockup: hung tasks\n"
		"CPU: 5 PID: 102 Comm: my:app Tainted: G             L     6.1.0 #1\n"
		"Call Trace:\n"
		" <IRQ>\n"
		" panic+0x118/0x2f4\n"
		" </IRQ>\n"
		"RIP: 0010:poll+0x11/0x30 [xm]\n"
		"Code: f3 90 <8b> 05\n"
		"RAX: 0000000000a748a4 RBX: ffff8d44c24de080 RCX: 0000000000000002\n"
		" kthread+0xda/0x100\n");

	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[0].cpu, 5);
	assert_string_equal(p->reports[0].comm, "my:app");
	assert_int_equal(p->reports[0].pid, 102);
	assert_place(&p->reports[0].pc, "poll", 0x11, "xm");
	/* Of the panic it is no pc: a frame that was interrupted. */
	assert_false(p->reports[1].has_pc);
	assert_int_equal(p->reports[1].code_count, 0);
	assert_int_equal(p->reports[1].frame_count, 3);
	assert_reg(p->reports[1].frames[1].regs, X86_RAX, 0xa748a4);
	done(p);
}

/* --- Memory. --- */

static void test_allocation_failure(void **state unused_arg)
{
	struct parsed *p = parse(
		"docker-runc: page allocation failure: order:6, mode:0x10c0d0\n"
		"CPU: 3 PID: 20628 Comm: docker-runc Tainted: G        W  OE  3.10.0-693.el7.x86_64 #1\n"
		" 000000000010c0d0 00000000eefb6afd ffff88015c307a98 ffffffff816a3db1\n"
		"Call Trace:\n"
		" [<ffffffff816a3db1>] dump_stack+0x19/0x1b\n"
		" [<ffffffff811f5c8f>] mem_cgroup_css_online+0x1cf/0x210\n"
		"Mem-Info:\n"
		"active_anon:1687418 inactive_anon:3334 isolated_anon:0\n"
		" free:138442 free_pcp:0 free_cma:0\n"
		"Node 0 DMA free:15908kB min:64kB low:80kB high:96kB\n"
		"lowmem_reserve[]: 0 2814 15869 15869\n"
		"Node 0 DMA: 1*4kB (U) 0*8kB 0*16kB 1*32kB (U) 2*64kB (U) 1*128kB (U) 1*256kB (U) "
		"0*512kB 1*1024kB (U) 1*2048kB (M) 3*4096kB (M) = 15908kB\n"
		"Node 0 Normal: 8454*4kB (UEM) 6702*8kB (UEM) 5452*16kB (UEM) 3852*32kB (UEM) "
		"1960*64kB (UEM) 389*128kB (UEM) 3*256kB (M) 0*512kB 0*1024kB 0*2048kB 0*4096kB = "
		"473928kB\n"
		"966873 total pagecache pages\n"
		"Free swap  = 0kB\n"
		"127242 pages reserved\n"
		"docker0: port 18(veth455b303) entered blocking state\n"
		"java: page allocation failure. order:5, mode:0xd0\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 2);
	assert_string_equal(r->kind, "page allocation failure");
	assert_string_equal(r->comm, "docker-runc");
	assert_int_equal(r->order, 6);
	assert_string_equal(r->gfp, "0x10c0d0");
	assert_int_equal(r->count, 16);
	assert_int_equal(r->frame_count, 2);
	assert_int_equal(r->zone_count, 2);
	assert_string_equal(r->zones[1].name, "Normal");
	assert_int_equal(r->zones[1].node, 0);
	assert_int_equal(r->zones[1].orders, 11);
	assert_int_equal(r->zones[1].free_blocks[6], 3);
	assert_int_equal(r->zones[1].free_blocks[7], 0);
	assert_int_equal(r->zones[0].free_blocks[10], 3);
	assert_int_equal(r[1].order, 5);
	done(p);
}

static void test_out_of_memory(void **state unused_arg)
{
	struct parsed *p = parse(
		"eater invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, "
		"oom_score_adj=0\n"
		"CPU: 0 PID: 101 Comm: eater Not tainted 6.1.0-57-cloud-amd64 #1\n"
		"Call Trace:\n"
		" <TASK>\n"
		" dump_stack_lvl+0x44/0x5c\n"
		"RIP: 0033:0x41d10a\n"
		" </TASK>\n"
		"Mem-Info:\n"
		"Node 0 DMA32: 15*4kB (UME) 16*8kB (UME) 0*16kB = 188kB\n"
		"Tasks state (memory values in pages):\n"
		"[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
		"[     99]     0    99      565        1    28672        0             0 guest.sh\n"
		"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=eater,pid=101,uid=0\n"
		"Out of memory: Killed process 101 (eater) total-vm:248kB, anon-rss:2kB\n"
		"oom_reaper: reaped process 101 (eater), now anon-rss:0kB\n"
		"other invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0\n"
		"other cpuset=/ mems_allowed=0-1\n"
		"Killed process 7, UID 27, (mysqld) total-vm:47388kB, anon-rss:3744kB\n");

	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[0].count, 15);
	assert_string_equal(p->reports[0].victim, "eater");
	assert_int_equal(p->reports[0].victim_pid, 101);
	assert_int_equal(p->reports[0].order, 0);
	assert_int_equal(p->reports[0].zones[0].orders, 3);
	assert_string_equal(p->reports[1].victim, "mysqld");
	assert_string_equal(p->reports[1].gfp, "0x201da");
	done(p);
}

/* --- Objects. --- */

static void test_slub(void **state unused_arg)
{
	struct parsed *p = parse(
		"=============================================================================\n"
		"BUG kmalloc-1024 (Tainted: G    B      OE  ): Poison overwritten\n"
		"-----------------------------------------------------------------------------\n"
		"\n"
		"INFO: 0xffff9561784602d0-0xffff9561784602d3. First byte 0x6 instead of 0x6b\n"
		"INFO: Allocated in alloc_request_size+0x2b/0x70 age=36 cpu=1 pid=3011\n"
		"\t__slab_alloc+0x1c/0x30\n"
		"\talloc_request_size+0x2b/0x70\n"
		"INFO: Freed in __blk_put_request+0xb7/0x190 age=36 cpu=3 pid=0\n"
		"\t__blk_put_request+0xb7/0x190\n"
		"INFO: Slab 0xffffdf1680e11800 objects=24 used=24 fp=0x          (null)\n"
		"INFO: Object 0xffff956178460008 @offset=8 fp=0xffff956178461fe8\n"
		"\n"
		"Redzone ffff956178460000: bb bb bb bb bb bb bb bb                          ........\n"
		"Object ffff956178460008: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkk\n"
		"CPU: 0 PID: 0 Comm: swapper/0 Tainted: G    B      OE   4.14.0-generic #1\n"
		"Call Trace:\n"
		" <IRQ>\n"
		" dump_stack+0x5c/0x85\n"
		" </IRQ>\n"
		"FIX kmalloc-1024: Restoring 0xffff9561784602d0-0xffff9561784602d3=0x6b\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 1);
	assert_int_equal(r->first, 1);
	assert_int_equal(r->count, 20);
	assert_string_equal(r->kind, "slab corruption");
	assert_string_equal(r->message, "Poison overwritten");
	assert_string_equal(r->cache, "kmalloc-1024");
	assert_int_equal(r->object, 0xffff956178460008);
	assert_int_equal(r->frame_count, 1);
	assert_int_equal(r->track_count, 2);
	assert_true(r->tracks[0].allocated);
	assert_int_equal(r->tracks[0].pid, 3011);
	assert_int_equal(r->tracks[0].frame_count, 2);
	assert_true(r->tracks[1].freed);
	assert_place(&r->tracks[1].frames[0].place, "__blk_put_request", 0xb7, NULL);
	done(p);
}

static void test_kasan(void **state unused_arg)
{
	struct parsed *p = parse(
		"==================================================================\n"
		"BUG: KASAN: slab-use-after-free in channel_send+0x15/0x40 [chan]\n"
		"Write of size 8 at addr ffff888012345678 by task my app/12\n"
		"\n"
		"CPU: 1 UID: 0 PID: 12 Comm: my app Not tainted 6.12.0 #1\n"
		"Call Trace:\n"
		" <TASK>\n"
		" dump_stack_lvl+0x57/0x7d\n"
		" channel_send+0x15/0x40 [chan]\n"
		" </TASK>\n"
		"\n"
		"Allocated by task 11:\n"
		" kasan_save_stack+0x1b/0x40\n"
		" channel_open+0x1b/0x40 [chan]\n"
		"\n"
		"Freed by task 10:\n"
		" channel_close+0x1b/0x40 [chan]\n"
		"\n"
		"The buggy address belongs to the object at ffff888012345600\n"
		" which belongs to the cache kmalloc-256 of size 256\n"
		"==================================================================\n"
		"Disabling lock debugging due to kernel taint\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 1);
	assert_int_equal(r->count, 20);
	assert_string_equal(r->message, "slab-use-after-free in channel_send+0x15/0x40 [chan]");
	assert_place(&r->pc, "channel_send", 0x15, "chan");
	assert_string_equal(r->comm, "my app");
	assert_int_equal(r->pid, 12);
	assert_int_equal(r->address, 0xffff888012345678);
	assert_int_equal(r->object, 0xffff888012345600);
	assert_string_equal(r->cache, "kmalloc-256");
	assert_int_equal(r->frame_count, 2);
	assert_int_equal(r->track_count, 2);
	assert_int_equal(r->tracks[0].frame_count, 2);
	assert_place(&r->tracks[1].frames[0].place, "channel_close", 0x1b, "chan");
	done(p);
}

static void test_ubsan(void **state unused_arg)
{
	struct parsed *p = parse(
		"------------[ cut here ]------------\n"
		"UBSAN: shift-out-of-bounds in drivers/x/y.c:12:30\n"
		"shift exponent 64 is too large for 32-bit type 'int'\n"
		"CPU: 1 PID: 12 Comm: sh Not tainted 6.12.0 #1\n"
		"Call Trace:\n"
		" y_set+0x15/0x40\n"
		"---[ end trace ]---\n");

	assert_int_equal(p->report_count, 1);
	assert_string_equal(p->reports->kind, "undefined behaviour");
	assert_string_equal(p->reports->file, "drivers/x/y.c");
	assert_int_equal(p->reports->line, 12);
	assert_string_equal(p->reports->message, "shift-out-of-bounds in drivers/x/y.c:12:30");
	assert_int_equal(p->reports->frame_count, 1);
	done(p);
}

static void test_lockdep(void **state unused_arg)
{
	struct parsed *p = parse(
		"======================================================\n"
		"WARNING: possible circular locking dependency detected\n"
		"6.12.0 #1 Not tainted\n"
		"------------------------------------------------------\n"
		"sh/12 is trying to acquire lock:\n"
		"ffff888100 (&a->lock){+.+.}-{3:3}, at: first+0x1/0x2\n"
		"\n"
		"but task is already holding lock:\n"
		"ffff888200 (&b->lock){+.+.}-{3:3}, at: second+0x1/0x2\n"
		"stack backtrace:\n"
		"CPU: 1 PID: 12 Comm: sh Not tainted 6.12.0 #1\n"
		"Call Trace:\n"
		" first+0x15/0x40\n");

	assert_int_equal(p->report_count, 1);
	assert_string_equal(p->reports->kind, "possible deadlock");
	assert_string_equal(p->reports->comm, "sh");
	assert_int_equal(p->reports->frame_count, 1);
	done(p);
}

static void test_arm64(void **state unused_arg)
{
	struct parsed *p = parse(
		"Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n"
		"Mem abort info:\n"
		"  ESR = 0x0000000096000004\n"
		"  EC = 0x25: DABT (current EL), IL = 32 bits\n"
		"Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP\n"
		"Modules linked in: chan(O)\n"
		"CPU: 2 PID: 99 Comm: sh Tainted: G           O       6.6.0 #1\n"
		"Hardware name: linux,dummy-virt (DT)\n"
		"pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n"
		"pc : channel_send+0x14/0x40 [chan]\n"
		"lr : channel_write+0x20/0x60 [chan]\n"
		"sp : ffff800083f3bcb0\n"
		"x29: ffff800083f3bcb0 x28: ffff0000c1a2b000 x27: 0000000000000000\n"
		"Call trace:\n"
		" channel_send+0x14/0x40 [chan]\n"
		" vfs_write+0xd0/0x30c\n"
		"Code: d503201f d503201f f9400000 (f9400800) \n"
		"---[ end trace 0000000000000000 ]---\n");
	const struct oops_report *r = p->reports;

	assert_int_equal(p->report_count, 1);
	assert_true(r->arm64);
	assert_int_equal(r->address, 0x10);
	assert_place(&r->pc, "channel_send", 0x14, "chan");
	assert_int_equal(r->frame_count, 2);
	assert_int_equal(r->regs.known, 0);
	assert_int_equal(r->code_count, 0);
	done(p);
}

static void test_hardware_errors(void **state unused_arg)
{
	struct parsed *p = parse(
		"mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: b200000000070f0f\n"
		"mce: [Hardware Error]: TSC 0 ADDR 12345000\n"
		"mce: [Hardware Error]: Run the above through 'mcelog --ascii'\n"
		"mce: [Hardware Error]: Machine check: Processor context corrupt\n"
		"Kernel panic - not syncing: Fatal machine check\n");

	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[0].count, 4);
	assert_string_equal(p->reports[1].message, "Fatal machine check");
	done(p);
}

/* Ends: the next report, lines of others. */
static void test_ends(void **state unused_arg)
{
	struct parsed *p = parse(
		"kernel BUG at a.c:1!\n"
		"invalid opcode: 0000 [#1] SMP\n"
		"CPU: 1 PID: 12 Comm: sh Not tainted 6.12.0 #1\n"
		"kernel BUG at b.c:2!\n"
		"invalid opcode: 0000 [#2] SMP\n"
		"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n"
		"Modules linked in: far_away\n");

	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[0].number, 1);
	assert_int_equal(p->reports[0].count, 3);
	assert_string_equal(p->reports[1].file, "b.c");
	assert_int_equal(p->reports[1].count, 2);
	assert_int_equal(p->reports[1].module_count, 0);
	done(p);
}

/* One message may be several lines, or several messages one line. */
static void test_records(void **state unused_arg)
{
	struct arena arena = { 0 };
	const struct log_record log[] = {
		{ .text = "BUG: kernel NULL pointer dereference, address: 0000000000000030\n"
			  "RIP: 0010:do_x+0x12/0x34" },
		{ .text = "Modules linked in: a", .continued = true },
		{ .text = " b(OE)", .continued = true },
		{ .text = " c" },
		{ .text = "RAX: 0000000000000001 RBX: 0000000000000002 RCX: 0000000000000003" },
	};
	const struct oops_report *r;
	size_t count;

	oops_parse(log, array_size(log), &arena, &r, &count);
	assert_int_equal(count, 1);
	assert_place(&r->pc, "do_x", 0x12, NULL);
	assert_int_equal(r->module_count, 3);
	assert_string_equal(r->modules[1].name, "b");
	assert_reg(&r->regs, X86_RCX, 3);
	assert_int_equal(r->count, 5);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oops_2_6_32),
		cmocka_unit_test(test_oops_3_10),
		cmocka_unit_test(test_oops_4_14),
		cmocka_unit_test(test_oops_6_12),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_no_report),
		cmocka_unit_test(test_rip),
		cmocka_unit_test(test_bad_code),
		cmocka_unit_test(test_broken_lines),
		cmocka_unit_test(test_decoded_trace),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_hung_tasks),
		cmocka_unit_test(test_rcu_stall),
		cmocka_unit_test(test_soft_lockup),
		cmocka_unit_test(test_allocation_failure),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_slub),
		cmocka_unit_test(test_kasan),
		cmocka_unit_test(test_ubsan),
		cmocka_unit_test(test_lockdep),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_hardware_errors),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
