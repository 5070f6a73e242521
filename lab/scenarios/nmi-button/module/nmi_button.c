/* Sends this CPU a non-maskable interrupt that nobody asked for, as a management controller does. */
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>

#include "trigger.h"

static void press(void)
{
	apic->send_IPI(get_cpu(), NMI_VECTOR);
	put_cpu();
}

TRIGGER(press, "lab: an NMI that no driver claims");
