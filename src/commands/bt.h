/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stack of a task as part of a document; the report shows stacks the same way. */
#pragma once

#include "base/doc.h"
#include "commands/stack_words.h"
#include "forensics/args.h"
#include "kernel/tasks.h"

struct bt_options {
	bool verbose; /* registers of every frame, and how each was found */
	enum stack_words words; /* of the stack, under each frame */
	bool arguments;    /* what each frame's function was called with, and how that is known */
	const struct stack_args *args; /* of the stack that is shown; set by bt_thread() */
	bool unfolded;     /* recursion frame by frame */
	bool no_registers; /* text without the registers of exceptions and user mode */
	bool no_sp;        /* text without stack pointers */
	bool decimal;      /* text with offsets in decimal */
	/* The task's stack, when it was followed already: taken over; NULL: follow it. */
	struct stack *stack;
	bool brief;        /* text with a line for a frame, its arguments on it */
	const char *label; /* of the section that it is in a report; NULL: none, as bt shows it */
	/* With @label: what shows it, and a word on whose it is; both may be NULL. */
	const char *command, *about;
	size_t first;       /* frames before this one are how the kernel died, not why */
	const char *guilty; /* the first frame of this function stands out; NULL: none */
};

struct command_args;

/* The command with its options in args->argv, on these tasks in place of those it would choose. */
struct error *bt_on_tasks(struct command_args *args, const struct task *const *of, size_t count)
	must_check;

/*
 * Adds the thread of @task to the open array, or under @key to the open record. False when its
 * stack could not be followed to its end (the document says why).
 */
bool bt_thread(struct session *session, struct doc *doc, const char *key, const struct task *task,
	       const struct bt_options *options);

/* For the record just opened: "PID: 1  TASK: ...  CPU: 0  COMMAND: ...", and the same as fields. */
void bt_task_heading(struct session *s, struct doc *doc, const struct task *task,
		     const struct bt_options *options);
void bt_task_fields(struct session *s, struct doc *doc, const struct task *task);

/* The same in parts: the frames of a stack as table "frames", and how it ends. */
void bt_frames(struct session *session, struct doc *doc, const struct stack *stack,
	       const struct bt_options *options);
void bt_end(struct session *session, struct doc *doc, const struct stack *stack,
	    const struct bt_options *options);

/* Adds one frame of a stack as table "frames", with the functions inlined into it. */
void bt_frame(struct session *session, struct doc *doc, const struct stack *stack, size_t number,
	      const struct bt_options *options);

/* Where a frame is, as its row says: "schedule+0x12 [module] ?". */
void bt_frame_place(struct session *session, const struct frame *frame, char *buf, size_t size);

/* Adds known registers, as text indented by @indent and in JSON under @key. */
void bt_registers(struct session *session, struct doc *doc, const char *key,
		  const struct regs *regs, unsigned indent);
