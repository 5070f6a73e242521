// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rust's symbol names, after RFC 2603 ("v0 symbol mangling"), whose grammar's words name the
 * functions here, and after rustc's older scheme (compiler/rustc_symbol_mangling/src/legacy.rs).
 *
 * A v0 name is read once from left to right and printed on the way. What "B" refers back to is read
 * again from there: it must lie before, but a name can still be made to unfold without end, so that
 * depth, steps and the length of the text all have a limit. What is read but not shown (where a
 * generic function was instantiated) is parsed with printing off.
 */
#include "symbols/rust_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "symbols/punycode.h"

enum {
	DEPTH_MAX = 200,
	STEPS_MAX = 100000,
	TEXT_MAX = 1 << 16,
	HASH_LENGTH = 17,   /* of the legacy scheme: "h" and 16 digits */
};

struct rust {
	const char *s; /* behind "_R" */
	size_t size, at;
	struct strbuf *out;
	size_t out_start;
	unsigned depth, steps;
	uint64_t lifetimes; /* bound so far */
	bool failed, silent;
};

static void path(struct rust *r, bool in_value);
static void type(struct rust *r);
static void constant(struct rust *r);

static void add_n(struct rust *r, const char *text, size_t n)
{
	if (r->silent || r->failed)
		return;
	if (r->out->len - r->out_start + n > TEXT_MAX) {
		r->failed = true;
		return;
	}
	strbuf_add_n(r->out, text, n);
}

static void add(struct rust *r, const char *text)
{
	add_n(r, text, strlen(text));
}

/* It is no such name: what was added is not. */
static void take_back(struct rust *r)
{
	r->out->len = r->out_start;
	if (r->out->data)
		r->out->data[r->out_start] = '\0';
}

static char peek(const struct rust *r)
{
	return r->at < r->size ? r->s[r->at] : '\0';
}

static bool take(struct rust *r, char c)
{
	if (r->failed || r->at >= r->size || r->s[r->at] != c)
		return false;
	r->at++;
	return true;
}

static char next(struct rust *r)
{
	if (r->failed || r->at >= r->size) {
		r->failed = true;
		return '\0';
	}
	return r->s[r->at++];
}

static bool enter(struct rust *r)
{
	if (++r->depth > DEPTH_MAX || ++r->steps > STEPS_MAX)
		r->failed = true;
	return !r->failed;
}

static void leave(struct rust *r)
{
	r->depth--;
}

/* --- Numbers and identifiers --- */

static uint64_t decimal_number(struct rust *r)
{
	uint64_t n = 0;

	if (peek(r) < '0' || peek(r) > '9') {
		r->failed = true;
		return 0;
	}
	if (take(r, '0'))
		return 0;
	while (peek(r) >= '0' && peek(r) <= '9' && n < UINT32_MAX)
		n = n * 10 + (uint64_t)(next(r) - '0');
	return n;
}

/* {0-9 a-z A-Z} "_": "_" is 0, "0_" is 1 ... */
static uint64_t base_62_number(struct rust *r)
{
	uint64_t n = 0;

	if (take(r, '_'))
		return 0;
	for (;;) {
		char c = next(r);
		uint64_t digit;
		if (c == '_')
			break;
		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 36;
		else
			r->failed = true;
		if (r->failed || __builtin_mul_overflow(n, UINT64_C(62), &n) ||
		    __builtin_add_overflow(n, digit, &n)) {
			r->failed = true;
			return 0;
		}
	}
	if (n == UINT64_MAX)
		r->failed = true;
	return n + 1;
}

/* 0 when there is none. */
static uint64_t optional_62(struct rust *r, char tag)
{
	if (!take(r, tag))
		return 0;
	uint64_t n = base_62_number(r);
	if (n == UINT64_MAX)
		r->failed = true;
	return n + 1;
}

struct identifier {
	const char *name;
	size_t size;
	bool punycode;
};

static struct identifier undisambiguated(struct rust *r)
{
	struct identifier id = { .punycode = take(r, 'u') };
	uint64_t length = decimal_number(r);

	(void)take(r, '_');
	if (r->failed || length > r->size - r->at) {
		r->failed = true;
		return id;
	}
	id.name = r->s + r->at;
	id.size = (size_t)length;
	r->at += id.size;
	return id;
}

static void add_utf8(struct rust *r, uint32_t c)
{
	char buf[4];
	size_t n = 0;

	if (c < 0x80) {
		buf[n++] = (char)c;
	} else if (c < 0x800) {
		buf[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		buf[n++] = (char)(0xe0 | c >> 12);
		buf[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		buf[n++] = (char)(0xf0 | c >> 18);
		buf[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		buf[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		buf[n++] = (char)(0x80 | (c & 0x3f));
	add_n(r, buf, n);
}

static void add_identifier(struct rust *r, const struct identifier *id)
{
	uint32_t text[PUNYCODE_MAX];
	size_t count;

	if (!id->punycode) {
		add_n(r, id->name, id->size);
	} else if (!punycode_decode(id->name, id->size, text, &count)) {
		r->failed = true;
	} else {
		for (size_t i = 0; i < count; i++)
			add_utf8(r, text[i]);
	}
}

/* --- Lifetimes --- */

static void add_lifetime(struct rust *r, uint64_t index)
{
	char text[32];

	add(r, "'");
	if (!index) {
		add(r, "_");
		return;
	}
	if (index > r->lifetimes) {
		/* Hidden parts are not followed back, and may be bound there. */
		r->failed = r->failed || !r->silent;
		return;
	}
	uint64_t depth = r->lifetimes - index;
	if (depth < 26)
		snprintf(text, sizeof(text), "%c", (int)('a' + depth));
	else
		snprintf(text, sizeof(text), "_%" PRIu64, depth);
	add(r, text);
}

/* "for<'a, 'b> "; returns how many are to be given back. */
static uint64_t binder(struct rust *r)
{
	uint64_t bound = optional_62(r, 'G');

	if (!bound || r->failed)
		return 0;
	if (bound > TEXT_MAX) {
		r->failed = true;
		return 0;
	}
	if (r->silent) {
		r->lifetimes += bound;
		return bound;
	}
	add(r, "for<");
	for (uint64_t i = 0; i < bound && !r->failed; i++) {
		if (i)
			add(r, ", ");
		r->lifetimes++;
		add_lifetime(r, 1);
	}
	add(r, "> ");
	return bound;
}

/* --- Back references --- */

/* Reads @what again where "B" says. */
static void backref(struct rust *r, void (*what)(struct rust *r))
{
	size_t start = r->at - 1;
	uint64_t target = base_62_number(r);

	if (r->failed || target >= start) {
		r->failed = true;
		return;
	}
	if (r->silent)
		return;
	size_t back = r->at;
	r->at = (size_t)target;
	what(r);
	r->at = back;
}

static void path_in_value(struct rust *r)
{
	path(r, true);
}

static void path_in_type(struct rust *r)
{
	path(r, false);
}

/* --- Paths --- */

static void generic_arg(struct rust *r)
{
	if (take(r, 'L'))
		add_lifetime(r, base_62_number(r));
	else if (take(r, 'K'))
		constant(r);
	else
		type(r);
}

/* {generic-arg} "E", without the brackets. */
static void generic_args(struct rust *r)
{
	for (unsigned i = 0; !r->failed && !take(r, 'E'); i++) {
		if (i)
			add(r, ", ");
		generic_arg(r);
	}
}

/* Where an impl is: not shown. */
static void impl_path(struct rust *r)
{
	bool was_silent = r->silent;

	(void)optional_62(r, 's');
	r->silent = true;
	path(r, false);
	r->silent = was_silent;
}

static void add_special(struct rust *r, char namespace, const struct identifier *id,
			uint64_t disambiguator)
{
	char text[40];

	add(r, "::{");
	if (namespace == 'C')
		add(r, "closure");
	else if (namespace == 'S')
		add(r, "shim");
	else
		add_n(r, &namespace, 1);
	if (id->size) {
		add(r, ":");
		add_identifier(r, id);
	}
	snprintf(text, sizeof(text), "#%" PRIu64 "}", disambiguator);
	add(r, text);
}

static void nested_path(struct rust *r, bool in_value)
{
	char namespace = next(r);

	if (!((namespace >= 'a' && namespace <= 'z') || (namespace >= 'A' && namespace <= 'Z'))) {
		r->failed = true;
		return;
	}
	path(r, in_value);
	uint64_t disambiguator = optional_62(r, 's');
	struct identifier id = undisambiguated(r);
	if (r->failed)
		return;
	if (namespace >= 'A' && namespace <= 'Z') {
		add_special(r, namespace, &id, disambiguator);
	} else if (id.size) {
		add(r, "::");
		add_identifier(r, &id);
	}
}

static void path(struct rust *r, bool in_value)
{
	struct identifier id;

	if (!enter(r))
		return;
	char tag = next(r);
	switch (tag) {
	case 'C':
		(void)optional_62(r, 's');
		id = undisambiguated(r);
		if (!r->failed)
			add_identifier(r, &id);
		break;
	case 'N':
		nested_path(r, in_value);
		break;
	case 'M':
	case 'X':
	case 'Y':
		if (tag != 'Y')
			impl_path(r);
		add(r, "<");
		type(r);
		if (tag != 'M') {
			add(r, " as ");
			path(r, false);
		}
		add(r, ">");
		break;
	case 'I':
		path(r, in_value);
		add(r, in_value ? "::<" : "<");
		generic_args(r);
		add(r, ">");
		break;
	case 'B':
		backref(r, in_value ? path_in_value : path_in_type);
		break;
	default:
		r->failed = true;
		break;
	}
	leave(r);
}

/* --- Types --- */

static const char *basic_type(char tag)
{
	static const char *const names['z' - 'a' + 1] = {
		['a' - 'a'] = "i8",    ['b' - 'a'] = "bool", ['c' - 'a'] = "char", ['d' - 'a'] = "f64",
		['e' - 'a'] = "str",   ['f' - 'a'] = "f32",  ['h' - 'a'] = "u8",   ['i' - 'a'] = "isize",
		['j' - 'a'] = "usize", ['l' - 'a'] = "i32",  ['m' - 'a'] = "u32",  ['n' - 'a'] = "i128",
		['o' - 'a'] = "u128",  ['p' - 'a'] = "_",    ['s' - 'a'] = "i16",  ['t' - 'a'] = "u16",
		['u' - 'a'] = "()",    ['v' - 'a'] = "...",  ['x' - 'a'] = "i64",  ['y' - 'a'] = "u64",
		['z' - 'a'] = "!",
	};

	return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

static void add_abi(struct rust *r)
{
	add(r, "extern \"");
	if (take(r, 'C')) {
		add(r, "C");
	} else {
		struct identifier id = undisambiguated(r);
		for (size_t i = 0; !r->failed && i < id.size; i++)
			add_n(r, id.name[i] == '_' ? "-" : id.name + i, 1);
	}
	add(r, "\" ");
}

static void fn_sig(struct rust *r)
{
	uint64_t bound = binder(r);

	if (take(r, 'U'))
		add(r, "unsafe ");
	if (take(r, 'K'))
		add_abi(r);
	add(r, "fn(");
	for (unsigned i = 0; !r->failed && !take(r, 'E'); i++) {
		if (i)
			add(r, ", ");
		type(r);
	}
	add(r, ")");
	/* One that returns () says nothing of it. */
	if (!take(r, 'u')) {
		add(r, " -> ");
		type(r);
	}
	r->lifetimes -= bound;
}

/* A path whose generic arguments are left open: more are to come. True when there are some. */
static bool open_path(struct rust *r)
{
	bool open = false;

	if (!enter(r))
		return false;
	if (take(r, 'B')) {
		size_t start = r->at - 1;
		uint64_t target = base_62_number(r);
		if (r->failed || target >= start) {
			r->failed = true;
		} else if (!r->silent) {
			size_t back = r->at;
			r->at = (size_t)target;
			open = open_path(r);
			r->at = back;
		}
	} else if (take(r, 'I')) {
		path(r, false);
		add(r, "<");
		generic_args(r);
		open = true;
	} else {
		path(r, false);
	}
	leave(r);
	return open;
}

static void dyn_trait(struct rust *r)
{
	bool open = open_path(r);

	while (take(r, 'p')) {
		add(r, open ? ", " : "<");
		open = true;
		struct identifier id = undisambiguated(r);
		if (r->failed)
			return;
		add_identifier(r, &id);
		add(r, " = ");
		type(r);
	}
	if (open)
		add(r, ">");
}

static void dyn_type(struct rust *r)
{
	add(r, "dyn ");
	uint64_t bound = binder(r);
	for (unsigned i = 0; !r->failed && !take(r, 'E'); i++) {
		if (i)
			add(r, " + ");
		dyn_trait(r);
	}
	r->lifetimes -= bound;
	if (!take(r, 'L')) {
		r->failed = true;
		return;
	}
	uint64_t index = base_62_number(r);
	if (index) {
		add(r, " + ");
		add_lifetime(r, index);
	}
}

static void reference_type(struct rust *r, bool mutable)
{
	add(r, "&");
	if (take(r, 'L')) {
		uint64_t index = base_62_number(r);
		if (index) {
			add_lifetime(r, index);
			add(r, " ");
		}
	}
	if (mutable)
		add(r, "mut ");
	type(r);
}

static void tuple_type(struct rust *r)
{
	unsigned count = 0;

	add(r, "(");
	for (; !r->failed && !take(r, 'E'); count++) {
		if (count)
			add(r, ", ");
		type(r);
	}
	add(r, count == 1 ? ",)" : ")");
}

static void compound_type(struct rust *r, char tag)
{
	switch (tag) {
	case 'A':
	case 'S':
		add(r, "[");
		type(r);
		if (tag == 'A') {
			add(r, "; ");
			constant(r);
		}
		add(r, "]");
		break;
	case 'T':
		tuple_type(r);
		break;
	case 'R':
	case 'Q':
		reference_type(r, tag == 'Q');
		break;
	case 'P':
	case 'O':
		add(r, tag == 'P' ? "*const " : "*mut ");
		type(r);
		break;
	case 'F':
		fn_sig(r);
		break;
	case 'D':
		dyn_type(r);
		break;
	case 'B':
		backref(r, type);
		break;
	default:
		/* A type that has a name: the tag is that of its path. */
		r->at--;
		path(r, false);
		break;
	}
}

static void type(struct rust *r)
{
	if (!enter(r))
		return;
	char tag = next(r);
	const char *basic = basic_type(tag);
	if (basic)
		add(r, basic);
	else if (!r->failed)
		compound_type(r, tag);
	leave(r);
}

/* --- Constants --- */

/* {hex-digit} "_": where they are. */
static struct identifier hex_digits(struct rust *r)
{
	struct identifier digits = { .name = r->s + r->at };

	while (!r->failed && !take(r, '_')) {
		char c = next(r);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			r->failed = true;
		digits.size++;
	}
	return digits;
}

/* False when it takes more than 64 bits. */
static bool hex_value(const struct identifier *digits, uint64_t *value)
{
	size_t i = 0;

	while (i < digits->size && digits->name[i] == '0')
		i++;
	*value = 0;
	if (digits->size - i > 16)
		return false;
	for (; i < digits->size; i++) {
		char c = digits->name[i];
		*value = *value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

static void const_integer(struct rust *r)
{
	char text[32];
	uint64_t value;

	if (take(r, 'n'))
		add(r, "-");
	struct identifier digits = hex_digits(r);
	if (r->failed)
		return;
	if (hex_value(&digits, &value)) {
		snprintf(text, sizeof(text), "%" PRIu64, value);
		add(r, text);
	} else {
		add(r, "0x");
		add_n(r, digits.name, digits.size);
	}
}

static void const_bool(struct rust *r)
{
	struct identifier digits = hex_digits(r);
	uint64_t value;

	if (r->failed || !hex_value(&digits, &value) || value > 1) {
		r->failed = true;
		return;
	}
	add(r, value ? "true" : "false");
}

/* As Rust's Debug shows a character. */
static void const_char(struct rust *r)
{
	struct identifier digits = hex_digits(r);
	char text[16];
	uint64_t c;

	if (r->failed || !hex_value(&digits, &c) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		r->failed = true;
		return;
	}
	add(r, "'");
	if (c == '\t' || c == '\r' || c == '\n') {
		add(r, c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\n");
	} else if (c == '\'' || c == '\\') {
		add(r, c == '\'' ? "\\'" : "\\\\");
	} else if (c < ' ' || (c >= 0x7f && c < 0xa0)) {
		snprintf(text, sizeof(text), "\\u{%" PRIx64 "}", c);
		add(r, text);
	} else {
		add_utf8(r, (uint32_t)c);
	}
	add(r, "'");
}

static void constant(struct rust *r)
{
	if (!enter(r))
		return;
	char tag = next(r);
	if (tag == 'p')
		add(r, "_");
	else if (tag == 'B')
		backref(r, constant);
	else if (tag == 'b')
		const_bool(r);
	else if (tag == 'c')
		const_char(r);
	else if (tag && strchr("aslxnihtmyoj", tag))
		const_integer(r);
	else
		r->failed = true; /* of structured ones the RFC says nothing */
	leave(r);
}

/* --- The two schemes --- */

/* What the compiler's later passes hang on: ".llvm.123" tells nothing, others stay. */
static void add_suffix(struct rust *r, const char *suffix)
{
	const char *llvm = strstr(suffix, ".llvm.");

	add_n(r, suffix, llvm ? (size_t)(llvm - suffix) : strlen(suffix));
}

static bool v0_name(const char *name, struct strbuf *out)
{
	struct rust r = { .s = name, .size = strcspn(name, ".$"), .out = out,
			  .out_start = out->len };

	/* A version: none is known yet. Paths begin with a capital letter. */
	if (*name < 'A' || *name > 'Z')
		return false;
	path(&r, true);
	if (!r.failed && r.at < r.size) {
		r.silent = true;
		path(&r, false);
		r.silent = false;
	}
	if (!r.failed && r.at == r.size)
		add_suffix(&r, name + r.size);
	if (r.failed || r.at != r.size)
		take_back(&r);
	return !r.failed && r.at == r.size;
}

/* "$LT$" -> "<", "$u20$" -> " ". How many characters were taken; 0: it is none. */
static size_t legacy_escape(struct rust *r, const char *s, size_t size)
{
	static const struct {
		const char *name, *text;
	} escapes[] = {
		{ "$SP$", "@" }, { "$BP$", "*" }, { "$RF$", "&" }, { "$LT$", "<" }, { "$GT$", ">" },
		{ "$LP$", "(" }, { "$RP$", ")" }, { "$C$", "," },
	};
	uint32_t c = 0;
	size_t i = 2;

	for (size_t k = 0; k < array_size(escapes); k++) {
		size_t length = strlen(escapes[k].name);
		if (length <= size && memcmp(s, escapes[k].name, length) == 0) {
			add(r, escapes[k].text);
			return length;
		}
	}
	if (size < 4 || s[1] != 'u')
		return 0;
	for (; i < size && s[i] != '$'; i++) {
		char d = s[i];
		if (!((d >= '0' && d <= '9') || (d >= 'a' && d <= 'f')) || i > 8)
			return 0;
		c = c << 4 | (uint32_t)(d <= '9' ? d - '0' : d - 'a' + 10);
	}
	if (i == size || i == 2 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c < ' ')
		return 0;
	add_utf8(r, c);
	return i + 1;
}

static void legacy_part(struct rust *r, const char *s, size_t size)
{
	/* A part cannot begin with an escape. */
	if (size > 1 && s[0] == '_' && s[1] == '$') {
		s++;
		size--;
	}
	while (size) {
		size_t taken = *s == '$' ? legacy_escape(r, s, size) : 0;
		if (!taken && size > 1 && s[0] == '.' && s[1] == '.') {
			add(r, "::");
			taken = 2;
		} else if (!taken) {
			add_n(r, s, 1);
			taken = 1;
		}
		s += taken;
		size -= taken;
	}
}

static bool is_hash(const char *s, size_t size)
{
	return size == HASH_LENGTH && *s == 'h' && strspn(s + 1, "0123456789abcdef") >= 16;
}

/* "_ZN", parts with their lengths, the last of which is a hash, "E". */
static bool legacy_name(const char *name, struct strbuf *out)
{
	struct rust r = { .s = name, .size = strlen(name), .out = out, .out_start = out->len };
	bool hashed = false;
	unsigned parts = 0;

	while (!r.failed && !hashed && peek(&r) >= '1' && peek(&r) <= '9') {
		uint64_t length = decimal_number(&r);
		if (length > r.size - r.at) {
			r.failed = true;
			break;
		}
		hashed = is_hash(name + r.at, (size_t)length) && name[r.at + length] == 'E';
		if (!hashed) {
			if (parts++)
				add(&r, "::");
			legacy_part(&r, name + r.at, (size_t)length);
		}
		r.at += (size_t)length;
	}
	bool good = !r.failed && hashed && parts && take(&r, 'E') &&
		    (r.at == r.size || name[r.at] == '.');
	if (good)
		add_suffix(&r, name + r.at);
	if (!good || r.failed)
		take_back(&r);
	return good && !r.failed;
}

bool rust_name(const char *name, struct strbuf *out)
{
	if (strncmp(name, "_R", 2) == 0)
		return v0_name(name + 2, out);
	if (strncmp(name, "_ZN", 3) == 0)
		return legacy_name(name + 3, out);
	return false;
}
