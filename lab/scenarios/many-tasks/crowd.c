/*
 * The crowd's user part: processes and threads asleep in many system calls, stopped, dead but not reaped, busy in user mode and busy in the
 * kernel. Ends when all of them are where they belong; they stay.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum crowd_command { CROWD_WAIT = 0x4301, CROWD_LOCK = 0x4302, CROWD_SPIN = 0x4303 };
enum { THREAD_STACK = 64 * 1024 };

static void crowd_ioctl(unsigned int command)
{
	ioctl(open("/dev/crowd", O_RDWR), command, 0);
}

static void wait_nanosleep(void)
{
	struct timespec long_time = { .tv_sec = 100000 };

	nanosleep(&long_time, NULL);
}

static void wait_pipe(void)
{
	int ends[2];
	char byte;

	if (!pipe(ends) && read(ends[0], &byte, 1))
		return;
}

static void wait_futex(void)
{
	int word = 7;

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0);
}

static void wait_poll(void)
{
	int ends[2];

	if (!pipe(ends))
		poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, -1);
}

static void wait_epoll(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(0), &event, 1, -1);
}

static void wait_select(void)
{
	select(0, NULL, NULL, NULL, NULL);
}

static void wait_socket(void)
{
	int ends[2];
	char byte;

	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		recv(ends[0], &byte, 1, 0);
}

static void wait_signal(void)
{
	pause();
}

static void wait_file_lock(void)
{
	int first = open("/tmp/lock", O_RDWR | O_CREAT, 0600), second = open("/tmp/lock", O_RDWR);

	flock(first, LOCK_EX | LOCK_NB);
	flock(second, LOCK_EX);
}

static void wait_child(void)
{
	if (!fork())
		wait_signal();
	wait(NULL);
}

static void wait_in_driver(void)
{
	crowd_ioctl(CROWD_WAIT);
}

static void wait_driver_lock(void)
{
	crowd_ioctl(CROWD_LOCK);
}

static void be_stopped(void)
{
	raise(SIGSTOP);
}

/* Leaves a dead child behind that it never waits for. */
static void keep_zombie(void)
{
	if (!fork()) {
		prctl(PR_SET_NAME, "zombie");
		_exit(3);
	}
	wait_signal();
}

static void spin_user(void)
{
	setpriority(PRIO_PROCESS, 0, 19);
	for (;;)
		__asm__ volatile("");
}

static void spin_kernel(void)
{
	setpriority(PRIO_PROCESS, 0, 19);
	crowd_ioctl(CROWD_SPIN);
}

/* Sleeps with other scheduling policies show up as other classes in the dump. */
static void sleep_realtime(void)
{
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 50 });
	wait_nanosleep();
}

static void sleep_as_user(void)
{
	if (!setresuid(1000, 1000, 1000))
		wait_nanosleep();
}

static const struct kind {
	const char *name; /* at most 15 bytes count */
	void (*behave)(void);
	int processes;
	int threads; /* in each process */
} kinds[] = {
	{ "nanosleep", wait_nanosleep, 4, 10 },
	{ "pipe-read", wait_pipe, 3, 8 },
	{ "futex", wait_futex, 2, 20 },
	{ "poll", wait_poll, 4, 6 },
	{ "epoll", wait_epoll, 2, 5 },
	{ "select", wait_select, 5, 1 },
	{ "socket", wait_socket, 5, 2 },
	{ "pause", wait_signal, 10, 1 },
	{ "file-lock", wait_file_lock, 2, 1 },
	{ "wait-child", wait_child, 3, 1 },
	{ "in-driver", wait_in_driver, 5, 1 },
	{ "in-driver-mt", wait_in_driver, 1, 4 },
	{ "driver-lock", wait_driver_lock, 3, 1 },
	{ "stopped", be_stopped, 4, 1 },
	{ "stopped-mt", be_stopped, 1, 3 },
	{ "zombie-parent", keep_zombie, 3, 1 },
	{ "odd )(name \"x", wait_signal, 2, 1 },
	{ "\xc3\xbc-utf8-long-name", wait_signal, 1, 1 },
	{ "realtime", sleep_realtime, 1, 2 },
	{ "user-1000", sleep_as_user, 3, 1 },
	{ "spin-user", spin_user, 2, 1 },
	{ "spin-kernel", spin_kernel, 1, 1 },
};

static void *run_thread(void *argument)
{
	const struct kind *kind = argument;
	char name[16];

	snprintf(name, sizeof(name), "%.9s-t", kind->name);
	prctl(PR_SET_NAME, name);
	kind->behave();
	wait_signal();
	return NULL;
}

static void run_process(const struct kind *kind)
{
	pthread_attr_t attributes;
	pthread_t thread;

	prctl(PR_SET_NAME, kind->name);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	for (int i = 1; i < kind->threads; i++)
		if (pthread_create(&thread, &attributes, run_thread, (void *)kind))
			_exit(1);
	kind->behave();
	for (;;)
		wait_signal();
}

int main(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (int j = 0; j < kinds[i].processes; j++)
			if (!fork())
				run_process(&kinds[i]);
	/* The children stay behind as init's; two seconds are enough for all of them to get where they shall wait. */
	sleep(2);
	return 0;
}
