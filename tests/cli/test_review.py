"""``dealsnap review``: by cause, then by deal, at a real terminal; and what it says where there is none."""

from __future__ import annotations

import json

import pytest

from pytest_dealsnap.cli import main
from tests.cli.pty_session import Sitting
from tests.cli.reviewing import Contracts
from tests.cli.test_accept import BOTH, CARVE, CRASH, EMEA, LOST, cause, dealsnap


def kept(contracts: Contracts) -> dict[str, str]:
    """Return the decisions that are kept beside the report, by what they are on."""
    document = json.loads((contracts.folder / "report.decisions.json").read_text(encoding="utf-8"))
    return {one.get("cause") or one["deal"]: one["decision"] for one in document["decisions"]}


def test_without_a_terminal_the_usable_commands_are_listed(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each cause with the commands that work for it, and every one of them does."""
    code, said = dealsnap(capsys, "review", "report.json")
    assert code == 1
    assert said.startswith("Not an interactive terminal. Run one of:")
    commands = [line.strip().split() for line in said.splitlines() if line.startswith("  dealsnap")]
    assert len(commands) == 3 + 3 + 3 + 3 + 1
    assert "  the traceback of deal k20:\n    File " in said
    for words in commands:
        if words[1] == "reject":
            assert main(words[1:]) == 0
    assert dealsnap(capsys, "review", "report.json")[1].rstrip().endswith("nothing left to decide")


def test_a_sitting(contracts: Contracts) -> None:
    """See, accept into ledger and baseline, reject, skip, undo, quit, and go on from there."""
    before = contracts.snapshots()
    sitting = Sitting(contracts.folder, "report.json", "--who", "Ana Ruiz")
    first = sitting.choose("?")
    assert "5 items to decide" in first
    assert f"{EMEA} · acquisition, divestiture: 15 deals, 15 fail   (5 left)" in first
    assert "accept into the ledger: an exception" in sitting.choose("s")
    assert "! fee" in sitting.choose("l")
    sitting.answer("reason: ", "agreed")
    sitting.answer(r"ticket \(optional\): ", "DD-7")
    sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", "2999-12-31")
    shown = sitting.answer(r"do this\? \[y/N\]: ", "y")
    assert 'ticket = "DD-7"' in shown
    assert f"accepted into the ledger: {EMEA}" in sitting.settled()
    assert b"DD-7" in contracts.ledger.read_bytes()
    sitting.choose("u")
    assert "undone" in sitting.settled()
    assert not contracts.ledger.exists()
    sitting.choose("r")
    sitting.answer(r"note \(optional\): ", "a bug")
    assert f"rejected: {EMEA} · acquisition, divestiture by Ana Ruiz: a bug" in sitting.choose("b")
    shown = sitting.answer(r"do this\? \[y/N\]: ", "y")
    assert "into the baseline snapshots/, the new output of" in shown
    sitting.settled()
    taken = {name for name, data in contracts.snapshots().items() if before[name] != data}
    assert "deals/k2.json" in taken
    sitting.choose("u")
    assert "undone" in sitting.settled()
    assert contracts.snapshots() == before
    sitting.choose("k")
    assert sitting.choose("q").count(CARVE) >= 1
    assert sitting.end() == 1
    assert sitting.lines()[-1] == "4 items left to decide: dealsnap review report.json"
    assert kept(contracts) == {cause(contracts, EMEA): "reject"}


def test_going_on_after_quitting(contracts: Contracts) -> None:
    """What was decided stays decided; the deals of a cause can be gone through."""
    assert main(["reject", "report.json", "--cause", cause(contracts, LOST), "--cause", cause(contracts, CRASH)]) == 0
    carve, emea = cause(contracts, CARVE), cause(contracts, EMEA)
    ledger = ["--into", "ledger", "--reason", "meant", "--yes"]
    assert main(["accept", "report.json", "--cause", carve, *ledger]) == 0
    sitting = Sitting(contracts.folder, "report.json")
    first = sitting.choose("l")
    assert "2 items to decide" in first
    assert f"decided before: rejected: {LOST}" in first
    sitting.answer("reason: ", "")
    assert "an exception needs a reason: nothing was done" in sitting.choose("l")
    sitting.answer("reason: ", "a fee")
    sitting.answer(r"ticket \(optional\): ", "")
    sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", "soon")
    again = sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", "2020-01-01")
    assert "expires 'soon': must be a day such as 2027-01-31" in again
    assert "that day is over" in sitting.answer(r"expires, YYYY-MM-DD \(optional\): ", "")
    sitting.answer(r"do this\? \[y/N\]: ", "y")
    assert BOTH in sitting.choose("d")
    assert "deal k18 " in sitting.choose("d")
    assert "this is a deal; s shows it in full" in sitting.choose("s")
    assert "! fee" in sitting.choose("b")
    sitting.answer(r"do this\? \[y/N\]: ", "n")
    assert "nothing was taken" in sitting.choose("b")
    sitting.answer(r"do this\? \[y/N\]: ", "y")
    sitting.choose("q")
    assert sitting.end() == 1
    assert sitting.lines()[-1].startswith("1 item left to decide")
    assert kept(contracts)["k18"] == "accept"
    assert kept(contracts)[emea] == "accept"


def test_a_disk_that_is_full_amid_a_sitting_takes_no_decision(contracts: Contracts) -> None:
    """What cannot be written is one sentence, and the item is asked again; undo is refused likewise."""
    sitting = Sitting(contracts.folder, "report.json", "--who", "Ana", PYTHONDONTWRITEBYTECODE="1")
    sitting.choose("r")
    sitting.answer(r"note \(optional\): ", "a bug")
    sitting.settled()
    before, decided = contracts.snapshots(), kept(contracts)
    sitting.room(left=False)
    sitting.choose("b")
    sitting.answer(r"do this\? \[y/N\]: ", "y")
    assert "cannot be written: File too large; nothing was changed" in sitting.settled()
    sitting.choose("u")
    assert "cannot be written: File too large; nothing was changed" in sitting.settled()
    assert (contracts.snapshots(), kept(contracts)) == (before, decided)
    sitting.room(left=True)
    sitting.choose("b")
    sitting.answer(r"do this\? \[y/N\]: ", "y")
    sitting.settled()
    assert contracts.snapshots() != before
    assert len(kept(contracts)) == 2
    sitting.choose("q")
    assert sitting.end() == 1
    assert "Traceback" not in sitting.said


def test_deals_of_a_cause_one_by_one(contracts: Contracts) -> None:
    """A cause can be gone through by its deals; when all are decided, it is, too. Ctrl-D quits."""
    crash = cause(contracts, CRASH)
    for title in (LOST, CARVE, EMEA, BOTH):
        assert main(["reject", "report.json", "--cause", cause(contracts, title)]) == 0
    sitting = Sitting(contracts.folder, "report.json")
    assert "reasoning failed" in sitting.choose("u")
    assert "nothing was decided in this sitting" in sitting.choose("d")
    for deal in ("k20", "k44", "k8"):
        assert f"deal {deal} " in sitting.choose("r")
        sitting.answer(r"note \(optional\): ", "")
    assert sitting.end() == 1
    assert sitting.lines()[-1] == "all is decided; 7 rejections keep the gate red until the change is fixed"
    assert crash not in kept(contracts)
    (contracts.folder / "report.decisions.json").unlink()
    assert Sitting(contracts.folder, "report.json").interrupt() == 1


def test_ctrl_c_quits(contracts: Contracts) -> None:
    """Also in the middle of a question; what was decided before is kept, and nothing else is done."""
    before = contracts.snapshots()
    sitting = Sitting(contracts.folder, "report.json", "--who", "Bo")
    sitting.choose("r")
    sitting.answer(r"note \(optional\): ", "a bug")
    sitting.choose("l")
    assert sitting.stop("reason: ") == 1
    assert sitting.lines()[-1] == "4 items left to decide: dealsnap review report.json"
    assert kept(contracts) == {cause(contracts, EMEA): "reject"}
    assert contracts.snapshots() == before


def test_of_a_cause_the_worst_deals_are_shown_first(contracts: Contracts) -> None:
    """Those that it fails, and of these those that it moved most: a fee weighs most where the price is lowest."""
    for title in (LOST, CARVE):
        assert main(["reject", "report.json", "--cause", cause(contracts, title)]) == 0
    sitting = Sitting(contracts.folder, "report.json")
    shown = [line.split()[1] for line in sitting.choose("s").splitlines() if line.startswith("  deal k")]
    assert shown == ["k0", "k3", "k9", "k12", "k15"]
    full = [line.split()[1] for line in sitting.choose("q").splitlines() if line.startswith("deal k")]
    assert full[:5] == shown
    assert sitting.end() == 1


def test_a_report_that_was_made_anew_starts_anew(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Decisions on an earlier report are not those on this one, but what was rejected is told."""
    assert main(["reject", "report.json", "--cause", cause(contracts, EMEA), "--note", "a bug"]) == 0
    text = contracts.report.read_text(encoding="utf-8")
    started = json.loads(text)["run"]["started_at"]
    contracts.report.write_text(text.replace(started, "2020-01-01T00:00:00+00:00"), encoding="utf-8")
    capsys.readouterr()
    assert "rejected" not in dealsnap(capsys, "review", "report.json")[1].split("Not an interactive terminal")[0]
    sitting = Sitting(contracts.folder, "report.json", "--who", "Bo")
    assert "rejected at an earlier report by Ana Ruiz: a bug" in sitting.choose("q")
    assert sitting.end() == 1


def test_a_green_report_has_nothing_to_decide(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """At a terminal and without one; both end well."""
    contracts.gate()
    assert dealsnap(capsys, "review", "report.json") == (0, "nothing left to decide\n")
    sitting = Sitting(contracts.folder, "report.json")
    assert sitting.end() == 0
    assert sitting.lines() == ["nothing to decide", "all is decided: gate again, and commit snapshots/"]


def test_a_spoilt_file_of_decisions_is_one_clear_error(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Review does not guess what was decided."""
    (contracts.folder / "report.decisions.json").write_text("{", encoding="utf-8")
    code, said = dealsnap(capsys, "review", "report.json")
    assert (code, "report.decisions.json is no file of decisions" in said) == (2, True)
