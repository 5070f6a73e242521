/* Dirties every other page of a file, so that no two of them can be one request. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open(argv[1], O_WRONLY);
	int pages = argc > 2 ? atoi(argv[2]) : 0;
	char page[4096] = "words";

	for (int i = 0; i < pages; i += 2) {
		if (pwrite(fd, page, sizeof(page), i * 4096L) < 0) {
			perror("write");
			return 1;
		}
	}
	/* Who closes a disk as the last one writes all. */
	puts("dirty");
	fflush(stdout);
	pause();
	return 0;
}
