/*
 * Known words in user memory of every kind: plain, huge, shared, of a file, swapped out, without access, lost by the hardware. /oracle/places
 * has a line for each: what, address, and what /proc/self/pagemap, /proc/kpageflags and /proc/kpagecount say of its page; /oracle/kpageflags
 * and kpagecount are those files as a whole, the moment before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static uint64_t seed = 0x0123456789abcdefUL;

static __attribute__((noinline)) uint64_t word(unsigned int n)
{
	return (seed * 0xd1342543de82ef95UL) ^ ((uint64_t)n << 20 | 0xdef);
}

static uint64_t entry_of(const char *path, uint64_t index)
{
	uint64_t entry = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)(index * sizeof(entry))) != sizeof(entry))
		entry = ~0UL;
	close(fd);
	return entry;
}

/* Which kind, where, and what its word is (0: none). */
static void tell(FILE *out, const char *name, const void *at, uint64_t value)
{
	uint64_t map = entry_of("/proc/self/pagemap", (uintptr_t)at / PAGE), flags = 0, count = 0;

	if (map >> 63) {
		flags = entry_of("/proc/kpageflags", map & ((1UL << 55) - 1));
		count = entry_of("/proc/kpagecount", map & ((1UL << 55) - 1));
	}
	fprintf(out, "%s %lx %lx %lx %lx %lx\n", name, (unsigned long)(uintptr_t)at, (unsigned long)value, (unsigned long)map,
		(unsigned long)flags, (unsigned long)count);
}

static void copy(const char *from, const char *to)
{
	static char buffer[1 << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0644);
	ssize_t got;

	while ((got = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)got) != got)
			break;
	close(in);
	close(out);
}

static uint64_t *some(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static uint64_t *in_huge_page(void)
{
	char *at = (char *)some(2 * HUGE, MAP_PRIVATE);

	at += -(uintptr_t)at & (HUGE - 1);
	madvise(at, HUGE, MADV_HUGEPAGE);
	return (uint64_t *)at;
}

/* The kernel tells who loses a page so; a handler keeps it from being the end. */
static void lost_a_page(int number)
{
	(void)number;
}

static void hold(int ready)
{
	volatile uint64_t on_stack[4] = { 0 };
	uint64_t *plain = some(4 * PAGE, MAP_PRIVATE), *huge = in_huge_page(), *pool = some(HUGE, MAP_PRIVATE | MAP_HUGETLB);
	uint64_t *shared = some(2 * PAGE, MAP_SHARED), *away = some(4 * PAGE, MAP_PRIVATE), *closed = some(PAGE, MAP_PRIVATE);
	uint64_t *never = some(PAGE, MAP_PRIVATE), *lost = some(PAGE, MAP_PRIVATE);
	int file = open("/scenario/patterns", O_RDONLY);
	char *mapped = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, file, PAGE), *string = malloc(96);
	FILE *out = fopen("/oracle/places", "w");

	plain[2 * PAGE / 8 + 2] = word(1);
	huge[5 * PAGE / 8 + 4] = word(2);
	if (pool)
		pool[7 * PAGE / 8 + 1] = word(3);
	shared[PAGE / 8 + 9] = word(4);
	for (int i = 0; i < 4; i++)
		away[(unsigned)i * PAGE / 8] = word(5);
	closed[0] = word(6);
	on_stack[2] = word(7);
	lost[0] = 1;
	snprintf(string, 96, "inquest patterns: %s string %lx", "user", (unsigned long)seed);
	mlock(plain, 4 * PAGE);
	madvise(away, 4 * PAGE, MADV_PAGEOUT);
	mprotect(closed, PAGE, PROT_NONE);
	signal(SIGBUS, lost_a_page);
	int has_lost = madvise(lost, PAGE, MADV_HWPOISON) == 0;
	volatile char touched = mapped[0];
	(void)touched;

	fprintf(out, "pid %lx 0 0 0 0\n", (unsigned long)getpid());
	tell(out, "plain", &plain[2 * PAGE / 8 + 2], plain[2 * PAGE / 8 + 2]);
	tell(out, "huge", &huge[5 * PAGE / 8 + 4], huge[5 * PAGE / 8 + 4]);
	if (pool)
		tell(out, "pool", &pool[7 * PAGE / 8 + 1], pool[7 * PAGE / 8 + 1]);
	tell(out, "shared", &shared[PAGE / 8 + 9], shared[PAGE / 8 + 9]);
	tell(out, "stack", (const void *)&on_stack[2], on_stack[2]);
	tell(out, "string", string, 0);
	tell(out, "file", mapped, 0);
	tell(out, "closed", closed, word(6));
	tell(out, "never", never, 0);
	if (has_lost)
		tell(out, "lost", lost, 0);
	for (int i = 0; i < 4; i++)
		tell(out, "away", &away[(unsigned)i * PAGE / 8], 0);
	fclose(out);
	if (write(ready, "", 1) == 1)
		pause();
}

int main(void)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return 1;
	if (fork() == 0)
		hold(ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	copy("/proc/kpageflags", "/oracle/kpageflags");
	copy("/proc/kpagecount", "/oracle/kpagecount");
	return 0;
}
