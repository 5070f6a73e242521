/*
 * Functions with arguments and locals of all kinds, which print what they hold ("values: FUNCTION NAME VALUE") before they call on, down
 * to a BUG(): the truth for tests of variables. Some are used no more after the call, so that only the caller still has them.
 */
#include "trigger.h"

#include <linux/string.h>

enum colour { RED = 3, GREEN = 70000, BLUE = -5 };

struct pair {
	u64 first;
	int second;
};

struct record {
	char name[16];
	struct pair pair;
	u8 low : 3;
	u8 high : 5;
	struct record *next;
};

static struct record last_record = { .name = "last", .pair = { 7, -8 }, .low = 5, .high = 17 };
static u64 sink;

/* What a caller passes is not known to the compiler of the function that gets it. */
#define NOIPA __attribute__((noipa))

#define SAY_HEX(name) pr_info("values: %s %s 0x%llx\n", __func__, #name, (unsigned long long)(name))
#define SAY_POINTER(name) pr_info("values: %s %s 0x%px\n", __func__, #name, name)

static NOIPA void values_end(u64 magic, const char *text)
{
	SAY_HEX(magic);
	SAY_POINTER(text);
	sink += magic;
	BUG();
}

/* Nothing is needed after the call: the compiler keeps no argument. */
static NOIPA int values_forgets(int a, u64 b, struct record *record, bool flag)
{
	SAY_HEX(a);
	SAY_HEX(b);
	SAY_POINTER(record);
	SAY_HEX(flag);
	values_end(b ^ 0x1234, record->name);
	return 0;
}

/* Passes on what it was given, untouched and changed. */
static NOIPA int values_passes(int a, u64 b, struct record *record, u16 small)
{
	int result = values_forgets(a + 1, b * 2, record->next, small > 100);

	sink += 3;
	return result;
}

static __always_inline int values_inlined(struct record *inner, s8 tiny)
{
	s64 wide;
	int result;

	OPTIMIZER_HIDE_VAR(tiny);
	wide = (s64)tiny * 1000;

	SAY_POINTER(inner);
	SAY_HEX((u8)tiny);
	SAY_HEX(wide);
	result = values_passes(tiny, inner->pair.first + 1, inner, 4321);
	sink += wide;
	return result;
}

/* All is still needed afterwards: kept in registers that calls preserve, and on the stack. */
static NOIPA int values_keeps(struct record *one, enum colour colour, const char *label, u32 count,
				 long sixth, void *last, int on_stack)
{
	struct record copy = *one;
	struct pair both = { .first = count, .second = (int)sixth };
	char text[24];
	int result;

	strscpy(text, label, sizeof(text));
	SAY_POINTER(one);
	SAY_HEX((u32)colour);
	SAY_POINTER(label);
	SAY_HEX(count);
	SAY_HEX(sixth);
	SAY_POINTER(last);
	SAY_HEX((u32)on_stack);
	pr_info("values: %s &copy 0x%px\n", __func__, &copy);
	pr_info("values: %s &text 0x%px\n", __func__, text);
	copy.next = one->next ? one->next : one;
	result = values_inlined(&copy, -7);
	sink += (u64)one + (u64)colour + (u64)label + count + (u64)sixth + (u64)last + (u64)on_stack + both.first + (u64)both.second;
	return result + text[0];
}

static void values_start(void)
{
	struct record first = { .name = "first", .pair = { 0x1122334455667788, 42 }, .next = &last_record };
	u32 count = 0xfedcba98;

	OPTIMIZER_HIDE_VAR(count);

	sink += (u64)values_keeps(&first, GREEN, "a label", count, -99, &sink, -1234);
}

TRIGGER(values_start, "lab: known arguments and locals");
