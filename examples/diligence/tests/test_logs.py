"""The log of the running system, read with the plan's own command and as JSON."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path

import pytest

from examples.diligence import logs

from .serving import served

QUERY = r"cat app.log | grep 'Cost calculation' | grep -oP 'deal_type=\w+' | sort | uniq -c"


@pytest.fixture(scope="module")
def folder(after_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a system logged that was asked for three reports and refused a deal."""
    folder = tmp_path_factory.mktemp("logs")
    with served(after_url, folder) as visitor:
        for deal_id in (328, 329, 327):
            assert visitor.ask(f"/deals/{deal_id}").status == 200
        fields = {"name": "x\nCost calculation: deal_type=forged", "target_name": "y", "deal_type": "merger"}
        assert visitor.ask("/api/v1/deals", "POST", json_body=fields).status == 422
    return folder


def test_the_plans_command_counts_deal_types(folder: Path) -> None:
    """The command of the plan finds one line a calculation, and nothing that a deal's name put there."""
    run = subprocess.run(["bash", "-c", QUERY], cwd=folder, check=True, capture_output=True, text=True)
    assert [line.split() for line in run.stdout.splitlines()] == [
        ["2", "deal_type=acquisition"],
        ["1", "deal_type=carveout"],
    ]


def test_the_log_is_json_lines_too(folder: Path) -> None:
    """Every line is an object with time, level and message, and its facts under their own names."""
    lines = [json.loads(line) for line in (folder / "app.jsonl").read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    asked = [line for line in lines if line["message"].startswith("Cost calculation: ")]
    assert [line["deal_type"] for line in asked] == ["carveout", "acquisition", "acquisition"]
    assert all(isinstance(line["work_item_count"], int) for line in asked)
    results = [line for line in lines if line["message"].startswith("Cost result: ")]
    assert all(line["total"] > 0 and line["multiplier_applied"] >= 1 for line in results)
    (refused,) = [line for line in lines if "outcome" in line]
    assert refused["message"] == ("Deal not created: outcome=invalid_deal_type, client=127.0.0.1, path=/api/v1/deals")
    assert (refused["client"], refused["path"]) == ("127.0.0.1", "/api/v1/deals")


def test_a_line_break_starts_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a message carries, it stays one line in either log; configuring twice writes it once."""
    monkeypatch.setenv(logs.LOG_FILE, str(tmp_path / "app.log"))
    monkeypatch.setenv(logs.JSON_LOG_FILE, str(tmp_path / "app.jsonl"))
    logs.configure()
    logs.configure()
    logging.getLogger("examples.diligence.web").warning("one\r\ntwo")
    monkeypatch.undo()
    logs.configure()
    (plain,) = (tmp_path / "app.log").read_text().splitlines()
    (line,) = (tmp_path / "app.jsonl").read_text().splitlines()
    assert plain.endswith("WARNING one\\r\\ntwo")
    assert json.loads(line)["message"] == "one\r\ntwo"
