"""Each fault does what it says, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from examples.diligence import database, faults
from examples.diligence.analysis_runner import run_reasoning_phase
from examples.diligence.faults import Fault

from .conftest import Reports, reason_about_all, stored_types


def test_there_is_no_fault_by_default() -> None:
    """Unset means sound."""
    assert faults.active() == frozenset()


def test_faults_can_be_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma joins names; blanks around them do not matter."""
    monkeypatch.setenv(faults.VARIABLE, "rounding, lost_synergy,")
    assert faults.active() == {Fault.ROUNDING, Fault.LOST_SYNERGY}


def test_an_unknown_fault_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the valid names."""
    monkeypatch.setenv(faults.VARIABLE, "roundign")
    with pytest.raises(faults.UnknownFaultError, match="'roundign'; valid are rounding, tsa_on_acquisitions"):
        faults.active()


def test_rounding_moves_few_small_deals_far(reports: Reports, after_url: str) -> None:
    """No deal gets cheaper; a few small ones move by more than 5 %, most by less."""
    broken = reason_about_all(after_url, fault="rounding")
    moves = {deal_id: _total(broken[deal_id]) / _total(reports[deal_id]) - 1 for deal_id in reports}
    assert min(moves.values()) >= 0
    far = sum(move > 0.05 for move in moves.values())
    assert 3 <= far <= len(moves) / 10


def test_tsa_on_acquisitions_charges_each_of_them(reports: Reports, after_url: str) -> None:
    """Every acquisition pays at least a year of the least TSA; other types are as they were."""
    broken = reason_about_all(after_url, fault="tsa_on_acquisitions")
    for deal_id, stored in stored_types(after_url).items():
        if stored == "acquisition":
            assert _total(broken[deal_id]) >= _total(reports[deal_id]) + 600_000
        else:
            assert broken[deal_id] == reports[deal_id]


def test_the_flag_cures_tsa_on_acquisitions(rolled_back_reports: Reports, after_url: str) -> None:
    """It is a fault of the new behaviour, so turning that off brings the old figures back."""
    assert reason_about_all(after_url, flag="false", fault="tsa_on_acquisitions") == rolled_back_reports


def test_lost_synergy_loses_the_last(reports: Reports, after_url: str) -> None:
    """A deal with more than two synergies has one fewer; the rest keep theirs."""
    broken = reason_about_all(after_url, fault="lost_synergy")
    for deal_id, report in reports.items():
        synergies = cast(list[object], report["synergies"])
        assert broken[deal_id]["synergies"] == (synergies[:-1] if len(synergies) > 2 else synergies)


def test_crash_on_empty_raises_for_empty_inventories_only(after_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four deals fail, with an exception; all others are reasoned about."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    monkeypatch.setenv(faults.VARIABLE, "crash_on_empty")
    failed = 0
    for deal_id in stored_types(after_url):
        try:
            run_reasoning_phase(deal_id)
        except ZeroDivisionError:
            failed += 1
    assert failed == 4


def test_dropped_deal_loses_one_acquisition(after_url: str, tmp_path: Path) -> None:
    """The migration comes out one acquisition short, and leaves nothing of it behind."""
    url = f"sqlite:///{tmp_path / 'deals.db'}"
    database.build(url, "after", fault="dropped_deal")
    sound, broken = stored_types(after_url), stored_types(url)
    (lost,) = sound.keys() - broken.keys()
    assert sound[lost] == "acquisition"
    assert broken.items() <= sound.items()
    assert reason_about_all(url).keys() == broken.keys()


def test_dropped_deal_strikes_the_alembic_command_too(before_url: str, tmp_path: Path) -> None:
    """Whoever migrates with the fault in the environment loses the deal."""
    copy = tmp_path / "deals.db"
    shutil.copy(before_url.removeprefix("sqlite:///"), copy)
    environment = {database.VARIABLE: f"sqlite:///{copy}", faults.VARIABLE: "dropped_deal"}
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "alembic.ini", "upgrade", "head"],
        cwd=database.PACKAGE,
        env=os.environ | environment,
        check=True,
    )
    assert len(stored_types(f"sqlite:///{copy}")) == len(stored_types(before_url)) - 1


def _total(report: dict[str, object]) -> int:
    return cast(int, cast(dict[str, Any], report["cost_estimate"])["total_cost"])
