/* No recursion: five functions with large arrays of their own are too much for a stack of 16 KiB. */
#include "trigger.h"

static noinline int read_word(const char *text, char *out)
{
	char word[3300];
	int i;

	for (i = 0; i < (int)sizeof(word) - 1; i++)
		word[i] = text[i % 16] ^ (char)i;
	word[i] = 0;
	return scnprintf(out, 16, "%s", word);
}

#define LEVEL(name, next, size)                        \
	static noinline int name(const char *text, char *out) \
	{                                              \
		char buffer[size];                     \
		int n;                                 \
		memset(buffer, text[0], sizeof(buffer)); \
		n = next(text, buffer);                \
		memcpy(out, buffer, 16);               \
		return n;                              \
	}

LEVEL(read_line, read_word, 3600)
LEVEL(read_page, read_line, 4200)
LEVEL(read_chapter, read_page, 2600)
LEVEL(read_book, read_chapter, 2900)

static char result[5000];

static void read_it(void)
{
	pr_info("read %d\n", read_book("it was a dark and stormy night", result));
}

TRIGGER(read_it, "lab: frames too large for the stack");
