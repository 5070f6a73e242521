"""Progress and failure: how the lab talks to whoever called it."""

import signal
import subprocess
import sys
import time

_started = time.monotonic()


class Failure(Exception):
    """Something the user should read as one line; more lines (a console's tail) may follow it."""


class Missing(Failure):
    """The archives do not have it (any more)."""


def progress(text):
    print(f"lab: {time.monotonic() - _started:6.1f}s {text}", file=sys.stderr, flush=True)


def run(*command, timeout=120, **options):
    """Run a command, keeping its output; a Failure with the end of that output if it does not succeed."""
    words = [str(word) for word in command]
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
    try:
        done = subprocess.run(words, timeout=timeout, **{**settings, **options})
    except FileNotFoundError:
        raise Failure(f"{words[0]} is not installed (lab/deps lists the packages the lab needs)") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{words[0]} did not finish within {timeout} s") from None
    if done.returncode:
        raise Failure(f"'{' '.join(words)}' failed with status {done.returncode}:\n{_tail(done.stdout, done.stderr)}")
    return done


def _tail(*outputs, lines=25):
    text = "\n".join(str(output) for output in outputs if output)
    return "\n".join(text.splitlines()[-lines:])


def main(function):
    """Run a program's main function; a Failure becomes its message and exit status 1. Being asked to end unwinds like any exception."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(function())
    except Failure as failure:
        print(f"lab: failed: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
