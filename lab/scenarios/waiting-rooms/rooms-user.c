/*
 * sockets: fills a socket whose other end a process has that never reads, and blocks. pipes: the same with a pipe. map: writes to the file given, in which the
 * kernel takes the lock of this process's mappings and keeps it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char block[65536];

/* The other end, in a process of its own. */
static void leave_to_another(const char *name, const int *ends)
{
	if (fork() == 0) {
		prctl(PR_SET_NAME, name);
		close(ends[1]);
		pause();
		_exit(0);
	}
	close(ends[0]);
}

int main(int argc, char **argv)
{
	int ends[2];

	if (argc < 2)
		return 2;
	prctl(PR_SET_NAME, argv[1]);
	if (strcmp(argv[1], "sockets") == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
		leave_to_another("socket-end", ends);
		while (send(ends[1], block, sizeof(block), 0) > 0)
			;
	} else if (strcmp(argv[1], "pipes") == 0 && pipe(ends) == 0) {
		leave_to_another("pipe-end", ends);
		while (write(ends[1], block, sizeof(block)) > 0)
			;
	} else if (argc > 2) {
		int file = open(argv[2], O_WRONLY);
		write(file, "1", 1);
	}
	perror(argv[1]);
	return 1;
}
