"""The processes of a step, and the sockets and files that they have open, as Linux's ``/proc`` tells."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_dealsnap.rehearsal.guard_targets import plain_address

__all__ = ["SEES", "StepProcesses"]

PROC = Path("/proc")
SEES = (PROC / "self" / "net" / "tcp").exists()  # Linux
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(slots=True)
class StepProcesses:
    """All processes of one step: its session's, and those whose environment holds *token*."""

    leader: int
    token: bytes
    _met: set[str] = field(default_factory=set)
    _own: set[str] = field(default_factory=set)

    def pids(self) -> list[int]:
        """Return those that run now; a process is looked at once, as it is met: a fork has what its parent had."""
        there = {name for name in os.listdir(PROC) if name.isdecimal()}  # noqa: PTH208  # often, and cheap
        self._own |= {name for name in there - self._met if self._is_own(PROC / name)}
        self._met = there
        self._own &= there
        return [int(name) for name in self._own]

    def _is_own(self, entry: Path) -> bool:
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            return int(fields[3]) == self.leader or self.token in (entry / "environ").read_bytes()
        except OSError:  # another user's process, or one that has just ended
            return False

    def ends(self) -> set[tuple[str, int]]:
        """Return the processes' ends of their TCP connections, as address and port."""
        found: set[tuple[str, int]] = set()
        for pid in self.pids():
            inodes = {match[1] for link in _links(pid) if (match := _SOCKET.fullmatch(link))}
            if inodes:
                found.update(end for inode, end in _connections(pid) if inode in inodes)
        return found

    def holders(self, path: Path) -> dict[int, str]:
        """Return the processes that have the file at *path* open, each with its program."""
        try:
            wanted = path.stat()
        except OSError:
            return {}
        found = {}
        for pid in self.pids():
            for descriptor in _descriptors(pid):
                try:
                    seen = descriptor.stat()
                except OSError:  # closed, or not a file
                    continue
                if (seen.st_dev, seen.st_ino) == (wanted.st_dev, wanted.st_ino):
                    found[pid] = _program(pid)
        return found

    def pythons(self) -> dict[int, str]:
        """Return the processes that run a Python, each with its program.

        A process that was forked and has not become another program yet is its parent still.
        """
        found = {}
        for pid in self.pids():
            program = _program(pid)
            if "python" in Path(program).name and _command(pid) != _command(_parent(pid)):
                found[pid] = program
        return found


def _program(pid: int) -> str:
    try:
        return str((PROC / str(pid) / "exe").readlink())
    except OSError:
        return "?"


def _command(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _descriptors(pid: int) -> Iterator[Path]:
    try:
        yield from (PROC / str(pid) / "fd").iterdir()
    except OSError:
        return


def _links(pid: int) -> Iterator[str]:
    for descriptor in _descriptors(pid):
        try:
            yield str(descriptor.readlink())
        except OSError:
            continue


def _connections(pid: int) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield inode and local end of every TCP connection in the network that *pid* sees."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (PROC / str(pid) / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            yield fields[9], (_address(address), int(port, 16))


def _address(text: str) -> str:
    """Return an address that the kernel wrote as 32-bit words in the machine's own order."""
    words = (text[start : start + 8] for start in range(0, len(text), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return plain_address(str(ipaddress.ip_address(packed)))
