/*
 * A file system in user space (FUSE) that answers until somebody looks up "new" or reads. "fuse-server FOLDER silent" then is silent for ever, as
 * one that hangs itself; "fuse-server FOLDER self" looks for a file of its own file system before it answers who reads, and so waits for itself.
 * The formats: include/uapi/linux/fuse.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_NODE = 2, ROOM = 1 << 20 };

static int device;
static const char *own_file; /* that it looks for */
static char call[ROOM + 4096];

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t size)
{
	static char out[4096];
	struct fuse_out_header head = { .len = sizeof(head) + size, .error = error, .unique = in->unique };

	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), data, size);
	if (write(device, out, head.len) < 0)
		perror("answer");
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){ .ino = node, .size = 1 << 20, .nlink = 1, .mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644 };
}

static void serve(const struct fuse_in_header *in)
{
	const char *name = call + sizeof(*in);
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = 4096, .max_write = 65536 };
	struct fuse_attr_out attr = { .attr_valid = 1000, .attr = attributes(in->nodeid) };
	struct fuse_entry_out entry = { .nodeid = FILE_NODE, .generation = 1, .entry_valid = 1000, .attr_valid = 1000, .attr = attributes(FILE_NODE) };
	struct fuse_open_out opened = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		answer(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_LOOKUP:
		if (strcmp(name, "new") == 0)
			break;
		answer(in, 0, &entry, sizeof(entry));
		break;
	case FUSE_OPEN:
		answer(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		if (own_file)
			open(own_file, O_RDONLY);
		break;
	case FUSE_FORGET:
		break;
	default:
		answer(in, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	char options[128], path[256];

	device = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	snprintf(path, sizeof(path), "%s/index", argv[1]);
	own_file = argc == 3 && strcmp(argv[2], "self") == 0 ? path : NULL;
	if (argc != 3 || device < 0 || mount("records", argv[1], "fuse", 0, options)) {
		perror("fuse");
		return 1;
	}
	prctl(PR_SET_NAME, "keeper");
	if (fork())
		return 0;
	while (read(device, call, sizeof(call)) > 0)
		serve((const struct fuse_in_header *)call);
	perror("the end");
	return 1;
}
