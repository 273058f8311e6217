"""pytest-xdist: several processes come to what one process comes to, and a worker's death is never a pass."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugin.project import Outcome, Project, deal
from tests.scale.running import COUNTED, calls, forget_calls, untimed

PORTFOLIO = (
    *(deal(f"d{number}", amount=100 + number) for number in range(1, 13)),
    deal("17"),
    deal("a/b [x]", title="Rue d'É"),
    deal("c1", kind="carveout"),
    deal("c2", kind="carveout"),
    deal("v1", kind="divestiture"),
    deal("n1", kind=None),
)

# Of the same ids: two regress, one cannot be reasoned, one is gone and one is new.
AFTER = (
    *(row for row in PORTFOLIO if row[0] not in ("d3", "d7", "c1", "v1")),
    deal("d3", amount=500),
    deal("d7", amount=500),
    deal("c1", kind="carveout", amount=-1),
    deal("z9"),
)

SPLIT = """
from valuation_counted import answer, note


def value(transaction):
    note(transaction.id)
    if transaction["amount"] == -1:
        raise ArithmeticError("a negative price")
    return answer(transaction)
"""

# An event on every engine: which process asked for a list of deals, as against the rows of some.
LISTENER = """
import os
from pathlib import Path

from sqlalchemy import Engine, event

LOG = Path(__file__).parent / "lists.log"


@event.listens_for(Engine, "before_cursor_execute")
def note(connection, cursor, statement, parameters, context, executemany):
    if "FROM transactions" in statement and "WHERE" not in statement:
        with LOG.open("a") as log:
            log.write(f"{os.getpid()}\\n")
"""

LETHAL = """
import os
import signal
from pathlib import Path

from valuation_counted import answer, note


def value(transaction):
    note(transaction.id)
    if transaction.id == "d5" and not os.environ.get("SPARED"):
        {death}
    return answer(transaction)
"""


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project, whose reasoner counts its calls."""
    project = Project(tmp_path_factory.mktemp("portfolio")).with_deals(*PORTFOLIO)
    project = project.with_file("valuation_counted.py", COUNTED).with_reasoner(SPLIT).with_file("conftest.py", LISTENER)
    project = project.with_environment(DEALSNAP_CAPTURE_CHECK="0")
    return project.captured()


def test_a_capture_by_workers_writes_the_same_files(portfolio: Project, tmp_path: Path) -> None:
    """`-n 2` captures byte for byte what one process captures, reasons each deal once, and reports the same."""
    alone = replace(portfolio, folder=tmp_path)
    outcome = alone.capture("-n", "2")
    assert outcome.code == 0, outcome.text
    assert alone.snapshots() == portfolio.snapshots()
    assert Counter(calls(alone)) == Counter(row[0] for row in PORTFOLIO)
    assert '"complete": true' in (tmp_path / "snapshots" / "manifest.json").read_text()
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("rows", "arguments"),
    [(PORTFOLIO, ()), (AFTER, ()), (AFTER, ("-k", "carveout or d3 or z9"))],
    ids=["green", "red", "selected"],
)
def test_a_gate_by_workers_comes_to_the_same(
    portfolio: Project, rows: tuple[tuple[object, object, object, object], ...], arguments: tuple[str, ...]
) -> None:
    """Report, verdict, exit code and summary of `-n 2` are those of a single process; only times differ."""
    project = portfolio.with_deals(*rows)
    one = project.gate(*arguments)
    report = untimed(one.report)
    (project.folder / "lists.log").unlink()
    forget_calls(project)
    two = project.gate("-n", "2", *arguments)
    assert untimed(two.report) == report
    assert (two.code, two.verdict) == (one.code, one.verdict)
    assert two.closing == one.closing.replace(", 15 deselected", "")  # which xdist's controller does not count
    assert summary(two) == summary(one)
    assert len((project.folder / "lists.log").read_text().split()) == 1
    assert max(Counter(calls(project)).values()) == 1


def summary(outcome: Outcome) -> list[str]:
    """Return the lines of the closing summary."""
    found = re.search(r"=+ dealsnap gate =+\n(.*?)(?:\n=+|\Z)", outcome.text, re.DOTALL)
    assert found is not None, outcome.text
    return found[1].splitlines()


def test_stopping_at_the_first_failure(portfolio: Project) -> None:
    """`-x` stops workers too, and what was not judged by then is named, so that the verdict is no pass."""
    rows = (*(deal(f"d{number}", amount=900) for number in range(1, 13)), *PORTFOLIO[12:])
    outcome = portfolio.with_deals(*rows).gate("-n", "2", "-x")
    assert outcome.code not in (0, 5), outcome.text
    judged = set(outcome.statuses)
    assert "regressed" in outcome.statuses.values()
    assert outcome.report["run"]["not_judged"]
    assert judged.isdisjoint(outcome.report["run"]["not_judged"])
    assert len(judged) + len(outcome.report["run"]["not_judged"]) == len(PORTFOLIO)
    assert outcome.action == "inconclusive"


def test_a_worker_that_dies_loses_no_other_deal(portfolio: Project) -> None:
    """A reasoner that ends its process: every other deal is judged, that one is named, and nothing is green."""
    lethal = LETHAL.format(death="os.kill(os.getpid(), signal.SIGKILL)")
    outcome = portfolio.with_reasoner(lethal).gate("-n", "2")
    assert outcome.code == 1, outcome.text
    assert outcome.report["run"]["not_judged"] == ["d5"]
    assert set(outcome.statuses) == {row[0] for row in PORTFOLIO} - {"d5"}
    assert set(outcome.statuses.values()) == {"matched"}
    assert outcome.action == "inconclusive"
    assert "not judged: 1 deal (d5)" in outcome.text


def test_without_restarts_the_rest_is_named(portfolio: Project) -> None:
    """With `--max-worker-restart=0` a death ends the run early, and every deal that was not judged is named."""
    outcome = portfolio.with_reasoner(LETHAL.format(death="os.kill(os.getpid(), signal.SIGKILL)")).gate(
        "-n", "2", "--max-worker-restart=0"
    )
    assert outcome.code not in (0, 5), outcome.text
    missing = outcome.report["run"]["not_judged"]
    assert "d5" in missing
    assert set(missing).isdisjoint(outcome.statuses)
    assert len(missing) + len(outcome.statuses) == len(PORTFOLIO)
    assert outcome.action == "inconclusive"


def test_where_warnings_are_errors_a_lost_worker_ends_the_same(portfolio: Project) -> None:
    """With `-W error` syrupy's word about a lost worker's report does not cost the run its own report."""
    lethal = portfolio.with_reasoner(LETHAL.format(death="os.kill(os.getpid(), signal.SIGKILL)"))
    outcome = lethal.gate("-n", "2", "--max-worker-restart=0", "-W", "error")
    assert outcome.code == 1, outcome.text
    assert "d5" in outcome.report["run"]["not_judged"]
    assert outcome.action == "inconclusive"
    assert "verdict: INCONCLUSIVE" in outcome.text


def test_a_plugin_that_fails_at_the_end_costs_no_report(portfolio: Project) -> None:
    """What others raise as the session ends comes after the report is written."""
    bad = "def pytest_sessionfinish():\n    raise OSError('the disk of another plugin')\n"
    outcome = portfolio.with_file("conftest.py", bad).gate()
    assert outcome.code == 1, outcome.text
    assert "the disk of another plugin" in outcome.text
    assert outcome.action == "proceed"


def test_a_capture_whose_worker_dies_is_resumed(portfolio: Project, tmp_path: Path) -> None:
    """A capture that lost a worker says that it is incomplete; resuming it repeats no finished deal."""
    project = replace(
        portfolio.with_reasoner(LETHAL.format(death="os.kill(os.getpid(), signal.SIGKILL)")), folder=tmp_path
    )
    outcome = project.capture("-n", "2")
    assert outcome.code == 1, outcome.text
    assert "not recorded: 1 deal (d5)" in outcome.text
    assert "--dealsnap-only missing" in outcome.text
    before = project.snapshots()
    assert "d5.json" not in before
    forget_calls(project)
    spared = project.with_environment(SPARED="1")
    gate = spared.gate("-n", "2")
    assert (gate.code, gate.action) == (1, "inconclusive")
    assert "the baseline is incomplete" in gate.text
    forget_calls(project)
    resumed = spared.capture("-n", "2", "--dealsnap-only", "missing")
    assert resumed.code == 0, resumed.text
    assert calls(project) == ["d5"]
    assert project.snapshots() == portfolio.snapshots()
    assert spared.gate().action == "proceed"


def test_the_list_is_frozen_for_all_workers(tmp_path: Path) -> None:
    """A source that would answer differently the next time cannot part the workers: the list is read once."""
    growing = """
from pathlib import Path


def deals():
    marks = Path(__file__).parent / "marks"
    marks.mkdir(exist_ok=True)
    asked = len(list(marks.iterdir()))
    (marks / str(asked)).touch(exist_ok=True)
    return [{"deal_no": f"d{n}", "title": "", "kind": "acquisition", "amount": 1} for n in range(1, 9 + asked)]
"""
    project = Project(tmp_path).with_file("book.py", growing).with_settings('source = "book:deals"', section="deals")
    outcome = project.capture("-n", "2")
    assert outcome.code == 0, outcome.text
    assert [entry["id"] for entry in outcome.report["deals"]] == [f"d{number}" for number in range(1, 9)]
    assert outcome.report["run"]["not_judged"] == []
