"""The verdict of a rehearsal: corruption first, then what is unfinished, then the decision tree."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.codec import Snapshot, encode
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.rehearsals import Problem, Weight
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.model.verdicts import Verdict
from pytest_dealsnap.rehearsal.capture_differences import attribute, common_lines, differences, example_lines
from pytest_dealsnap.rehearsal.capture_gate import exposures, judge_captures
from pytest_dealsnap.rehearsal.rehearsal_verdict import decide_rehearsal, next_steps
from pytest_dealsnap.rehearsal.rollout import Rollout
from tests.builders import configure

CONFIG = """
database = "sqlite:///x.db"
[metrics]
price = "price"
[rules.acquisition]
price = "equal"
"""
ALEMBIC = Rollout(Path("db/alembic.ini"), None, None, "db/alembic.ini")


def captured(folder: Path, **prices: object) -> DealSnapshots:
    """Return a capture: each deal's price, or its error."""
    snapshots = DealSnapshots(folder)
    for deal_id, price in prices.items():
        facts = (deal_id, "Orion", "acquisition", None)
        if isinstance(price, str):
            snapshot = Snapshot(*facts, error=Failure("ValueError", price))
        else:
            snapshot = Snapshot(*facts, metrics={"price": price}, output={"price": price, "parts": [1, price]})
        snapshots.record(deal_id, encode(snapshot))
    return snapshots


def judged(folder: Path, *, changed: int, of: int = 10, sampled: bool = False) -> FinishedRun:
    """Return a gate in which some of the deals regressed."""
    before = captured(folder / "pre", **{f"d{n}": 100 for n in range(of)})
    after = captured(folder / "post", **{f"d{n}": 100 + (n < changed) * 50.5 for n in range(of)})
    there = ({f"d{n}" for n in range(of)},) * 2 if sampled else None
    config = configure(folder, CONFIG)
    return judge_captures(
        config, before, after, started_at=datetime.now(UTC), database="sqlite:///x.db", total=of, there=there
    )


def problem(code: str, weight: Weight = "fails") -> Problem:
    """Return a problem that says its code."""
    return Problem(code, "phase", code, weight, advice=f"mend {code}")


@pytest.mark.parametrize(
    ("changed", "problems", "flag", "action", "words"),
    [
        (0, [], "F", "proceed", "none of 10"),
        (0, [problem("late", "note")], "F", "proceed", "none of 10"),
        (0, [problem("flag_unread")], "F", "fix_forward", "flag_unread"),
        (3, [problem("deals_regressed")], "F", "disable_flag", "3 of 10"),
        (3, [problem("flag_off_differs")], "F", "roll_back", "turning the flag off would not help: flag_off_differs"),
        (3, [], None, "roll_back", "no flag to turn off"),
        (6, [], "F", "roll_back", "over 50 %"),
        (6, [problem("cut", "unfinished")], "F", "inconclusive", "cut"),
        (
            0,
            [problem("rows_lost", "corrupts"), problem("cut", "unfinished")],
            "F",
            "roll_back",
            "corruption: rows_lost",
        ),
    ],
)
def test_verdicts(
    tmp_path: Path, changed: int, problems: list[Problem], flag: str | None, action: str, words: str
) -> None:
    """The tree's "disable the flag" holds only where there is one that brings the old answers back."""
    verdict = decide_rehearsal(problems, judged(tmp_path, changed=changed), flag=flag)
    assert verdict.action == action
    assert words in verdict.reason


def test_nothing_judged_is_inconclusive() -> None:
    """Never a pass; many findings are counted, not all listed."""
    assert decide_rehearsal([], None, flag=None).action == "inconclusive"
    many = decide_rehearsal([problem(f"p{n}") for n in range(5)], None, flag=None)
    assert many == Verdict("fix_forward", "p0; p1; p2 and 2 more")


@pytest.mark.parametrize(
    ("action", "codes", "words"),
    [
        ("proceed", [], "alembic -c db/alembic.ini upgrade head"),
        ("inconclusive", ["cut"], "dealsnap rehearse --keep"),
        ("fix_forward", ["constraint_missing"], "export F=no"),
        ("disable_flag", [], "export F=no"),
        ("roll_back", [], "alembic -c db/alembic.ini downgrade r1"),
        ("roll_back", ["downgrade_failed"], "restore from the backup"),
        ("fix_forward", ["constraint_missing"], "fix: mend constraint_missing"),
    ],
)
def test_next_steps_come_with_their_commands(action: str, codes: list[str], words: str) -> None:
    """Fix forward, flag off, full rollback: what a person would type."""
    problems = [problem(code) for code in codes]
    steps = next_steps(Verdict(action, ""), problems, ALEMBIC, flag="F", flag_off="no", revision="r1")
    assert any(words in step for step in steps)


def test_the_way_out_of_a_callable_is_named() -> None:
    """A shell command stands as it is; a callable is one to call."""
    rollout = Rollout(None, "moves:up", "make down")
    assert (rollout.words("up"), rollout.words("down")) == ("call moves:up", "make down")
    assert Rollout(None, None, None).words("up") == ""


def test_exposure_is_the_largest_move_and_all_together(tmp_path: Path) -> None:
    """In the metric's own unit, exact."""
    [exposure] = exposures(judged(tmp_path, changed=3).results)
    assert (exposure.metric, exposure.largest, exposure.total, exposure.deals) == ("price", "50.5", "151.5", 3)
    assert exposures(judged(tmp_path / "none", changed=0).results) == ()


def test_a_deal_that_only_one_sample_drew_is_neither_gone_nor_new(tmp_path: Path) -> None:
    """It is in the database, before and after."""
    before, after = captured(tmp_path / "a", d1=1, d2=2), captured(tmp_path / "b", d2=2, d3=3)
    config, everything = configure(tmp_path, CONFIG), {"d1", "d2", "d3"}
    now = datetime.now(UTC)
    whole = judge_captures(config, before, after, started_at=now, database="", total=3, there=None)
    assert whole.verdict is not None
    assert whole.verdict.action == "roll_back"
    sample = judge_captures(config, before, after, started_at=now, database="", total=3, there=(everything, everything))
    assert [result.id for result in sample.results] == ["d2"]


def test_changes_are_put_down_to_data_code_or_both(tmp_path: Path) -> None:
    """Flag off and on, schema before and after: four answers. A corner that needs the new schema says nothing."""
    corners: dict[tuple[str, str], dict[str, object]] = {
        ("before", "off"): {"same": 1, "data": 1, "code": 1, "both": 1, "needs": 1, "fails": 1},
        ("before", "on"): {"same": 1, "data": 1, "code": 2, "both": 2, "needs": "no such column", "fails": 1},
        ("after", "off"): {"same": 1, "data": 2, "code": 1, "both": 2, "needs": 1, "fails": 1},
        ("after", "on"): {"same": 1, "data": 2, "code": 2, "both": 3, "needs": 2, "fails": "it broke"},
    }
    captures = {corner: captured(tmp_path / "-".join(corner), **deals) for corner, deals in corners.items()}
    found = attribute(captures, ["both"])
    assert {deal.id: deal.origin for deal in found} == {
        "data": "data", "code": "code", "both": "both", "needs": "code", "fails": "both",
    }  # fmt: skip
    assert [deal.id for deal in found if deal.regressed] == ["both"]
    changed = list(differences(captures["before", "off"], captures["after", "on"]))
    assert common_lines(changed)[:2] == ["error: in 1 deal", "parts[]: in 4 deals"]
    assert "… and 1 more line" in common_lines(changed, limit=2)
    assert example_lines(changed, limit=1)[0] == "deal both Orion (acquisition): parts[1] 1 → 3; price 1 → 3"
    assert example_lines(changed, limit=1)[1] == "… and 4 more deals"
    (tmp_path / "after-on" / "deals" / "same.json").write_text("{")
    broken = [d for d in differences(captures["before", "off"], captures["after", "on"]) if d.id == "same"]
    assert broken[0].leaves[0][0] == "snapshot"
