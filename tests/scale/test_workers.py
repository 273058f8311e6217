"""`--dealsnap-workers N`: calls overlap, but no more than N, in order, in a bounded window, and always end."""

from __future__ import annotations

import contextvars
import re
import signal
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.codec import decode
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.plugin.run_order import following
from pytest_dealsnap.reasoning.engine import Engine
from tests.plugin.project import Project, deals
from tests.scale.running import COUNTED, begun_calls, calls, ended, forget_calls, padded, started, untimed, wait_until

# PARTIES calls must be under way at once for any of them to be answered; TENANT is a context's.
MEETING = """
import asyncio
import contextvars
import os
import threading
from pathlib import Path

from counted import answer, note

PARTIES = int(os.environ["PARTIES"])
TENANT = contextvars.ContextVar("tenant", default="nobody")
THREADS = threading.Barrier(PARTIES)
TASKS = asyncio.Barrier(PARTIES)
LOCK = threading.Lock()
FACTS = Path(__file__).parent / "facts.log"
running = 0


def entered(place):
    global running
    with LOCK:
        running += 1
        with FACTS.open("a") as log:
            log.write(f"{running} {place}\\n")


def left():
    global running
    with LOCK:
        running -= 1


def blocking(transaction):
    note(transaction.id)
    entered(threading.get_ident())
    try:
        THREADS.wait(timeout=float(os.environ.get("MEETING_SECONDS", "40")))
    finally:
        left()
    return answer(transaction) | {"memo": TENANT.get()}


async def waiting(transaction):
    note(transaction.id)
    entered(id(asyncio.get_running_loop()))
    try:
        async with asyncio.timeout(40):
            await TASKS.wait()
    finally:
        left()
    return answer(transaction) | {"memo": TENANT.get()}


def handing_over(transaction):
    return waiting(transaction)
"""

TENANT = """
import pytest

from meeting import TENANT


@pytest.fixture(scope="session", autouse=True)
def tenant():
    TENANT.set("acme")
"""

STYLES = ["blocking", "waiting", "handing_over"]


def meeting(folder: Path, style: str, *, parties: int) -> Project:
    """Return a project whose reasoner is the function *style* of the meeting."""
    project = Project(folder).with_deals(*deals(8)).with_file("counted.py", COUNTED)
    project = project.with_file("meeting.py", MEETING)
    project = project.with_file("conftest.py", TENANT).with_environment(
        PARTIES=str(parties), DEALSNAP_CAPTURE_CHECK="0"
    )
    return project.with_config(project.config.replace("valuation:value", f"meeting:{style}"))


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The snapshots of the meeting's deals, captured one at a time."""
    return meeting(tmp_path_factory.mktemp("alone"), "blocking", parties=1).captured().snapshots()


@pytest.mark.parametrize("style", STYLES)
def test_as_many_calls_as_workers_overlap(tmp_path: Path, style: str, one_by_one: dict[str, bytes]) -> None:
    """Four workers have four calls under way, never five, in the test's context; the files are the same."""
    project = meeting(tmp_path, style, parties=4)
    outcome = project.capture("--dealsnap-workers", "4")
    assert outcome.code == 0, outcome.text
    assert project.snapshots() == one_by_one
    assert Counter(calls(project)) == Counter(f"d{number}" for number in range(1, 9))
    facts = [line.split() for line in (tmp_path / "facts.log").read_text().splitlines()]
    assert max(int(running) for running, _ in facts) == 4
    assert len({place for _, place in facts}) == (4 if style == "blocking" else 1)
    assert project.snapshot("d1")["output"]["memo"] == "acme"


def test_fewer_workers_do_not_meet(tmp_path: Path) -> None:
    """The control: with three workers four calls are never under way at once, and the meeting fails."""
    outcome = (
        meeting(tmp_path, "blocking", parties=4)
        .with_environment(MEETING_SECONDS="0.2")
        .capture("--dealsnap-workers", "3")
    )
    assert outcome.code == 1, outcome.text
    assert set(outcome.statuses.values()) == {"errored"}
    assert outcome.deal("d1")["error"]["type"] == "BrokenBarrierError"


@pytest.mark.parametrize("style", ["sync", "async"])
def test_an_interrupt_raised_in_a_call_is_that_calls_error(style: str) -> None:
    """The user's own Ctrl-C reaches the main thread; what a call in another raises must not leave anybody waiting."""

    def value(deal: Deal) -> Any:
        raise KeyboardInterrupt

    async def asynchronous(deal: Deal) -> Any:
        raise KeyboardInterrupt

    function = value if style == "sync" else asynchronous
    engine = Engine(workers=2, timeout=30.0)
    try:
        failure = engine(function, Deal("7", None, "acquisition", None)).failure
        assert failure is not None
        assert failure.type == "KeyboardInterrupt"
    finally:
        engine.close()


def test_each_call_sees_the_context_of_its_turn() -> None:
    """An async reasoner that is called one at a time sees a context variable as it is set now."""
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")

    async def value(deal: Deal) -> dict[str, str]:
        return {"tenant": tenant.get()}

    engine = Engine()
    try:
        for name in ("one", "two"):
            tenant.set(name)
            reasoning = engine(value, Deal("7", None, "acquisition", None))
            assert reasoning.output == {"tenant": name}
    finally:
        engine.close()


# The first is held back until all that may begin before it is done has begun; the sixth until the seventh has.
HELD = """
import time
from pathlib import Path

from counted import LOG, answer, note


def begun():
    return LOG.read_text().splitlines()


def value(transaction):
    note(transaction.id)
    end = time.monotonic() + 40
    if transaction.id == "d0001":
        while len(begun()) < 6 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.4)
        (LOG.parent / "begun").write_text(str(len(begun())))
    while transaction.id == "d0006" and "d0007" not in begun() and time.monotonic() < end:
        time.sleep(0.01)
    return answer(transaction)
"""


def test_the_window_is_bounded_and_the_order_kept(tmp_path: Path) -> None:
    """While the first answer is held back only twice the workers' calls begin; results come in order."""
    project = Project(tmp_path).with_deals(*padded(30)).with_file("counted.py", COUNTED).with_reasoner(HELD)
    project = project.with_environment(DEALSNAP_CAPTURE_CHECK="0")
    outcome = project.capture("--dealsnap-workers", "3", "--dealsnap-progress", "0.001", "-v")
    assert outcome.code == 0, outcome.text
    assert (tmp_path / "begun").read_text() == "6"
    shown = re.findall(r"^deals::test_deal\[acquisition-(d\d+)\] PASSED", outcome.text, re.MULTILINE)
    assert shown == [row[0] for row in project.rows]
    assert re.search(r"^dealsnap: 1 of 30 deals, [123] under way, \d+/s, \d+ s left$", outcome.text, re.MULTILINE)


# The first waits for the second to begin, the second until the test has read of it.
TOLD = """
import time

from counted import LOG, answer, note


def value(transaction):
    note(transaction.id)
    end = time.monotonic() + 600
    while transaction.id == "d0001" and "d0002" not in LOG.read_text() and time.monotonic() < end:
        time.sleep(0.01)
    while transaction.id == "d0002" and not (LOG.parent / "go").exists() and time.monotonic() < end:
        time.sleep(0.01)
    return answer(transaction)
"""


def test_progress_tells_of_calls_in_all_processes(tmp_path: Path) -> None:
    """Under `-n` the controller's progress counts the calls that are under way in its workers."""
    project = Project(tmp_path).with_deals(*padded(2)).with_file("counted.py", COUNTED).with_reasoner(TOLD).write()
    arguments = ("--dealsnap-update", "-n", "1", "--dealsnap-workers", "2", "--dealsnap-progress", "0.001")
    with started(project, *arguments) as process:
        shown = tmp_path / "output.txt"
        wait_until(lambda: "dealsnap: 1 of 2 deals, 1 under way, " in shown.read_text(), process=process)
        (tmp_path / "go").touch()
        assert ended(project, process).code == 0


HANGING = """
import asyncio
import os
import threading

from counted import answer, note

HUNG = os.environ.get("HUNG", "").split()


def value(transaction):
    note(transaction.id)
    if transaction.id in HUNG:
        threading.Event().wait()
    return answer(transaction)


async def waited(transaction):
    note(transaction.id)
    if transaction.id in HUNG:
        await asyncio.Event().wait()
    return answer(transaction)
"""


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project of which some calls hang if the environment says so."""
    project = Project(tmp_path_factory.mktemp("hanging")).with_deals(*deals(9)).with_file("counted.py", COUNTED)
    return project.with_reasoner(HANGING).captured()


def styled(project: Project, function: str) -> Project:
    """Return *project* with another function of its module as the reasoner."""
    return project.with_config(project.config.replace("valuation:value", f"valuation:{function}"))


@pytest.mark.parametrize("function", ["value", "waited"])
def test_hung_calls_end_as_errors_of_their_deals(hanging: Project, function: str) -> None:
    """With a time-out the run ends: hung deals errored, saying why; the deals after them are judged."""
    project = styled(hanging, function).with_environment(HUNG="d2 d3 d9")
    outcome = project.gate("--dealsnap-workers", "2", "--dealsnap-timeout", "1.5")
    assert outcome.code == 1, outcome.text
    errored = {deal_id for deal_id, status in outcome.statuses.items() if status == "errored"}
    assert errored == {"d2", "d3", "d9"}
    assert {status for deal_id, status in outcome.statuses.items() if deal_id not in errored} == {"matched"}
    assert outcome.deal("d3")["error"] == {
        "type": "ReasonerTimeoutError",
        "message": "no answer within 1.5 seconds (--dealsnap-timeout)",
    }


@pytest.mark.parametrize("function", ["value", "waited"])
def test_an_interrupt_ends_the_run_at_once(hanging: Project, tmp_path: Path, function: str) -> None:
    """Ctrl-C while calls hang: exit code 2, what was captured is whole, and the report names what was not."""
    project = Project(tmp_path, hanging.rows, files=hanging.files).with_environment(
        HUNG="d3 d4 d5 d6", DEALSNAP_CAPTURE_CHECK="0"
    )
    project = styled(project, function).write()
    arguments = ("--dealsnap-update", "--dealsnap-workers", "2", "--dealsnap-report", "json:report.json")
    with started(project, *arguments) as process:
        wait_until(begun_calls(project, 4), process=process)
        wait_until(lambda: (project.baseline / "d2.json").exists(), process=process)
        process.send_signal(signal.SIGINT)
        outcome = ended(project, process)
    assert outcome.code == 2, outcome.text
    # d2 has its snapshot, but the interrupt may come before pytest has reported its test.
    assert {"d1": "new"}.items() <= outcome.statuses.items() <= {"d1": "new", "d2": "new"}.items()
    every = [f"d{number}" for number in range(1, 10)]
    assert outcome.report["run"]["not_judged"] == [deal_id for deal_id in every if deal_id not in outcome.statuses]
    for name, data in project.snapshots().items():
        decode(data, deal_id=name.removesuffix(".json"), path=name)
    assert "--dealsnap-only missing" in outcome.text
    assert not re.search(r"was never awaited|was destroyed|Exception ignored|Exception in thread", outcome.text)


LEAVING = """
import os

import pytest

from counted import answer, note


class Leave(BaseException):
    pass


class Locked:
    @property
    def __class__(self):
        raise Leave("a look at it is enough")


def value(transaction):
    note(transaction.id)
    if transaction.id == "d3":
        raise Leave("the reasoner has left")
    if transaction.id == "d5":
        pytest.skip("not today")
    return answer(transaction) | ({"lock": Locked()} if transaction.id == "d7" else {})


async def waited(transaction):
    return value(transaction)


def handed(transaction):
    return waited(transaction)
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("function", ["value", "waited", "handed"])
def test_what_is_no_exception_is_an_error_as_well(tmp_path: Path, function: str, workers: str) -> None:
    """`pytest.skip()`, or anything else that is no `Exception`, is its deal's error, and leaves no call open."""
    project = Project(tmp_path).with_deals(*deals(9)).with_file("counted.py", COUNTED).captured()
    project = styled(project.with_reasoner(LEAVING), function).write()
    arguments = ("--dealsnap", "--dealsnap-report", "json:report.json", "--dealsnap-workers", workers)
    with started(project, *arguments) as process:
        outcome = ended(project, process)
    assert outcome.code == 1, outcome.text
    errors = {entry["id"]: entry["error"] for entry in outcome.report["deals"] if entry["status"] == "errored"}
    assert errors == {
        "d3": {"type": "Leave", "message": "the reasoner has left"},
        "d5": {"type": "Skipped", "message": "not today"},
        "d7": {"type": "Leave", "message": "a look at it is enough"},
    }
    assert outcome.closing == "3 failed, 6 passed"


@pytest.mark.parametrize("function", ["value", "waited", "handed"])
def test_an_interrupt_that_a_call_raises_leaves_no_call_open(tmp_path: Path, function: str) -> None:
    """The user's Ctrl-C reaches the main thread; a `KeyboardInterrupt` of a call's own is its deal's error."""
    project = Project(tmp_path).with_deals(*deals(9)).with_file("counted.py", COUNTED).captured()
    interrupting = LEAVING.replace('Leave("the reasoner has left")', "KeyboardInterrupt")
    project = styled(project.with_reasoner(interrupting), function).write()
    with started(project, "--dealsnap", "--dealsnap-report", "json:report.json", "--dealsnap-workers", "2") as process:
        outcome = ended(project, process)
    assert outcome.code == 1, outcome.text
    assert outcome.deal("d3")["error"]["type"] == "KeyboardInterrupt"
    assert len(outcome.statuses) == 9


class Numbered(Sequence[int]):
    """Numbers that count how often one of them was looked at."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.looks = 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return range(self.size)[index]


def test_looking_ahead_does_not_count_from_the_start() -> None:
    """Of a hundred thousand deals, those that were run are not gone through again for each that follows."""
    numbers = Numbered(100_000)
    assert list(islice(following(numbers, 99_990), 3)) == [99_990, 99_991, 99_992]
    assert numbers.looks == 3


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project of 24 deals, whose calls are counted from now on."""
    project = Project(tmp_path_factory.mktemp("counted")).with_deals(*deals(24)).with_reasoner(COUNTED).captured()
    forget_calls(project)
    return project


def test_stopping_and_selecting(counted: Project) -> None:
    """`-x`, `--maxfail`, `-k` and `--lf` judge with workers just what they judge without."""
    order = sorted(f"d{number}" for number in range(1, 25))
    dear = {"d3", "d5", "d6"}
    rows = tuple((row[0], row[1], row[2], 900 if row[0] in dear else 100) for row in counted.rows)
    project = counted.with_deals(*rows)
    for stop, last in (("-x", "d3"), ("--maxfail=2", "d5")):
        outcome = project.gate("--dealsnap-workers", "4", stop)
        assert list(outcome.statuses) == order[: order.index(last) + 1], outcome.text
        assert outcome.report["run"]["not_judged"] == order[order.index(last) + 1 :]
        assert (outcome.code, outcome.action) == (1, "inconclusive")
    forget_calls(project)
    assert set(project.gate("--dealsnap-workers", "4", "-k", "d5 or d7").statuses) == {"d5", "d7"}
    assert sorted(calls(project)) == ["d5", "d7"]
    project.gate("--dealsnap-workers", "4")
    forget_calls(project)
    again = project.gate("--dealsnap-workers", "4", "--lf")
    assert again.statuses == dict.fromkeys(sorted(dear), "regressed")
    assert sorted(calls(project)) == sorted(dear)


def test_workers_in_workers_call_once(counted: Project) -> None:
    """`-n 2 --dealsnap-workers 4`: every deal is reasoned exactly once, and the report is a single process's."""
    alone = untimed(counted.gate().report)
    forget_calls(counted)
    outcome = counted.gate("-n", "2", "--dealsnap-workers", "4")
    assert outcome.code == 0, outcome.text
    assert Counter(calls(counted)) == Counter(row[0] for row in counted.rows)
    assert untimed(outcome.report) == alone


FRESH = """
import threading

import pytest

from valuation import answer, note

LOCK = threading.Lock()


@pytest.fixture
def client():
    return object()


@pytest.fixture
def deal_reasoner(client):
    def value(transaction):
        assert LOCK.acquire(blocking=False), "two calls at once"
        try:
            note(transaction.id)
            return answer(transaction)
        finally:
            LOCK.release()

    return value
"""


def test_a_reasoner_for_each_deal_is_called_in_turn(counted: Project) -> None:
    """A function-scoped `deal_reasoner` lives for one test, so its calls are made one at a time."""
    forget_calls(counted)
    outcome = counted.with_file("conftest.py", FRESH).gate("--dealsnap-workers", "4")
    (counted.folder / "conftest.py").unlink()
    assert outcome.code == 0, outcome.text
    assert calls(counted) == sorted(str(row[0]) for row in counted.rows)
