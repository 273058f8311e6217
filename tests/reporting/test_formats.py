"""All formats: one result, the same from the run and from its saved JSON, small for any number of deals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_dealsnap.causes.features import FeatureCounter
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.reporting.highlights import weighed_causes
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.summary_text import summary_lines
from pytest_dealsnap.reporting.targets import ReportTarget
from pytest_dealsnap.reporting.writers import Announcing, formats, writer_of
from pytest_dealsnap.text import some_ids
from tests.reporting.runs import finding, finished, hostile_run, large_run, result, saved, small_run

GOLDEN = Path(__file__).parent / "golden"
RUNS: dict[str, Callable[[], FinishedRun]] = {
    "small": small_run,
    "hostile": hostile_run,
    "large": lambda: large_run(500),
    "empty": lambda: finished([]),
    "capture": lambda: finished([result("1", "new"), result("2", "matched")], mode="capture"),
    "no manifest": lambda: finished([result("1")], baseline=None, git_commit=None),
}


def terminal(run: FinishedRun) -> str:
    """Return what the terminal shows of *run*."""
    return "\n".join(summary_lines(run)) + "\n"


def test_the_formats_of_the_design_are_there() -> None:
    """json, html, markdown, github and openmetrics, and nothing that nobody was told of."""
    assert formats() == ("github", "html", "json", "markdown", "openmetrics")


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("format_name", formats())
def test_a_saved_report_renders_byte_for_byte_the_same(name: str, format_name: str, tmp_path: Path) -> None:
    """Whatever was in the run: rendering from the saved JSON gives what the run itself would have written."""
    run = RUNS[name]()
    write = writer_of(format_name).render
    assert write(saved(run, tmp_path)) == write(run)


@pytest.mark.parametrize("name", RUNS)
def test_the_terminals_summary_is_the_same_from_a_saved_report(name: str, tmp_path: Path) -> None:
    """`dealsnap report` shows the summary that closed the run."""
    run = RUNS[name]()
    assert terminal(saved(run, tmp_path)) == terminal(run)


@pytest.mark.parametrize(
    ("file", "write"),
    [
        ("small.md", writer_of("markdown").render),
        ("small.github", writer_of("github").render),
        ("small.prom", writer_of("openmetrics").render),
        ("small.txt", terminal),
    ],
)
def test_a_small_run_reads_as_it_was_approved(file: str, write: Callable[[FinishedRun], str]) -> None:
    """The whole text of a run with every status, as a person approved it."""
    assert write(small_run()) == (GOLDEN / file).read_text(encoding="utf-8")


def test_all_reports_tell_the_same_causes_in_the_same_words() -> None:
    """One wording: a cause's title is the same in every format."""
    run = small_run()
    for cause in run.causes:
        if cause.gates and cause.metric == "cost_total" and "12.0%" in cause.title:
            words = cause.title.split(" · ")[0]
            break
    plain = {name: writer_of(name).render(run).replace("\\", "").replace("%25", "%") for name in formats()}
    assert [name for name, text in plain.items() if words not in text] == []
    assert words in terminal(run)


def test_ten_thousand_deals_stay_bounded() -> None:
    """A comment, a screen, ten annotations and a few series, for any number of deals."""
    run = large_run()
    assert len(writer_of("markdown").render(run)) < 30_000
    assert len(writer_of("github").render(run).splitlines()) <= 10
    assert len(writer_of("openmetrics").render(run)) < 20_000
    assert len(summary_lines(run)) <= 40
    assert max(map(len, summary_lines(run, width=100))) <= 110


def test_a_screen_is_enough_for_hostile_amounts() -> None:
    """Thousands of types, causes and notes: the terminal's summary is one screen all the same."""
    many = [result(f"{n}", "new", deal_type=f"type {n}", compared=False) for n in range(500)]
    run = finished(
        many, strangers=tuple(map(str, range(100))), absent_metrics={f"m{n}": "x" * 5000 for n in range(100)}
    )
    lines = summary_lines(run)
    assert len(lines) <= 40
    assert "… and 101 more notes; reports hold them all" in lines
    assert max(map(len, lines)) <= 400
    assert [line.split() for line in lines if line.startswith("495 other types")] == [
        ["495", "other", "types", "0", "495", "495"]
    ]


def test_a_screen_is_enough_for_many_causes() -> None:
    """Many types, notes, and causes with something in common: what is least needed is left out."""
    run = mixed_run()
    assert len(run.causes) > 8
    lines = summary_lines(run, width=80)
    assert len(lines) == 40
    assert "cost_0: 6,300 → 12,600 (+100.00 %) in 6 deals" in lines
    shorter = summary_lines(replace(run, notes=()), width=80)
    told = [line.strip() for line in shorter if line.startswith("            all 6 have zone")]
    assert told[0] == 'all 6 have zone = "zone 0", no other deal has (Fisher p = 5e-09)'
    assert 0 < len(told) < 8
    assert max(map(len, lines[:30])) <= 80


def test_long_ids_do_not_crowd_out_what_is_said() -> None:
    """Ids are shown whole, as many as there is room for, and one at least."""
    ids = [f"{n:08x}-7bdb-4341-9b51-c401cf6d2161" for n in range(9)]
    assert some_ids(ids, 90) == f"{ids[0]}, {ids[1]}, …"
    assert some_ids(ids, 10) == "00000000-…, …"
    assert some_ids(["1", "2", "3"], 90) == "1, 2, 3"


def test_how_far_a_deal_moved_is_never_cut_off() -> None:
    """Where there is no room for all, its rule goes first, then its name, then its type."""
    long_id = "0f13a784-f01c-487e-90e9-a0fd5e74b050"
    cost = finding("cost_total", 100, 112, 12.0, allowed="within 5% or 1000")
    moved = [result(deal_id, "regressed", cost, name="North Labs") for deal_id in ("1", long_id)]
    lines = [line for line in summary_lines(finished(moved), width=80) if line.startswith("  deal ")]
    assert lines == [
        "  deal 1 North Labs (acquisition): cost_total 100 → 112 (+12.00 %), allowed: wi…",
        f"  deal {long_id}: cost_total 100 → 112 (+12.00 %), a…",
    ]


def mixed_run() -> FinishedRun:
    """Return a run of ten types and ten causes, each of one zone, with many notes."""
    counter, results = FeatureCounter(), []
    for number in range(120):
        kind, zone = f"type {number % 10}", number % 20
        cost = finding(f"cost_{zone}", 1000 + number, 2 * (1000 + number), 100.0)
        results.append(
            result(str(number), "regressed", cost, deal_type=kind) if zone < 10 else result(str(number), deal_type=kind)
        )
        counter.add(str(number), kind, {"zone": f'"zone {zone}"'}, affected=zone < 10)
    return finished(results, strangers=tuple(map(str, range(9))), traits=counter.traits())


def test_a_target_is_checked_before_any_work(tmp_path: Path) -> None:
    """A slip in FORMAT:PATH is a usage error that says what is valid."""
    with pytest.raises(
        ConfigError, match=r"markdwn:x.md: unknown format\. Did you mean \"markdown\"\? Valid: github, html"
    ):
        ReportTarget.parse("markdwn:x.md", tmp_path)
    with pytest.raises(ConfigError, match="must be FORMAT:PATH"):
        ReportTarget.parse("html", tmp_path)


def test_a_target_writes_its_file_or_gives_the_text_to_be_printed(tmp_path: Path) -> None:
    """PATH is written whole, with its folders; `-` is for the standard output."""
    run = small_run()
    assert ReportTarget.parse("markdown:deep/er/comment.md", tmp_path).write(run) is None
    text = ReportTarget.parse("markdown:-", tmp_path).write(run)
    assert (tmp_path / "deep/er/comment.md").read_text(encoding="utf-8") == text


def test_a_report_that_cannot_be_written_says_which(tmp_path: Path) -> None:
    """A folder in the file's place is one clear error."""
    (tmp_path / "x.html").mkdir()
    with pytest.raises(ReportError, match=r"x\.html cannot be written: IsADirectoryError"):
        ReportTarget.parse("html:x.html", tmp_path).write(finished([result("1")]))


def test_an_accepted_cause_is_not_blamed_for_deals_that_fail_by_another() -> None:
    """Accepted where its deals are and none fails by it alone; as soon as one does, it fails."""
    cost, count = finding("cost_total", 100, 112, 12.0), finding("synergy_count", 2, 1, -50.0)
    covered = [result(str(n), "accepted", cost) for n in range(1, 4)]
    both = [result(str(n), "regressed", cost, count) for n in range(4, 7)]
    weights = {cause.metric: weight for weight, cause in weighed_causes(finished([*covered, *both]))}
    assert weights == {"cost_total": "accepted", "synergy_count": "fails"}
    alone = result("7", "regressed", cost)
    weights = {cause.metric: weight for weight, cause in weighed_causes(finished([*covered, *both, alone]))}
    assert weights == {"cost_total": "fails", "synergy_count": "fails"}


def test_each_built_in_format_is_one_module_with_a_writer_of_its_name() -> None:
    """A format is added by adding its module: nothing else lists the formats."""
    for name in formats():
        assert writer_of(name).name == name
        module = sys.modules[f"pytest_dealsnap.reporting.{name}_report"]
        assert "WRITER" in module.__all__
    assert [name for name in formats() if isinstance(writer_of(name), Announcing)] == ["github"]
