"""The story of a review at the terminal: three faults at once, one taken, one refused, one that ran out."""

from __future__ import annotations

from pathlib import Path

from pytest_dealsnap.cli import main
from tests.cli.pty_session import Sitting
from tests.cli.reviewing import Contracts, build
from tests.plugin.project import Outcome

FAULTS = "carve,emea,lost"
TITLES = ("fee +12.0%", "fee +50,000", "risk_count -1")
BOTH = "fee +12.0% and +50,000"


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
    """Accept one cause and quit; then come back, accept two and reject the last, which leaves nothing over."""
    sitting = Sitting(project.folder, "report.json", "--who", who)
    assert TITLES[1] in sitting.choose("l")
    into_the_ledger(sitting, "the regional fee of 2027", "DD-142", "2999-12-31")
    assert TITLES[0] in sitting.choose("q")
    assert sitting.end() == 1
    again = Sitting(project.folder, "report.json", "--who", who)
    assert TITLES[0] in again.choose("l")
    into_the_ledger(again, "twelve per cent until the contract is renewed", "", "2999-06-30")
    assert BOTH in again.choose("l")
    into_the_ledger(again, "both of them", "", "2999-12-31")
    assert TITLES[2] in again.choose("r")
    again.answer(r"note \(optional\): ", "a risk must not vanish")
    assert again.end() == 1
    assert again.lines()[-1].startswith("all is decided; 1 rejection keep")


def into_the_ledger(sitting: Sitting, reason: str, ticket: str, expires: str) -> None:
    """Answer what an entry of the ledger is asked."""
    sitting.answer("reason: ", reason)
    sitting.answer(r"ticket \(optional\): ", ticket)
    sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", expires)
    sitting.answer(r"do this\? \[y/N\]: ", "y")


def test_three_faults_are_found_decided_and_gated_again(tmp_path: Path) -> None:
    """Three faults, and deals that show two of them, are causes; accepted, rejected and expired come out right."""
    project = build(tmp_path / "project")
    assert project.capture().code == 0
    red = project.gate(faults=FAULTS)
    assert red.code == 1
    causes = project.causes()
    assert set(causes) == {*TITLES, BOTH}
    assert [set(causes[title]["deals"]) for title in TITLES] == [CARVEOUTS - EMEA, EMEA - CARVEOUTS, LOST]
    assert set(causes[BOTH]["deals"]) == CARVEOUTS & EMEA
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
    assert statuses(expired, "accepted") == EMEA - LOST
    assert "(twelve per cent until the contract is renewed) expired on 2020-06-30" in " ".join(expired.text.split())
    assert {title: cause["id"] for title, cause in project.causes().items()} == {
        title: causes[title]["id"] for title in (*TITLES, BOTH)
    }

    mended = project.gate(faults="emea")
    assert mended.code == 1
    assert statuses(mended, "accepted") == EMEA - both
    assert statuses(mended, "regressed") == both, "they were accepted with both changes on top of each other"
    assert main(["reject", str(project.report), "--deal", "k0", "--who", "Ana"]) == 0
