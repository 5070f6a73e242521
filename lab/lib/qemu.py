"""A virtual machine: started, watched through its serial console, spoken to over QMP, and never left behind."""

import json
import os
import signal
import socket
import subprocess
import time

from say import Failure

POLL = 0.05
SILENCE = 60
QMP_TIMEOUT = 120
CONSOLE_TAIL = 30


class Machine:
    """One QEMU process. A context manager: whatever happens inside, the process is gone afterwards."""

    def __init__(self, folder, *, image, initrd, append, memory, cpus, cpu_model, disks=(), devices=()):
        self.console = folder / "console.log"
        self.user_console = folder / "guest.log"
        self._errors = folder / "qemu.log"
        self._command = [
            "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=single", "-cpu", cpu_model, "-smp", str(cpus), "-m", str(memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-action", "panic=none",
            "-serial", f"file:{self.console}", "-serial", f"file:{self.user_console}",
            "-kernel", str(image), "-initrd", str(initrd), "-append", append,
        ]
        for disk in disks:
            self._command += ["-drive", f"if=virtio,format=raw,cache=unsafe,file={disk}"]
        for device in devices:
            self._command += ["-device", device]

    def __enter__(self):
        self._started = time.monotonic()
        # QMP goes through an inherited socket: one in the file system would limit how deep the cache may be (108 bytes of path).
        ours, theirs = socket.socketpair()
        command = self._command + ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        with open(self._errors, "wb") as errors, theirs:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=[theirs.fileno()],
                                             preexec_fn=_die_with_parent)
        ours.settimeout(QMP_TIMEOUT)
        self._socket, self._qmp, self._qmp_ready = ours, ours.makefile("rw"), False
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._qmp.close()
        self._socket.close()

    def wait_end(self, timeout):
        """Wait until the machine switches itself off (or resets, which is the same here)."""
        self._wait(lambda: self._process.poll() is not None, timeout, "switch itself off")
        if self._process.returncode:
            raise Failure(f"qemu ended with status {self._process.returncode}: {self._errors.read_text().strip()}")

    def wait_console(self, text, timeout, unless):
        """Wait until the kernel has printed the text, or a guest program the other one."""
        self._wait(lambda: text in self.console_text() or unless in self.user_text(), timeout, f"print '{text}'")

    def console_text(self):
        return _read(self.console)

    def user_text(self):
        return _read(self.user_console)

    def _wait(self, done, timeout, what):
        """Wait until done() is true. A machine that has said nothing for some time is stuck, however much of the timeout is left."""
        deadline = self._started + timeout
        said, last_word = 0, time.monotonic()
        while not done():
            now = time.monotonic()
            if self._process.poll() is not None:
                raise self.failure(f"the machine ended (status {self._process.returncode}) and did not {what}")
            if self._words() != said:
                said, last_word = self._words(), now
            if now > min(deadline, last_word + SILENCE):
                raise self.failure(f"the machine did not {what} within {now - self._started:.0f} s and was killed")
            time.sleep(POLL)

    def _words(self):
        return sum(path.stat().st_size for path in (self.console, self.user_console) if path.exists())

    def failure(self, summary):
        """A Failure that shows what the machine said last."""
        parts = [summary]
        for name, path in (("qemu", self._errors), ("kernel console", self.console), ("guest programs", self.user_console)):
            lines = _read(path).splitlines()[-CONSOLE_TAIL:]
            if lines:
                parts.append(f"--- the end of what {name} said:")
                parts += lines
        return Failure("\n".join(parts))

    def qmp(self, name, **arguments):
        """Send a QMP command; a Failure if it is refused."""
        if not self._qmp_ready:
            self._qmp.readline()  # the greeting
            self._qmp_ready = True
            self.qmp("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._qmp.flush()
        for line in self._qmp:
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"qemu refused {name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return
        raise Failure(f"qemu closed the connection during {name}")


def _read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def _die_with_parent():
    import ctypes

    os.setpgid(0, 0)  # a Ctrl-C reaches the lab first, which then cleans up
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
