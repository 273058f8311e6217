"""The Dask example on a real cluster: a scheduler and two workers on loopback, one of which is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugin.project import Project, clean_environment, deals
from tests.scale.documented import commands_of, copied, free_port, with_own_commands
from tests.scale.running import PATIENCE, ended, started, wait_until

pytest.importorskip("distributed", reason="the Dask example needs `pip install distributed`")
EXAMPLE = Path(__file__).parents[2] / "examples" / "dask"

# The example's reasoner, held back while a file is there, so that a worker can be killed in the midst of calls.
HELD = """
import os
import time
from pathlib import Path

import valuation

HERE = Path(__file__).parent


def value(deal):
    with (HERE / "calls.log").open("a") as log:
        log.write(f"{deal.id} {os.getpid()}\\n")
    end = time.monotonic() + 60
    while (HERE / "hold").exists() and time.monotonic() < end:
        time.sleep(0.02)
    return valuation.value(deal)
"""


@dataclass(frozen=True)
class Cluster:
    """A running scheduler's address, and its workers."""

    address: str
    workers: tuple[subprocess.Popen[bytes], ...]


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process's group and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=PATIENCE)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a scheduler and two workers on loopback, with ports that the system chose; all are gone at the end."""
    dask, contact = Path(sys.executable).with_name("dask"), folder / "scheduler.json"
    common = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(contact))
    environments = {"scheduler": clean_environment(), "worker": clean_environment(PYTHONPATH=str(folder))}
    with contextlib.ExitStack() as running:

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            log = running.enter_context((folder / f"dask-{arguments[0]}.log").open("ab"))
            process = subprocess.Popen(
                [dask, *arguments],
                cwd=folder,
                env=environments[arguments[0]],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            running.callback(end, process)
            return process

        scheduler = start("scheduler", *common, "--port", "0")
        wait_until(contact.exists, process=scheduler)
        local = ("--local-directory", str(folder / "spill"))
        workers = tuple(start("worker", *common, "--no-nanny", "--nthreads", "2", *local) for _ in range(2))
        yield Cluster(json.loads(contact.read_text())["address"], workers)


def noted(folder: Path) -> list[tuple[str, int]]:
    """Return each call as its deal and its process."""
    log = folder / "calls.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(deal_id, int(pid)) for deal_id, pid in (line.split() for line in lines if line.count(" ") == 1)]


def test_a_killed_worker_changes_no_result(tmp_path: Path) -> None:
    """Captured and gated on the cluster, one of two workers killed while calls are under way: the result is right."""
    folder = copied(EXAMPLE, tmp_path / "dask")
    subprocess.run([sys.executable, "make_deals.py"], cwd=folder, env=clean_environment(), check=True, timeout=60)
    (folder / "held.py").write_text(HELD)
    with cluster(folder) as dask:
        project = Project(folder).with_environment(DASK_SCHEDULER=dask.address)
        with started(project, "--dealsnap-update") as capture:
            outcome = ended(project, capture)
        assert outcome.code == 0, outcome.text
        assert len(project.snapshots()) == 60
        connection = sqlite3.connect(folder / "deals.db")
        with connection:
            connection.execute("UPDATE deals SET headcount = headcount * 3 WHERE id = 42")
        connection.close()
        (folder / "hold").touch()
        arguments = ("--dealsnap", "--dealsnap-reasoner", "held:value", "--dealsnap-report", "json:report.json")
        with started(project, *arguments) as gate:
            wait_until(lambda: {pid for _, pid in noted(folder)} == {w.pid for w in dask.workers}, process=gate)
            os.kill(dask.workers[0].pid, signal.SIGKILL)
            dask.workers[0].wait(timeout=PATIENCE)
            (folder / "hold").unlink()
            outcome = ended(project, gate)
    killed = {deal_id for deal_id, pid in noted(folder) if pid == dask.workers[0].pid}
    again = {deal_id for deal_id, pid in noted(folder) if pid == dask.workers[1].pid}
    assert killed
    assert again == {str(number) for number in range(1, 61)}
    assert outcome.code == 1, outcome.text
    assert outcome.statuses == {str(n): "regressed" if n == 42 else "matched" for n in range(1, 61)}
    assert outcome.action == "fix_forward"


def test_the_example_as_it_is_documented(tmp_path: Path) -> None:
    """The README's commands, one by one in a shell, but for the installation and the port: all deals are computed."""
    folder = copied(EXAMPLE, tmp_path / "dask")
    commands = commands_of(EXAMPLE)
    assert len(commands) == 7
    script = "\n".join(["set -e", "trap 'kill $(jobs -p); wait' EXIT", *commands]).replace("8786", str(free_port()))
    with (folder / "output.txt").open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=with_own_commands(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        code = shell.wait(timeout=PATIENCE)
    finally:
        end(shell)
    text = (folder / "output.txt").read_text()
    assert code == 0, text
    assert "could not be reasoned" not in text
    assert "verdict: PROCEED - none of 60 compared deals is affected" in text
    assert all('"metrics"' in path.read_text() for path in (folder / "snapshots" / "deals").iterdir())


MODEL = """
import os
import random


def ask(prompt):
    with open(os.path.join(os.path.dirname(__file__), "paid.txt"), "a") as file:
        file.write(f"{prompt} {os.getpid()}\\n")
    return {"price": random.randint(100, 10_000)}
"""
AGENT = """
import llm


def value(transaction):
    return {"offer": llm.ask(transaction.id), "risks": [], "memo": "as signed"}
"""


def test_model_calls_on_workers_are_recorded_and_replayed(tmp_path: Path) -> None:
    """They are made there, paid once, and played back there; another prompt is a miss that is not made."""
    folder = tmp_path / "agent"
    settings = 'calls = ["llm:ask"]'
    project = Project(folder).with_deals(*deals(6)).with_reasoner(AGENT).with_file("llm.py", MODEL)
    project = project.with_settings(settings, section="replay").with_settings('executor = "cluster:executor"').write()
    shutil.copy(EXAMPLE / "cluster.py", folder)
    paid = folder / "paid.txt"
    with cluster(folder) as dask:
        project = project.with_environment(DASK_SCHEDULER=dask.address)
        assert project.capture().code == 0
        assert {int(line.split()[1]) for line in paid.read_text().splitlines()} <= {w.pid for w in dask.workers}
        assert len(paid.read_text().splitlines()) == 6
        replayed = project.gate("--dealsnap-replay", "only")
        assert "(6 of 6 replayed)" in replayed.text, replayed.text[:3000]
        (folder / "other.py").write_text(AGENT.replace("transaction.id", "'what is ' + transaction.id"))
        missed = project.gate("--dealsnap-replay", "only", "--dealsnap-reasoner", "other:value")
        assert missed.action == "inconclusive", missed.text
        assert "+prompt: what is d1" in missed.text
    assert len(paid.read_text().splitlines()) == 6
