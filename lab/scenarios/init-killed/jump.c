/* Sends process 1 to an address where nothing is: it dies as a broken program does. */
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

int main(void)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) != 0 || waitpid(1, NULL, __WALL) != 1 ||
	    ptrace(PTRACE_GETREGS, 1, NULL, &regs) != 0) {
		perror("ptrace");
		return 1;
	}
	regs.rip = 0x10;
	regs.orig_rax = -1;
	ptrace(PTRACE_SETREGS, 1, NULL, &regs);
	ptrace(PTRACE_DETACH, 1, NULL, NULL);
	for (;;)
		;
}
