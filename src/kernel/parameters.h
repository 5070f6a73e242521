/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameters of modules, as they were when the machine died. */
#pragma once

#include "kernel/session.h"

/*
 * The value of parameter @name of @module as /sys/module/MODULE/parameters/NAME would show it:
 * "Y" or "N", a number, a text. False: there is no such parameter, or it cannot be read, or is of
 * a kind of its own. Also of what is built in.
 */
bool module_parameter(struct session *s, const char *module, const char *name, char *buf,
		      size_t size);
