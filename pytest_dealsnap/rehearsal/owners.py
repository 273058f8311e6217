"""Whose is a scratch copy: the process that made it, by host, process number and start time.

A number alone is used again: after a reboot, in another container, by a later process.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

__all__ = ["OWNER_VARIABLE", "is_alive", "is_running", "mark", "owner_of", "this_process"]

# Given to every step, so that one that outlives its rehearsal is known by it.
OWNER_VARIABLE = "_DEALSNAP_REHEARSAL_OWNER"
OWNER_FILE = "dealsnap-owner"


def this_process() -> str:
    """Return this process as an owner: ``host boot namespace pid start``."""
    return " ".join((*_place(), str(os.getpid()), _start(os.getpid()) or "-"))


def is_alive(owner: str) -> bool | None:
    """Whether the process that *owner* names still runs; ``None`` where that cannot be seen from here."""
    parts = owner.split()
    if len(parts) != 5 or not parts[3].isdecimal():
        return None
    host, boot, namespace = _place()
    if parts[0] != host or (parts[1] == boot and parts[2] != namespace):
        return None
    return parts[1] == boot and _start(int(parts[3])) == parts[4]


def is_running(process: int) -> bool:
    """Whether a process of that number runs."""
    return _start(process) is not None


def mark(folder: Path) -> None:
    """Write into *folder* that it is this process's."""
    (folder / OWNER_FILE).write_text(this_process(), encoding="utf-8")


def owner_of(folder: Path) -> str:
    """Return who made *folder*; empty where it does not say."""
    try:
        return (folder / OWNER_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _place() -> tuple[str, str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no Linux
        boot, namespace = "-", "-"
    return socket.gethostname().replace(" ", "_") or "-", boot, namespace


def _start(process: int) -> str | None:
    """Return when *process* was started, as the system counts; ``None`` where it does not run."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_elsewhere(process)
    fields = stat.rpartition(")")[2].split()  # the name before may hold blanks and brackets
    return None if fields[0] == "Z" else fields[19]


def _start_elsewhere(process: int) -> str | None:
    command = ["ps", "-o", "lstart=", "-p", str(process)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "_".join(done.stdout.split()) or None
