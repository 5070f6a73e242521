/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdw's handles of an opened debug file, for the stations that read DWARF themselves (types,
 * unwinding, variables). libdw is not thread-safe: hold debug_module_lock() while using them.
 */
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "symbols/debuginfo.h"

Dwfl_Module *debug_module_dwfl(struct debug_module *module);
/* NULL when the file has none. Run-time address = DWARF's address + *bias. */
Dwarf *debug_module_dwarf(struct debug_module *module, uint64_t *bias);
void debug_module_lock(struct debug_module *module);
void debug_module_unlock(struct debug_module *module);
/*
 * The compile unit that covers a run-time address (minus 1 for a return address), found through
 * .debug_aranges without touching other units; false when there is none. Hold the lock.
 *
 * It may be a Dwarf of its own that sees only this unit (dwarf_cu_getdwarf(unit->cu) is then not
 * the module's): offsets of entries in .debug_info count from the unit's start. All that libdw does
 * with an entry works as usual: references, location lists, ranges, lines; bias is the same.
 */
bool debug_module_unit(struct debug_module *module, uint64_t address, Dwarf_Die *unit);
/*
 * The entry at @offset of the file's .debug_info, which an expression in @unit (from
 * debug_module_unit()) refers to; false when it is in none that @unit can see. Hold the lock.
 */
bool debug_module_entry(struct debug_module *module, const Dwarf_Die *unit, uint64_t offset,
			Dwarf_Die *entry);
/* Build-id as hex digits, "" when it has none; names a cache on disk. */
const char *debug_module_build_id(const struct debug_module *module);
/* The file's path. */
const char *debug_module_path(const struct debug_module *module);
