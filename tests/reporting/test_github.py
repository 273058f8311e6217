"""GitHub: workflow commands, one for each cause that fails, and the step's summary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_dealsnap.reporting.github_report import append_step_summary, render_github
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.targets import ReportTarget
from tests.reporting.runs import HOSTILE, finding, finished, hostile_run, large_run, result, small_run

COMMAND = re.compile(r"::(error|notice) title=([^:,\r\n]+)::([^\r\n]+)")


def commands(text: str) -> list[tuple[str, str, str]]:
    """Return what GitHub's runner reads: command, title, message; every line must be one."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        name, title, message = match.groups()
        unescaped = title.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        found.append((name, unescaped, message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")))
    return found


def test_one_annotation_for_each_failing_cause() -> None:
    """Its title is the cause's, its message counts and names the deals and tells the verdict."""
    assert commands(render_github(small_run()))[0] == (
        "error",
        "dealsnap: cost_total +12.0% · acquisition",
        "3 deals: 1, 2, 3\n"
        "dealsnap: ROLL BACK - data corruption: deal 5: it is in the baseline and not in the database",
    )
    assert len(commands(render_github(small_run()))) == 3


def test_ten_annotations_at_most_and_the_last_tells_of_the_rest() -> None:
    """GitHub shows ten: of 30 causes, nine and one for the 21 others."""
    many = [result(f"{n}", "regressed", finding(f"metric {n}", n, n + 1, 5.0)) for n in range(30)]
    found = commands(render_github(finished(many)))
    assert len(found) == 10
    assert found[-1][2] == "21 more causes, of 21 deals; the step's summary has them"
    ten = commands(render_github(finished(many[:10])))
    assert [title for _, title, _ in ten if "metric" not in title] == [], "ten causes fit exactly"


def test_a_run_that_proceeds_is_a_notice_and_one_without_cause_an_error() -> None:
    """The verdict is always there, whatever there is to annotate."""
    assert commands(render_github(finished([result("1")]))) == [
        ("notice", "dealsnap: PROCEED", "none of 1 compared deals is affected")
    ]
    assert commands(render_github(finished([]))) == [("error", "dealsnap: INCONCLUSIVE", "no deal was compared")]
    assert render_github(finished([result("1", "new")], mode="capture")) == ""


def test_nothing_foreign_becomes_a_command() -> None:
    """Line breaks, colons, commas and percent signs of names stay inside title and message."""
    text = render_github(hostile_run())
    assert 1 <= len(commands(text)) <= 10
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    for words in HOSTILE:
        alone = finished([result(words, "regressed", finding(words, 1, 2, 100.0), name=words, deal_type=words)])
        assert len(commands(render_github(alone))) == 1


def test_the_step_summary_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other steps wrote stays; below stands the Markdown report. Without the variable nothing is written."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ReportTarget.parse("github:commands", tmp_path).write(small_run())
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## dealsnap: ROLL BACK\n")
    assert commands((tmp_path / "commands").read_text(encoding="utf-8"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    append_step_summary(small_run())
    assert summary.read_text(encoding="utf-8") == text


def test_a_summary_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and its value."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(ReportError, match=r"GITHUB_STEP_SUMMARY=.* cannot be written"):
        append_step_summary(small_run())


def test_the_summary_of_ten_thousand_deals_fits() -> None:
    """GitHub refuses a summary over 1 MiB; the messages of annotations are short as well."""
    assert all(len(message) < 1000 for _, _, message in commands(render_github(large_run())))


def test_only_deals_that_break_a_rule_are_named() -> None:
    """Those within tolerance are counted."""
    results = [
        result(str(n), "regressed" if n < 4 else "changed", finding("cost_total", 100, 106, 6.0, gates=n < 4))
        for n in range(1, 31)
    ]
    told = render_github(finished(results))
    assert "::3 of 30 deals break a rule; 27 are within tolerance%0Abroken in 1, 2, 3%0A" in told
