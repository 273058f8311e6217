"""What the answers say in each corner, of captures that the firm's own project makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_dealsnap.model.rehearsals import Problem
from tests.rehearsal.sample_project import QUICK, REASONER, Firm, run_statements
from tests.rehearsal.test_scratch import query

REFUSE = """
CREATE TRIGGER for_ever BEFORE UPDATE OF kind ON engagements BEGIN SELECT RAISE(ABORT, 'kinds are for ever'); END
"""
NEEDS_NEW = REASONER.replace("fee, kind FROM", "{'fee + bonus' if AWARE else 'fee'}, kind FROM").replace(
    'text("SELECT', 'text(f"SELECT'
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captures are pytest runs of the firm's; they see this environment."""
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)


def by_code(problems: list[Problem]) -> dict[str, Problem]:
    """Return problems by their code."""
    return {problem.code: problem for problem in problems}


def test_old_answers_are_held_against_the_approved_baseline(tmp_path: Path) -> None:
    """Before anything is migrated: the flag's off has to be what the old release answered."""
    firm = Firm.found(tmp_path)
    answers, timeline = firm.answers()
    assert answers.start()
    assert timeline.phases[-1].headline == "there is none of these deals"
    shutil.copytree(tmp_path / "before-off", tmp_path / "snapshots")
    (tmp_path / "firm.py").write_text(REASONER.replace('"as signed"', '"as signed" if fee > 2000 else "as said"'))
    answers, timeline = firm.answers()
    assert answers.start()
    [problem] = timeline.problems
    assert problem.code == "old_answers_differ"
    assert problem.title.startswith("before anything is migrated, 2 deals do not give the answer")
    assert problem.deals == ("E-01", "E-02")
    assert problem.evidence[0] == "memo: in 2 deals"


def test_what_the_downgrade_left_is_told_by_its_answers(tmp_path: Path) -> None:
    """Another answer, or none: with the flag off again, all have to be the old ones."""
    firm = Firm.found(tmp_path)
    answers, timeline = firm.answers()
    assert answers.start()
    run_statements(
        firm.url, "UPDATE engagements SET fee = 1 WHERE ref = 'E-01'", "DELETE FROM engagements WHERE ref = 'E-02'"
    )
    answers.restored()
    [problem] = timeline.problems
    assert problem.title == "2 deals no longer give the old answer after the downgrade"
    assert problem.evidence == (
        "gone: E-02",
        "offer.price: in 1 deal",
        "deal E-01 Firm <1> (acquisition): offer.price 1,000 → 1",
    )
    assert problem.deals == ("E-02", "E-01")
    assert "output.drop" in problem.advice  # the rows were not found changed, so a reader is to look there first


def test_code_that_needs_the_new_schema_is_no_fault(tmp_path: Path) -> None:
    """With the flag on before the upgrade every deal errors, and that says nothing."""
    firm = Firm.found(tmp_path, reasoner=NEEDS_NEW)
    answers, timeline = firm.answers()
    assert answers.start()
    answers.flag_on_before()
    assert timeline.problems == []
    assert timeline.phases[-1].headline == "none: with the flag on, the code needs the new schema"
    assert ("before", "on") not in answers.captures


def test_a_capture_that_takes_too_long_says_so(tmp_path: Path) -> None:
    """It is told with what to do, and is never taken for code that needs the new schema."""
    slow = REASONER.replace("def answer(deal_id):", "def answer(deal_id):\n    import time; time.sleep(600)")
    firm = Firm.found(tmp_path, reasoner=slow)
    answers, timeline = firm.answers(timeout=3)
    assert not answers.start()
    answers.flag_on_before()
    off, on = timeline.problems
    assert (off.code, off.weight) == ("capture_timed_out", "unfinished")
    assert off.title == "pytest --dealsnap-update was ended after 3 s (--timeout), with 0 deals"
    assert "--timeout SECONDS" in off.advice
    assert (on.code, on.weight) == ("capture_timed_out", "note")
    assert "needs the new schema" not in timeline.phases[-1].headline


def test_types_that_cannot_be_changed_are_said_not_to_be_tried(tmp_path: Path) -> None:
    """A trigger may hold them; nothing follows from that."""
    firm = Firm.found(tmp_path)
    answers, timeline = firm.answers()
    assert answers.start()
    state = firm.migration()[0].state("start")
    answers.captures["after", "on"] = answers.captures["before", "off"]
    run_statements(firm.url, REFUSE)
    answers.type_reach(state)
    assert timeline.phases[-1].headline == "not tried: the database refuses another type: kinds are for ever"
    assert timeline.problems == []


def test_an_alias_is_exchanged_for_another_type_not_for_its_own(tmp_path: Path) -> None:
    """A deal stored as a word for an acquisition is tried as a carve-out; each gets its own word back."""
    firm = Firm.found(tmp_path)
    settings = tmp_path / "dealsnap.toml"
    settings.write_text(
        settings.read_text().replace('type = "kind"', 'type = "kind"\naliases = { merger = "acquisition" }')
    )
    run_statements(firm.url, "UPDATE engagements SET kind = 'merger'")
    answers, timeline = firm.answers()
    state = firm.migration()[0].state("start")
    assert answers.start()
    answers.flag_on_before()
    answers.captures["after", "on"] = answers.captures["before", "on"]
    answers.type_reach(state)
    assert timeline.phases[-1].headline == "4 of 4 deals give a different answer under another type: price in 4"
    assert query(firm.url, "SELECT DISTINCT kind FROM engagements") == ["merger"]


def test_without_a_flag_the_migration_alone_is_judged(tmp_path: Path) -> None:
    """One capture before, one after; each change is the data's, and a type that is not read is only a note."""
    firm = Firm.found(tmp_path, reasoner=REASONER.replace('os.environ.get("KINDS_COUNT") == "yes"', "False"))
    settings = tmp_path / "dealsnap.toml"
    settings.write_text(settings.read_text().replace('flag = "KINDS_COUNT"', ""))
    answers, timeline = firm.answers()
    state = firm.migration()[0].state("start")
    assert answers.start()
    answers.flag_on_before()
    run_statements(firm.url, "UPDATE engagements SET fee = 9 * fee WHERE ref = 'E-05'")
    answers.flag_off_after()
    answers.flag_on_after(state, state)
    answers.flag_effect()
    answers.type_reach(state)
    found = by_code(timeline.problems)
    assert {code: problem.weight for code, problem in found.items()} == {
        "deals_regressed": "fails",
        "type_unread": "note",
    }
    assert [(deal.id, deal.origin, deal.regressed) for deal in answers.attributed] == [("E-05", "data", True)]
    assert [phase.title for phase in timeline.phases if phase.name.startswith(("before", "after"))] == [
        "answers before the upgrade", "answers after the upgrade",
    ]  # fmt: skip


def test_nothing_follows_from_captures_that_are_not_there(tmp_path: Path) -> None:
    """After one that failed, the phases that rest on it are left out."""
    answers, timeline = Firm.found(tmp_path).answers()
    state = Firm(tmp_path, f"sqlite:///{tmp_path / 'firm.db'}").migration()[0].state("start")
    answers.flag_effect()
    answers.type_reach(state)
    assert timeline.phases == []
