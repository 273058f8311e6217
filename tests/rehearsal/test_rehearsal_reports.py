"""A rehearsal in every format: whole, escaped, and readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import share_of
from pytest_dealsnap.reporting.rehearsal_text import rehearsal_lines
from pytest_dealsnap.reporting.rehearsal_wording import share_words
from pytest_dealsnap.reporting.targets import ReportTarget, write_each
from pytest_dealsnap.reporting.writers import formats, writer_of
from tests.reporting.rehearsals import REHEARSAL


@pytest.mark.parametrize("name", formats())
def test_nothing_hostile_gets_through(name: str) -> None:
    """No tag, no workflow command of somebody else's, no control character; and the finding is there."""
    text = writer_of(name).render_rehearsal(REHEARSAL)
    assert "\x1b" not in text
    assert "<script>alert" not in text or name in ("json", "github", "openmetrics")  # no markup
    assert not any(line.startswith("::error::x") for line in text.splitlines())
    assert "rows_lost" in text or "lost: 7" in text or "corrupts" in text


def test_the_terminal_shows_the_heaviest_first() -> None:
    """Timeline, findings with evidence and advice, what the verdict rests on, what to do next."""
    lines = rehearsal_lines(REHEARSAL)
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert text.index("CORRUPTION: ") < text.index("note: 3 requests failed")
    assert "    → find the DELETE" in lines
    assert (
        "affected: 3 of 50 compared deals (6.0 %), a sample: of all deals 2.1 % to 16.2 %, each with 95 % confidence"
        in lines
    )
    assert "put down to: 0 to the data, 0 to the code, 1 to both (of 1 changed deal, 1 of them regressed)" in lines
    assert any(line.startswith("exposure: price moved by up to 1,250,000.5 (deal 7") for line in lines)
    assert "locks: AccessExclusiveLock on deals for 0.25 s; RowExclusiveLock on notes for 0.10 s" in lines
    assert lines[-3:] == ["next:", "  restore from the backup", "  dealsnap rehearse"]


def test_openmetrics_can_be_read() -> None:
    """By the reference parser; the verdict is a state, the phases have their seconds."""
    text = writer_of("openmetrics").render_rehearsal(REHEARSAL)
    parsed = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # the reference parser has no types
    families = {family.name: family for family in parsed}
    verdicts = {sample.labels["verdict"]: sample.value for sample in families["dealsnap_rehearsal_verdict"].samples}
    assert verdicts["roll_back"] == 1
    assert sum(verdicts.values()) == 1
    assert {s.labels["weight"]: s.value for s in families["dealsnap_rehearsal_findings"].samples}["corrupts"] == 1


def test_json_is_strict_and_whole() -> None:
    """Every fact is in it, by name."""
    document = json.loads(writer_of("json").render_rehearsal(REHEARSAL))
    assert document["run"]["mode"] == "rehearsal"
    assert [finding["code"] for finding in document["findings"]] == ["rows_lost", "requests_failed"]
    assert document["attribution"]["both"] == 1
    assert document["affected"]["high"] == pytest.approx(16.2, abs=0.001)


def test_markdown_fits_a_comment_however_much_was_found() -> None:
    """GitHub takes 65,536 characters."""
    many = replace(REHEARSAL, problems=REHEARSAL.problems * 400, phases=REHEARSAL.phases * 8)
    assert len(writer_of("markdown").render_rehearsal(many)) < 60_000
    assert writer_of("github").render_rehearsal(many).count("\n") == 10


def test_a_report_goes_to_its_file_and_to_the_steps_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the gate's do."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    target = ReportTarget.parse("github:out.txt", tmp_path)
    assert target.write(REHEARSAL) is None
    assert (tmp_path / "out.txt").read_text().startswith("::error title=dealsnap rehearsal%3A ROLL BACK::")
    assert (tmp_path / "summary.md").read_text().startswith("## dealsnap rehearsal: ROLL BACK")


def test_a_report_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    """The first goes to a full device; the second is there, and the third is printed."""
    targets = [ReportTarget.parse(text, tmp_path) for text in ("json:/dev/full", "markdown:there.md", "github:-")]
    printed, unwritten = write_each(REHEARSAL, targets)
    assert list(unwritten) == targets[:1]
    assert "No space left" in unwritten[targets[0]]
    assert (tmp_path / "there.md").read_text().startswith("## dealsnap rehearsal: ROLL BACK")
    assert "".join(printed).startswith("::error title=dealsnap rehearsal")


def test_only_a_sample_has_bounds() -> None:
    """A share has the bounds that it is given, a whole run none, and nothing compared no share."""
    share = share_of(3, 30, bounds=(1.234, 25.678))
    assert (share.percent, share.low, share.high) == (10.0, 1.234, 25.678)
    assert share_of(3, 30, bounds=None).low is None
    assert share_words(share_of(3, 30, bounds=(1.0, 25.0), confidence=99.0)).endswith(
        "25.0 %, each with 99 % confidence"
    )
    assert share_of(0, 0, bounds=(0.0, 100.0)).percent == 0
