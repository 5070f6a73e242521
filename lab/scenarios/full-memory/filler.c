/* Fills nearly all free memory with pages of many kinds, as programs leave them, for bench/: text, numbers, pointers, noise, zeroes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, KEPT_MB = 96 };

static uint64_t state = 88172645463325252u;

static uint64_t noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill_words(uint64_t *page, unsigned kind)
{
	uint64_t value = noise();

	for (unsigned i = 0; i < PAGE / 8; i++) {
		switch (kind) {
		case 0: /* pointers near each other */
			page[i] = 0x7f0000000000 + (value & 0xffffff000) + (i * 48 & 0xfff);
			break;
		case 1: /* structures */
			page[i] = i % 5 == 0 ? 0xffff888000000000 + (value & 0x7ffff000) : i % 5 == 1 ? i : i % 5 == 2 ? noise() & 0xff : 0;
			break;
		default:
			page[i] = noise();
		}
	}
}

int main(void)
{
	static const char words[] = "the quick brown fox reads a dump of memory, page after page, and finds what it looks for; ";
	long available = 0;
	char line[128];
	FILE *info = fopen("/proc/meminfo", "r");

	while (info && fgets(line, sizeof(line), info))
		sscanf(line, "MemAvailable: %ld", &available);
	size_t size = available / 1024 > KEPT_MB ? ((size_t)available / 1024 - KEPT_MB) << 20 : 0;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t at = 0; memory != MAP_FAILED && at + PAGE <= size; at += PAGE) {
		unsigned kind = at / PAGE % 8;
		if (kind < 5)
			fill_words((uint64_t *)(memory + at), kind < 4 ? kind / 2 : 2);
		else if (kind < 7)
			for (unsigned i = 0; i < PAGE; i++)
				memory[at + i] = words[(i + at / 512) % (sizeof(words) - 1)];
		else
			memory[at + noise() % PAGE] = 1;
	}
	close(open("/tmp/full", O_CREAT | O_WRONLY, 0600));
	pause();
	return 0;
}
