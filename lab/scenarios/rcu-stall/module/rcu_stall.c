/* One CPU waits for a device with interrupts off and never comes back; another one, which has nothing to do, notices that RCU stalls. */
#include <linux/irqflags.h>

#include "trigger.h"

static unsigned int device_ready;

static noinline void wait_for_device(void)
{
	local_irq_disable();
	while (!READ_ONCE(device_ready))
		cpu_relax();
	local_irq_enable();
}

TRIGGER(wait_for_device, "lab: a CPU that spins with interrupts off");
