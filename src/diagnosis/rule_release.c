// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a kernel in a range of releases? A distribution counts in its own numbers and puts fixes into
 * old versions, so that its numbers are compared with each other only: with "3.10.0-1048.el7" an
 * el7 kernel, with "v4.14.25" one of kernel.org. What is left when a rule says nothing of the
 * kernel's own distribution is the upstream version that its release names: when that is in the
 * range, the answer is "perhaps".
 *
 * A range is "A .. B" (both are in it), comparisons "< A", ">= A, < B", or a glob. A word before a
 * colon ("debian: < 6.1.85-1") tells the distribution where the number itself does not.
 */
#include "diagnosis/rule_release.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* --- Versions. --- */

/* The length of the run of digits or letters at @s. */
static size_t run_length(const char *s)
{
	size_t n = 0;
	bool digits = isdigit((unsigned char)*s);

	while (s[n] && (digits ? isdigit((unsigned char)s[n]) : isalpha((unsigned char)s[n])))
		n++;
	return n;
}

static const char *skip_separators(const char *s)
{
	while (*s && *s != '~' && !isalnum((unsigned char)*s))
		s++;
	return s;
}

static int compare_numbers(const char *x, size_t nx, const char *y, size_t ny)
{
	while (nx && *x == '0')
		x++, nx--;
	while (ny && *y == '0')
		y++, ny--;
	if (nx != ny)
		return nx < ny ? -1 : 1;
	return memcmp(x, y, nx);
}

/* One of the two has ended: is what the other has left newer, older, or nothing but zeros? */
static int weigh_rest(const char *rest)
{
	for (rest = skip_separators(rest); *rest; rest = skip_separators(rest)) {
		if (*rest == '~')
			return -1;
		size_t n = run_length(rest);
		if (!isdigit((unsigned char)*rest) || compare_numbers(rest, n, "", 0))
			return 1;
		rest += n;
	}
	return 0;
}

int version_compare(const char *x, const char *y)
{
	for (;;) {
		x = skip_separators(x);
		y = skip_separators(y);
		if (*x == '~' && *y == '~') {
			x++;
			y++;
			continue;
		}
		if (!*x || !*y)
			return *x ? weigh_rest(x) : -weigh_rest(y);
		if (*x == '~' || *y == '~')
			return *x == '~' ? -1 : 1;
		size_t nx = run_length(x), ny = run_length(y);
		bool dx = isdigit((unsigned char)*x), dy = isdigit((unsigned char)*y);
		if (dx != dy)
			return dx ? 1 : -1;
		int order = dx ? compare_numbers(x, nx, y, ny)
			       : strncmp(x, y, nx < ny ? nx : ny);
		if (order || (!dx && nx != ny))
			return order ? order : nx < ny ? -1 : 1;
		x += nx;
		y += ny;
	}
}

/* --- Whose release it is. --- */

/* Marks in a release. Those that have a generation are followed by its number. Earlier rows win. */
static const struct {
	const char *mark;
	enum distribution distribution;
	bool generation;
	bool at_end; /* the release ends with it */
} marks[] = {
	{ "uek", DISTRO_UEK, false, false },
	{ ".el", DISTRO_RHEL, true, false },
	{ ".fc", DISTRO_FEDORA, true, false },
	{ ".amzn", DISTRO_AMAZON, true, false },
	{ ".oe", DISTRO_OPENEULER, true, false },
	{ "-default", DISTRO_SUSE, false, true },
	{ "-preempt", DISTRO_SUSE, false, true },
	{ "-pve", DISTRO_OTHER, false, true },
	{ "+deb", DISTRO_DEBIAN, false, false },
	{ "~deb", DISTRO_DEBIAN, false, false },
	{ "~bpo", DISTRO_DEBIAN, false, false },
	{ "-amd64", DISTRO_DEBIAN, false, true },
	{ "-arm64", DISTRO_DEBIAN, false, true },
	{ "-686", DISTRO_DEBIAN, false, true },
	{ "-686-pae", DISTRO_DEBIAN, false, true },
	{ "-generic", DISTRO_UBUNTU, false, true },
	{ "-lowlatency", DISTRO_UBUNTU, false, true },
	{ "-virtual", DISTRO_UBUNTU, false, true },
	{ "-server", DISTRO_UBUNTU, false, true },
	{ "-aws", DISTRO_UBUNTU, false, true },
	{ "-azure", DISTRO_UBUNTU, false, true },
	{ "-gcp", DISTRO_UBUNTU, false, true },
	{ "-kvm", DISTRO_UBUNTU, false, true },
	{ "-oracle", DISTRO_UBUNTU, false, true },
	{ "-oem", DISTRO_UBUNTU, false, true },
};

static const struct {
	const char *word;
	enum distribution distribution;
} words[] = {
	{ "upstream", DISTRO_UPSTREAM }, { "rhel", DISTRO_RHEL },     { "uek", DISTRO_UEK },
	{ "fedora", DISTRO_FEDORA },	 { "amazon", DISTRO_AMAZON }, { "openeuler", DISTRO_OPENEULER },
	{ "suse", DISTRO_SUSE },	 { "ubuntu", DISTRO_UBUNTU }, { "debian", DISTRO_DEBIAN },
};

static bool marked(const char *text, size_t row, unsigned *generation)
{
	const char *at = strstr(text, marks[row].mark);
	size_t length = strlen(marks[row].mark);

	if (!at || (marks[row].at_end && at[length]))
		return false;
	/* "5.4.0-42-generic" is Ubuntu's; a "4.14.0-generic" may be anybody's. */
	if (marks[row].distribution == DISTRO_UBUNTU) {
		const char *dash = strchr(text, '-');
		if (dash == at || !isdigit((unsigned char)dash[1]))
			return false;
	}
	if (!marks[row].generation)
		return true;
	/* "el8" and not "elsewhere" */
	if (!isdigit((unsigned char)at[length]))
		return false;
	*generation = (unsigned)strtoul(at + length, NULL, 10);
	return true;
}

/* False: nothing in the release tells. */
static bool distribution_of(const char *text, enum distribution *distribution,
			    unsigned *generation)
{
	*generation = 0;
	for (size_t i = 0; i < array_size(marks); i++) {
		if (!marked(text, i, generation))
			continue;
		*distribution = marks[i].distribution;
		return true;
	}
	return false;
}

/* "4.14", "v6.6.30", "6.13-rc2": kernel.org's form, perhaps with a name behind. */
static bool upstream_form(const char *text)
{
	size_t dots = 0;

	if (*text == 'v')
		text++;
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text) || *text == '.'; text++)
		dots += *text == '.';
	/* A number behind the dash is how a distribution counts its builds. */
	return dots && (!*text || starts_with(text, "-rc") || *text == '+' ||
			(*text == '-' && !isdigit((unsigned char)text[1])));
}

/*
 * What is compared: without the architecture, the flavour and the mark of the distribution.
 * "4.18.0-305.3.1.el8_4.x86_64" -> "4.18.0-305.3.1"; "6.13.0-rc3+" -> "6.13.0~rc3".
 */
static void comparable(const char *text, enum distribution distribution, char *buf, size_t size)
{
	const char *end = text + strlen(text);

	if (*text == 'v')
		text++;
	if (distribution == DISTRO_UPSTREAM) {
		int numbers = (int)strspn(text, "0123456789.");
		int rc = starts_with(text + numbers, "-rc")
				 ? 3 + (int)strspn(text + numbers + 3, "0123456789") : 0;
		snprintf(buf, size, "%.*s%s%.*s", numbers, text, rc ? "~" : "", rc ? rc - 1 : 0,
			 text + numbers + 1);
		return;
	}
	if (distribution == DISTRO_UBUNTU) {
		/* 5.4.0-42.46: the upload's number is not in the release; the ABI's (42) is. */
		const char *abi = strchr(text, '-');
		if (abi)
			end = abi + 1 + strspn(abi + 1, "0123456789");
	} else if (distribution != DISTRO_DEBIAN) {
		for (size_t i = 0; i < array_size(marks); i++) {
			const char *at = marks[i].distribution == distribution
						 ? strstr(text, marks[i].mark) : NULL;
			if (at && at < end)
				end = at;
		}
		/* UEK's own mark follows an ".el7". */
		const char *el = distribution == DISTRO_UEK ? strstr(text, ".el") : NULL;
		if (el && el < end)
			end = el;
	}
	snprintf(buf, size, "%.*s", (int)(end - text), text);
}

/* Debian's own version: the release names only the series and the ABI. */
static void debian_version(const char *release, const char *banner, struct kernel_release *out)
{
	const char *at = banner ? strstr(banner, "Debian ") : NULL;

	if (at) {
		at += strlen("Debian ");
		snprintf(out->version, sizeof(out->version), "%.*s", (int)strcspn(at, " ("), at);
	} else if (strstr(release, "+deb")) {
		snprintf(out->version, sizeof(out->version), "%.*s",
			 (int)strspn(release, "0123456789."), release);
	} else {
		out->version[0] = '\0';
	}
	out->base_exact = out->version[0] != '\0';
	const char *from = out->base_exact ? out->version : release;
	snprintf(out->base, sizeof(out->base), "%.*s", (int)strspn(from, "0123456789."), from);
}

void release_parse(const char *release, const char *banner, struct kernel_release *out)
{
	*out = (struct kernel_release){ .release = release ? release : "",
					.distribution = DISTRO_OTHER };
	release = out->release;
	if (banner && strstr(banner, "Debian "))
		out->distribution = DISTRO_DEBIAN;
	else if (banner && strstr(banner, "-Ubuntu "))
		out->distribution = DISTRO_UBUNTU;
	else if (!distribution_of(release, &out->distribution, &out->generation) &&
		 upstream_form(release))
		out->distribution = DISTRO_UPSTREAM;
	if (out->distribution == DISTRO_DEBIAN) {
		debian_version(release, banner, out);
		return;
	}
	comparable(release, out->distribution, out->version, sizeof(out->version));
	if (out->distribution == DISTRO_UPSTREAM) {
		snprintf(out->base, sizeof(out->base), "%.*s", (int)sizeof(out->base) - 1, out->version);
		out->base_exact = true;
	} else {
		snprintf(out->base, sizeof(out->base), "%.*s",
			 (int)strspn(release, "0123456789."), release);
	}
}

/* --- Ranges. --- */

enum bound_operator { BOUND_LESS, BOUND_LESS_EQUAL, BOUND_EQUAL, BOUND_MORE_EQUAL, BOUND_MORE };

struct bound {
	enum bound_operator op;
	char text[96];
};

enum { BOUNDS_MAX = 4 };

struct range {
	struct bound bound[BOUNDS_MAX];
	unsigned count;
	char glob[96]; /* "" when it is made of bounds */
	bool named;    /* its distribution was told by a word */
	bool known;    /* ... or by a mark or the form */
	enum distribution distribution;
	unsigned generation;
};

static const char *trim(const char *text, size_t *length)
{
	while (*length && isspace((unsigned char)*text))
		text++, (*length)--;
	while (*length && isspace((unsigned char)text[*length - 1]))
		(*length)--;
	return text;
}

static bool add_bound(struct range *range, enum bound_operator op, const char *text, size_t length)
{
	text = trim(text, &length);
	if (range->count == BOUNDS_MAX || !length || length >= sizeof(range->bound[0].text))
		return false;
	struct bound *b = &range->bound[range->count++];
	b->op = op;
	snprintf(b->text, sizeof(b->text), "%.*s", (int)length, text);
	return true;
}

/* "< A", ">= A, < B" */
static bool parse_comparisons(const char *text, struct range *range)
{
	static const struct {
		const char *sign;
		enum bound_operator op;
	} signs[] = {
		{ "<=", BOUND_LESS_EQUAL }, { "<", BOUND_LESS }, { ">=", BOUND_MORE_EQUAL },
		{ ">", BOUND_MORE }, { "==", BOUND_EQUAL }, { "=", BOUND_EQUAL },
	};

	while (*text) {
		size_t length = strcspn(text, ","), i = 0;
		const char *part = trim(text, &length);
		while (i < array_size(signs) && !starts_with(part, signs[i].sign))
			i++;
		if (i == array_size(signs))
			return false;
		size_t sign = strlen(signs[i].sign);
		if (length < sign || !add_bound(range, signs[i].op, part + sign, length - sign))
			return false;
		text = part + length;
		text += strspn(text, " \t");
		text += *text == ',';
		text += strspn(text, " \t");
	}
	return range->count > 0;
}

static const char *parse_word(const char *text, struct range *range)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	if (text[length] != ':')
		return text;
	for (size_t i = 0; i < array_size(words); i++) {
		if (strlen(words[i].word) == length && strncmp(words[i].word, text, length) == 0) {
			range->named = true;
			range->known = true;
			range->distribution = words[i].distribution;
		}
	}
	return range->named ? text + length + 1 : text;
}

/* Bounds without a mark take the one of their neighbour: "3.10.0-0 .. 3.10.0-1047.el7". */
static void find_distribution(struct range *range)
{
	for (unsigned i = 0; i < range->count; i++) {
		enum distribution d;
		unsigned generation;
		if (!distribution_of(range->bound[i].text, &d, &generation))
			continue;
		range->known = true;
		range->distribution = d;
		range->generation = generation;
	}
	for (unsigned i = 0; !range->known && i < range->count; i++) {
		if (!upstream_form(range->bound[i].text) &&
		    strspn(range->bound[i].text, "v0123456789.") != strlen(range->bound[i].text))
			return;
	}
	if (!range->known)
		range->distribution = DISTRO_UPSTREAM;
	range->known = true;
}

static bool parse_range(const char *text, struct range *range)
{
	*range = (struct range){ 0 };
	text += strspn(text, " \t");
	text = parse_word(text, range);
	text += strspn(text, " \t");
	const char *dots = strstr(text, " .. ");
	if (dots) {
		if (!add_bound(range, BOUND_MORE_EQUAL, text, (size_t)(dots - text)) ||
		    !add_bound(range, BOUND_LESS_EQUAL, dots + 4, strlen(dots + 4)))
			return false;
	} else if (strchr("<>=", *text) && *text) {
		if (!parse_comparisons(text, range))
			return false;
	} else {
		size_t length = strlen(text);
		text = trim(text, &length);
		if (!length || length >= sizeof(range->glob) || strpbrk(text, " <>="))
			return false;
		snprintf(range->glob, sizeof(range->glob), "%.*s", (int)length, text);
	}
	if (range->glob[0] && !range->known)
		range->known = distribution_of(range->glob, &range->distribution,
					       &range->generation);
	if (!range->glob[0] && !range->named)
		find_distribution(range);
	return true;
}

struct error *release_range_check(const char *text)
{
	struct range range;

	if (!parse_range(text, &range))
		return error_new(ERROR_FORMAT, "\"%s\" is no range of releases: write "
				 "\"A .. B\", \">= A, < B\" or a glob", text);
	if (!range.glob[0] && !range.known)
		return error_new(ERROR_FORMAT, "whose release is meant by \"%s\"? Put "
				 "\"debian:\", \"ubuntu:\", \"rhel:\", \"suse:\" ... before it", text);
	return NULL;
}

static bool satisfies(int order, enum bound_operator op)
{
	switch (op) {
	case BOUND_LESS: return order < 0;
	case BOUND_LESS_EQUAL: return order <= 0;
	case BOUND_EQUAL: return order == 0;
	case BOUND_MORE_EQUAL: return order >= 0;
	case BOUND_MORE: return order > 0;
	}
	return false;
}

static bool in_bounds(const char *version, const struct range *range)
{
	for (unsigned i = 0; i < range->count; i++) {
		char bound[96];
		comparable(range->bound[i].text, range->distribution, bound, sizeof(bound));
		if (!satisfies(version_compare(version, bound), range->bound[i].op))
			return false;
	}
	return true;
}

/* "5.4" of "5.4.0-42" or "v5.4.50"; @more: something behind it is not zero. */
static void series_of(const char *text, char *buf, size_t size, bool *more)
{
	size_t n = 0;
	int dots = 0;

	if (*text == 'v')
		text++;
	while (isdigit((unsigned char)text[n]) || (text[n] == '.' && ++dots < 2))
		n++;
	snprintf(buf, size, "%.*s", (int)n, text);
	*more = strpbrk(text + n, "123456789") != NULL;
}

/*
 * Is the series ("5.4") that a distribution's kernel is made of in the range? How far into the
 * series its fixes go is not known, so that a bound within the series does not part.
 */
static bool series_in_bounds(const char *base, const struct range *range)
{
	char series[16], bound[16];
	bool more;

	series_of(base, series, sizeof(series), &more);
	for (unsigned i = 0; i < range->count; i++) {
		series_of(range->bound[i].text, bound, sizeof(bound), &more);
		int order = version_compare(series, bound);
		if (!satisfies(order, range->bound[i].op) && (order || !more))
			return false;
	}
	return *base && range->count > 0;
}

bool version_in_range(const char *version, const char *text)
{
	struct range range;

	if (!parse_range(text, &range))
		return false;
	if (range.glob[0])
		return glob_match(range.glob, version);
	for (unsigned i = 0; i < range.count; i++) {
		if (!satisfies(version_compare(version, range.bound[i].text), range.bound[i].op))
			return false;
	}
	return true;
}

static bool same_distribution(const struct kernel_release *kernel, const struct range *range)
{
	return range->known && kernel->distribution == range->distribution &&
	       kernel->distribution != DISTRO_OTHER &&
	       (!range->generation || kernel->generation == range->generation);
}

/* How much an answer weighs: its own distribution's numbers, upstream's, another's. */
enum authority { AUTHORITY_NONE, AUTHORITY_FOREIGN, AUTHORITY_UPSTREAM, AUTHORITY_OWN };

static enum range_answer ask(const struct kernel_release *kernel, const struct range *range,
			     enum authority *authority)
{
	if (same_distribution(kernel, range)) {
		*authority = AUTHORITY_OWN;
		if (range->glob[0])
			return glob_match(range->glob, kernel->release) ? RANGE_YES : RANGE_NO;
		if (kernel->version[0])
			return in_bounds(kernel->version, range) ? RANGE_YES : RANGE_NO;
		return series_in_bounds(kernel->base, range) ? RANGE_PERHAPS : RANGE_NO;
	}
	if (range->glob[0]) {
		bool hit = glob_match(range->glob, kernel->release);
		*authority = hit ? AUTHORITY_OWN : AUTHORITY_NONE;
		return hit ? RANGE_YES : RANGE_NO;
	}
	*authority = range->distribution == DISTRO_UPSTREAM ? AUTHORITY_UPSTREAM
							    : AUTHORITY_FOREIGN;
	if (*authority == AUTHORITY_UPSTREAM && kernel->base_exact)
		return in_bounds(kernel->base, range) ? RANGE_PERHAPS : RANGE_NO;
	return series_in_bounds(kernel->base, range) ? RANGE_PERHAPS : RANGE_NO;
}

enum range_answer release_in_ranges(const struct kernel_release *kernel, const char *const *ranges,
				    size_t count, const char **which)
{
	enum authority best = AUTHORITY_NONE;
	enum range_answer answer = RANGE_NO;

	*which = NULL;
	for (size_t i = 0; i < count; i++) {
		enum authority authority;
		struct range range;
		if (!parse_range(ranges[i], &range))
			continue;
		enum range_answer one = ask(kernel, &range, &authority);
		/* What the distribution itself says of its kernels outweighs what others say. */
		if (authority < best || (authority == best && (answer == RANGE_YES || !one)))
			continue;
		best = authority;
		answer = one;
		*which = one ? ranges[i] : NULL;
	}
	return answer;
}
