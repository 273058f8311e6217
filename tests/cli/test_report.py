"""`dealsnap report`: a saved report in another format, or as the terminal's summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_dealsnap.cli import main
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.rehearsal_text import rehearsal_lines
from pytest_dealsnap.reporting.writers import formats, writer_of
from tests.cli.console import dealsnap
from tests.reporting.rehearsals import REHEARSAL
from tests.reporting.runs import hostile_run, small_run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the saved report of a small run, which is the current one."""
    (tmp_path / "saved.json").write_text(render_json(small_run()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", formats())
def test_every_format_into_a_file_or_printed(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """With --output into a file, without it to the standard output; exit 0, whatever the verdict."""
    assert main(["report", "saved.json", "--format", name, "--output", f"deep/out.{name}"]) == 0
    rendered = writer_of(name).render(read_json(Path("saved.json")))
    assert (here / f"deep/out.{name}").read_text(encoding="utf-8") == rendered
    assert capsys.readouterr().out == ""
    assert main(["report", "saved.json", "--format", name]) == 0
    assert capsys.readouterr().out == rendered


@pytest.mark.parametrize("name", formats())
def test_a_rehearsal_in_every_format(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """As the rehearsal itself would have written it; without a format, its closing summary."""
    (here / "rehearsal.json").write_text(writer_of("json").render_rehearsal(REHEARSAL), encoding="utf-8")
    assert main(["report", "rehearsal.json", "--format", name]) == 0
    assert capsys.readouterr().out == writer_of(name).render_rehearsal(REHEARSAL)
    assert main(["report", "rehearsal.json"]) == 0
    assert capsys.readouterr().out.splitlines() == rehearsal_lines(REHEARSAL, width=200)


def test_a_damaged_report_of_a_rehearsal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One clear error, and no other command takes it for a gate's."""
    whole = json.loads(writer_of("json").render_rehearsal(REHEARSAL))
    for part, damage in (("verdict", {"action": "maybe", "reason": ""}), ("phases", [{}]), ("locks", None)):
        (here / "rehearsal.json").write_text(json.dumps(whole | {part: damage}), encoding="utf-8")
        assert main(["report", "rehearsal.json"]) == 2
        assert "rehearsal.json is no complete report: " in capsys.readouterr().err
    (here / "rehearsal.json").write_text(json.dumps(whole), encoding="utf-8")
    assert main(["merge", "rehearsal.json", "rehearsal.json"]) == 2
    assert "is the report of a rehearsal; what is asked for here is that of a pytest run" in capsys.readouterr().err


def test_several_at_once(here: Path) -> None:
    """`--report FORMAT:PATH` as everywhere, repeatable."""
    assert main(["report", "saved.json", "--report", "html:a.html", "--report", "markdown:a.md"]) == 0
    assert (here / "a.html").is_file()
    assert (here / "a.md").is_file()


def test_without_a_format_the_summary_is_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What closed the run in the terminal."""
    assert main(["report", "saved.json"]) == 0
    shown = capsys.readouterr().out
    assert "fails         3  cost_total +12.0% · acquisition" in shown
    assert "verdict: ROLL BACK - data corruption: deal 5" in shown


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--schema` needs no report."""
    assert main(["report", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pytest-dealsnap report"
    assert main(["report", "--schema", "manifest"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pytest-dealsnap manifest"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which report? dealsnap report REPORT.json --format html --output report.html"),
        (
            ("saved.json", "--output", "x.html"),
            "--output x.html: in which --format? Valid: github, html, json",
        ),
        (("saved.json", "--schema"), "--schema goes alone"),
        (("nowhere.json",), "no such report: nowhere.json"),
        (("saved.json", "--report", "htm:x"), '--report htm:x: unknown format. Did you mean "html"?'),
        (("saved.json", "--format", "htm"), '--format htm: unknown format. Did you mean "html"?'),
        (("bad.json", "--format", "html"), "bad.json is no JSON report"),
        (("old.json",), "old.json has format 99; this version of pytest-dealsnap knows format 1"),
        (("short.json",), "short.json is no complete report: Object missing required field"),
        (
            ("odd.json",),
            "odd.json is no complete report: Expected `str`, got `int` - at `$.deals[0]",
        ),
    ],
)
def test_what_cannot_be_rendered_says_why(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """Exit 2, one line: what, where, what is valid."""
    (here / "bad.json").write_text("{")
    (here / "old.json").write_text('{"format": 99}')
    (here / "short.json").write_text('{"format": 1}')
    odd = json.loads((here / "saved.json").read_text(encoding="utf-8"))
    odd["deals"][0]["details"]["metrics"][0]["rule"] = 7
    (here / "odd.json").write_text(json.dumps(odd))
    assert main(["report", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_a_terminal_of_any_encoding_shows_it(tmp_path: Path) -> None:
    """Hostile words printed to an ASCII terminal: escapes, no end of the command."""
    (tmp_path / "saved.json").write_text(render_json(hostile_run()), encoding="utf-8")
    for name in ("markdown", "github", "html"):
        answer = dealsnap(tmp_path, "report", "saved.json", "--format", name, PYTHONIOENCODING="ascii")
        assert answer.code == 0, answer.err
        assert "\x1b" not in answer.out


@pytest.mark.parametrize(
    ("weight", "action", "words"),
    [
        ("fails", "proceed", "the verdict says proceed beside a finding of the weight fails"),
        ("unfinished", "proceed", "the verdict says proceed beside a finding of the weight unfinished"),
        ("corrupts", "fix_forward", "the verdict says fix_forward beside data corruption"),
        ("note", "proceed", "the verdict says proceed, and its gate "),
    ],
)
def test_a_rehearsal_whose_verdict_contradicts_its_findings_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], weight: str, action: str, words: str
) -> None:
    """A verdict that its findings, or its gate, cannot have come to is no verdict."""
    document = json.loads(writer_of("json").render_rehearsal(REHEARSAL))
    for problem in document["findings"]:
        problem["weight"] = weight
    document["verdict"]["action"] = action
    document["gate"] = None
    (here / "rehearsal.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["report", "rehearsal.json"]) == 2
    assert f"rehearsal.json contradicts itself: {words}" in capsys.readouterr().err
