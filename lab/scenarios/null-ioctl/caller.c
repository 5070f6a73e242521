/* Calls the ioctl that crashes, from a few frames of user code. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

__attribute__((noinline)) static int send_command(int device, unsigned long amount)
{
	return ioctl(device, 0x4c01, amount) + 1;
}

int main(void)
{
	int device = open("/dev/null_ioctl", O_RDWR);

	if (device < 0) {
		perror("/dev/null_ioctl");
		return 1;
	}
	return send_command(device, 0x1234);
}
