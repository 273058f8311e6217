"""The commands that an example's README tells, to be run as they stand there, but for the installation and the port."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from pathlib import Path

from tests.plugin.project import clean_environment

__all__ = ["commands_of", "copied", "free_port", "with_own_commands"]


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def copied(example: Path, place: Path) -> Path:
    """Copy the files of *example* to *place*, without what runs leave, and return *place*."""
    return shutil.copytree(example, place, ignore=shutil.ignore_patterns("__pycache__", "*.db"))


def commands_of(example: Path) -> list[str]:
    """Return the commands of the example's README, one a line, without the installation."""
    return re.findall(r"^\$ (?!python -m pip )(.*)", (example / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def with_own_commands() -> dict[str, str]:
    """Return an environment in which ``pytest``, ``python`` and ``dealsnap`` are those of this interpreter."""
    return clean_environment(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
