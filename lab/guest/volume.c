/*
 * A volume of the device-mapper, without its tools: "volume create NAME DISK START SIZE" maps sectors of a disk one to one,
 * "volume suspend NAME" lets nothing through any more, and leaves the file system on it as it is, "volume write FILE COMM" writes
 * a few bytes into the first block of a file, under that name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void check(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "volume: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static struct {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[128];
} request;

static void ask(unsigned long command, const char *name, unsigned flags, const char *what)
{
	int control = open("/dev/mapper/control", O_RDWR);

	check(control, "/dev/mapper/control");
	request.head.version[0] = DM_VERSION_MAJOR;
	request.head.data_size = sizeof(request);
	request.head.data_start = sizeof(request.head);
	request.head.flags = flags;
	snprintf(request.head.name, sizeof(request.head.name), "%s", name);
	check(ioctl(control, command, &request), what);
	close(control);
}

static void create(const char *name, const char *disk, const char *start, const char *size)
{
	ask(DM_DEV_CREATE, name, 0, "create");
	memset(&request, 0, sizeof(request));
	request.head.target_count = 1;
	request.target.length = strtoull(size, NULL, 0);
	strcpy(request.target.target_type, "linear");
	snprintf(request.parameters, sizeof(request.parameters), "%s %s", disk, start);
	ask(DM_TABLE_LOAD, name, 0, "load");
	memset(&request, 0, sizeof(request));
	ask(DM_DEV_SUSPEND, name, 0, "resume");
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "create") == 0) {
		create(argv[2], argv[3], argv[4], argv[5]);
	} else if (argc == 3 && strcmp(argv[1], "suspend") == 0) {
		ask(DM_DEV_SUSPEND, argv[2], DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG, "suspend");
	} else if (argc == 4 && strcmp(argv[1], "write") == 0) {
		int fd = open(argv[2], O_WRONLY);

		check(fd, argv[2]);
		prctl(PR_SET_NAME, argv[3]);
		check(pwrite(fd, "some words", 10, 100), "write");
	} else {
		return 2;
	}
	return 0;
}
