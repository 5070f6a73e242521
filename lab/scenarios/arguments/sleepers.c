/* Processes named "arg-...", each asleep in another system call with arguments that can be told apart. Ends when all of them sleep. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[8192];

static void in_pipe_read(void)
{
	int ends[2];

	if (!pipe(ends))
		(void)!read(ends[0], buffer, 1234);
}

static void in_pipe_write(void)
{
	int ends[2];

	if (pipe(ends))
		return;
	while (write(ends[1], buffer, 4096) > 0)
		;
}

static void in_fifo_open(void)
{
	mkfifo("/tmp/arg-fifo", 0600);
	open("/tmp/arg-fifo", O_RDONLY | O_CLOEXEC);
}

static void in_eventfd(void)
{
	(void)!read(eventfd(0, 0), buffer, 8);
}

static void in_inotify(void)
{
	int fd = inotify_init();

	inotify_add_watch(fd, "/tmp", IN_DELETE_SELF);
	(void)!read(fd, buffer, 4000);
}

static void in_timerfd(void)
{
	struct itimerspec never = { .it_value.tv_sec = 100000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	timerfd_settime(fd, 0, &never, NULL);
	(void)!read(fd, buffer, 8);
}

static void in_tty(void)
{
	(void)!read(open("/dev/tty1", O_RDONLY | O_NOCTTY), buffer, 77);
}

static void in_wait(void)
{
	int status;

	if (!fork())
		for (;;)
			pause();
	wait4(-1, &status, __WALL, NULL);
}

static void in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN }, got[5];
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, eventfd(0, 0), &event);
	epoll_wait(fd, got, 5, 100000000);
}

static void in_poll(void)
{
	struct pollfd fds[3] = { { eventfd(0, 0), POLLIN, 0 }, { eventfd(0, 0), POLLIN, 0 }, { eventfd(0, 0), POLLPRI, 0 } };

	poll(fds, 3, 99999999);
}

static void in_select(void)
{
	struct timeval long_time = { .tv_sec = 123456 };
	fd_set set;
	int fd = eventfd(0, 0);

	FD_ZERO(&set);
	FD_SET(fd, &set);
	select(fd + 1, &set, NULL, NULL, &long_time);
}

static void in_futex(void)
{
	static int word = 7;
	struct timespec long_time = { .tv_sec = 200000 };

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, &long_time, NULL, 0);
}

static void in_nanosleep(void)
{
	struct timespec long_time = { .tv_sec = 300000, .tv_nsec = 12345 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, NULL);
}

static void in_sigwait(void)
{
	sigset_t set;
	siginfo_t info;
	struct timespec long_time = { .tv_sec = 400000 };

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigtimedwait(&set, &info, &long_time);
}

static void in_sigsuspend(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigsuspend(&set);
}

static void in_message_queue(void)
{
	struct {
		long type;
		char text[100];
	} message;

	msgrcv(msgget(IPC_PRIVATE, 0600), &message, 100, 55, MSG_NOERROR);
}

static void in_semaphore(void)
{
	struct sembuf operation = { .sem_num = 0, .sem_op = -3 };
	struct timespec long_time = { .tv_sec = 500000 };

	semtimedop(semget(IPC_PRIVATE, 1, 0600), &operation, 1, &long_time);
}

static void in_vfork(void)
{
	if (!vfork())
		for (;;)
			syscall(SYS_pause);
}

static void in_unix_stream(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	recv(ends[0], buffer, 777, MSG_WAITALL);
}

static void in_unix_datagram(void)
{
	struct iovec parts[2] = { { buffer, 100 }, { buffer + 100, 200 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	int ends[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	recvmsg(ends[0], &message, 0);
}

static void in_unix_write(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	while (write(ends[1], buffer, 8000) > 0)
		;
}

static void in_unix_accept(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/arg-socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&address, sizeof(address));
	listen(fd, 3);
	accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int bound(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
	int fd = socket(AF_INET, type, 0);

	bind(fd, (struct sockaddr *)&address, sizeof(address));
	return fd;
}

static void in_tcp_accept(void)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	int fd = bound(SOCK_STREAM);

	listen(fd, 5);
	accept(fd, (struct sockaddr *)&from, &length);
}

static void in_udp(void)
{
	recv(bound(SOCK_DGRAM), buffer, 1500, 0);
}

static void in_flock(void)
{
	int mine = open("/tmp/arg-lock", O_RDWR | O_CREAT, 0600), other = open("/tmp/arg-lock", O_RDWR);

	flock(mine, LOCK_EX);
	flock(other, LOCK_EX);
}

static void in_record_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20 };
	int fd = open("/tmp/arg-record", O_RDWR | O_CREAT, 0600), ends[2];

	if (pipe(ends))
		return;
	if (!fork()) {
		fcntl(fd, F_SETLK, &lock);
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	(void)!read(ends[0], buffer, 1);
	fcntl(fd, F_SETLKW, &lock);
}

static void in_pause(void)
{
	pause();
}

static const struct {
	const char *name;
	void (*sleeps)(void);
} sleepers[] = {
	{ "arg-pipe-read", in_pipe_read }, { "arg-pipe-write", in_pipe_write }, { "arg-fifo", in_fifo_open },
	{ "arg-eventfd", in_eventfd }, { "arg-inotify", in_inotify }, { "arg-timerfd", in_timerfd }, { "arg-tty", in_tty },
	{ "arg-wait", in_wait }, { "arg-epoll", in_epoll }, { "arg-poll", in_poll }, { "arg-select", in_select },
	{ "arg-futex", in_futex }, { "arg-nanosleep", in_nanosleep }, { "arg-sigwait", in_sigwait },
	{ "arg-sigsuspend", in_sigsuspend }, { "arg-msgrcv", in_message_queue }, { "arg-semop", in_semaphore },
	{ "arg-vfork", in_vfork }, { "arg-unix-read", in_unix_stream }, { "arg-unix-dgram", in_unix_datagram },
	{ "arg-unix-write", in_unix_write }, { "arg-unix-acc", in_unix_accept }, { "arg-tcp-accept", in_tcp_accept },
	{ "arg-udp", in_udp }, { "arg-flock", in_flock }, { "arg-record", in_record_lock }, { "arg-pause", in_pause },
};

enum { SLEEPERS = sizeof(sleepers) / sizeof(*sleepers) };

static int is_asleep(pid_t pid)
{
	char path[40], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	if (file)
		fclose(file);
	return state == 'S' || state == 'D';
}

int main(void)
{
	pid_t pids[SLEEPERS];

	for (int i = 0; i < SLEEPERS; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		prctl(PR_SET_NAME, sleepers[i].name);
		sleepers[i].sleeps();
		printf("%s does not sleep\n", sleepers[i].name);
		for (;;)
			pause();
	}
	/* On a busy machine this takes longer than one would think. */
	for (int tries = 0, asleep = 0; tries < 100 && asleep < SLEEPERS; tries++) {
		usleep(100000);
		asleep = 0;
		for (int i = 0; i < SLEEPERS; i++)
			asleep += is_asleep(pids[i]);
	}
	sleep(1);
	return 0;
}
