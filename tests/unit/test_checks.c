// SPDX-License-Identifier: LGPL-2.1-or-later
/* Words of the kernel's checkers, of several versions, and what they are taken apart into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "diagnosis/checks.h"

enum { LINES_MAX = 16 };

/* Decodes @lines; @parts must be in the sentence, one after the other. */
static struct check_words decode(const char *const *lines, size_t count, const char *const *parts)
{
	struct log_record records[LINES_MAX] = { 0 };
	struct check_words words;

	for (size_t i = 0; i < count; i++)
		records[i].text = lines[i];
	assert_true(check_decode(lines[0], records + 1, count - 1, &words));
	const char *at = words.sentence;
	for (size_t i = 0; parts[i]; i++) {
		at = strstr(at, parts[i]);
		if (!at)
			fail_msg("\"%s\" is not in \"%s\"", parts[i], words.sentence);
	}
	return words;
}

#define DECODE(lines, ...) \
	decode(lines, array_size(lines), (const char *const[]){ __VA_ARGS__, NULL })

static void lists(void **state)
{
	static const char *const neighbour[] = {
		"list_del corruption. prev->next should be ffff9a0001234560, but was "
		"dead000000000100. (prev=ffff9a0001234500)",
	};
	static const char *const old[] = {
		"list_del corruption. next->prev should be ffff8800123456a0, but was 0000000000000000",
	};
	static const char *const add[] = {
		"list_add corruption. next->prev should be prev (ffff9a0001234560), but was "
		"4142434445464748. (next=ffff9a0001234500).",
	};
	static const char *const twice[] = {
		"list_del corruption, ffff9a0001234560->next is LIST_POISON1 (dead000000000100)",
	};
	static const char *const doubled[] = {
		"list_add double add: new=ffff9a0001234560, prev=ffff9a0001234560, "
		"next=ffff9a0001234500.",
	};
	struct check_words words;

	(void)state;
	words = DECODE(neighbour, "next pointer of the previous entry", "0xffff9a0001234500",
		       "should be 0xffff9a0001234560", "LIST_POISON1");
	assert_int_equal(words.cell, 0xffff9a0001234500);
	assert_int_equal(words.found, 0xdead000000000100);
	words = DECODE(old, "prev pointer of the next entry", "was 0x0 (NULL)");
	assert_int_equal(words.cell, 0);
	words = DECODE(add, "prev pointer of the next entry", "the text \"HGFEDCBA\"");
	assert_int_equal(words.cell, 0xffff9a0001234508);
	words = DECODE(twice, "next pointer of the entry 0xffff9a0001234560 is LIST_POISON1: it was deleted");
	assert_int_equal(words.object, 0xffff9a0001234560);
	DECODE(doubled, "0xffff9a0001234560 was added next to itself");
}

static void copies(void **state)
{
	static const char *const sized[] = {
		"memcpy: detected buffer overflow: 16 byte write of buffer size 8",
	};
	static const char *const unsized[] = { "detected buffer overflow in strcpy" };
	static const char *const field[] = {
		"memcpy: detected field-spanning write (size 16) of single field \"x->name\" at "
		"drivers/x.c:12 (size 8)",
	};
	static const char *const user[] = {
		"usercopy: Kernel memory overwrite attempt detected to SLUB object 'kmalloc-64' "
		"(offset 8, size 128)!",
	};
	static const char *const leak[] = {
		"usercopy: Kernel memory exposure attempt detected from process stack (offset 0, "
		"size 32)!",
	};

	(void)state;
	DECODE(sized, "memcpy was to write 16 bytes to a buffer of 8");
	DECODE(unsized, "strcpy was called with a length beyond");
	DECODE(field, "16 bytes were to be written to x->name, which has 8");
	DECODE(user, "128 bytes were to be copied from user space into SLUB object 'kmalloc-64'",
	       "byte 8 on");
	DECODE(leak, "32 bytes were to be copied to user space out of process stack");
}

static void slab(void **state)
{
	static const char *const recent[] = {
		"BUG kmalloc-64 (Tainted: G    B      OE     ): Poison overwritten",
		"-----------------------------------------------------------------------------",
		"0xffff888003a4e008-0xffff888003a4e00b @offset=8. First byte 0x6 instead of 0x6b",
		"Allocated in alloc_request_size+0x1a/0x30 [scsi_mod] age=12 cpu=0 pid=99",
		"Freed in __blk_put_request+0x1a/0x30 age=3 cpu=0 pid=99",
		"Object 0xffff888003a4e000 @offset=0 fp=0x0000000000000000",
	};
	static const char *const old[] = {
		"BUG kmalloc-1k (Not tainted): Redzone overwritten",
		"INFO: 0xffff880012345678-0xffff88001234567f. First byte 0x0 instead of 0xcc",
		"INFO: Allocated in foo+0x5/0x9 age=1 cpu=1 pid=2",
	};
	struct check_words words;

	(void)state;
	words = DECODE(recent, "slab cache kmalloc-64: the object was written to after it was freed",
		       "0x6 instead of 0x6b", "allocated by alloc_request_size() of module scsi_mod",
		       "freed by __blk_put_request()");
	assert_int_equal(words.object, 0xffff888003a4e000);
	assert_int_equal(words.cell, 0xffff888003a4e008);
	words = DECODE(old, "kmalloc-1k", "0x0 instead of 0xcc", "allocated by foo()");
	assert_int_equal(words.cell, 0xffff880012345678);
}

static void checkers(void **state)
{
	static const char *const kasan[] = {
		"BUG: KASAN: slab-use-after-free in reader+0x20/0x40 [m]",
		"Read of size 8 at addr ffff888006e4a708 by task x/99",
		"Allocated by task 99:",
		" kasan_save_stack+0x20/0x40",
		" __kasan_kmalloc+0x8f/0xa0",
		" maker+0x20/0x40 [m]",
		"",
		"Freed by task 99:",
		" kfree+0x20/0x40",
		" breaker+0x20/0x40 [m]",
		"The buggy address belongs to the object at ffff888006e4a700",
		" which belongs to the cache kmalloc-64 of size 64",
		"The buggy address is located 8 bytes inside of",
		" freed 64-byte region [ffff888006e4a700, ffff888006e4a740)",
	};
	static const char *const ubsan[] = {
		"UBSAN: array-index-out-of-bounds in drivers/x.c:12:5",
		"index 5 is out of range for type 'int [4]'",
	};
	static const char *const shift[] = {
		"UBSAN: shift-out-of-bounds in lib/x.c:1:2",
		"shift exponent 64 is too large for 32-bit type 'int'",
	};
	struct check_words words;

	(void)state;
	words = DECODE(kasan, "8 bytes were read", "slab cache kmalloc-64", "8 bytes inside of");
	assert_non_null(strstr(words.sentence, "allocated by maker() of module m"));
	assert_non_null(strstr(words.sentence, "freed by breaker() of module m"));
	assert_int_equal(words.object, 0xffff888006e4a708);
	DECODE(ubsan, "index 5 is out of range for type 'int [4]'");
	DECODE(shift, "shift exponent 64 is too large");
}

static void states(void **state)
{
	static const char *const cfi[] = {
		"CFI failure at caller+0x12/0x34 [m] (target: other+0x0/0x10 [n]; expected type: "
		"0x12345678)",
	};
	static const char *const endbr[] = { "traps: Missing ENDBR: func+0x4/0x10 [m]" };
	static const char *const page[] = {
		"BUG: Bad page state in process x  pfn:01234",
		"page:000000001 refcount:-1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x1234",
		"page dumped because: nonzero _refcount",
	};
	static const char *const atomic[] = { "BUG: scheduling while atomic: x/99/0x00000002" };
	static const char *const softirq[] = { "BUG: scheduling while atomic: a/b/7/0x00000100" };
	static const char *const sleeping[] = {
		"BUG: sleeping function called from invalid context at mm/slab.h:494",
		"in_atomic(): 0, irqs_disabled(): 1, non_block: 0, pid: 99, name: x",
		"preempt_count: 0, expected: 0",
	};
	static const char *const lock[] = {
		"BUG: spinlock bad magic on CPU#1, x/99",
		" lock: 0xffff888006e4a708, .magic: 00000000, .owner: <none>/-1, .owner_cpu: 0",
	};

	(void)state;
	DECODE(cfi, "caller() of module m called through a pointer to other()");
	DECODE(endbr, "func+0x4/0x10 [m]");
	DECODE(page, "page frame 0x01234", "nonzero _refcount: somebody still holds a reference");
	DECODE(atomic, "with preemption disabled 2 times");
	DECODE(softirq, "in a softirq");
	DECODE(sleeping, "mm/slab.h:494", "with interrupts disabled");
	DECODE(lock, "0x0: it was never set up");
}

/* Cut off anywhere, nothing must be read beyond the end, nor be made up. */
static void broken(void **state)
{
	static const char *const whole[] = {
		("list_del corruption. prev->next should be ffff9a0001234560, but was "
		 "dead000000000100. (prev=ffff9a0001234500)"),
		"memcpy: detected buffer overflow: 16 byte write of buffer size 8",
		"usercopy: Kernel memory overwrite attempt detected to X (offset 8, size 128)!",
		"BUG kmalloc-64 (Not tainted): Poison overwritten",
		"CFI failure at f+0x1/0x2 [m] (target: g+0x0/0x10; expected type: 0x1)",
		"BUG: scheduling while atomic: x/99/0x00000002",
		"BUG: Bad page state in process x  pfn:01234",
	};
	struct log_record none = { .text = "" };
	struct check_words words;

	(void)state;
	for (size_t i = 0; i < array_size(whole); i++) {
		for (size_t n = 0; n <= strlen(whole[i]); n++) {
			char *cut = malloc(n + 1);
			assert_non_null(cut);
			memcpy(cut, whole[i], n);
			cut[n] = '\0';
			check_decode(cut, &none, 1, &words);
			free(cut);
		}
	}
	assert_false(check_decode("BUG: unable to handle page fault", &none, 0, &words));
	assert_false(check_decode("list_del corruption.", &none, 0, &words));
	assert_false(check_decode("", &none, 0, &words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),    cmocka_unit_test(copies), cmocka_unit_test(slab),
		cmocka_unit_test(checkers), cmocka_unit_test(states), cmocka_unit_test(broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
