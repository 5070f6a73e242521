/*
 * before-crash: write what the living kernel says about itself to a disk, for the tests to compare a dump with.
 *
 * The scenario runs it as the last thing before it crashes the machine. It reads /proc, /sys and the kernel log, and writes them as a
 * tar archive straight onto a block device: no file system, no child processes, nothing left behind in memory, and quick, since every
 * instruction is emulated. The threads come last, and their list (ps.tsv) last of all, so that it is as equal to the dump as it can be.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAR_BLOCK 512

struct buffer {
	char *data;
	size_t length;
	size_t capacity;
};

/* What is copied as it is; patterns may match many. The archive's names are these without the leading slash. */
static const char *const copied[] = {
	"/proc/buddyinfo", "/proc/cgroups", "/proc/cmdline", "/proc/cpuinfo", "/proc/crypto", "/proc/devices", "/proc/diskstats",
	"/proc/filesystems", "/proc/interrupts", "/proc/iomem", "/proc/ioports", "/proc/loadavg", "/proc/locks", "/proc/meminfo",
	"/proc/misc", "/proc/modules", "/proc/mounts", "/proc/net/*", "/proc/pagetypeinfo", "/proc/partitions", "/proc/slabinfo",
	"/proc/softirqs", "/proc/stat", "/proc/swaps", "/proc/sys/kernel/*", "/proc/sys/vm/*", "/proc/timer_list", "/proc/uptime",
	"/proc/version", "/proc/vmallocinfo", "/proc/vmstat", "/proc/zoneinfo", "/sys/kernel/notes", "/sys/kernel/vmcoreinfo",
	"/sys/kernel/kexec_crash_size", "/sys/kernel/debug/sched/debug", "/sys/module/*/sections/.*", "/sys/module/*/sections/*",
	"/sys/module/*/taint", "/sys/module/*/refcnt", "/sys/module/*/coresize", "/sys/module/*/srcversion", "/sys/module/*/notes/.*",
	"/sys/module/*/version", "/sys/devices/system/cpu/online",
	/* What the scenario itself found out and left there; copied last of these, as the youngest. */
	"/oracle/*", "/oracle/*/*", "/oracle/*/*/*",
};

/* The archive's name of a file: without its slash, and what the scenario left lies beside what is found here. */
static const char *archive_name(const char *path)
{
	static const char own[] = "/oracle/";

	return path + (strncmp(path, own, sizeof(own) - 1) ? 1 : sizeof(own) - 1);
}

/* Names whose addresses a reader of dumps needs first; module symbols and a sample of all others are kept beside them. */
static const char *const known_symbols[] = {
	"_text", "_stext", "_etext", "_sdata", "_edata", "__bss_start", "__bss_stop", "_end", "init_task", "init_mm", "init_pid_ns",
	"init_uts_ns", "linux_banner", "prb", "log_buf", "jiffies", "jiffies_64", "runqueues", "modules", "slab_caches", "init_top_pgt",
	"page_offset_base", "vmalloc_base", "vmemmap_base", "phys_base", "cpu_tss_rw", "cpu_entry_area", "idt_table", "__per_cpu_offset",
	"__per_cpu_start", "__per_cpu_end", "pcpu_hot", "current_task", "hardirq_stack_ptr", "irq_count", "cpu_number", "crash_notes",
	"panic_cpu", "panic_on_oops", "tainted_mask", "saved_command_line", "node_data", "contig_page_data", "super_blocks", "net_namespace_list",
	"timekeeper", "tk_core", "timer_bases", "hrtimer_bases", "workqueues", "worker_pool_idr", "irq_desc_tree", "sparse_irqs",
	"__start_BTF", "__stop_BTF", "__start_orc_unwind", "__stop_orc_unwind", "__start_orc_unwind_ip", "__stop_orc_unwind_ip",
	"orc_lookup", "asm_exc_page_fault", "entry_SYSCALL_64", "ret_from_fork", "ret_from_fork_asm", "panic", "__schedule", "schedule",
	"do_syscall_64", "vfs_write", "kthread", "worker_thread", "sysrq_handle_crash", "__crash_kexec", "cpu_online_mask",
	"__cpu_online_mask", "__cpu_possible_mask", "avenrun", "vmap_area_list", "swapper_pg_dir", "vm_zone_stat", "_totalram_pages",
};
enum { SYMBOL_SAMPLE = 200 }; /* of the symbols in no list, each 200th */

static void die(const char *what)
{
	fprintf(stderr, "before-crash: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->length + more <= buffer->capacity)
		return;
	buffer->capacity = (buffer->length + more) * 2;
	buffer->data = realloc(buffer->data, buffer->capacity);
	if (!buffer->data)
		die("memory");
}

static void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	buffer_reserve(buffer, length);
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

__attribute__((format(printf, 2, 3))) static void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;

	buffer_reserve(buffer, 1024);
	va_start(arguments, format);
	buffer->length += vsnprintf(buffer->data + buffer->length, 1024, format, arguments);
	va_end(arguments);
}

/* Replace what is in the buffer by the file's content. Files of /proc have no size: read to the end. False if unreadable. */
static bool buffer_read(struct buffer *buffer, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t got;

	buffer->length = 0;
	if (fd < 0)
		return false;
	do {
		buffer_reserve(buffer, 64 * 1024);
		got = read(fd, buffer->data + buffer->length, buffer->capacity - buffer->length - 1);
		if (got > 0)
			buffer->length += got;
	} while (got > 0);
	close(fd);
	buffer->data[buffer->length] = 0;
	return got == 0;
}

/* One tar member (POSIX ustar: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type, …, "ustar\0" "00" at 257). */
static void tar_add(struct buffer *tar, const char *name, const struct buffer *content)
{
	char header[TAR_BLOCK] = { 0 };
	unsigned int sum = 0;
	size_t padding = -content->length & (TAR_BLOCK - 1);
	static const char zeros[TAR_BLOCK];

	snprintf(header, 100, "%s", name);
	strcpy(header + 100, "0000644");
	strcpy(header + 108, "0000000");
	strcpy(header + 116, "0000000");
	snprintf(header + 124, 12, "%011zo", content->length);
	strcpy(header + 136, "00000000000");
	memset(header + 148, ' ', 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);

	buffer_add(tar, header, TAR_BLOCK);
	buffer_add(tar, content->data, content->length);
	buffer_add(tar, zeros, padding);
}

/* Write the archive to the device and wait until it is there. */
static void tar_finish(struct buffer *tar, const char *device)
{
	static const char end[2 * TAR_BLOCK];
	size_t written = 0;
	int fd = open(device, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die(device);
	buffer_add(tar, end, sizeof(end));
	while (written < tar->length) {
		ssize_t count = write(fd, tar->data + written, tar->length - written);

		if (count <= 0)
			die(device);
		written += count;
	}
	if (fsync(fd) || close(fd))
		die(device);
}

static void copy_files(struct buffer *tar)
{
	struct buffer content = { 0 };

	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++) {
		glob_t found;

		if (glob(copied[i], 0, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			struct stat status;

			if (!stat(found.gl_pathv[j], &status) && S_ISREG(status.st_mode) && buffer_read(&content, found.gl_pathv[j]))
				tar_add(tar, archive_name(found.gl_pathv[j]), &content);
		}
		globfree(&found);
	}
	free(content.data);
}

static bool symbol_wanted(const char *name, bool in_module, unsigned long index)
{
	if (in_module || index % SYMBOL_SAMPLE == 0)
		return true;
	for (size_t i = 0; i < sizeof(known_symbols) / sizeof(*known_symbols); i++)
		if (!strcmp(name, known_symbols[i]))
			return true;
	return false;
}

static void copy_symbols(struct buffer *tar)
{
	struct buffer all = { 0 }, kept = { 0 };
	unsigned long index = 0;

	if (!buffer_read(&all, "/proc/kallsyms"))
		return;
	for (char *line = all.data, *end; (end = strchr(line, '\n')); line = end + 1, index++) {
		char name[512];

		*end = 0;
		if (sscanf(line, "%*s %*s %511s", name) == 1 && symbol_wanted(name, strchr(line, '['), index))
			buffer_print(&kept, "%s\n", line);
	}
	tar_add(tar, "proc/kallsyms", &kept);
	free(all.data);
	free(kept.data);
}

/* The log twice: as dmesg -r prints it, and record by record with sequence numbers, microseconds and dictionaries. */
static void copy_log(struct buffer *tar)
{
	enum { READ_ALL = 3, BUFFER_SIZE = 10 }; /* syslog(2) */
	struct buffer text = { 0 }, records = { 0 };
	int size = klogctl(BUFFER_SIZE, NULL, 0), got;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	buffer_reserve(&text, size);
	got = klogctl(READ_ALL, text.data, size);
	text.length = got > 0 ? got : 0;
	tar_add(tar, "dmesg", &text);

	for (;;) {
		ssize_t count;

		buffer_reserve(&records, 8192);
		count = read(fd, records.data + records.length, 8192);
		if (count <= 0 && errno != EPIPE) /* EPIPE: overwritten while we read; go on with the next */
			break;
		records.length += count > 0 ? count : 0;
	}
	tar_add(tar, "kmsg", &records);
	close(fd);
	free(text.data);
	free(records.data);
}

/* Call visit(pid, tid) for each thread, in the order of /proc. */
static void each_thread(void (*visit)(struct buffer *, int, int), struct buffer *argument)
{
	DIR *processes = opendir("/proc");
	struct dirent *process, *thread;

	while ((process = readdir(processes))) {
		char path[64];
		DIR *threads;

		snprintf(path, sizeof(path), "/proc/%d/task", atoi(process->d_name));
		if (atoi(process->d_name) <= 0 || !(threads = opendir(path)))
			continue;
		while ((thread = readdir(threads)))
			if (atoi(thread->d_name) > 0)
				visit(argument, atoi(process->d_name), atoi(thread->d_name));
		closedir(threads);
	}
	closedir(processes);
}

static void copy_thread_file(struct buffer *tar, int pid, int tid, const char *file, const char *directory, const char *suffix)
{
	static struct buffer content;
	char path[96], name[96];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
	snprintf(name, sizeof(name), "%s/%d%s", directory, tid, suffix);
	if (buffer_read(&content, path))
		tar_add(tar, name, &content);
}

static void copy_thread(struct buffer *tar, int pid, int tid)
{
	copy_thread_file(tar, pid, tid, "stack", "stacks", "");
	copy_thread_file(tar, pid, tid, "stat", "tasks", "/stat");
	copy_thread_file(tar, pid, tid, "status", "tasks", "/status");
	copy_thread_file(tar, pid, tid, "wchan", "tasks", "/wchan");
	copy_thread_file(tar, pid, tid, "syscall", "tasks", "/syscall");
	if (pid == tid) {
		copy_thread_file(tar, pid, tid, "cmdline", "tasks", "/cmdline");
		copy_thread_file(tar, pid, tid, "maps", "tasks", "/maps");
	}
}

/* A row of ps.tsv out of /proc/PID/task/TID/stat: "TID (COMM) STATE PPID …", COMM may hold spaces and parentheses. */
static void list_thread(struct buffer *list, int pid, int tid)
{
	static struct buffer content;
	char path[96], *comm, *rest, state;
	unsigned int flags;
	int ppid, cpu;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (!buffer_read(&content, path) || !(comm = strchr(content.data, '(')) || !(rest = strrchr(content.data, ')')))
		return;
	*rest = 0;
	/* After the name: state 3, ppid 4, flags 9, processor 39 (proc(5)). */
	if (sscanf(rest + 2, "%c %d %*d %*d %*d %*d %u", &state, &ppid, &flags) != 3)
		return;
	cpu = -1;
	rest += 2;
	for (int field = 3; field < 39 && rest; field++)
		rest = strchr(rest + 1, ' ');
	if (rest)
		cpu = atoi(rest);
	buffer_print(list, "%d\t%d\t%d\t%c\t%s\t%d\t0x%x\t%d\n", tid, pid, ppid, state, comm + 1, cpu, flags, pid == getpid());
}

int main(int argc, char **argv)
{
	struct buffer tar = { 0 }, list = { 0 };

	copy_files(&tar);
	copy_symbols(&tar);
	copy_log(&tar);
	each_thread(copy_thread, &tar);
	buffer_print(&list, "pid\ttgid\tppid\tstate\tcomm\tcpu\tflags\tcollector\n");
	each_thread(list_thread, &list);
	tar_add(&tar, "ps.tsv", &list);
	tar_finish(&tar, argc > 1 ? argv[1] : "/dev/vda");
	return 0;
}
