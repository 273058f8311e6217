"""`--dealsnap-executor module:factory`: any executor computes the outputs, and a broken one breaks no other deal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ExecutorError
from pytest_dealsnap.reasoning import executors
from pytest_dealsnap.reasoning.reasoner import bind_reasoner
from tests.plugin.project import Project
from tests.scale.running import COUNTED, calls, forget_calls, padded, untimed

POOLS = """
import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path


def threads():
    with (Path(__file__).parent / "made.log").open("a") as log:
        log.write(f"{os.getpid()}\\n")
    return ThreadPoolExecutor(3)


def processes():
    return ProcessPoolExecutor(2)


def raises():
    raise ConnectionError("no cluster at tcp://ana:s3cret@far")


def nothing():
    return None


def leaves():
    raise SystemExit(0)


class Refusing(Executor):
    def submit(self, function, *arguments):
        self.asked = getattr(self, "asked", 0) + 1
        if self.asked == 5:
            raise ValueError("the quota of tcp://ana:s3cret@far is used up")
        future = Future()
        future.set_result(function(*arguments))
        return future


class Closed(Executor):
    def submit(self, function, *arguments):
        raise RuntimeError("cannot schedule new futures after shutdown")


class Babbling(Executor):
    def submit(self, function, *arguments):
        future = Future()
        future.set_result({"offer": {"price": 100}})
        return future


class Empty(Executor):
    def submit(self, function, *arguments):
        return None


number = 7
"""

# d0005 kills its process once, d0009 always; FATAL switches that on.
FATAL = """
import os
import signal
from pathlib import Path

from counted import answer, note

ONCE = Path(__file__).parent / "once"


def value(transaction):
    note(transaction.id)
    if os.environ.get("FATAL"):
        if transaction.id == "d0005" and not ONCE.exists():
            ONCE.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if transaction.id == "d0009":
            os.kill(os.getpid(), signal.SIGKILL)
    return answer(transaction)
"""


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project of 30 deals, with factories of several executors."""
    project = Project(tmp_path_factory.mktemp("pooled")).with_deals(*padded(30)).with_file("counted.py", COUNTED)
    return project.with_reasoner(FATAL).with_file("pools.py", POOLS).captured()


def test_threads_of_the_users_own(pooled: Project) -> None:
    """A user's thread pool reasons each deal once, and the report is that of a run without it."""
    alone = untimed(pooled.gate().report)
    forget_calls(pooled)
    outcome = pooled.gate("--dealsnap-executor", "pools:threads")
    assert outcome.code == 0, outcome.text
    assert untimed(outcome.report) == alone
    assert Counter(calls(pooled)) == Counter(row[0] for row in pooled.rows)


def test_only_workers_make_an_executor(pooled: Project) -> None:
    """Under `-n 2` each worker makes an executor and the controller none; `--collect-only` makes none at all."""
    made = pooled.folder / "made.log"
    made.unlink(missing_ok=True)
    assert pooled.gate("--dealsnap-executor", "pools:threads", "--collect-only", "-q").code == 0
    assert not made.exists()
    forget_calls(pooled)
    outcome = pooled.gate("--dealsnap-executor", "pools:threads", "-n", "2")
    assert outcome.code == 0, outcome.text
    assert len(made.read_text().split()) == len(set(made.read_text().split())) == 2
    assert Counter(calls(pooled)) == Counter(row[0] for row in pooled.rows)


def test_a_killed_process_breaks_its_own_deal_only(pooled: Project) -> None:
    """A pool that a deal broke is made anew: a deal that kills once is right, one that always does is errored."""
    forget_calls(pooled)
    outcome = pooled.with_environment(FATAL="1").gate("--dealsnap-executor", "pools:processes")
    assert outcome.code == 1, outcome.text
    assert outcome.statuses.pop("d0009") == "errored"
    assert outcome.deal("d0009")["error"]["type"] == "BrokenProcessPool"
    assert {status for deal_id, status in outcome.statuses.items() if deal_id != "d0009"} == {"matched"}
    assert Counter(calls(pooled))["d0009"] in (2, 3)  # the first of three tries may have broken before its turn
    assert outcome.action == "fix_forward"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("pools:raises", "executor = 'pools:raises' raised ConnectionError: no cluster at tcp://ana:***@far"),
        ("pools:nothing", "executor = 'pools:nothing' returned NoneType; it must return a concurrent.futures.Executor"),
        ("pools:leaves", "executor = 'pools:leaves' raised SystemExit: 0"),
        ("pools:treads", 'Did you mean "threads"?'),
        ("pools:number", "which cannot be called"),
        ("nowhere:threads", "no module named 'nowhere'"),
        ("threads", 'must name a callable as "package.module:name"'),
    ],
)
def test_an_executor_that_cannot_be_made_is_a_usage_error(pooled: Project, spec: str, words: str) -> None:
    """A factory that raises, returns nonsense or is not there: exit 4 before any deal, saying what is wrong."""
    forget_calls(pooled)
    outcome = pooled.gate("--dealsnap-executor", spec)
    assert outcome.code == 4, outcome.text
    assert words in outcome.text
    assert "Traceback" not in outcome.text
    assert calls(pooled) == []


def test_a_bad_factory_in_workers_is_never_a_pass(pooled: Project) -> None:
    """Under `-n 2`, where workers make the executor, a factory that raises fails every deal in its words."""
    outcome = pooled.gate("--dealsnap-executor", "pools:raises", "-n", "2")
    assert outcome.code == 1
    assert "executor = 'pools:raises' raised ConnectionError" in outcome.text
    assert "s3cret" not in outcome.text
    assert outcome.action == "inconclusive"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "pools:Closed",
            "executor = 'pools:Closed' did not take deal d0001: RuntimeError: cannot schedule new futures",
        ),
        ("pools:Babbling", "executor = 'pools:Babbling' answered deal d0001 with a dict"),
        ("pools:Empty", "executor = 'pools:Empty' took deal d0001 but returned NoneType, not a future"),
    ],
)
def test_an_executor_that_does_not_work_is_never_a_verdict(pooled: Project, spec: str, words: str) -> None:
    """What the executor did wrong is said in a line; its deals count as not judged, for no reasoner failed."""
    outcome = pooled.gate("--dealsnap-executor", spec)
    assert outcome.code == 1
    assert words in outcome.text
    assert "Traceback" not in outcome.text
    assert "executors.py" not in outcome.text
    assert outcome.action == "inconclusive"


def test_a_refused_deal_costs_no_other(pooled: Project) -> None:
    """A deal that the executor does not take is not judged and named; those around it are."""
    outcome = pooled.gate("--dealsnap-executor", "pools:Refusing")
    assert outcome.code == 1
    assert "did not take deal d0005: ValueError: the quota of tcp://ana:***@far is used up" in outcome.text
    assert outcome.report["run"]["not_judged"] == ["d0005"]
    assert outcome.report["summary"]["matched"] == len(pooled.rows) - 1


class Silent(Executor):
    """An executor whose workers are all gone: it takes calls and answers none."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Future()


def test_a_dead_executor_ends_with_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a time-out, a cluster that answers nothing at all is given up once, and no later call waits again."""
    monkeypatch.setattr(executors, "PATIENCE", 0.01)
    engine = executors.ExecutorLane(Silent, spec="pools:Silent", timeout=0.01)
    tickets = [engine.begin(answer, bind_reasoner(answer), Deal(number, None, "carveout", None)) for number in range(2)]
    with pytest.raises(ExecutorError, match=r"'pools:Silent' gave no answer to any call for 0\.02 seconds"):
        engine.finish(tickets[0])
    monkeypatch.setattr(executors, "PATIENCE", 3600.0)
    with pytest.raises(ExecutorError, match="gave no answer"):
        engine.finish(tickets[1])


def answer(deal_id: str) -> dict[str, str]:
    """Return what a reasoner might."""
    return {"deal": deal_id}


CLOSURE = """
import pytest


@pytest.fixture(scope="session")
def deal_reasoner():
    rate = 100
    return lambda transaction: {"offer": {"price": rate}, "risks": [], "memo": "as signed"}
"""


def test_a_reasoner_that_cannot_be_sent_is_said(tmp_path: Path) -> None:
    """A closure cannot reach another process: each deal is errored, and its message says why."""
    project = Project(tmp_path).with_deals(*padded(3)).with_file("pools.py", POOLS).with_file("conftest.py", CLOSURE)
    project = project.captured()
    outcome = project.gate("--dealsnap-executor", "pools:processes")
    assert outcome.code == 1
    assert set(outcome.statuses.values()) == {"errored"}
    assert "pickle" in outcome.deal("d0001")["error"]["message"]
    assert project.gate("--dealsnap-executor", "pools:threads").code == 0
