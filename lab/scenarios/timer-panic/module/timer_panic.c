/*
 * panic() in a timer: the softirq runs on the interrupt stack, entered from an interrupt that hit kernel code, so that the way back leads
 * over two stacks.
 */
#include <linux/delay.h>
#include <linux/timer.h>

#include "trigger.h"

static struct timer_list watchdog;
static int pending = 42;

static noinline void watchdog_expired(int request)
{
	panic("lab: the watchdog timer found request %d stuck", request);
}

static void watchdog_tick(struct timer_list *timer)
{
	watchdog_expired(pending);
	pending = 0;
}

static noinline void wait_for_answer(unsigned long deadline)
{
	while (READ_ONCE(pending) && time_before(jiffies, deadline))
		cpu_relax();
}

/*
 * An interrupt leaves softirqs to ksoftirqd where that is already due, and ksoftirqd does not run while we spin: take the timer back, let
 * it run, and try again, so that the panic is always on the interrupt stack above this function.
 */
static void start_request(void)
{
	timer_setup(&watchdog, watchdog_tick, TIMER_PINNED);
	do {
		msleep(10);
		preempt_disable();
		mod_timer(&watchdog, jiffies + 2);
		wait_for_answer(jiffies + HZ / 5);
		preempt_enable();
		del_timer_sync(&watchdog);
	} while (READ_ONCE(pending));
}

TRIGGER(start_request, "lab: panic() in a timer");
