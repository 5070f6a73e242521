/* Makes the kernel allocate objects of many types, and stays to keep them: a parent and its children. */
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EACH = 12, CHILDREN = 8 };

static void sockets(int i)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(2000 + i), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_nl netlink = { .nl_family = AF_NETLINK };
	int pair[2], on = 1;
	int listening = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bind(listening, (void *)&any, sizeof(any));
	listen(listening, 4);
	connect(to, (void *)&any, sizeof(any));
	if (write(to, "hello", 5) < 0)
		perror("tcp");
	bind(udp, (void *)&any, sizeof(any));
	sendto(udp, "to myself", 9, 0, (void *)&any, sizeof(any));
	socket(AF_INET6, SOCK_STREAM, 0);
	socket(AF_INET6, SOCK_DGRAM, 0);
	socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (write(pair[0], "queued", 6) < 0)
		perror("unix");
	int route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	bind(route, (void *)&netlink, sizeof(netlink));
	if (i < 2) /* each gets a copy of all that is sent */
		socket(AF_PACKET, SOCK_RAW, htons(3));
}

static void descriptors(int i, const char *folder)
{
	struct itimerspec hour = { .it_value.tv_sec = 3600 };
	struct epoll_event event = { .events = EPOLLIN };
	struct flock lock = { .l_type = F_WRLCK, .l_start = i, .l_len = 1 };
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	struct sigevent quiet = { .sigev_notify = SIGEV_NONE };
	char name[100];
	sigset_t set;
	timer_t timer;
	int fds[2];

	if (pipe(fds) == 0 && write(fds[1], "data", 4) < 0)
		perror("pipe");
	eventfd(i, 0);
	int timerfd = timerfd_create(CLOCK_MONOTONIC, 0), epoll = epoll_create1(0), notify = inotify_init();
	timerfd_settime(timerfd, 0, &hour, NULL);
	epoll_ctl(epoll, EPOLL_CTL_ADD, timerfd, &event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	inotify_add_watch(notify, folder, IN_ALL_EVENTS);
	sigemptyset(&set);
	signalfd(-1, &set, 0);
	timer_create(CLOCK_MONOTONIC, &quiet, &timer);
	timer_settime(timer, 0, &hour, NULL);
	snprintf(name, sizeof(name), "/queue%d-%d", getpid(), i);
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
	mq_send(queue, "message", 7, 0);
	snprintf(name, sizeof(name), "%s/locked%d-%d", folder, getpid(), i);
	int file = open(name, O_RDWR | O_CREAT, 0600);
	fcntl(file, F_SETLK, &lock);
	flock(file, LOCK_EX);
	fcntl(file, F_SETOWN, getpid());
	fcntl(file, F_SETFL, O_ASYNC);
	open("/proc/self/maps", O_RDONLY);
	open("/proc/self/mounts", O_RDONLY);
	snprintf(name, sizeof(name), "%s/fifo", folder);
	open(name, O_RDWR);
	mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/tmp";
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int ready[2];
	char byte;

	sigaction(SIGIO, &ignore, NULL);
	if (pipe(ready))
		return 1;
	for (int child = 0; child < CHILDREN; child++) {
		if (fork())
			continue;
		pthread_t thread;
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		pthread_sigmask(SIG_BLOCK, &set, NULL); /* of both threads: or it would kill */
		pthread_create(&thread, NULL, idle, NULL);
		for (int i = 0; i < EACH; i++)
			descriptors(i, folder);
		for (int i = 0; i < EACH; i++)
			sockets(child * EACH + i);
		for (int i = 0; i < 4; i++) {
			union sigval value = { .sival_int = i };
			sigqueue(getpid(), SIGRTMIN, value);
			shmat(shmget(IPC_PRIVATE, 8192, 0600), NULL, 0);
			semget(IPC_PRIVATE, 3, 0600);
			int id = msgget(IPC_PRIVATE, 0600);
			struct { long type; char text[40]; } message = { 1, "a message" };
			msgsnd(id, &message, sizeof(message.text), 0);
		}
		if (write(ready[1], "r", 1) < 0)
			return 1;
		for (;;)
			pause();
	}
	for (int child = 0; child < CHILDREN; child++) {
		if (read(ready[0], &byte, 1) < 1)
			return 1;
	}
	return 0;
}
