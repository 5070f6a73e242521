/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of the command table, each defined in its family's file. */
#pragma once

#include "commands/command.h"

extern const struct command command_args;
extern const struct command command_blocked;
extern const struct command command_bt;
extern const struct command command_btop;
extern const struct command command_callees;
extern const struct command command_callers;
extern const struct command command_content;
extern const struct command command_cpus;
extern const struct command command_deadlock;
extern const struct command command_dev;
extern const struct command command_dis;
extern const struct command command_down;
extern const struct command command_eval;
extern const struct command command_fault;
extern const struct command command_files;
extern const struct command command_frame;
extern const struct command command_fuser;
extern const struct command command_help;
extern const struct command command_identify;
extern const struct command command_ipcs;
extern const struct command command_irq;
extern const struct command command_kmem;
extern const struct command command_list;
extern const struct command command_locals;
extern const struct command command_locks;
extern const struct command command_log;
extern const struct command command_mod;
extern const struct command command_mount;
extern const struct command command_origin;
extern const struct command command_p;
extern const struct command command_pipelines;
extern const struct command command_ps;
extern const struct command command_pte;
extern const struct command command_ptob;
extern const struct command command_ptov;
extern const struct command command_quit;
extern const struct command command_rd;
extern const struct command command_refs;
extern const struct command command_report;
extern const struct command command_rules;
extern const struct command command_runq;
extern const struct command command_search;
extern const struct command command_set;
extern const struct command command_slab;
extern const struct command command_src;
extern const struct command command_struct;
extern const struct command command_swap;
extern const struct command command_sym;
extern const struct command command_sys;
extern const struct command command_textcheck;
extern const struct command command_timer;
extern const struct command command_tree;
extern const struct command command_union;
extern const struct command command_up;
extern const struct command command_vm;
extern const struct command command_vmallocinfo;
extern const struct command command_vtop;
extern const struct command command_waitq;
extern const struct command command_whatis;
extern const struct command command_wr;
extern const struct command command_writers;
