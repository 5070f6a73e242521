/*
 * Who holds kernel locks while a page of user space is awaited that nobody delivers (userfaultfd), and who waits for those. Each thread's
 * name says what it does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 8 };
#define LEDGER "/tmp/ledger"
#define SHELF  "/tmp/shelf"

static char *missing; /* pages that never come */
static int pipe_ends[2];
static uint32_t till; /* a futex with priority inheritance */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void await_pages(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	missing = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)missing;
	range.range.len = PAGES * PAGE;
	if (fd < 0 || missing == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		die("userfaultfd");
}

static void append(const char *text)
{
	int fd = open(LEDGER, O_WRONLY | O_APPEND);

	if (fd < 0 || write(fd, text, 16) < 0)
		die(LEDGER);
}

/* Writes from a page that is not there: with the file's lock held. */
static void scribe(void)
{
	append(missing);
}

static void appender(void)
{
	append("another line 012");
}

/* Reads a folder into a page that is not there: with the folder's lock held for reading. */
static void lister(void)
{
	int fd = open(SHELF, O_RDONLY | O_DIRECTORY);

	syscall(SYS_getdents64, fd, missing + PAGE, PAGE);
}

static void creator(void)
{
	close(open(SHELF "/new", O_WRONLY | O_CREAT, 0600));
}

/* A name that was never looked for. */
static void looker(void)
{
	close(open(SHELF "/absent", O_RDONLY));
}

static void pump(void)
{
	if (write(pipe_ends[1], missing + 2 * PAGE, 100) < 0)
		die("pipe");
}

static void drain(void)
{
	char text[100];

	if (read(pipe_ends[0], text, sizeof(text)) < 0)
		die("pipe");
}

static void lock_till(void)
{
	uint32_t self = syscall(SYS_gettid);

	if (!__atomic_compare_exchange_n(&till, &(uint32_t){ 0 }, self, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &till, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

/* Has the futex, and waits with the appenders. */
static void cashier(void)
{
	lock_till();
	append("one more line 01");
}

static void customer(void)
{
	lock_till();
}

static const struct part {
	const char *name;
	void (*play)(void);
} parts[] = {
	{ "scribe", scribe },     { "lister", lister },     { "pump", pump },         { "cashier", cashier }, { "appender/0", appender },
	{ "appender/1", appender }, { "creator/0", creator }, { "creator/1", creator }, { "looker", looker },   { "drain/0", drain },
	{ "drain/1", drain },     { "customer/0", customer }, { "customer/1", customer },
};

static void *play(void *data)
{
	const struct part *part = data;

	prctl(PR_SET_NAME, part->name);
	part->play();
	return NULL;
}

int main(void)
{
	await_pages();
	close(open(LEDGER, O_WRONLY | O_CREAT, 0600));
	if (mkdir(SHELF, 0700) || pipe(pipe_ends))
		die("shelf");
	close(open(SHELF "/old", O_WRONLY | O_CREAT, 0600));
	printf("known missing %p till %p\n", (void *)missing, (void *)&till);
	fflush(stdout);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, play, (void *)&parts[i]);
		usleep(150000);
	}
	pause();
	return 0;
}
