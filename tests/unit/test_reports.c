// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's reports of stalls, memory and objects; several at once, ends, broken lines. */
#include "oops_text.h"

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

static void test_kmemleak(void **state unused_arg)
{
	struct parsed *p = parse(
		"unreferenced object 0xffff88810b9f5b40 (size 64):\n"
		"  comm \"syz-executor\", pid 7012, jiffies 4294947291 (age 7.910s)\n"
		"  hex dump (first 32 bytes):\n"
		"    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................\n"
		"  backtrace:\n"
		"    [<00000000d2a3ab1c>] kmemleak_alloc_recursive+0x1/0x2\n"
		"    [<00000000c9f4a1de>] do_ipv6_setsockopt.isra.0+0x11/0x22\n");

	assert_int_equal(p->report_count, 1);
	assert_string_equal(p->reports->kind, "memory leak");
	assert_int_equal(p->reports->frame_count, 2);
	assert_place(&p->reports->frames[1].place, "do_ipv6_setsockopt.isra.0", 0x11, NULL);
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
		"CPU: 1 PID: 12 Comm: sh Not tainted 6.12.0 #1\n"
		"Call Trace:\n"
		" first+0x1/0x2\n"
		"Modules linked in: near\n"
		"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n"
		"Workqueue: far away\n"
		"NETDEV WATCHDOG: eth0\n");

	assert_int_equal(p->report_count, 3);
	assert_int_equal(p->reports[0].number, 1);
	assert_int_equal(p->reports[0].count, 3);
	assert_string_equal(p->reports[1].file, "b.c");
	assert_int_equal(p->reports[1].count, 6);
	assert_int_equal(p->reports[1].module_count, 1); /* "a", "b" ... are none */
	assert_null(p->reports[1].workqueue);
	done(p);
}

/* A place beside the stack is no part of it. */
static void test_headless_trace(void **state unused_arg)
{
	struct parsed *p = parse(
		"BUG: sleeping function called from invalid context at mm/slab.h:494\n"
		"Preemption disabled at:\n"
		"[<ffffffff8709e980>] __dev_queue_xmit+0x1f0/0x2e30\n"
		"CPU: 1 PID: 12 Comm: sh Not tainted 6.12.0 #1\n"
		"Call Trace:\n"
		" first+0x1/0x2\n"
		"kernel BUG at a.c:1!\n"
		"[<ffffffff8709e980>] alone+0x1f0/0x2e30\n");

	assert_int_equal(p->report_count, 2);
	assert_int_equal(p->reports[0].frame_count, 1);
	assert_int_equal(p->reports[0].track_count, 0);
	assert_place(&p->reports[0].frames[0].place, "first", 1, NULL);
	assert_int_equal(p->reports[1].frame_count, 1);
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
		cmocka_unit_test(test_hung_tasks),
		cmocka_unit_test(test_rcu_stall),
		cmocka_unit_test(test_soft_lockup),
		cmocka_unit_test(test_allocation_failure),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_slub),
		cmocka_unit_test(test_kmemleak),
		cmocka_unit_test(test_kasan),
		cmocka_unit_test(test_ubsan),
		cmocka_unit_test(test_lockdep),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_hardware_errors),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_headless_trace),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
