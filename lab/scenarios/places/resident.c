/*
 * A process with memory of every kind, of which it tells the module the addresses: "NAME 0xADDRESS WORDS" written to the parameter "say"
 * is printed as it is. At last it hands over what only the kernel can look up, and the module panics.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARAMETERS "/sys/module/places/parameters/"

static int initialised = 42;
static char zeroed[8192];

static void write_to(const char *parameter, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

static void say(const char *name, const void *address, const char *words)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %p %s", name, address, words);
	write_to("say", text);
}

/* A BPF program that lets everything pass, on a socket. */
static int filtered_socket(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (unsigned long)code, .insn_cnt = 2, .license = (unsigned long)"GPL",
		.prog_name = "lab_filter",
	};
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (program < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)))
		perror("bpf");
	return fd;
}

int main(void)
{
	size_t size = 4 * 4096;
	char *anonymous = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = open("/tmp/places-file", O_RDWR | O_CREAT, 0600), pipes[2];
	char *heap = malloc(5000), *shared, *dropped, words[256];

	memset(anonymous, 'A', size);
	memset(zeroed, 1, sizeof(zeroed));
	strcpy(heap, "heap");
	for (int i = 0; i < 8; i++) {
		memset(zeroed, 'a' + i, 4096);
		if (write(file, zeroed, 4096) != 4096)
			perror("write");
	}
	shared = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 3 * 4096);
	shared[5] = 'x';
	dropped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pipe(pipes) || write(pipes[1], "piped", 5) != 5)
		perror("pipe");

	say("user-anonymous", anonymous + 4096 + 0x123, "-");
	say("user-text", (void *)main, "path=/scenario/resident");
	say("user-data", &initialised, "path=/scenario/resident");
	say("user-heap", heap, "-");
	say("user-stack", words, "-");
	say("user-file", shared + 0x1005, "path=/tmp/places-file offset=0x4005");
	say("user-unmapped", dropped - (1L << 30), "-");

	snprintf(words, sizeof(words), "%p %p %d %d %d", anonymous + 4096 + 0x123, shared, file, pipes[0], filtered_socket());
	write_to("resident", words);
	write_to("trigger", "1");
	return 1;
}
