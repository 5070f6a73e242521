/*
 * Processes that each hold the objects of one subsystem, and stay. "holder hold" starts them all, prints a line "NAME PID" for each, and
 * ends when all of them are ready. "holder partition DISK N START SIZE" makes a partition (in MB) that no table on the disk tells of,
 * "holder swap PARTITION PRIORITY" swaps there, "holder neighbour DEVICE ADDRESS" enters one, and "holder report PID" says where a process's pages are (/proc/PID/pagemap).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/blkpg.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (2ul << 20)
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void check(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "holder: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void *map(size_t pages, int protection, int flags, int fd, off_t offset)
{
	char *at = mmap(NULL, pages * PAGE, protection, flags, fd, offset);

	check(at == MAP_FAILED ? -1 : 0, "mmap");
	return at;
}

static void touch(char *at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memset(at + i * PAGE, (int)i + 1, PAGE);
}

static void hold_files(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 50 };
	int ends[2], fd;
	char line[64];
	sigset_t signals;

	check(chdir("/tmp/disk/deep"), "chdir");
	fd = open("/tmp/disk/folder/data", O_RDWR);
	check(fd, "data");
	check(read(fd, line, 17), "read");
	check(fcntl(fd, F_SETLK, &lock), "lock");
	fd = open("/tmp/disk/locked", O_CREAT | O_RDWR, 0600);
	check(flock(fd, LOCK_EX), "flock");
	check(write(fd, "not on the disk yet", 19), "dirty");
	check(open("/tmp/bound/data", O_RDONLY), "bound");
	fd = open("/tmp/volatile/gone", O_CREAT | O_RDWR, 0600);
	check(write(fd, "deleted", 7), "gone");
	unlink("/tmp/volatile/gone");
	check(open("/tmp/disk/folder", O_DIRECTORY), "folder");
	check(pipe(ends), "pipe");
	check(mkfifo("/tmp/disk/fifo", 0600), "fifo");
	check(open("/tmp/disk/fifo", O_RDWR), "fifo");
	fd = epoll_create1(EPOLL_CLOEXEC);
	check(epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &(struct epoll_event){ .events = EPOLLIN }), "epoll");
	check(eventfd(5, 0), "eventfd");
	check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd");
	sigemptyset(&signals);
	check(signalfd(-1, &signals, 0), "signalfd");
	fd = inotify_init();
	check(inotify_add_watch(fd, "/tmp/disk", IN_CREATE), "inotify");
	check(memfd_create("memory-file", 0), "memfd");
	check(open("/proc/self/maps", O_RDONLY), "proc");
	check(open("/sys/kernel/notes", O_RDONLY), "sys");
	check(open("/dev/zero", O_RDONLY), "zero");
	check(open("/dev/vda1", O_RDONLY), "vda1");
	check(open("/proc/self/ns/net", O_RDONLY), "namespace");
	check(open("/tmp/disk/deep/er", O_PATH), "O_PATH");
	/* A descriptor in the second word of the table's bitmap. */
	check(dup2(ends[1], 70), "dup2");
}

static void *idle_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void hold_maps(void)
{
	int fd = open("/tmp/disk/folder/data", O_RDWR), memory;
	char *at;
	pthread_t thread;

	touch(map(6, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4);
	map(3, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	touch(map(3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 2);
	at = map(8, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE);
	check(madvise(at, 8 * PAGE, MADV_POPULATE_READ), "populate");
	touch(map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), 2);
	at = map(5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 10 * PAGE);
	at[0] = 1;
	memory = memfd_create("mapped memory", 0);
	check(ftruncate(memory, 4 * PAGE), "ftruncate");
	touch(map(4, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0), 3);
	at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (at != MAP_FAILED)
		at[5] = 1;
	/* A place for a transparent huge page. */
	at = map(2 * HUGE / PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	at = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	check(madvise(at, HUGE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	at[0] = 1;
	at = map(7, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	at = map(9, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(at, 9 * PAGE, MADV_DONTFORK);
	touch(at, 9);
	madvise(at, 5 * PAGE, MADV_PAGEOUT);
	check(open("/tmp/disk/folder", O_DIRECTORY), "folder");
	check(pthread_create(&thread, NULL, idle_thread, NULL), "thread");
}

static int tcp_socket(int family, const struct sockaddr *address, socklen_t size, const char *what)
{
	int fd = socket(family, SOCK_STREAM, 0), on = 1;

	check(fd, what);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	check(bind(fd, address, size), what);
	check(listen(fd, 5), what);
	return fd;
}

static void hold_net(void)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(4001), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(4002), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/tmp/volatile/socket" };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0abstract-name" };
	struct sockaddr_nl route = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd, pair[2];

	tcp_socket(AF_INET, (void *)&four, sizeof(four), "tcp");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(fd, (void *)&four, sizeof(four)), "connect");
	tcp_socket(AF_INET6, (void *)&six, sizeof(six), "tcp6");
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	check(connect(fd, (void *)&six, sizeof(six)), "connect6");
	four.sin_port = htons(4003);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	check(bind(fd, (void *)&four, sizeof(four)), "udp");
	check(connect(socket(AF_INET, SOCK_DGRAM, 0), (void *)&four, sizeof(four)), "udp connect");
	six.sin6_port = htons(4004);
	check(bind(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&six, sizeof(six)), "udp6");
	check(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "raw");
	check(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), "packet");
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	check(bind(fd, (void *)&route, sizeof(route)), "netlink");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	check(bind(fd, (void *)&path, sizeof(path)), "unix");
	check(listen(fd, 5), "unix");
	check(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&path, sizeof(path)), "unix connect");
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(bind(fd, (void *)&abstract, offsetof(struct sockaddr_un, sun_path) + 14), "abstract");
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "socketpair");
}

static void hold_ipc(void)
{
	struct { long type; char text[100]; } message = { .type = 3, .text = "for nobody" };
	int id;

	id = shmget(0x1001, 5 * PAGE + 7, IPC_CREAT | 0640);
	check(id, "shmget");
	touch(shmat(id, NULL, 0), 3);
	check(shmget(0x1002, 2 * PAGE, IPC_CREAT | 0600), "shmget");
	/* Destroyed, yet in use. */
	id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	touch(shmat(id, NULL, 0), 1);
	shmctl(id, IPC_RMID, NULL);
	check(semget(0x2001, 4, IPC_CREAT | 0644), "semget");
	check(semget(0x2002, 1, IPC_CREAT | 0600), "semget");
	id = msgget(0x3001, IPC_CREAT | 0622);
	check(id, "msgget");
	check(msgsnd(id, &message, 10, 0), "msgsnd");
	check(msgsnd(id, &message, 90, 0), "msgsnd");
	check(msgget(0x3002, IPC_CREAT | 0600), "msgget");
}

static int bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static void hold_bpf(void)
{
	/* r0 = 7; exit */
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 7 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes;
	int fd;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = 4;
	attributes.value_size = 24;
	attributes.max_entries = 10;
	strcpy(attributes.map_name, "an_array");
	check(bpf(BPF_MAP_CREATE, &attributes), "array");
	attributes.map_type = BPF_MAP_TYPE_HASH;
	attributes.key_size = 16;
	attributes.max_entries = 33;
	attributes.map_flags = BPF_F_NO_PREALLOC;
	strcpy(attributes.map_name, "a_hash");
	check(fd = bpf(BPF_MAP_CREATE, &attributes), "hash");
	memset(&attributes, 0, sizeof(attributes));
	attributes.pathname = (uintptr_t)"/tmp/bpf/pinned";
	attributes.bpf_fd = (unsigned)fd;
	check(bpf(BPF_OBJ_PIN, &attributes), "pin");
	for (int i = 0; i < 2; i++) {
		memset(&attributes, 0, sizeof(attributes));
		attributes.prog_type = i ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_SOCKET_FILTER;
		attributes.insns = (uintptr_t)code;
		attributes.insn_cnt = 2;
		attributes.license = (uintptr_t)"GPL";
		strcpy(attributes.prog_name, i ? "classify" : "seven");
		check(fd = bpf(BPF_PROG_LOAD, &attributes), "program");
		if (!i)
			check(setsockopt(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)), "attach");
	}
}

/* In namespaces of its own, with a root of its own. */
static void hold_jail(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(4009) };

	check(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC), "unshare");
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	check(mount("secret", "/tmp/hidden", "tmpfs", 0, "size=1m"), "tmpfs");
	check(mkdir("/tmp/hidden/inside", 0700), "mkdir");
	check(open("/tmp/hidden/file", O_CREAT | O_RDWR, 0600), "file");
	check(shmget(0x4001, PAGE, IPC_CREAT | 0600), "shmget");
	check(bind(socket(AF_INET, SOCK_DGRAM, 0), (void *)&any, sizeof(any)), "udp");
	check(chroot("/tmp/hidden"), "chroot");
	check(chdir("/inside"), "chdir");
}

static const struct {
	const char *name;
	void (*hold)(void);
} holders[] = {
	{ "files", hold_files }, { "maps", hold_maps }, { "net", hold_net }, { "ipc", hold_ipc }, { "bpf", hold_bpf }, { "jail", hold_jail },
};

static void start(const char *name, void (*hold)(void))
{
	int ready[2];
	char byte;

	check(pipe(ready), "pipe");
	pid_t pid = fork();
	check(pid, "fork");
	if (!pid) {
		close(ready[0]);
		prctl(PR_SET_NAME, name);
		/* Not the pipe to who started us: that waits for its end. */
		check(dup2(open("/dev/null", O_RDWR), 1), "null");
		hold();
		check(write(ready[1], "r", 1), "ready");
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		fprintf(stderr, "holder: %s failed\n", name);
		exit(1);
	}
	close(ready[0]);
	printf("%s %d\n", name, pid);
}

static void add_partition(const char *disk, int number, long start_mb, long size_mb)
{
	struct blkpg_partition partition = { .start = start_mb << 20, .length = size_mb << 20, .pno = number };
	struct blkpg_ioctl_arg argument = { .op = BLKPG_ADD_PARTITION, .datalen = sizeof(partition), .data = &partition };
	int fd = open(disk, O_RDONLY);

	check(fd, disk);
	check(ioctl(fd, BLKPG, &argument), "BLKPG");
}

static void add_neighbour(const char *device, const char *address)
{
	struct {
		struct nlmsghdr head;
		struct ndmsg neighbour;
		struct { struct rtattr head; struct in_addr address; } destination;
		struct { struct rtattr head; unsigned char address[6], padding[2]; } link;
	} message = {
		.head = { .nlmsg_len = sizeof(message) - 2, .nlmsg_type = RTM_NEWNEIGH, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = (int)if_nametoindex(device), .ndm_state = NUD_PERMANENT },
		.destination = { .head = { 8, NDA_DST } },
		/* On the loopback all neighbours are one: with another address than its own nothing would arrive any more. */
		.link = { .head = { 10, NDA_LLADDR } },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	inet_pton(AF_INET, address, &message.destination.address);
	check(send(fd, &message, message.head.nlmsg_len, 0), "neighbour");
}

/* "ADDRESS ram PFN", "ADDRESS swap TYPE OFFSET" for each page that there is (Documentation/admin-guide/mm/pagemap.rst). */
static void report(const char *pid)
{
	char path[64], line[512];
	uint64_t entry, start, end;
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	check(pagemap = open(path, O_RDONLY), path);
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || start >> 47)
			continue;
		for (uint64_t at = start; at < end; at += PAGE) {
			if (pread(pagemap, &entry, 8, (off_t)(at / PAGE * 8)) != 8)
				break;
			if (entry >> 62 & 1)
				printf("%" PRIx64 " swap %" PRIu64 " %" PRIx64 "\n", at, entry & 31, entry >> 5 & ((1ull << 50) - 1));
			else if (entry >> 63)
				printf("%" PRIx64 " ram %" PRIx64 "\n", at, entry & ((1ull << 55) - 1));
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "partition"))
		add_partition(argv[2], atoi(argv[3]), atol(argv[4]), atol(argv[5]));
	else if (argc == 4 && !strcmp(argv[1], "swap"))
		check(swapon(argv[2], SWAP_FLAG_PREFER | atoi(argv[3])), "swapon");
	else if (argc == 4 && !strcmp(argv[1], "neighbour"))
		add_neighbour(argv[2], argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "report"))
		report(argv[2]);
	else
		for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++)
			start(holders[i].name, holders[i].hold);
	return 0;
}
