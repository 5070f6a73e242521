"""A machine whose state can be saved, resumed as often as wanted, and spoken to: a crash costs a second or two instead of a boot.

Its memory is a file. The machine that boots shares it, so that QEMU has only the devices to save ("x-ignore-shared"); those that resume map
it copy-on-write, so that nothing is copied and nobody spoils it. What is to be done goes in as lines over the second serial port (see
init); what programs print comes out there.
"""

import base64
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import capture  # noqa: E402
import qemu  # noqa: E402
from say import Failure  # noqa: E402

MEMORY = 192  # MB: a dump is a full copy of it
CPUS = 2
DISK = 192  # MB
SAVE_SECONDS = 60
ENDED = "lab: command ended"


class Machine(qemu.Machine):
    """A QEMU process; as in qemu.py, whatever happens inside the context, it is gone afterwards."""

    def __init__(self, folder, kernel, initrd, memory_file, append, resume=False):
        disk = folder / "disk.raw"
        capture._sparse(disk, DISK << 20)
        super().__init__(folder, image=kernel.image, initrd=initrd, append=f"{capture.APPEND} {append}", memory=MEMORY, cpus=CPUS,
                         cpu_model=capture.CPU_MODELS[4], disks=[disk], devices=["vmcoreinfo"])
        self._command[self._command.index("pc")] = "pc,memory-backend=ram"
        share = "off" if resume else "on"
        self._command += ["-object", f"memory-backend-file,id=ram,size={MEMORY}M,mem-path={memory_file},share={share}"]
        self._command += ["-incoming", "defer"] if resume else []

    def __enter__(self):
        self._started = time.monotonic()
        # Both ports go through inherited sockets, as QMP does in qemu.py, and for the same reason.
        self._socket, qmp = socket.socketpair()
        self._talk, talk = socket.socketpair()
        self._socket.settimeout(qemu.QMP_TIMEOUT)
        self._qmp, self._qmp_ready = self._socket.makefile("rw"), False
        with open(self._errors, "wb") as errors, qmp, talk:
            self._process = subprocess.Popen(
                self._with_ports(qmp, talk), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                pass_fds=[qmp.fileno(), talk.fileno()], preexec_fn=qemu._die_with_parent)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _with_ports(self, qmp, talk):
        command = list(self._command)
        port = command.index(f"file:{self.user_console}")
        command[port - 1:port + 1] = ["-chardev", f"socket,id=talk,fd={talk.fileno()}", "-serial", "chardev:talk"]
        return command + ["-chardev", f"socket,id=qmp,fd={qmp.fileno()}", "-mon", "chardev=qmp,mode=control"]

    def _listen(self):
        """Keep what the programs print; a port that nobody empties would stop them."""
        with open(self.user_console, "wb", buffering=0) as log:
            with contextlib.suppress(OSError):  # the machine was killed
                while data := self._talk.recv(65536):
                    log.write(data)

    def __exit__(self, *details):
        super().__exit__(*details)
        self._talk.close()

    def ask(self, name, **arguments):
        """A QMP command's answer."""
        if not self._qmp_ready:
            self.qmp("query-status")  # says hello first
        self._qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._qmp.flush()
        for line in self._qmp:
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"qemu refused {name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]
        raise Failure(f"qemu closed the connection during {name}")

    def _ignore_shared(self):
        self.qmp("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def save(self, path):
        """Stop, and write the state of the devices."""
        self.qmp("stop")
        self._ignore_shared()
        self.qmp("migrate", uri=f"exec:cat >{path}")
        self._wait_migration()

    def resume(self, path):
        """Go on where save() stopped."""
        self._ignore_shared()
        self.qmp("migrate-incoming", uri=f"exec:cat {path}")
        self._wait_migration()
        self.qmp("cont")

    def _wait_migration(self):
        deadline = time.monotonic() + SAVE_SECONDS
        while (status := self.ask("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > deadline or self._process.poll() is not None:
                raise self.failure(f"the machine's state was not saved or resumed ({status})")
            time.sleep(0.01)

    def do(self, script):
        """Let the machine run a shell script; does not wait for its end."""
        self._talk.sendall(base64.b64encode(script.encode()) + b"\n")

    def wait_until(self, done, timeout, what):
        self._wait(done, time.monotonic() - self._started + timeout, what)
