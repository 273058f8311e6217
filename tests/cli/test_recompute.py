"""New outputs for the baseline: whole batches, put back to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.recompute import Recomputed, put_back, write_all
from pytest_dealsnap.cli.terminal import reviewer
from pytest_dealsnap.errors import ConfigError, DealsnapError
from pytest_dealsnap.model.results import DealResult
from tests.cli.reviewing import Contracts
from tests.cli.saved_reports import GONE, settled


def recomputed(deal_id: str, before: bytes | None, after: bytes) -> Recomputed:
    """Return a deal that was computed anew."""
    return Recomputed(DealResult(deal_id, None, "sale", "sale", "regressed"), before, after)


def test_a_batch_can_be_put_back(tmp_path: Path) -> None:
    """The former bytes, and no file where there was none; not over what somebody wrote since."""
    snapshots = DealSnapshots(tmp_path)
    snapshots.record("1", b"old")
    batch = [recomputed("1", b"old", b"new"), recomputed("2", None, b"first")]
    write_all(snapshots, batch)
    assert (snapshots.recall("1"), snapshots.recall("2")) == (b"new", b"first")
    snapshots.record("2", b"mine")
    with pytest.raises(DealsnapError, match="deal 2 was changed again since: nothing was put back"):
        put_back(snapshots, batch)
    assert snapshots.recall("1") == b"new"
    snapshots.record("2", b"first")
    put_back(snapshots, batch)
    assert (snapshots.recall("1"), snapshots.recall("2")) == (b"old", None)


def edit(contracts: Contracts, deal_id: str, status: str) -> None:
    """Have the report say of a deal that it has that status, with a finding that goes with it."""
    finding = {"regressed": {**GONE, "metric": "fee", "issue": "fee_changed"}, "missing": GONE}
    document = json.loads(contracts.report.read_text(encoding="utf-8"))
    for deal in document["deals"]:
        if deal["id"] == deal_id:
            found = [finding[status]] if status in finding else []
            deal.update(status=status, findings=found, error=None, compared=status != "new")
            deal.update(corrupt="it is gone" if status == "missing" else None)
    contracts.report.write_text(json.dumps(settled(document)), encoding="utf-8")


def test_a_new_deal_is_recorded_and_a_gone_one_is_not(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """A first snapshot is taken like any other; for a deal that is gone there is nothing to take."""
    (contracts.folder / "snapshots" / "deals" / "k1.json").unlink()
    edit(contracts, "k1", "new")
    edit(contracts, "k4", "missing")
    edit(contracts, "k5", "new")
    assert main(["accept", "report.json", "--deal", "k1", "--deal", "k4", "--deal", "k5", "--yes"]) == 1
    said = capsys.readouterr().out
    assert (
        "deal k4: a deal that is gone cannot be accepted; if it was meant to go, drop its snapshot: dealsnap prune"
        in said
    )
    assert "deal k5: it has changed since the report" in said
    assert json.loads(contracts.snapshots()["deals/k1.json"])["deal_id"] == "k1"


def test_a_deal_that_fails_now_is_not_taken(
    contracts: Contracts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one whose snapshot cannot be read."""
    edit(contracts, "k8", "regressed")
    (contracts.folder / "snapshots" / "deals" / "k2.json").write_text("{", encoding="utf-8")
    assert main(["accept", "report.json", "--deal", "k8", "--deal", "k2", "--yes"]) == 1
    said = capsys.readouterr().out
    assert "deal k8: its reasoner fails now: ZeroDivisionError" in said
    assert "is truncated or no JSON" in said
    assert said.rstrip().endswith("nothing to take")


def test_who_decides_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As given, else as git knows, else as logged in; nobody is an error that says what to give."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("USER", "login")
    assert reviewer(None, tmp_path) == "login"
    (tmp_path / "gitconfig").write_text("[user]\nname = Ana Ruiz\n")
    assert reviewer(None, tmp_path) == "Ana Ruiz"
    assert reviewer("Bo", tmp_path) == "Bo"
    (tmp_path / "gitconfig").unlink()
    monkeypatch.delenv("USER")
    monkeypatch.delenv("USERNAME", raising=False)
    with pytest.raises(ConfigError, match="who decides\\? Give --who NAME"):
        reviewer(None, tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError):
        reviewer(None, tmp_path)
