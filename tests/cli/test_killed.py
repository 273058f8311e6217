"""Commands that change many files, killed at many moments each: after the next command, all is done or nothing is."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.journal import JOURNAL, settle
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.chosen import choose
from pytest_dealsnap.cli.output import project_config, read_judged
from pytest_dealsnap.cli.proposals import apply_all, propose_baseline, take_back
from tests.cli.reviewing import Contracts
from tests.profiles import scaled

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and kills the child")

KILLS = scaled(50)
_CHANGING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """Return all files of the project but what Python compiles."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def changes_something(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audited event is about to change the file system."""
    if event == "open":
        _, mode, flags = arguments
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if mode is None else "r" not in str(mode)
    return event in _CHANGING


def ended(command: Callable[[], object], *, kill_at: int, counted: int) -> int:
    """Run *command* in a child that is killed before its *kill_at*-th change; return how the child ended.

    A child that lives on writes how many changes it made to the descriptor *counted*.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if changes_something(event, arguments):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(watch)
        command()
        os.write(counted, f"{seen}\n".encode())
        os._exit(0)
    except BaseException:  # whatever it is, the child must not go on as a second pytest
        os._exit(3)


def check_killed(folder: Path, command: Callable[[], object]) -> None:
    """Kill *command* at many moments, each time from the same start, and check what the next command finds."""
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    before = files(folder)
    reading, writing = os.pipe()
    assert ended(command, kill_at=0, counted=writing) == 0
    total = int(os.read(reading, 20))
    after = files(folder)
    assert after != before
    assert total > len([name for name in after if after[name] != before.get(name)])
    outcomes = set()
    for number in range(KILLS):
        for entry in folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        moment = 1 + number * (total - 1) // (KILLS - 1)
        assert ended(command, kill_at=moment, counted=writing) == -signal.SIGKILL
        project_config()  # as every command begins
        settle(folder)  # as every command does with the folder of its reports
        found = files(folder)
        assert found in (before, after), f"half done after a kill at change {moment} of {total}"
        assert not (folder / "snapshots" / JOURNAL).exists()
        outcomes.add(found == after)
    os.close(reading)
    os.close(writing)
    assert outcomes == {False, True}, "some kills came before the commit, some after it"


def failing(contracts: Contracts) -> list[str]:
    """Return flags that choose deals that fail by their fees alone."""
    causes = [cause.id for cause in read_judged(contracts.report).causes if cause.gates and cause.metric == "fee"]
    return [part for cause in causes for part in ("--cause", cause)]


def test_accept_into_the_baseline_is_whole_when_killed(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Snapshots and decisions, all or none."""
    chosen = failing(contracts)
    check_killed(contracts.folder, lambda: main(["accept", "report.json", "--into", "baseline", *chosen, "--yes"]))


@pytest.mark.usefixtures("capsys")
def test_accept_into_the_ledger_is_whole_when_killed(contracts: Contracts) -> None:
    """The ledger, and the decisions beside the report."""
    chosen = failing(contracts)
    terms = ["--reason", "agreed", "--who", "Ana"]
    check_killed(
        contracts.folder, lambda: main(["accept", "report.json", "--into", "ledger", *chosen, *terms, "--yes"])
    )


def test_an_undone_decision_is_whole_when_killed(contracts: Contracts) -> None:
    """What review takes back, it takes back as a whole."""
    config, run = project_config(), read_judged(contracts.report)
    causes = [cause.id for cause in run.causes if cause.gates and cause.metric == "fee"]
    proposal = propose_baseline(config, run, choose(run, causes=causes, deals=(), types=()))
    done = apply_all(config.snapshots, [proposal.stage])
    check_killed(contracts.folder, lambda: take_back(config.snapshots, done))


def test_prune_is_whole_when_killed(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Snapshots, and their lines in the manifest."""
    config = contracts.folder / "pyproject.toml"
    text = config.read_text(encoding="utf-8")
    where = "[tool.dealsnap.deals]\nwhere = \"number > 'k3'\""
    config.write_text(text.replace("[tool.dealsnap.deals]", where), encoding="utf-8")
    check_killed(contracts.folder, lambda: main(["prune", "--yes"]))


def test_merged_reports_are_whole_when_killed(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports in one folder are all of one run."""
    for part in (1, 2):
        contracts.gate("--dealsnap-shard", f"{part}/2", report=f"shard{part}.json", faults="carve")
    reports = [flag for name in ("json:m.json", "html:m.html", "markdown:m.md") for flag in ("--report", name)]
    check_killed(contracts.folder, lambda: main(["merge", "shard1.json", "shard2.json", *reports]))
