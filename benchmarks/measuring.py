"""Timing whole processes: wall seconds and peak memory, as the operating system accounts for them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Measured", "measure", "median"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: wall seconds and peak memory in MiB; ``None`` seconds where it ran out of time."""

    seconds: float | None
    mebibytes: float


def measure(
    folder: Path,
    arguments: Sequence[str],
    *,
    limit: float = 3600.0,
    expect: int = 0,
    environment: dict[str, str] | None = None,
    program: Sequence[str] = ("-m", "pytest"),
) -> Measured:
    """Run Python's *program* (pytest) in *folder* and measure it; it must end with *expect*, unless its time is up."""
    environment = {**os.environ, **(environment or {})}
    os.sync()  # what the run before wrote is not this one's to wait for
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    expired = not timer.is_alive()
    timer.cancel()
    if expired:
        return Measured(None, usage.ru_maxrss / 1024)
    if process.returncode != expect:
        raise SystemExit(
            f"{' '.join(arguments)} in {folder} ended with {process.returncode}:\n{output.decode()[-2000:]}"
        )
    return Measured(seconds, usage.ru_maxrss / 1024)


def median(values: Sequence[float]) -> float:
    """Return the median of *values*."""
    return statistics.median(values)
