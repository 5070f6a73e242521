// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rust's symbol names: those of RFC 2603's text and of the demanglers' own tests, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "symbols/rust_name.h"

static const struct {
	const char *symbol, *name;
} names[] = {
	{ "_RNvNtCshc5sK6KjdJJ_6kernel5print11call_printk", "kernel::print::call_printk" },
	{ "_RNvC6_123foo3bar", "123foo::bar" },
	{ "_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
	  "utf8_idents::საჭმელად_გემრიელი_სადილი" },
	{ "_RNvCs0_1cu15bcheren_4va0s2b", "c::bücherößen" },
	{ "_RNvCs0_1cu10abc_0la2je", "c::aÿbþcæ" },
	{ "_RNvCs0_1cu13___kq6a543b91j", "c::中文_字" },
	{ "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}" },
	{ "_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator"
	  "9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_",
	  "<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::"
	  "<core::slice::memchr::memrchr::{closure#1}>::{closure#0}" },
	{ "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_E"
	  "Cs1iopQbuBiw2_3std",
	  "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>" },
	{ "_RINtC8arrayvec8ArrayVechKj7b_E", "arrayvec::ArrayVec::<u8, 123>" },
	{ "_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E", "<const_generic::Unsigned<11>>" },
	{ "_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E", "<const_generic::Signed<-11>>" },
	{ "_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb0_E", "<const_generic::Bool<false>>" },
	{ "_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E", "<const_generic::Char<'v'>>" },
	{ "_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKca_E", "<const_generic::Char<'\\n'>>" },
	{ "_RNvNvMCs4fqI2P2rA04_13const_genericINtB4_3FooKpE3foo3FOO",
	  "<const_generic::Foo<_>>::foo::FOO" },
	{ "_RC3foo.llvm.9D1C9369", "foo" },
	{ "_RNvC3foo3bar.cold", "foo::bar.cold" },
	{ "_RINvC3foo3barFG_RL0_hEuE", "foo::bar::<for<'a> fn(&'a u8)>" },
	{ "_RINvC3foo3barTTjEAhj4_SQtPlOuzEE", "foo::bar::<((usize,), [u8; 4], [&mut u16], "
					     "*const i32, *mut (), !)>" },
	{ "_RNvXs_C3fooNtB4_3BarNtB4_3Baz3qux", "<foo::Bar as foo::Baz>::qux" },
	{ "_ZN4test17h05af221e174051e9E", "test" },
	{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar"
	  "17h05af221e174051e9E", "<Test + 'static as foo::Bar<Test>>::bar" },
	{ "_ZN12test$BP$test4foob17h05af221e174051e9E", "test*test::foob" },
	{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.1234", "core::fmt::Formatter::pad" },
};

/* Neither, or cut off, or without end. */
static const char *const others[] = {
	"", "_R", "_ZN", "panic", "_RNvC6_123foo3ba", "_RNvC6_123foo3barX", "_R0NvC3foo3bar",
	"_RNvC99999999999999999999foo3bar", "_RB_", "_RNvB0_3foo", "_RMC0TTTTTTTTTT", "_RIC3fooL0_E",
	"_ZN4testE", "_ZN3foo17h05af221e174051eZE", "_ZN3foo17h05af221e174051e9", "_ZN99foo17h",
	"_RMC0RB2_", "_RC3foou", "_RNvC3foou3_zz", "_RIC3fooKbf_E", "_RIC3fooKc110000_E",
};

static void test_names(void **state unused_arg)
{
	for (size_t i = 0; i < array_size(names); i++) {
		auto_strbuf out = { 0 };
		strbuf_add(&out, "is: ");
		assert_true(rust_name(names[i].symbol, &out));
		assert_string_equal(strbuf_text(&out) + 4, names[i].name);
	}
}

static void test_others(void **state unused_arg)
{
	for (size_t i = 0; i < array_size(others); i++) {
		auto_strbuf out = { 0 };
		strbuf_add(&out, "kept");
		if (rust_name(others[i], &out))
			fail_msg("%s: %s", others[i], strbuf_text(&out));
		assert_string_equal(strbuf_text(&out), "kept");
	}
}

/* Each tuple holds the one before twice: the text would double 60 times. */
static void test_growth(void **state unused_arg)
{
	auto_strbuf symbol = { 0 }, out = { 0 };

	strbuf_add(&symbol, "_RIC1aTh");
	for (unsigned i = 0; i < 60; i++)
		strbuf_add(&symbol, "TB3_B3_");
	assert_false(rust_name(strbuf_text(&symbol), &out));
	strbuf_clear(&symbol);
	strbuf_add(&symbol, "_RIC1a");
	for (unsigned i = 0; i < 5000; i++)
		strbuf_add(&symbol, "R");
	strbuf_add(&symbol, "hE");
	assert_false(rust_name(strbuf_text(&symbol), &out));
	assert_int_equal(out.len, 0);
	/* Lifetimes of what is not shown, 62^2 at a time, behind a name that is. */
	strbuf_clear(&symbol);
	strbuf_add(&symbol, "_RC1aIC1b");
	for (unsigned i = 0; i < 20000; i++)
		strbuf_add(&symbol, "FGZZ_Eu");
	strbuf_add(&symbol, "E");
	struct timespec begun, done;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	assert_true(rust_name(strbuf_text(&symbol), &out));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &done);
	assert_string_equal(strbuf_text(&out), "a");
	assert_true(done.tv_sec - begun.tv_sec < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
