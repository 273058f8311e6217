"""What the tests of large, slow and broken runs share: counted calls, processes to kill, reports without times."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.plugin.project import ALIKE, BASE_ARGUMENTS, Outcome, Project, Row, clean_environment, deal

__all__ = ["COUNTED", "begun_calls", "calls", "ended", "forget_calls", "padded", "started", "untimed", "wait_until"]

PATIENCE = 60.0

# Every call leaves one line, in one write, so that lines of several processes never mix.
COUNTED = """
import os
from pathlib import Path

LOG = Path(__file__).parent / "calls.log"


def note(deal_no):
    descriptor = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{deal_no}\\n".encode())
    os.close(descriptor)


def answer(transaction):
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}


def value(transaction):
    note(transaction.id)
    return answer(transaction)
"""


def padded(count: int, *, amount: object = 100) -> tuple[Row, ...]:
    """Return *count* acquisitions with the ids ``d0001``, ``d0002``, …, which stand in the order of their numbers."""
    return tuple(deal(f"d{number:04}", amount=amount) for number in range(1, count + 1))


def calls(project: Project) -> list[str]:
    """Return the ids of the deals that the counted reasoner was called for, in the order of the calls."""
    log = project.folder / "calls.log"
    return log.read_text().splitlines() if log.exists() else []


def forget_calls(project: Project) -> None:
    """Count from nought again."""
    (project.folder / "calls.log").unlink(missing_ok=True)


def begun_calls(project: Project, count: int) -> Callable[[], bool]:
    """Return whether *count* calls were begun, as a condition to wait for."""
    return lambda: len(calls(project)) >= count


def untimed(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report without what may differ between two runs of the same: its times."""
    plain = copy.deepcopy(dict(report))
    for name in ("started_at", "seconds"):
        assert name in plain["run"]
        del plain["run"][name]
    for entry in plain["deals"]:
        del entry["seconds"]
    return plain


def wait_until(condition: Callable[[], object], *, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until *condition* holds; a process that ended before it did is an error."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, "the process ended too early"
        time.sleep(0.005)


@contextlib.contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run pytest on a written *project* in a process group of its own, which is gone at the end."""
    (project.folder / "report.json").unlink(missing_ok=True)
    alike = [ALIKE] if "--dealsnap-update" in arguments else []
    with (project.folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *BASE_ARGUMENTS, *alike, *arguments],
            cwd=project.folder,
            env=clean_environment(**project.environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)


def ended(project: Project, process: subprocess.Popen[bytes]) -> Outcome:
    """Wait for a started process and return what its run came to."""
    code = process.wait(timeout=PATIENCE)
    text = (project.folder / "output.txt").read_text(encoding="utf-8", errors="surrogateescape")
    assert "INTERNALERROR" not in text, text
    report = project.folder / "report.json"
    return Outcome(code, text, report.read_bytes() if report.is_file() else None)
