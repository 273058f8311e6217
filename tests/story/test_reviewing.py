"""The story of a review at the terminal: three faults at once, one taken, one refused, one that ran out."""

from __future__ import annotations

from pathlib import Path

from pytest_dealsnap.cli import main
from tests.cli.pty_session import Sitting
from tests.cli.reviewing import Contracts, build
from tests.plugin.project import Outcome

FAULTS = "carve,emea,lost"
TITLES = ("fee +12.0%", "fee +50,000", "risk_count -1")


def deals_that(chosen: object) -> set[str]:
    """Return the ids of the contracts whose number *chosen* holds for."""
    assert callable(chosen)
    return {f"k{number}" for number in range(60) if chosen(number)}


CARVEOUTS = deals_that(lambda number: number % 4 == 2)
EMEA = deals_that(lambda number: number % 3 == 0)
LOST = deals_that(lambda number: number % 9 >= 5 and number not in (8, 20, 44))


def statuses(outcome: Outcome, status: str) -> set[str]:
    """Return the deals of that status."""
    return {deal for deal, own in outcome.statuses.items() if own == status}


def review(project: Contracts, who: str) -> None:
    """Accept one cause, reject another, quit; then come back and accept the third, which leaves nothing over."""
    sitting = Sitting(project.folder, "report.json", "--who", who)
    first = sitting.choose("r")
    assert TITLES[2] in first
    sitting.answer(r"note \(optional\): ", "a risk must not vanish")
    assert TITLES[1] in sitting.choose("l")
    sitting.answer("reason: ", "the regional fee of 2027")
    sitting.answer(r"ticket \(optional\): ", "DD-142")
    sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", "2999-12-31")
    sitting.answer(r"do this\? \[y/N\]: ", "y")
    assert TITLES[0] in sitting.choose("q")
    assert sitting.end() == 1
    again = Sitting(project.folder, "report.json", "--who", who)
    assert "decided before: rejected: risk_count -1" in again.choose("l")
    again.answer("reason: ", "twelve per cent until the contract is renewed")
    again.answer(r"ticket \(optional\): ", "")
    again.answer(r"expires, YYYY-MM-DD \(optional\): ", "2999-06-30")
    again.answer(r"do this\? \[y/N\]: ", "y")
    assert again.end() == 1
    assert again.lines()[-1].startswith("all is decided; 1 rejection keep")


def test_three_faults_are_found_decided_and_gated_again(tmp_path: Path) -> None:
    """Exactly three causes with the right deals; accepted, rejected and expired come out as they should."""
    project = build(tmp_path / "project")
    assert project.capture().code == 0
    red = project.gate(faults=FAULTS)
    assert red.code == 1
    causes = project.causes()
    assert set(causes) == set(TITLES)
    assert [set(causes[title]["deals"]) for title in TITLES] == [CARVEOUTS, EMEA, LOST]
    assert statuses(red, "regressed") == CARVEOUTS | EMEA | LOST

    review(project, "Ana Ruiz")
    taken = project.gate(faults=FAULTS)
    assert taken.code == 1
    both = CARVEOUTS & EMEA
    assert statuses(taken, "accepted") == (CARVEOUTS | EMEA) - LOST, "also what shows both accepted changes"
    assert statuses(taken, "regressed") == LOST

    ledger = project.ledger.read_text(encoding="utf-8")
    project.ledger.write_text(ledger.replace("2999-06-30", "2020-06-30"), encoding="utf-8")
    expired = project.gate(faults=FAULTS)
    assert statuses(expired, "accepted") == EMEA - LOST - both
    assert "(twelve per cent until the contract is renewed) expired on 2020-06-30" in " ".join(expired.text.split())
    assert {title: cause["id"] for title, cause in project.causes().items()} == {
        title: causes[title]["id"] for title in TITLES
    }

    mended = project.gate(faults="emea")
    assert mended.code == 1
    assert statuses(mended, "accepted") == EMEA - both
    assert statuses(mended, "regressed") == both, "they were accepted with both changes on top of each other"
    assert main(["reject", str(project.report), "--deal", "k0", "--who", "Ana"]) == 0
