/*
 * Two locks that are kept, one of them for writing, and CPUs that come to wait for them one after the other, in an order that is no order
 * of their numbers. Each is let in when the lock's queue shows the one before.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "trigger.h"

enum { GATE_KEEPER = 1, BOOK_KEEPER = 3, ARRIVALS = 6, PATIENCE_MS = 500 };

static DEFINE_SPINLOCK(gate);
static DEFINE_RWLOCK(book);
static int gate_kept, book_kept;

/* Who comes when; odd ones of the book write. The trigger's own CPU comes last. */
static const struct { int cpu; bool book, write; } arrivals[ARRIVALS] = {
	{ 4, false }, { 2, false }, { 5, false }, { 7, true, false }, { 6, true, true }, { 0, true, false },
};

static noinline void keep(int *kept)
{
	WRITE_ONCE(*kept, 1);
	for (;;) {
		touch_softlockup_watchdog();
		cpu_relax();
	}
}

static noinline void keep_gate(void)
{
	spin_lock(&gate);
	keep(&gate_kept);
	spin_unlock(&gate);
}

static noinline void keep_book(void)
{
	write_lock(&book);
	keep(&book_kept);
	write_unlock(&book);
}

static int keeper(void *data)
{
	if (data)
		keep_book();
	else
		keep_gate();
	return 0;
}

static noinline void pass_gate(void)
{
	spin_lock(&gate);
	spin_unlock(&gate);
}

static noinline void read_book(void)
{
	read_lock(&book);
	read_unlock(&book);
}

static noinline void write_book(void)
{
	write_lock(&book);
	write_unlock(&book);
}

static int guest(void *data)
{
	long number = (long)data;

	if (!arrivals[number].book)
		pass_gate();
	else if (arrivals[number].write)
		write_book();
	else
		read_book();
	return 0;
}

static u32 queue_word(bool of_book)
{
	return READ_ONCE(*(of_book ? &book.raw_lock.wait_lock.val.counter : &gate.rlock.raw_lock.val.counter));
}

static void open_gates(void)
{
	static struct task_struct *guests[ARRIVALS], *keepers[2];
	long i, ms;

	if (set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	pr_info("known gate %px book %px\n", &gate, &book);
	keepers[0] = kthread_create_on_cpu(keeper, NULL, GATE_KEEPER, "gatekeeper/%u");
	keepers[1] = kthread_create_on_cpu(keeper, "book", BOOK_KEEPER, "bookkeeper/%u");
	for (i = 0; i < ARRIVALS; i++) {
		guests[i] = kthread_create_on_cpu(guest, (void *)i, arrivals[i].cpu, "guest/%u");
		if (IS_ERR(guests[i]))
			return;
	}
	if (IS_ERR(keepers[0]) || IS_ERR(keepers[1]))
		return;
	preempt_disable();
	wake_up_process(keepers[0]);
	wake_up_process(keepers[1]);
	while (!READ_ONCE(gate_kept) || !READ_ONCE(book_kept))
		cpu_relax();
	for (i = 0; i < ARRIVALS; i++) {
		bool of_book = arrivals[i].book;
		u32 before = queue_word(of_book);

		wake_up_process(guests[i]);
		for (ms = 0; arrivals[i].cpu && ms < PATIENCE_MS && queue_word(of_book) == before; ms++)
			mdelay(1);
	}
	preempt_enable();
}

TRIGGER(open_gates, "lab: the order of those that wait for spinning locks");
