// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's oopses and warnings, as versions from 2.6.32 to 7.x print them. */
#include "oops_text.h"

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
		"Modules linked in: AliSecGuard(OE) nf_conntrack_netlink_helper xfs rbd\n"
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
	assert_int_equal(r->module_count, 7);
	assert_string_equal(r->modules[4].name, "parport_pc");
	assert_string_equal(r->modules[6].taints, "E");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
