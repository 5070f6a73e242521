// SPDX-License-Identifier: LGPL-2.1-or-later
/* Values of value flow in words, as C would say them: "*(u32 *)(rdi + 0x10)". */
#include <inttypes.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "code/flow_state.h"

static const char *const signs[FLOW_KINDS] = {
	[FLOW_ADD] = "+", [FLOW_SUB] = "-", [FLOW_AND] = "&",  [FLOW_OR] = "|",   [FLOW_XOR] = "^",
	[FLOW_MUL] = "*", [FLOW_SHL] = "<<", [FLOW_SHR] = ">>", [FLOW_SAR] = ">>s",
};

enum { SHOWN_DEPTH = 8, SHOWN_LENGTH = 400 };

struct printer {
	const struct flow *flow;
	const struct arch *arch;
	struct strbuf out;
};

static void print(struct printer *p, flow_id id, unsigned depth);

static void print_constant(struct printer *p, uint64_t value)
{
	int64_t number = (int64_t)value;

	if (number > -10 && number < 10)
		strbuf_addf(&p->out, "%" PRId64, number);
	else
		strbuf_addf(&p->out, "0x%" PRIx64, value);
}

static const char *reg_name(const struct printer *p, int reg)
{
	return reg >= 0 && (unsigned)reg < p->arch->reg_count ? p->arch->reg_names[reg] : "?";
}

static void print_binary(struct printer *p, const struct flow_node *n, unsigned depth)
{
	const struct flow_node *b = flow_node(p->flow, n->b);

	strbuf_addf(&p->out, "(");
	print(p, n->a, depth - 1);
	if (n->kind == FLOW_ADD && b->kind == FLOW_CONSTANT && (int64_t)b->value < 0) {
		strbuf_addf(&p->out, " - ");
		print_constant(p, 0 - b->value);
	} else {
		strbuf_addf(&p->out, " %s ", signs[n->kind]);
		print(p, n->b, depth - 1);
	}
	strbuf_addf(&p->out, ")");
}

static void print_around(struct printer *p, const char *before, flow_id id, const char *after,
			 unsigned depth)
{
	strbuf_addf(&p->out, "%s", before);
	print(p, id, depth - 1);
	strbuf_addf(&p->out, "%s", after);
}

static void print_sized(struct printer *p, const char *fmt, const struct flow_node *n,
			unsigned depth)
{
	strbuf_addf(&p->out, "%s%u", fmt, n->size * 8u);
	print_around(p, "(", n->a, ")", depth);
}

static void print(struct printer *p, flow_id id, unsigned depth)
{
	const struct flow_node *n = flow_node(p->flow, id);

	if (!depth || p->out.len > SHOWN_LENGTH) {
		strbuf_addf(&p->out, "...");
		return;
	}
	switch (n->kind) {
	case FLOW_UNKNOWN:
		strbuf_addf(&p->out, "?");
		break;
	case FLOW_CONSTANT:
		print_constant(p, n->value);
		break;
	case FLOW_ENTRY:
		strbuf_addf(&p->out, "%s@entry", reg_name(p, n->reg));
		break;
	case FLOW_LOAD:
		print_sized(p, "load", n, depth);
		break;
	case FLOW_PER_CPU:
		print_sized(p, "gs:load", n, depth);
		break;
	case FLOW_CALL:
		strbuf_addf(&p->out, "result of the call at %" PRIx64, n->at);
		break;
	case FLOW_LOST:
		strbuf_addf(&p->out, "%s as %" PRIx64 " left it", reg_name(p, n->reg), n->at);
		break;
	case FLOW_MERGE:
		if (n->reg >= 0)
			strbuf_addf(&p->out, "%s, by one of the ways to %" PRIx64,
				      reg_name(p, n->reg), n->at);
		else
			strbuf_addf(&p->out, "a stack slot, by one of the ways to %" PRIx64,
				      n->at);
		break;
	case FLOW_CHOICE:
		print_around(p, "either ", n->a, " or ", depth);
		print(p, n->b, depth - 1);
		break;
	case FLOW_NOT:
		print_around(p, "~", n->a, "", depth);
		break;
	case FLOW_NEG:
		print_around(p, "-", n->a, "", depth);
		break;
	case FLOW_ZERO_EXTEND:
		print_sized(p, "u", n, depth);
		break;
	case FLOW_SIGN_EXTEND:
		print_sized(p, "s", n, depth);
		break;
	default:
		print_binary(p, n, depth);
	}
}

void flow_format(const struct flow *flow, flow_id id, const struct arch *arch, char *buf,
		 size_t size)
{
	struct printer p = { .flow = flow, .arch = arch };

	print(&p, id, SHOWN_DEPTH);
	snprintf(buf, size, "%s", strbuf_text(&p.out));
	strbuf_deinit(&p.out);
}
