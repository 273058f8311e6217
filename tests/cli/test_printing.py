"""What the command line prints, in any locale and width, with colours or without."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pytest_dealsnap.cli import main
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.text import for_encoding
from tests.reporting.runs import finding, finished, result


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A saved report with names of many scripts."""
    deal = result("1", "regressed", finding("cost_total", 100, 112, 12.0, allowed="within 5%"), name="Größe 日本")
    path = tmp_path / "gate.json"
    path.write_text(render_json(finished([deal, result("2")])), encoding="utf-8")
    return str(path)


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> bytes:
    """Return the bytes that a command writes to a standard output of *encoding*."""
    binary = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(binary, encoding=encoding))
    assert main(arguments) == 0
    sys.stdout.flush()
    return binary.getvalue()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
def test_reports_are_utf8_whatever_the_locale(report: str, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """What is printed can be read back as the file that it would have been."""
    out = printed(monkeypatch, encoding, "report", report, "--format", "json")
    assert json.loads(out.decode("utf-8"))["deals"][0]["name"] == "Größe 日本"
    assert out == Path(report).read_bytes()


def test_tables_are_drawn_in_ascii_where_lines_cannot_be_shown(report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines and arrows become ASCII; other characters are escaped."""
    lines = printed(monkeypatch, "ascii", "report", report).decode("ascii").splitlines()
    assert "-----------  -------" in lines[1]
    assert any("cost_total 100 -> 112 (+12.00 %)" in line for line in lines)
    assert any("Gr\\xf6\\xdfe" in line for line in lines)
    assert "─────" in printed(monkeypatch, "utf-8", "report", report).decode("utf-8")
    assert for_encoding("1 → 2", None) == "1 → 2"
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", "dealsnap_ascii")


def test_a_narrow_terminal_has_narrow_lines(report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS counts below 80, too."""
    wide = finished([result("1", "regressed", finding("a_metric_with_a_long_name_" * 4, 1, 2, 100.0))])
    Path(report).write_text(render_json(wide), encoding="utf-8")
    for columns, most in (("60", 60), ("20", 57), ("200", 200)):
        monkeypatch.setenv("COLUMNS", columns)
        lines = printed(monkeypatch, "utf-8", "report", report).decode("utf-8").splitlines()
        [title] = [line for line in lines if line.startswith("fails")]
        assert len(title) <= most
        assert ("…" in title) == (columns != "200")


def test_colours_are_for_those_who_want_them(report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None in a file; FORCE_COLOR asks for them, NO_COLOR refuses them."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert b"\x1b[" not in printed(monkeypatch, "utf-8", "report", report)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert b"\x1b[1;31mverdict: DISABLE THE FLAG" in printed(monkeypatch, "utf-8", "report", report)
    Path(report).write_text(render_json(finished([result("1")])), encoding="utf-8")
    assert b"\x1b[1;36mverdict: PROCEED" in printed(monkeypatch, "utf-8", "report", report)
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b[" not in printed(monkeypatch, "utf-8", "report", report)


def test_a_stream_of_text_only_gets_text(report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody replaced the standard output by a text stream, as notebooks do."""
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    assert main(["report", report, "--format", "json"]) == 0
    assert json.loads(text.getvalue())["deals"][0]["name"] == "Größe 日本"
