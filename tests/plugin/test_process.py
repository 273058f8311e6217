"""No exit 0 without a verdict: whatever a reasoner does to its process, its threads or its event loop."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.plugin.project import Project, clean_environment, deals

OUTPUT = "{'offer': {'price': t['amount']}, 'risks': [], 'memo': 'as signed'}"


def rude(project: Project, act: str, *, kind: str = "def") -> Project:
    """Return *project*, captured, with a reasoner that does *act* for its second deal."""
    project = project.with_deals(*deals(3)).captured()
    body = f"    if t.id == 'd2':\n        {act}\n    return {OUTPUT}\n"
    return project.with_reasoner(f"import asyncio, os, sys, threading\n\n{kind} value(t):\n{body}")


ACTS = {
    "exit": ("os._exit(0)", "os._exit(0) was called"),
    "exec": ("os.execv(sys.executable, [sys.executable, '-c', 'pass'])", "which would replace the run's process"),
    "execlp": ("os.execlp('true', 'true')", "which would replace the run's process"),
}


WAYS = ((), ("-n", "1"), ("--dealsnap-workers", "2"), ("--dealsnap-timeout", "60"))


@pytest.mark.parametrize(("act", "flags"), [("exec", ()), ("execlp", ()), *(("exit", flags) for flags in WAYS)])
def test_a_reasoner_that_ends_or_replaces_the_process_is_that_deals_error(
    project: Project, act: str, flags: tuple[str, ...]
) -> None:
    """The run goes on to its verdict, and is red."""
    source, words = ACTS[act]
    outcome = rude(project, source).gate(*flags)
    assert outcome.code == 1, outcome.text
    assert outcome.statuses == {"d1": "matched", "d2": "errored", "d3": "matched"}
    assert words in outcome.deal("d2")["error"]["message"]
    assert outcome.verdict


def test_an_end_from_elsewhere_is_a_failure_and_is_said(project: Project) -> None:
    """A thread that nobody waits for ends the process: no verdict, so no exit 0."""
    act = "(thread := threading.Thread(target=os._exit, args=(0,))).start() or thread.join()"
    outcome = rude(project, act).gate()
    assert outcome.code == 1, outcome.text
    assert "os._exit(0) ends the run before its verdict" in outcome.text


LATE = {
    "handler": "atexit.register(lambda: os._exit(0))",
    "handler of 256": "atexit.register(lambda: os._exit(256))",
    "handler of posix": "atexit.register(lambda: posix._exit(0))",
    "handler that replaces": "atexit.register(lambda: os.execlp('true', 'true'))",
    "thread": "threading.Thread(target=lambda: (threading.main_thread().join(), os._exit(0))).start()",
    "thread with the function": "threading.Thread(target=ending, args=(os._exit,)).start()",
}


@pytest.mark.parametrize("act", LATE.values(), ids=LATE.keys())
@pytest.mark.parametrize("amount", [100, 900], ids=["green", "red"])
def test_what_ends_the_process_after_the_verdict_does_not_better_its_status(
    project: Project, act: str, amount: int
) -> None:
    """A red run is red to its shell, a green one green, whoever has the last word."""
    project = project.with_deals(*deals(2)).captured().with_deals(*deals(2, amount=amount))
    source = (
        "import atexit, os, posix, threading\n\n"
        "def ending(leave):\n    threading.main_thread().join()\n    leave(0)\n\n"
        f"{act}\n\ndef value(t):\n    return {OUTPUT}\n"
    )
    outcome = project.with_reasoner(source).gate()
    assert outcome.action == ("proceed" if amount == 100 else "roll_back"), outcome.text
    assert outcome.code == (0 if amount == 100 else 1), outcome.text
    assert "before its verdict" not in outcome.text


def test_c_code_that_ends_a_worker_is_a_failure_of_its_deal(project: Project) -> None:
    """Nothing in a process can say so; xdist's controller sees the worker end."""
    outcome = rude(project, "__import__('ctypes').CDLL(None)._exit(0)").gate("-n", "2")
    assert outcome.code == 1, outcome.text
    assert outcome.statuses.get("d2") != "matched"
    assert outcome.verdict


def test_a_program_that_calls_pytest_ends_as_it_likes(project: Project) -> None:
    """The status of its process is its own."""
    project = project.with_deals(*deals(2)).captured().with_deals(*deals(2, amount=900)).write()
    program = "import os, pytest\nassert pytest.main(['--dealsnap', '-p', 'no:cacheprovider']) == 1\nos._exit(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.folder, env=clean_environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("kind", "flags"),
    [("def", ()), ("async def", ()), ("def", ("--dealsnap-timeout", "60")), ("def", ("--dealsnap-workers", "2"))],
)
def test_a_child_that_returns_from_the_call_does_not_run_the_session(
    project: Project, kind: str, flags: tuple[str, ...]
) -> None:
    """One verdict, from the parent; the child is ended where it comes back."""
    outcome = rude(project, "if (child := os.fork()): os.waitpid(child, 0)", kind=kind).gate("-s", *flags)
    assert outcome.text.count("verdict: ") == 1, outcome.text
    assert outcome.text.count("its child returned from the call") == 1
    assert (outcome.code, outcome.action) == (0, "proceed")


CANCEL = "[task.cancel() for task in asyncio.all_tasks()]; await asyncio.sleep(0)"
STOP = "asyncio.get_running_loop().stop(); await asyncio.sleep(0.01)"
STUBBORN = """async def stay():
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass
        asyncio.ensure_future(stay()); await asyncio.sleep(0)"""


BOTH = ("--dealsnap-workers", "2", "--dealsnap-timeout", "60")


@pytest.mark.parametrize("act", [CANCEL, STOP, STUBBORN], ids=["cancels", "stops", "leaves"])
@pytest.mark.parametrize("flags", [(), ("--dealsnap-workers", "2"), BOTH, ("--dealsnap-timeout", "60")])
def test_an_async_reasoner_cannot_hang_the_run(project: Project, act: str, flags: tuple[str, ...]) -> None:
    """It cancels every task, stops the loop, or leaves a task that will not end: the other deals are judged."""
    outcome = rude(project, act, kind="async def").gate(*flags)
    assert outcome.statuses["d3"] == outcome.statuses["d1"] == "matched", outcome.text
    assert outcome.statuses["d2"] in ("errored", "matched")
    assert outcome.code == (0 if outcome.statuses["d2"] == "matched" else 1)
