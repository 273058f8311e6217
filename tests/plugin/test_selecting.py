"""Selecting deals: pytest's own ways and dealsnap's flags, in one process and in several."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.plugin.project import Outcome, Project, deal, deals
from tests.postgresql import as_owner

MIXED = (
    deal("10"),
    deal("9"),
    deal("a/b [x]"),
    deal("c1", kind="carveout"),
    deal("c2", kind="carveout"),
    deal("v1", kind="divestiture"),
)
IDS = ["9", "10", "a/b [x]", "c1", "c2", "v1"]
USER_TEST = """
def test_of_the_user():
    pass
"""


def run_ids(outcome: Outcome) -> list[str]:
    """Return the ids of the deals that ran, in the report's order."""
    return [entry["id"] for entry in outcome.report["deals"]]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project with deals of all types, and a test of the user's own."""
    project = Project(tmp_path_factory.mktemp("mixed")).with_deals(*MIXED)
    return project.with_file("tests/test_own.py", USER_TEST).captured()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], IDS),
        (["-k", "carveout", "-p", "no:cacheprovider"], ["c1", "c2"]),
        (["-m", "carveout"], ["c1", "c2"]),
        (["-m", "deal and not acquisition", "--strict-markers"], ["c1", "c2", "v1"]),
        (["--deselect", "deals::test_deal[carveout-c1]"], ["9", "10", "a/b [x]", "c2", "v1"]),
        (["deals::test_deal[acquisition-9]"], ["9"]),
        (["deals::test_deal[carveout-c2]", "deals::test_deal[acquisition-a/b [x]]"], ["a/b [x]", "c2"]),
        (["--dealsnap-type", "carveout", "--dealsnap-type", "divestiture"], ["c1", "c2", "v1"]),
        (["--dealsnap-id", "a/b [x]", "--dealsnap-id", "v1"], ["a/b [x]", "v1"]),
        (["-p", "no:terminal"], IDS),
    ],
)
def test_what_is_selected_is_what_runs(mixed: Project, arguments: list[str], expected: list[str]) -> None:
    """Each way of selecting runs those deals in plan order, and says so when the run was partial."""
    outcome = mixed.gate(*arguments)
    assert outcome.code == 0, outcome.text
    assert run_ids(outcome) == expected
    partial = expected != IDS
    assert outcome.report["run"]["partial"] is partial
    assert ("this run was partial" in outcome.text) is partial or "no:terminal" in arguments
    assert outcome.action == ("none" if partial else "proceed")
    if partial and "no:terminal" not in arguments:
        assert f"{len(expected)} of 6 deals judged, all pass: no verdict for the rollout" in outcome.text
    assert "PROCEED" not in outcome.text or not partial


def test_collecting_only_shows_ids_and_touches_nothing(mixed: Project) -> None:
    """`--collect-only` lists the ids that can be given back as arguments; nothing is judged or written."""
    before = mixed.snapshots()
    outcome = mixed.gate("--collect-only", "-q")
    assert outcome.code == 0
    listed = [line for line in outcome.text.splitlines() if line.startswith("deals::")]
    assert listed == [
        "deals::test_deal[acquisition-9]",
        "deals::test_deal[acquisition-10]",
        "deals::test_deal[acquisition-a/b [x]]",
        "deals::test_deal[carveout-c1]",
        "deals::test_deal[carveout-c2]",
        "deals::test_deal[divestiture-v1]",
    ]
    assert not (mixed.folder / "report.json").exists()
    manifest = (mixed.folder / "snapshots" / "manifest.json").read_bytes()
    assert mixed.run("--dealsnap-update", "--collect-only").code == 0
    assert (mixed.snapshots(), (mixed.folder / "snapshots" / "manifest.json").read_bytes()) == (before, manifest)


def test_a_sample_is_stratified_seeded_and_the_same_for_everyone(mixed: Project) -> None:
    """The same seed draws the same deals, in any number of processes; every type is in the sample."""
    first, again = mixed.gate("--dealsnap-sample", "3"), mixed.gate("--dealsnap-sample", "3", "-n", "2")
    assert run_ids(first) == run_ids(again)
    assert [entry["deal_type"] for entry in first.report["deals"]] == ["acquisition", "carveout", "divestiture"]
    assert first.report["run"]["partial"] is True
    assert (first.code, first.action) == (1, "inconclusive")
    assert first.report["verdict"]["reason"] == "none of 3 affected; at most 3 of 6 (50.0 %) with 95 % confidence"
    below = mixed.gate("--dealsnap-sample", "3", "--dealsnap-verdict-proceed-below", "60")
    assert (below.code, below.action) == (0, "proceed")
    assert below.report["verdict"]["reason"].endswith("at most 3 of 6 (50.0 %) with 95 % confidence: under 60 %")
    others = {tuple(run_ids(mixed.gate("--dealsnap-sample", "3", "--dealsnap-seed", str(seed)))) for seed in (1, 2, 3)}
    assert others != {tuple(run_ids(first))}


def test_without_paths_only_deals_run_and_with_paths_those_tests_too(mixed: Project) -> None:
    """`pytest --dealsnap` runs deals; `pytest --dealsnap tests` runs both, deals first; a node id runs one deal."""
    assert mixed.gate().closing == "6 passed"
    both = mixed.gate("-v", "tests")
    assert both.closing == "7 passed"
    assert both.text.index("deals::test_deal[divestiture-v1]") < both.text.index("test_of_the_user")
    one = mixed.gate("tests/test_own.py::test_of_the_user", "deals::test_deal[acquisition-9]")
    assert (one.closing, run_ids(one)) == ("2 passed", ["9"])
    clicked = mixed.gate("tests/test_own.py::test_of_the_user")
    assert (clicked.code, clicked.closing, run_ids(clicked), clicked.action) == (0, "1 passed", [], "none")
    spread = mixed.gate("tests/test_own.py::test_of_the_user", "-n", "2")
    assert (spread.code, spread.closing, run_ids(spread)) == (0, "1 passed", [])


def test_plain_pytest_collects_no_deals(mixed: Project) -> None:
    """Installed and unused, the plugin leaves a run as it is; a report flag alone asks for nothing."""
    plain = mixed.run("-v")
    assert (plain.code, plain.closing) == (0, "1 passed")
    assert "dealsnap:" not in plain.text
    off = mixed.run("-p", "no:dealsnap")
    assert (off.code, off.closing) == (0, "1 passed")
    refused = mixed.run("-p", "no:dealsnap", "--dealsnap")
    assert refused.code == 4
    assert "unrecognized arguments: --dealsnap" in refused.text


def test_last_failed_runs_the_deals_that_failed(project: Project) -> None:
    """After a failure `--lf` judges the failed deals only, `--ff` those first; `-x` stops at the first."""
    rows = deals(4)
    project.with_deals(*rows).captured()
    broken = project.with_deals(rows[0], deal("d2", amount=300), rows[2], deal("d4", amount=300))
    first = broken.gate()
    assert first.closing == "2 failed, 2 passed"
    again = broken.gate("--lf")
    assert (run_ids(again), again.closing) == (["d2", "d4"], "2 failed, 2 deselected")
    assert again.report["run"]["partial"] is True
    assert (again.code, again.action) == (1, "none")
    assert "2 of 4 deals judged, 2 fail: no verdict for the rollout" in again.text
    assert "ROLL BACK" not in again.text
    stopped = broken.gate("--lf", "-x")
    assert stopped.statuses == {"d2": "regressed"}
    failed_first = broken.gate("--ff", "-v")
    assert failed_first.text.index("[acquisition-d4]") < failed_first.text.index("[acquisition-d1]")
    limited = broken.gate("--maxfail", "2", "--ff")
    assert set(limited.statuses) == {"d2", "d4"}
    mended = project.with_deals(*rows).gate("--lf")
    assert (mended.code, mended.closing, mended.action) == (0, "2 passed, 2 deselected", "none")


def comparable(report: Any) -> Any:
    """Return a report without what two runs may differ in: times, and the project's folder in a traceback."""
    deals_of = [{**entry, "seconds": 0} for entry in report["deals"]]
    for entry in deals_of:
        details = entry.get("details") or {}
        if details.get("traceback"):
            details["traceback"] = re.sub(r'File "[^"]*/', 'File "', details["traceback"])
    return {**report, "run": {**report["run"], "started_at": "", "seconds": 0}, "deals": deals_of}


def test_two_workers_write_the_same_files_and_the_same_report(project: Project, tmp_path: Path) -> None:
    """`-n 2` changes times and nothing else: snapshots, manifest, statuses, causes, verdict, exit code."""
    rows = (*deals(12), deal("c", kind="carveout", title="Çelik\x1b[31m"), deal("n", kind=None))
    one = Project(tmp_path / "one").with_deals(*rows)
    two = Project(tmp_path / "two").with_deals(*rows)
    assert (one.capture().code, two.capture("-n", "2").code) == (0, 0)
    assert one.snapshots() == two.snapshots()
    manifests = [
        re.sub(r'"captured_at": ".*"', "", (p.folder / "snapshots" / "manifest.json").read_text()) for p in (one, two)
    ]
    assert manifests[0] == manifests[1]
    reasoner = (
        "def value(t):\n    assert t.id != 'd5', 'no \\x1b rate'\n"
        "    return {'offer': {'price': t['amount'] * 2 if t.id in 'd1d2d3' else 100}}\n"
    )
    first = one.with_reasoner(reasoner).with_deals(*rows[1:]).gate("-v")
    second = two.with_reasoner(reasoner).with_deals(*rows[1:]).gate("-n", "2", "--junitxml", "junit.xml")
    assert first.code == second.code == 1
    for outcome in (first, second):
        outcome.report["baseline"]["captured_at"] = ""
    assert comparable(first.report) == comparable(second.report)
    assert first.closing == second.closing
    assert second.junit["test_deal[acquisition-d2]"].find("properties/property[@name='status']") is not None
    assert second.action == "roll_back"


def test_markers_and_warnings_are_as_strict_as_the_user_wants(mixed: Project) -> None:
    """Under `--strict-markers`, `--strict-config` and `-W error`, capture and gate run without a warning."""
    strict = mixed.with_config(
        mixed.config + '\n[tool.pytest.ini_options]\naddopts = "--strict-markers --strict-config"\n'
    )
    for outcome in (strict.gate("-W", "error", "tests"), strict.capture("-W", "error")):
        assert outcome.code == 0, outcome.text
        assert "warning" not in outcome.text.lower()
    listed = mixed.run("--dealsnap", "--markers")
    assert "@pytest.mark.carveout" in listed.text


def test_a_gate_in_addopts_is_kept_out_of_the_way_of_a_capture(project: Project) -> None:
    """With `--dealsnap` in addopts, `--dealsnap-update` captures."""
    project = project.with_deals(deal("a"))
    project = project.with_config(project.config + '\n[tool.pytest.ini_options]\naddopts = "--dealsnap"\n')
    assert project.run("--dealsnap-update").code == 0
    assert set(project.snapshots()) == {"a.json"}
    outcome = project.run("-q")
    assert outcome.code == 0
    assert "PROCEED" in outcome.verdict


def test_a_uuid_is_asked_for_in_any_case(project: Project, postgresql: str) -> None:
    """What names the deal is the database's own spelling; an id that is another text is refused as ever."""
    key = "7b3f0c1e-9f98-4049-8123-f6f0c85d5d68"
    as_owner(
        postgresql,
        "CREATE TABLE transactions (deal_no UUID PRIMARY KEY, title TEXT, kind TEXT, amount INTEGER)",
        f"INSERT INTO transactions VALUES ('{key}', 'A', 'carveout', 100)",
    )
    project = project.with_environment(DEALSNAP_DATABASE=postgresql)
    assert project.capture().code == 0
    assert run_ids(project.gate("--dealsnap-id", key.upper())) == [key]
    assert project.gate("--dealsnap-id", key[:-1]).code == 4


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--dealsnap-id", "d1"), {"partial": "true", "part": "chosen", "deals": "1 of 9"}),
        (("-k", "d1 or d2"), {"partial": "true", "part": "chosen", "deals": "2 of 9"}),
        (("-k", "d1 or d2", "-n", "1"), {"partial": "true", "part": "chosen", "deals": "2 of 9"}),
        (("--dealsnap-sample", "2"), {"partial": "true", "part": "sample", "deals": "2 of 9"}),
        (("--dealsnap-shard", "1/2"), {"partial": "true", "part": "shard"}),
        ((), {"partial": "false", "deals": "9 of 9"}),
    ],
)
def test_every_report_says_that_the_run_was_of_a_part(
    project: Project, flags: tuple[str, ...], expected: dict[str, str]
) -> None:
    """JUnit in the suite's properties, the others in their own words; that of the whole does not."""
    project = project.with_deals(*deals(9)).captured()
    forms = ("markdown", "html", "github", "openmetrics")
    outcome = project.gate(
        *flags, "--junitxml", "junit.xml", *(one for form in forms for one in ("--dealsnap-report", f"{form}:r.{form}"))
    )
    assert outcome.junit_bytes is not None, outcome.text
    properties = ElementTree.fromstring(outcome.junit_bytes).iter("properties")
    suite = {str(one.get("name")): one.get("value") for one in next(properties)}
    run = outcome.report["run"]
    assert suite.pop("dealsnap_deals") == expected.get("deals", f"{run['selected']} of 9")
    assert {name.removeprefix("dealsnap_"): value for name, value in suite.items()} == {
        name: value for name, value in expected.items() if name != "deals"
    }
    part = expected["partial"] == "true"
    assert run["partial"] is part
    said = {form: (project.folder / f"r.{form}").read_text() for form in forms}
    assert ("a part of the deals" in said["markdown"]) is part
    assert ("a part of the deals" in said["github"]) is part
    assert f"dealsnap_partial {int(part)}" in re.sub(r"\{.*?\}", "", said["openmetrics"])
    chosen = expected.get("part") in ("chosen", "shard")
    assert ("no verdict for the rollout" in said["html"]) is chosen
    assert ("this run was partial" in said["html"]) is part
    assert ("this run was partial" in outcome.text or "no verdict for the rollout" in outcome.text) is part
