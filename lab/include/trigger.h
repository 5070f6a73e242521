/*
 * What the scenarios' modules have in common: a button. Writing to /sys/module/NAME/parameters/trigger calls the function given to
 * TRIGGER, in the writer's context. So the module can be loaded, the oracles taken, and the crash come after both.
 */
#ifndef LAB_TRIGGER_H
#define LAB_TRIGGER_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#define TRIGGER(function, description)                                                   \
	static int trigger_set(const char *value, const struct kernel_param *parameter) \
	{                                                                                \
		function();                                                              \
		return 0;                                                                \
	}                                                                                \
	static const struct kernel_param_ops trigger_ops = { .set = trigger_set };       \
	module_param_cb(trigger, &trigger_ops, NULL, 0200);                              \
	static int __init trigger_init(void)                                             \
	{                                                                                \
		return 0;                                                                \
	}                                                                                \
	module_init(trigger_init);                                                       \
	MODULE_DESCRIPTION(description);                                                 \
	MODULE_LICENSE("GPL")

#endif
