/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules that are gone: what the kernel remembers of them. */
#pragma once

#include "kernel/session.h"

enum { MODULE_NAME_MAX = 64 };

/* The name of the module that was unloaded last; false when none was, or it cannot be read. */
bool module_last_unloaded(struct session *s, char name[MODULE_NAME_MAX]);
/*
 * Is @address in the part of the address space where modules are loaded, and no module there now?
 * What was there was unloaded, or nothing ever was. (Of a text the modules' places are not known:
 * the asker has to know that nothing is mapped there.)
 */
bool module_area_is_empty(struct session *s, uint64_t address);
