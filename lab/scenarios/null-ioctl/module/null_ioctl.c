/*
 * A device whose ioctl path writes through a pointer that nobody set: the session has no channel. The faulting address is not 0 but the
 * offset of a member (0x30), and the guilty NULL was loaded two functions further up.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

struct channel {
	char name[40];
	u64 received;
	u64 sent; /* offset 0x30 */
};

struct session {
	u32 magic;
	u32 number;
	struct channel *channel;
	u64 requests;
};

static noinline void channel_store(struct channel *channel, u64 amount)
{
	channel->sent = amount;
	barrier();
}

static noinline int session_account(struct session *session, u64 amount)
{
	session->requests++;
	channel_store(session->channel, amount);
	return session->requests;
}

static noinline long session_command(struct session *session, unsigned int command, unsigned long argument)
{
	long result = session_account(session, argument * 2);

	return command ? result : -EINVAL;
}

static long null_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	long result = session_command(file->private_data, command, argument);

	return result < 0 ? result : 0;
}

static int null_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;
	session->magic = 0x5e551014;
	session->number = 7;
	file->private_data = session;
	return 0;
}

static const struct file_operations null_fops = {
	.owner = THIS_MODULE,
	.open = null_open,
	.unlocked_ioctl = null_ioctl,
};

static struct miscdevice null_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "null_ioctl",
	.fops = &null_fops,
};

module_misc_device(null_device);
MODULE_DESCRIPTION("lab: NULL pointer write in an ioctl");
MODULE_LICENSE("GPL");
