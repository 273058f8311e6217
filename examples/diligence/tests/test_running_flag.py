"""The flag of a running system: switched by its file, with nothing restarted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.diligence import database, flags, metrics

from .conftest import Reports
from .serving import ROOT, Visitor, served

DEALS = "/api/v1/deals"


def report(visitor: Visitor, deal_id: int) -> bytes:
    """A deal's report over HTTP, as bytes, without the time it was written."""
    answer = visitor.ask(f"{DEALS}/{deal_id}/report").json
    del answer["generated_at"]
    return json.dumps(answer).encode()


def active_deals(visitor: Visitor) -> list[int]:
    """The ids of all deals that the system shows."""
    pages = range(1, 5)
    return [deal["id"] for page in pages for deal in visitor.ask(f"{DEALS}?per_page=100&page={page}").json["deals"]]


def switch(word: str, file: Path) -> str:
    """Switch the flag as an operator does."""
    program = [sys.executable, "-m", "examples.diligence", "flag", word]
    environment = os.environ | {flags.DEAL_TYPE_AWARENESS_FILE: str(file)}
    return subprocess.run(program, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def test_a_running_system_is_switched_off_and_on(
    after_url: str, old_release_reports: Reports, reports: Reports, tmp_path: Path
) -> None:
    """Off, every deal of every type equals the old release byte for byte; on again, it follows its type."""
    with served(after_url, tmp_path) as visitor:
        deals = active_deals(visitor)
        assert len(deals) == 321
        for word, expected, sample in (("off", old_release_reports, deals), ("on", reports, deals[:60])):
            assert f"awareness is {word}" in switch(word, tmp_path / "flag")
            for deal_id in sample:
                assert report(visitor, deal_id) == json.dumps(expected[deal_id]).encode()


def test_the_page_says_that_types_are_off(after_url: str, tmp_path: Path) -> None:
    """Switched off by the environment as well, a carve-out shows what the old release showed, and why."""
    with served(after_url, tmp_path, DEAL_TYPE_AWARENESS="false") as visitor:
        page = visitor.ask("/deals/328").text
        assert "Deal types are switched off." in page
        assert "Consolidation synergies" in page
        assert "TSA" not in page
        switch("on", tmp_path / "flag")
        assert "TSA" in visitor.ask("/deals/328").text


def test_a_mistyped_flag_stops_the_start(after_url: str) -> None:
    """The system does not start on a flag that means neither."""
    program = [sys.executable, "-m", "examples.diligence", "serve", "--port", "0"]
    environment = os.environ | {database.VARIABLE: after_url, flags.DEAL_TYPE_AWARENESS: "flase"}
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "DEAL_TYPE_AWARENESS='flase'; valid are true" in run.stderr


def test_the_file_outranks_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or empty file leaves the flag to the environment; a mistyped one is refused by its name."""
    file = tmp_path / "flag"
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS_FILE, str(file))
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS, "false")
    assert not flags.deal_type_awareness()
    assert flags.switch(True) == file
    assert flags.deal_type_awareness()
    file.write_text("\n")
    assert not flags.deal_type_awareness()
    file.write_text("maybe")
    with pytest.raises(flags.FlagError, match="DEAL_TYPE_AWARENESS_FILE='maybe'"):
        flags.deal_type_awareness()


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither a yes nor a no, and the metrics show it as the unreadable flag it is."""
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS_FILE, str(tmp_path))
    with pytest.raises(flags.FlagError, match=r"DEAL_TYPE_AWARENESS_FILE='.*' cannot be read: Is a directory"):
        flags.deal_type_awareness()
    assert "diligence_deal_type_awareness -1" in metrics.exposition()


def test_without_a_file_there_is_nothing_to_switch() -> None:
    """The error names the variable to set."""
    with pytest.raises(flags.FlagError, match="set DEAL_TYPE_AWARENESS_FILE"):
        flags.switch(False)
