"""`dealsnap merge`: shards' reports become the unsharded run's, or are refused with the reason."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.cli import main
from pytest_dealsnap.deals.selection import Shard
from pytest_dealsnap.model.results import STATUSES
from tests.cli.console import Answer, dealsnap
from tests.plugin.project import Project, deal
from tests.scale.running import untimed

COUNT = 3
BEFORE = (
    *(deal(f"d{number}") for number in range(1, 41)),
    deal("c1", kind="carveout"),
    deal("n1", kind=None),
    deal("17"),
    deal("gone1"),
    deal("gone2"),
)
AFTER = (
    *(deal(f"d{number}", amount=200 if number % 9 == 0 else 100) for number in range(1, 41)),
    deal("c1", kind="carveout", amount=250),
    deal("n1"),
    deal("17", amount=-1),
    deal("fresh1"),
    deal("fresh2"),
)
REASONER = """
def value(transaction):
    if transaction["amount"] == -1:
        raise ArithmeticError("a negative price")
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""
LEDGER = """
[[accepted]]
deals = ["d9"]
metric = "price"
value = 200
reason = "agreed"
who = "Ana"

[[accepted]]
deals = ["d10"]
metric = "price"
value = 1
reason = "stale"
who = "Ana"

[[accepted]]
deals = ["d18"]
metric = "price"
value = 200
reason = "too late"
who = "Ana"
expires = 2020-01-01
"""
METRICS = """
price = "offer.price"
nowhere = "ofer.price"
"""


def names(count: int = COUNT) -> list[str]:
    """Return the names of the shards' reports."""
    return [f"shard-{number}.json" for number in range(1, count + 1)]


def shard(project: Project, count: int = COUNT) -> None:
    """Gate every shard of a project, each into a report of its own."""
    for number in range(1, count + 1):
        outcome = project.gate(
            "--dealsnap-shard", f"{number}/{count}", "--dealsnap-report", f"json:shard-{number}.json"
        )
        assert outcome.report["run"]["partial"] is True
        assert outcome.report["run"]["shard"] == f"{number}/{count}"


def merge(folder: Path, *reports: str, **environment: str) -> Answer:
    """Merge reports into ``merged.json``."""
    return dealsnap(folder, "merge", *reports, "--report", "json:merged.json", **environment)


def read(path: Path) -> dict[str, Any]:
    """Return a report."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any], str]:
    """A project with every status, its shards' reports, and the unsharded report and summary."""
    project = Project(tmp_path_factory.mktemp("red")).with_reasoner(REASONER).with_deals(*BEFORE)
    project = project.with_config(project.config.replace('price = "offer.price"', METRICS))
    project = project.captured().with_file("snapshots/accepted.toml", LEDGER).with_deals(*AFTER)
    shard(project)
    whole = project.gate()
    return project, whole.report, whole.text


@pytest.fixture
def shards(red: tuple[Project, dict[str, Any], str], tmp_path: Path) -> Path:
    """A folder with copies of the shards' reports, to change and to merge."""
    for name in names():
        shutil.copy(red[0].folder / name, tmp_path)
    shutil.copy(red[0].folder / "report.json", tmp_path)
    return tmp_path


def test_the_merged_report_is_the_unsharded_one(red: tuple[Project, dict[str, Any], str], shards: Path) -> None:
    """With every status, a stale and an expired entry and an absent metric: only the times differ."""
    _, whole, text = red
    answer = merge(shards, *names())
    assert answer.code == 1, answer.err
    assert untimed(read(shards / "merged.json")) == untimed(whole)
    statuses = {entry["status"] for entry in whole["deals"]}
    assert statuses == {"matched", "changed", "regressed", "errored", "missing", "new", "accepted"}
    assert whole["absent_metrics"] == {"nowhere": "ofer.price"}
    assert any("stale" in note for note in whole["notes"])
    assert any("expired" in note for note in whole["notes"])
    for line in answer.out.replace("merged.json", "report.json").splitlines():
        assert line in text.splitlines()


def test_the_order_of_the_reports_does_not_matter(shards: Path) -> None:
    """Reports may be given in any order, as a shell's `*` or a CI's download leaves them."""
    merge(shards, *names())
    first = read(shards / "merged.json")
    merge(shards, *reversed(names()))
    assert read(shards / "merged.json") == first


def test_green_shards_are_a_green_run(tmp_path: Path) -> None:
    """All shards green: exit 0, PROCEED, the unsharded report; an empty shard is no trouble."""
    project = Project(tmp_path).with_deals(*BEFORE[:2]).captured()
    for number in (1, 2, 3, 4):
        name = f"shard-{number}.json"
        outcome = project.run("--dealsnap", "--dealsnap-shard", f"{number}/4", "--dealsnap-report", f"json:{name}")
        judged = [entry["id"] for entry in read(tmp_path / name)["deals"]]
        assert judged == [row[0] for row in BEFORE[:2] if Shard(number, 4).holds(str(row[0]))]
        assert outcome.code == (0 if judged else 5), outcome.text
    whole = untimed(project.gate().report)
    answer = merge(tmp_path, *names(4))
    assert answer.code == 0, answer.out + answer.err
    assert answer.verdict == "PROCEED - none of 2 compared deals is affected"
    assert untimed(read(tmp_path / "merged.json")) == whole


def test_a_deal_that_a_shard_did_not_judge_is_missed(shards: Path) -> None:
    """A shard that ended early makes the whole inconclusive, and the deal is named."""
    one = read(shards / "shard-1.json")
    lost = one["deals"].pop()
    one["run"]["not_judged"] = [lost["id"]]
    count = one["summary"]["deals"] = len(one["deals"])
    one["deals"] = [
        {**entry, "status": "matched", "findings": [], "error": None, "corrupt": None, "compared": True}
        for entry in one["deals"]
    ]
    one["summary"] |= dict.fromkeys(STATUSES, 0) | {"matched": count, "compared": count, "affected_percent": 0.0}
    (shards / "shard-1.json").write_text(json.dumps(one), encoding="utf-8")
    answer = merge(shards, *names())
    assert answer.code == 1
    assert f"not judged: 1 deal ({lost['id']})" in answer.out
    assert read(shards / "merged.json")["run"]["not_judged"] == [lost["id"]]


def lacking(folder: Path) -> list[str]:
    """Leave one shard out."""
    return names()[:2]


def twice(folder: Path) -> list[str]:
    """Give one shard twice."""
    return [*names(), names()[0]]


def whole(folder: Path) -> list[str]:
    """Give the report of the whole run among them."""
    return [*names(), "report.json"]


def changed(**values: Any) -> Callable[[Path], list[str]]:
    """Give the second shard other facts, by dotted path."""

    def change(folder: Path) -> list[str]:
        path = folder / "shard-2.json"
        document = read(path)
        for dotted, value in values.items():
            *parents, last = dotted.split("__")
            place: Any = document
            for parent in parents:
                place = place[parent]
            place[last] = value
        path.write_text(json.dumps(document), encoding="utf-8")
        return names()

    return change


def overlapping(folder: Path) -> list[str]:
    """Let two shards hold the same deal."""
    path = folder / "shard-2.json"
    document = read(path)
    matched = next(entry for entry in document["deals"] if entry["status"] == "matched")
    matched["id"] = read(folder / "shard-1.json")["deals"][0]["id"]
    path.write_text(json.dumps(document), encoding="utf-8")
    return names()


def with_a_hole(folder: Path) -> list[str]:
    """Take a deal out of a shard, which does not tell that it was not judged."""
    path = folder / "shard-2.json"
    document = read(path)
    document["deals"].pop()
    path.write_text(json.dumps(document), encoding="utf-8")
    return names()


def raw(data: bytes) -> Callable[[Path], list[str]]:
    """Put these bytes in place of the second report."""

    def replace(folder: Path) -> list[str]:
        (folder / "shard-2.json").write_bytes(data)
        return names()

    return replace


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lacking, "Shard 3 of 3 has no report. Did its job fail?"),
        (twice, "shard-1.json and shard-1.json are both shard 1/3: they overlap"),
        (whole, "report.json is the report of a whole run, not of a shard"),
        (overlapping, "the shards overlap"),
        (with_a_hole, "shard-2.json contradicts itself"),
        (changed(run__shard="2/4"), "the reports are of runs with 3 and 4 shards"),
        (changed(run__shard="x"), "shard"),
        (changed(run__shard=2), "shard-2.json"),
        (changed(baseline=None), "shard-2.json and shard-1.json differ in their baseline"),
        (changed(baseline__captured_at="2020-01-01"), "differ in their baseline"),
        (changed(judging__default_type="carveout"), "differ in their thresholds and types"),
        (changed(run__total=7), "differ in their number of deals in all"),
        (changed(run__git_commit="abc"), "differ in their git commit"),
        (changed(run__mode="compare"), "differ in their mode"),
        (changed(run__reasoner="other:value"), "differ in their reasoner"),
        (changed(ledger=[]), "differ in their ledger"),
        (changed(format=2), "shard-2.json has format 2; this version of pytest-dealsnap knows format 1"),
        (changed(deals=None), "shard-2.json is no complete report"),
        (changed(judging={}), "shard-2.json is no complete report"),
        (changed(run__seconds="x"), "shard-2.json"),
        (changed(run__started_at="today"), "shard-2.json is no complete report"),
        (lambda folder: [*names()[:2], "nowhere.json"], "no such report: nowhere.json"),
        (lambda folder: [*names()[:2], "."], ". is no JSON report"),
        (raw(b""), "shard-2.json is no JSON report"),
        (raw(b'{"format": 1, "run": {'), "shard-2.json is no JSON report"),
        (raw(b"\xff\xfe\x00"), "shard-2.json is no JSON report"),
        (raw(b"[" * 99_999), "shard-2.json is no JSON report"),
        (raw(b"[1]"), "shard-2.json has format None"),
        (raw(b"<<<<<<< HEAD\n{}"), "shard-2.json is no JSON report"),
    ],
)
def test_what_is_no_whole_run_is_refused(
    shards: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arrange: Callable[[Path], list[str]],
    words: str,
) -> None:
    """A hole, an overlap, other facts or a file that is no report: exit 2, one line, and nothing is written."""
    reports = arrange(shards)
    monkeypatch.chdir(shards)
    assert main(["merge", *reports, "--report", "json:merged.json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("dealsnap merge: ")
    assert words in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not (shards / "merged.json").exists()


@given(seed=st.integers(0, 2**32), junk=st.sampled_from([None, 0, -1.5, "", "x", [], {}, [None], {"a": 1}, True]))
def test_a_damaged_report_never_ends_in_a_traceback(
    red: tuple[Project, dict[str, Any], str], seed: int, junk: object
) -> None:
    """Whatever value of a report is replaced or lost, merging ends with 0, 1 or 2, never with an exception."""
    folder = red[0].folder
    document = read(folder / "shard-2.json")
    choose = random.Random(seed)
    place: Any = document
    while True:
        key: Any = choose.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[key], (dict, list)) and place[key] and choose.random() < 0.7:
            place = place[key]
            continue
        if choose.random() < 0.3:
            del place[key]
        else:
            place[key] = junk
        break
    (folder / "damaged.json").write_text(json.dumps(document), encoding="utf-8")
    paths = [str(folder / name) for name in ("shard-1.json", "damaged.json", "shard-3.json")]
    assert main(["merge", *paths]) in (0, 1, 2)


def test_hostile_ids_and_file_names(tmp_path: Path) -> None:
    """Ids, names and file names with escapes reach the terminal harmless, and survive the merging."""
    evil = "\x1b[31mred\n::error::boo"
    project = Project(tmp_path).with_deals(deal(evil, title=evil), deal("d1", title=evil)).captured()
    project = project.with_deals(deal(evil, title=evil, amount=900), deal("d1", title=evil))
    project.gate("--dealsnap-shard", "1/1", "--dealsnap-report", "json:\x1b[1m.json")
    answer = merge(tmp_path, "\x1b[1m.json")
    assert answer.code == 1, answer.err
    assert {entry["id"] for entry in read(tmp_path / "merged.json")["deals"]} == {evil, "d1"}
    refused = merge(tmp_path, "\x1b[1m.json", "\x1b[1m.json")
    assert refused.code == 2
    for text in (answer.out, refused.err):
        assert "\x1b" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_chosen_part_of_every_shard_is_no_whole(tmp_path: Path) -> None:
    """Shards of one type make a part: no verdict, exit 0 where all pass, and the report says partial."""
    project = Project(tmp_path).with_deals(*BEFORE[:4], deal("c1", kind="carveout")).captured()
    for number in (1, 2):
        report = f"json:shard-{number}.json"
        part = ("--dealsnap-shard", f"{number}/2", "--dealsnap-type", "acquisition")
        project.run("--dealsnap", *part, "--dealsnap-report", report)
    answer = merge(tmp_path, *names(2))
    merged = read(tmp_path / "merged.json")
    assert (answer.code, merged["verdict"], merged["run"]["part"]) == (0, None, "chosen"), answer.out
    assert merged["run"]["partial"] is True
    assert "4 of 5 deals judged, all pass: no verdict for the rollout" in answer.out
