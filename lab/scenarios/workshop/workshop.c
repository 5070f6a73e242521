/*
 * The workshop's people. Each role is a process (some with threads) that puts itself into a known condition, says so through a pipe and
 * stays there. What is known of it goes to /oracle/workshop.tsv: role, pid, tid, facts ("key=value" with blanks between).
 *
 * "workshop start" gives those who keep CPU 1 busy their policies. "workshop save" copies what /proc says of each of them to /oracle/tasks/TID/, beside what before-crash saves of every thread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, LONG = 100000, DEADLINE = 6 };

static int ready_fd = -1; /* where a process says that it is where it shall be */
static int oracle_fd = -1;
static const char *role;

/* A line of workshop.tsv for the calling thread. */
__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char facts[400], line[600];
	va_list arguments;
	int length;

	va_start(arguments, format);
	vsnprintf(facts, sizeof(facts), format, arguments);
	va_end(arguments);
	length = snprintf(line, sizeof(line), "%s\t%d\t%d\t%s\n", role, getpid(), (int)syscall(SYS_gettid), facts);
	if (write(oracle_fd, line, (size_t)length) != length)
		_exit(1);
}

static void ready(void)
{
	if (write(ready_fd, "r", 1) != 1)
		_exit(1);
}

static void stay(void)
{
	for (;;)
		pause();
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void sleep_long(void)
{
	struct timespec time = { .tv_sec = LONG };

	ready();
	nanosleep(&time, NULL);
}

/* --- Asleep in system calls. --- */

static void in_nanosleep(void)
{
	tell("state=S syscall=nanosleep");
	sleep_long();
}

static void in_pipe(void)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		_exit(1);
	tell("state=S syscall=read fd=%d", ends[0]);
	ready();
	if (read(ends[0], &byte, 1) < 0)
		_exit(1);
}

static void in_futex(void)
{
	static int word = 7;

	tell("state=S syscall=futex uaddr=%p", (void *)&word);
	ready();
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0);
}

static void in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec when = { .it_value = { .tv_sec = 7000 }, .it_interval = { .tv_sec = 3 } };

	timerfd_settime(timer, 0, &when, NULL);
	epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
	tell("state=S syscall=epoll_wait epoll=%d timerfd=%d", epoll, timer);
	ready();
	epoll_wait(epoll, &event, 1, -1);
}

static void in_poll(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		_exit(1);
	tell("state=S syscall=poll fd=%d", ends[0]);
	ready();
	poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, -1);
}

static void in_semaphore(void)
{
	int set = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf down = { .sem_num = 1, .sem_op = -1 };

	tell("state=S syscall=semop id=%d", set);
	ready();
	semop(set, &down, 1);
}

static void in_queue(void)
{
	int queue = msgget(IPC_PRIVATE, 0600);
	struct { long type; char text[16]; } message = { .type = 1 };

	tell("state=S syscall=msgrcv id=%d", queue);
	ready();
	msgrcv(queue, &message, sizeof(message.text), 0, 0);
}

static void in_sigwait(void)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tell("state=S syscall=rt_sigtimedwait");
	ready();
	sigwaitinfo(&set, &info);
}

/* --- Other states. --- */

static void stopped(void)
{
	tell("state=T");
	ready();
	raise(SIGSTOP);
}

static void zombie(void)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_NAME, "dead-child");
		role = "dead-child";
		tell("state=Z status=3");
		_exit(3);
	}
	siginfo_t info;
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	tell("state=S child=%d", child);
	ready();
}

static void tracer(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_NAME, "traced");
		role = "traced";
		tell("state=t");
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGTRAP);
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	tell("state=S child=%d", child);
	ready();
}

/* The parent is in the kernel, uninterruptible but to death, until the child has its memory no more. */
static void in_vfork(void)
{
	tell("state=D syscall=vfork");
	pid_t child = vfork();
	if (!child) {
		ready();
		stay();
	}
}

/* --- Scheduling. --- */

static void policy(int number, int priority, const char *name)
{
	struct sched_param parameter = { .sched_priority = priority };

	if (sched_setscheduler(0, number, &parameter))
		name = "failed";
	tell("policy=%s priority=%d", name, priority);
	sleep_long();
}

static void nice_high(void) { setpriority(PRIO_PROCESS, 0, -11); tell("nice=-11"); sleep_long(); }
static void nice_low(void) { setpriority(PRIO_PROCESS, 0, 13); tell("nice=13"); sleep_long(); }
static void as_fifo(void) { policy(SCHED_FIFO, 42, "fifo"); }
static void as_rr(void) { policy(SCHED_RR, 7, "rr"); }
static void as_batch(void) { policy(SCHED_BATCH, 0, "batch"); }
static void as_idle(void) { policy(SCHED_IDLE, 0, "idle"); }

/* struct sched_attr, include/uapi/linux/sched/types.h */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int set_deadline(pid_t tid, uint64_t runtime, uint64_t deadline, uint64_t period)
{
	struct attributes attributes = { .size = sizeof(attributes), .policy = DEADLINE, .runtime = runtime, .deadline = deadline, .period = period };

	return (int)syscall(SYS_sched_setattr, tid, &attributes, 0);
}

/* -1: any. */
static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < 2; i++)
		if (cpu < 0 || cpu == i)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void as_deadline(void)
{
	/* Who has a deadline must be free to go to any CPU. */
	on_cpu(-1);
	int result = set_deadline(0, 2000000, 50000000, 100000000);
	tell("policy=%s runtime=2000000 deadline=50000000 period=100000000", result ? "failed" : "deadline");
	sleep_long();
}

static void pinned(void)
{
	on_cpu(1);
	tell("affinity=2");
	sleep_long();
}

static void burn(clock_t user_ms, clock_t system_ms)
{
	struct timespec now, zero = { 0 };
	struct tms;
	struct rusage usage;

	do {
		for (volatile int i = 0; i < 100000; i++)
			;
		getrusage(RUSAGE_THREAD, &usage);
	} while (usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 < user_ms);
	do {
		for (int i = 0; i < 200; i++)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &zero, &now);
		getrusage(RUSAGE_THREAD, &usage);
	} while (usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000 < system_ms);
}

static void burner(void)
{
	burn(300, 200);
	tell("user_ms=300 system_ms=200");
	sleep_long();
}

/* --- What a process has. --- */

static void limits(void)
{
	static const struct { int resource; rlim_t soft, hard; } set[] = {
		{ RLIMIT_CPU, 1000, 2000 }, { RLIMIT_FSIZE, 123456, 7654321 }, { RLIMIT_CORE, 0, 0 },
		{ RLIMIT_NOFILE, 77, 99 }, { RLIMIT_MEMLOCK, 65536, 131072 }, { RLIMIT_NPROC, 50, RLIM_INFINITY },
		{ RLIMIT_NICE, 11, 12 }, { RLIMIT_RTTIME, 5000, RLIM_INFINITY }, { RLIMIT_STACK, 1 << 20, RLIM_INFINITY },
	};

	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		setrlimit(set[i].resource, &(struct rlimit){ .rlim_cur = set[i].soft, .rlim_max = set[i].hard });
	tell("limits=changed");
	sleep_long();
}

static void handle(int number) { (void)number; }
static void handle_info(int number, siginfo_t *info, void *context) { (void)number; (void)info; (void)context; }

/* As sigqueue() does, to the process or (if tid is not 0) to a thread. */
static void send_value(pid_t tid, int number, int value)
{
	siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = value;
	if (tid)
		syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, number, &info);
	else
		syscall(SYS_rt_sigqueueinfo, getpid(), number, &info);
}

static void *signals_thread(void *unused)
{
	sigset_t set;

	(void)unused;
	prctl(PR_SET_NAME, "signals-thread");
	role = "signals-thread";
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 4);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t tid = (pid_t)syscall(SYS_gettid);
	syscall(SYS_tgkill, getpid(), tid, SIGUSR2);
	send_value(tid, SIGRTMIN + 4, 4444);
	tell("private=%d,%d value=4444", SIGUSR2, SIGRTMIN + 4);
	ready();
	stay();
	return NULL;
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
	static char other_stack[64 * 1024];
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	pthread_t thread;
	sigset_t set;
	int ends[2];
	char byte;

	sigaddset(&action.sa_mask, SIGTERM);
	sigaddset(&action.sa_mask, SIGCHLD);
	sigaction(SIGHUP, &action, NULL);
	tell("signal=%d handler=%p flags=%#x", SIGHUP, (void *)handle, action.sa_flags);
	action = (struct sigaction){ .sa_sigaction = handle_info, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	sigaction(SIGRTMIN + 2, &action, NULL);
	tell("signal=%d handler=%p flags=%#x", SIGRTMIN + 2, (void *)handle_info, (unsigned int)action.sa_flags);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	tell("ignored=%d,%d", SIGPIPE, SIGTTOU);
	sigaltstack(&stack, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* The thread inherits the mask; it says that it is there before the process says so. */
	int outside = ready_fd;
	if (pipe(ends))
		_exit(1);
	ready_fd = ends[1];
	const char *own = role;
	pthread_create(&thread, NULL, signals_thread, NULL);
	if (read(ends[0], &byte, 1) != 1)
		_exit(1);
	role = own;
	ready_fd = outside;
	kill(getpid(), SIGUSR1);
	send_value(0, SIGRTMIN + 3, 1111);
	send_value(0, SIGRTMIN + 3, 2222);
	send_value(0, SIGRTMIN + 3, 3333);
	tell("shared=%d,%d,%d,%d values=1111,2222,3333 altstack=%p", SIGUSR1, SIGRTMIN + 3, SIGRTMIN + 3, SIGRTMIN + 3, (void *)other_stack);
	ready();
}

static void timers(void)
{
	const struct { clockid_t clock; int signal; long seconds, interval; } set[] = {
		{ CLOCK_REALTIME, SIGRTMIN + 5, 8000, 0 }, { CLOCK_MONOTONIC, SIGUSR1, 9000, 5 },
		{ CLOCK_BOOTTIME, SIGUSR2, 10000, 0 }, { CLOCK_PROCESS_CPUTIME_ID, SIGALRM, 3600, 0 },
	};
	struct itimerval alarm = { .it_value = { .tv_sec = 12345 }, .it_interval = { .tv_sec = 6 } };

	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = set[i].signal };
		struct itimerspec when = { .it_value = { .tv_sec = set[i].seconds }, .it_interval = { .tv_sec = set[i].interval } };
		timer_t timer;

		if (timer_create(set[i].clock, &event, &timer) || timer_settime(timer, 0, &when, NULL))
			_exit(1);
		tell("clock=%d signal=%d seconds=%ld interval=%ld", set[i].clock, set[i].signal, set[i].seconds, set[i].interval);
	}
	setitimer(ITIMER_REAL, &alarm, NULL);
	tell("itimer=real seconds=12345 interval=6");
	ready();
}

/* Memory of every sort: for vm, files, and what smaps tells. */
static void memory(void)
{
	size_t size = 1 << 20;
	char *anonymous = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open("/tmp/drawing", O_RDWR | O_CREAT, 0644);
	char *locked = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ftruncate(fd, 65536))
		_exit(1);
	char *file = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *copy = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	memset(anonymous, 'a', size / 2);
	memset(shared, 's', size / 4);
	memset(file, 'f', 65536);
	copy[0] = 'c';
	mlock(locked, 65536);
	mprotect(anonymous, 4096, PROT_NONE);
	strcpy(anonymous + 4096, "the quick brown fox of the workshop");
	tell("anonymous=%p shared=%p file=%p copy=%p locked=%p text=%p", (void *)anonymous, (void *)shared, (void *)file, (void *)copy,
	     (void *)locked, (void *)(anonymous + 4096));
	ready();
}

/* Becomes another program with words and an environment of its own: see main(). */
static void words(void)
{
	char fds[2][32];
	char *arguments[] = { "/scenario/workshop", "stay", fds[0], fds[1], "two words", "", "tab\there", "line\nend", "\xc3\xbcml\xc3\xa4ut",
			      "--option=value", NULL };
	char *environment[] = { "HOME=/nowhere", "EMPTY=", "QUOTED=a \"b\" 'c'", "PATH=/bin:/scenario", "LONG="
				"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", NULL };

	snprintf(fds[0], sizeof(fds[0]), "%d", ready_fd);
	snprintf(fds[1], sizeof(fds[1]), "%d", oracle_fd);
	execve(arguments[0], arguments, environment);
	_exit(1);
}

static void *run_thread(void *argument)
{
	char name[16];

	snprintf(name, sizeof(name), "threads/%ld", (long)argument);
	prctl(PR_SET_NAME, name);
	setpriority(PRIO_PROCESS, 0, (int)(long)argument);
	tell("thread=%ld nice=%ld", (long)argument, (long)argument);
	ready();
	stay();
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	int ends[2], outside = ready_fd;
	char byte;

	if (pipe(ends))
		_exit(1);
	ready_fd = ends[1];
	for (long i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, run_thread, (void *)i) || read(ends[0], &byte, 1) != 1)
			_exit(1);
	tell("threads=%d", THREADS);
	ready_fd = outside;
	ready();
}

/* A child with two children. */
static void tree(void)
{
	pid_t middle = fork();

	if (middle) {
		tell("child=%d", middle);
		stay();
	}
	prctl(PR_SET_NAME, "tree/middle");
	role = "tree/middle";
	for (int i = 0; i < 2; i++) {
		if (!fork()) {
			prctl(PR_SET_NAME, "tree/leaf");
			role = "tree/leaf";
			tell("leaf=%d", i);
			if (i)
				ready();
			stay();
		}
		usleep(20000);
	}
	tell("children=2");
	stay();
}

static void as_user(void)
{
	if (setgid(2000) || setuid(1000))
		_exit(1);
	tell("uid=1000 gid=2000");
	sleep_long();
}

/* --- Those who keep both CPUs busy: CPU 0 beside the one who crashes it, CPU 1 (a partition of its own) with one of each class. --- */

static bool enter(const char *group)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "/tmp/cgroup/%s/cgroup.procs", group);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return false;
	close(fd);
	return true;
}

static void join(const char *group)
{
	tell("cpu=0 group=%s", enter(group) ? group : "/");
}

static void grind_left(void) { on_cpu(0); join("bench/left"); ready(); spin(); }
static void grind_right(void) { on_cpu(0); join("bench/right"); setpriority(PRIO_PROCESS, 0, 10); ready(); spin(); }
static void grind_limited(void) { on_cpu(0); join("limited"); ready(); spin(); }

/*
 * Busy on CPU 1 from the first, but with a real-time policy only when all else is done ("workshop start"): nothing that waits for this CPU
 * ever ends from then on, and before-crash reads files that do.
 */
static void hog(int number, int priority, const char *name)
{
	struct sched_param parameter = { .sched_priority = priority };

	enter("island");
	on_cpu(1);
	if (number == SCHED_BATCH || number == SCHED_IDLE)
		sched_setscheduler(0, number, &parameter);
	tell("cpu=1 policy=%s priority=%d", name, priority);
	ready();
	spin();
}

static int start(void)
{
	FILE *list = fopen("/oracle/workshop.tsv", "r");
	char line[600], name[20];
	int pid, priority;

	while (list && fgets(line, sizeof(line), list)) {
		if (sscanf(line, "hog-%*s\t%d\t%*d\tcpu=1 policy=%19s priority=%d", &pid, name, &priority) != 3)
			continue;
		struct sched_param parameter = { .sched_priority = priority };
		int result = 0;
		if (!strcmp(name, "fifo") || !strcmp(name, "rr"))
			result = sched_setscheduler(pid, name[0] == 'f' ? SCHED_FIFO : SCHED_RR, &parameter);
		else if (!strcmp(name, "deadline"))
			result = set_deadline(pid, 1600000000, 3600000000, 3600000000);
		printf("%d %s: %d\n", pid, name, result);
	}
	return 0;
}

static void hog_plain(void) { hog(-1, 0, "other"); }
static void hog_nice(void) { setpriority(PRIO_PROCESS, 0, 5); hog(-1, 0, "other"); }
static void hog_batch(void) { hog(SCHED_BATCH, 0, "batch"); }
static void hog_idle(void) { hog(SCHED_IDLE, 0, "idle"); }
static void hog_rr(void) { hog(SCHED_RR, 10, "rr"); }
static void hog_fifo_low(void) { hog(SCHED_FIFO, 20, "fifo"); }
static void hog_fifo_high(void) { hog(SCHED_FIFO, 50, "fifo"); }
static void hog_deadline(void) { hog(DEADLINE, 0, "deadline"); }

static const struct part {
	const char *name; /* of the process, too */
	void (*play)(void);
} parts[] = {
	{ "in-nanosleep", in_nanosleep }, { "in-pipe", in_pipe }, { "in-futex", in_futex }, { "in-epoll", in_epoll }, { "in-poll", in_poll },
	{ "in-semaphore", in_semaphore }, { "in-queue", in_queue }, { "in-sigwait", in_sigwait }, { "stopped", stopped }, { "zombie", zombie },
	{ "tracer", tracer }, { "in-vfork", in_vfork }, { "nice-high", nice_high }, { "nice-low", nice_low }, { "as-fifo", as_fifo },
	{ "as-rr", as_rr }, { "as-batch", as_batch }, { "as-idle", as_idle }, { "as-deadline", as_deadline }, { "pinned", pinned },
	{ "burner", burner }, { "limits", limits }, { "signals", signals }, { "timers", timers }, { "memory", memory }, { "words", words },
	{ "threads", threads }, { "tree", tree }, { "as-user", as_user },
	{ "grind-left", grind_left }, { "grind-right", grind_right }, { "grind-limited", grind_limited },
	{ "hog-plain", hog_plain }, { "hog-nice", hog_nice }, { "hog-batch", hog_batch }, { "hog-idle", hog_idle }, { "hog-rr", hog_rr },
	{ "hog-fifo-low", hog_fifo_low }, { "hog-fifo-high", hog_fifo_high }, { "hog-deadline/0", hog_deadline },
	{ "hog-deadline/1", hog_deadline },
};

static void copy(const char *from, const char *to)
{
	char bytes[16384];
	int in = open(from, O_RDONLY), out;
	ssize_t got;

	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	while ((got = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)got) != got)
			break;
	close(in);
	close(out);
}

static int save(void)
{
	static const char *const files[] = { "limits", "environ", "sched", "timers", "smaps", "io", "schedstat", "cgroup", "auxv" };
	FILE *list = fopen("/oracle/workshop.tsv", "r");
	char line[600], from[100], to[100];
	int pid, tid;

	while (list && fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%*[^\t]\t%d\t%d", &pid, &tid) != 2)
			continue;
		snprintf(to, sizeof(to), "/oracle/tasks/%d", tid);
		mkdir(to, 0755);
		for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
			snprintf(from, sizeof(from), "/proc/%d/task/%d/%s", pid, tid, files[i]);
			snprintf(to, sizeof(to), "/oracle/tasks/%d/%s", tid, files[i]);
			if (!strcmp(files[i], "timers"))
				snprintf(from, sizeof(from), "/proc/%d/timers", pid);
			copy(from, to);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int ends[2];
	char byte;

	if (argc > 1 && !strcmp(argv[1], "save"))
		return save();
	if (argc > 1 && !strcmp(argv[1], "start"))
		return start();
	if (argc > 3) {
		role = "words";
		ready_fd = atoi(argv[2]);
		oracle_fd = atoi(argv[3]);
		prctl(PR_SET_NAME, "words");
		tell("arguments=%d", argc);
		ready();
		stay();
	}
	oracle_fd = open("/oracle/workshop.tsv", O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (oracle_fd < 0 || pipe(ends))
		return 1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!fork()) {
			role = parts[i].name;
			setpriority(PRIO_PROCESS, 0, 0);
			prctl(PR_SET_NAME, role);
			close(ends[0]);
			ready_fd = ends[1];
			parts[i].play();
			stay();
		}
		if (read(ends[0], &byte, 1) != 1)
			return 1;
	}
	usleep(300000);
	return 0;
}
