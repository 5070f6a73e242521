/*
 * A thread writes to a file when a real-time thread that never sleeps takes its CPU: it keeps the file's lock, and everybody who wants to
 * write there waits. (Priority inversion: those who wait are on another CPU, and could go on at once.)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CHUNK = 4 << 20, APPENDERS = 1, PRIORITY = 42, URGENT = 80 };
#define LEDGER "/tmp/ledger"

static void on_cpu(int cpu, const char *name)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	prctl(PR_SET_NAME, name);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(1);
}

/* All threads are there when the oracles are taken; then guest.sh lets them go. */
static void wait_for_go(int more_ms)
{
	while (access("/tmp/go", F_OK))
		usleep(10000);
	usleep(more_ms * 1000);
}

static void *scribe(void *unused)
{
	char *text = calloc(1, CHUNK);
	int fd = open(LEDGER, O_WRONLY | O_CREAT, 0600);

	(void)unused;
	on_cpu(1, "scribe");
	wait_for_go(0);
	while (pwrite(fd, text, CHUNK, 0) > 0)
		;
	return NULL;
}

static void *hog(void *unused)
{
	struct sched_param param = { .sched_priority = PRIORITY };

	(void)unused;
	on_cpu(1, "hog");
	wait_for_go(500);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		exit(1);
	for (;;)
		;
	return NULL;
}

static void *appender(void *unused)
{
	struct sched_param param = { .sched_priority = URGENT };
	int fd;

	(void)unused;
	on_cpu(0, "appender");
	wait_for_go(1000);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		exit(1);
	fd = open(LEDGER, O_WRONLY);
	if (write(fd, "one", 3) < 0)
		exit(1);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, scribe, NULL);
	pthread_create(&thread, NULL, hog, NULL);
	for (int i = 0; i < APPENDERS; i++)
		pthread_create(&thread, NULL, appender, NULL);
	on_cpu(0, "queue");
	pause();
	return 0;
}
