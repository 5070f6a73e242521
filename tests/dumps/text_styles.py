# SPDX-License-Identifier: LGPL-2.1-or-later
"""What consoles, loggers, mail and web pages do to a kernel's log: for test_oops_text.py.

Each style turns a console log ("[   12.345678] words") into bytes as they would be found."""

import html
import re

STAMP = re.compile(r"^\[ *(\d+)\.(\d+)\] ?(.*)$")


def each(log, stamped, other=lambda line: line):
    """Every line of the log: those with a time through @stamped(seconds, fraction, words)."""
    lines = []
    for line in log.splitlines():
        match = STAMP.match(line)
        lines.append(stamped(match[1], match[2], match[3]) if match else other(line))
    return "\n".join(lines) + "\n"


def clock(seconds):
    seconds = int(seconds) + 58_000
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def stamp(seconds, fraction):
    return f"[{seconds:>5}.{fraction}]"


def syslog(log):
    return each(log, lambda s, f, words: f"Jan 12 {clock(s)} host-7 kernel: {stamp(s, f)} {words}")


def syslog_without_time(log):
    return each(log, lambda s, f, words: f"Jan 12 {clock(s)} host-7 kernel: {words}")


def syslog_with_others(log):
    """Other programs write to the same file."""
    lines = []
    for number, line in enumerate(syslog(log).splitlines()):
        lines.append(line)
        if number % 3 == 0:
            lines.append(f"Jan 12 16:11:01 host-7 sshd[{number + 100}]: Accepted BUG: for root")
    return "\n".join(lines) + "\n"


def iso(log):
    return each(log, lambda s, f, words:
                f"2026-01-12T{clock(s)}.{f}+01:00 host kernel: {stamp(s, f)} {words}")


def journal_monotonic(log):
    return each(log, lambda s, f, words: f"{stamp(s, f)} host kernel: {words}")


def dmesg_t(log):
    return each(log, lambda s, f, words: f"[Mon Jan 12 {clock(s)} 2026] {words}")


def dmesg_x(log):
    return each(log, lambda s, f, words: f"kern  :warn  : {stamp(s, f)} {words}")


def levels(log):
    return each(log, lambda s, f, words: f"<4>{stamp(s, f)} {words}")


def caller(log):
    return each(log, lambda s, f, words: f"{stamp(s, f)}[  T123] {words}")


def netconsole(log):
    return each(log, lambda s, f, words: f"4,{1000 + int(f) % 7},{int(s) * 1000000 + int(f)},-;{words}")


def serial_dates(log):
    """A console server puts its own date before each line, and ends them its way."""
    return each(log, lambda s, f, words: f"[2026-01-12 {clock(s)}.123] {stamp(s, f)} {words}\r")


def console_name(log):
    return each(log, lambda s, f, words: f"node17 console| {stamp(s, f)} {words}")


def without_time(log):
    return each(log, lambda s, f, words: words)


def colours(log):
    return each(log, lambda s, f, words: f"\033[32m{stamp(s, f)} \033[0m\033[31m{words}\033[0m\033[K")


def quoted(log):
    return each(log, lambda s, f, words: f"> {stamp(s, f)} {words}", lambda line: f"> {line}")


def web_page(log):
    body = html.escape(log)
    return ("<html><head><title>Kernel crash</title></head><body><div class=\"post\"><p>The machine "
            f"panicked, see below:</p><pre>\n{body}</pre><p>Any ideas?</p></div></body></html>\n")


def prose(log):
    """A report in Chinese and Russian around it, in which its words come up."""
    return ("记一次内核崩溃分析\n\n客户环境出现 BUG: unable to handle 的现象,日志如下:\n\n" + log +
            "\nПаника была из-за kernel BUG at в драйвере.\n结论: general protection fault 不是原因\n")


def pstore(log):
    """Parts of at most 1700 bytes, the last one of the log first, as efi_pstore keeps them."""
    parts, part = [], ""
    for line in levels(log).splitlines(keepends=True):
        if len(part) + len(line) > 1700:
            parts.append(part)
            part = ""
        part += line
    parts.append(part)
    return "".join(f"Panic#1 Part{number}\n{text}"
                   for number, text in enumerate(reversed(parts), 1))


def wrapped(log, width=120):
    """A terminal of that width, copied."""
    lines = []
    for line in log.splitlines():
        lines += [line[at:at + width] for at in range(0, len(line), width)] or [""]
    return "\n".join(lines) + "\n"


def bad_bytes(log):
    return each(log, lambda s, f, words: f"{stamp(s, f)} {words}").replace(
        "Hardware name: ", "Hardware name: \udcff\udcfe\x00\x07")


STYLES = {function.__name__: function for function in (
    syslog, syslog_without_time, syslog_with_others, iso, journal_monotonic, dmesg_t, dmesg_x,
    levels, caller, netconsole, serial_dates, console_name, without_time, colours, quoted, web_page,
    prose, pstore, wrapped, bad_bytes)}
