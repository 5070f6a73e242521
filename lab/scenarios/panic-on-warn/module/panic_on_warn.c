/* A WARN() on a machine that was told to panic on warnings. */
#include "trigger.h"

static int balance = -5;

static noinline int check_balance(int now)
{
	WARN(now < 0, "lab: balance is %d\n", now);
	return now;
}

static void settle(void)
{
	pr_info("balance %d\n", check_balance(balance));
}

TRIGGER(settle, "lab: a warning with panic_on_warn");
