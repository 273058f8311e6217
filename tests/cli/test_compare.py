"""`dealsnap compare`: one captured baseline judged against another, offline, by the gate's rules."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.console import Answer, dealsnap
from tests.plugin.project import Project, deal

BEFORE = (
    deal("d1"),
    deal("d2"),
    deal("gone"),
    deal("c1", kind="carveout"),
    deal("n1", kind=None),
    *(deal(f"e{number}") for number in range(1, 30)),
)
AFTER = (
    deal("d1", amount=104),
    deal("d2", amount=106),
    deal("fresh"),
    deal("c1", kind="carveout", amount=900),
    deal("n1"),
    *BEFORE[5:],
)
STATUSES = {"d1": "changed", "d2": "regressed", "gone": "missing", "fresh": "new", "c1": "changed", "n1": "changed"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two baselines, ``before`` and ``after``, and no database any more."""
    project = Project(tmp_path_factory.mktemp("two"))
    for name, rows in (("before", BEFORE), ("after", AFTER)):
        outcome = project.with_deals(*rows).capture("--dealsnap-snapshots", name)
        assert outcome.code == 0, outcome.text
    (project.folder / "book.db").unlink()
    return project


@pytest.fixture
def folder(project: Project, tmp_path: Path) -> Path:
    """A copy of the project's folder to write in."""
    return shutil.copytree(project.folder, tmp_path / "copy")


def compare(folder: Path, pre: str = "before", post: str = "after", **environment: str) -> Answer:
    """Compare, with a JSON report."""
    return dealsnap(folder, "compare", pre, post, "--report", "json:compared.json", **environment)


def read(folder: Path) -> dict[str, object]:
    """Return the statuses of the report by deal."""
    document = json.loads((folder / "compared.json").read_text(encoding="utf-8"))
    assert document["run"]["mode"] == "compare"
    return {entry["id"]: entry["status"] for entry in document["deals"]}


def accept(folder: Path, entry: str) -> None:
    """Add an entry to the ledger of the first baseline."""
    with (folder / "before" / "accepted.toml").open("a", encoding="utf-8") as ledger:
        ledger.write(f"[[accepted]]\n{entry}\n")


def drop(folder: Path, *ids: str) -> None:
    """Take deals out of both baselines, and out of what their manifests list."""
    for side in ("before", "after"):
        for deal_id in ids:
            (folder / side / "deals" / f"{deal_id}.json").unlink(missing_ok=True)
        path = folder / side / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["ids"] = [deal_id for deal_id in manifest["ids"] if deal_id not in ids]
        path.write_text(json.dumps(manifest), encoding="utf-8")


def test_every_deal_of_either_baseline_is_judged(folder: Path) -> None:
    """Each deal gets the status that a gate gives it; a deal that is gone rolls back; exit 1."""
    answer = compare(folder)
    assert answer.code == 1, answer.err
    assert read(folder) == {**{f"e{number}": "matched" for number in range(1, 30)}, **STATUSES}
    assert answer.verdict.startswith("ROLL BACK - data corruption: deal gone")
    assert "price +4.0% to +6.0% · acquisition" in answer.out
    assert not (folder / "book.db").exists()


def test_equal_baselines_proceed(folder: Path) -> None:
    """A baseline compared with itself is exit 0 and PROCEED."""
    answer = compare(folder, "before", "before")
    assert (answer.code, answer.err) == (0, "")
    assert answer.verdict == "PROCEED - none of 34 compared deals is affected"
    assert set(read(folder).values()) == {"matched"}


def test_the_verdict_is_the_gates(folder: Path) -> None:
    """One regressed deal of many is FIX FORWARD, and exit 1."""
    drop(folder, "gone", "fresh")
    answer = compare(folder)
    assert answer.code == 1
    assert answer.verdict == "FIX FORWARD - 1 of 33 compared deals is affected (3.0 %): under 10 %"


def test_the_ledger_of_the_first_baseline_counts(folder: Path) -> None:
    """A live acceptance makes its deal accepted and the verdict PROCEED; a stale one is named."""
    drop(folder, "gone", "fresh")
    accept(folder, 'deals = ["d2"]\nmetric = "price"\nvalue = 106\nreason = "agreed"\nwho = "Ana"')
    accept(folder, 'deals = ["d1"]\nmetric = "price"\nvalue = 1\nreason = "old"\nwho = "Ana"')
    answer = compare(folder)
    assert answer.code == 0, answer.out
    assert read(folder)["d2"] == "accepted"
    assert "stale" in answer.out
    assert "old" in answer.out


def test_the_rules_are_the_projects(folder: Path) -> None:
    """The rules are those of the folder's configuration; from a folder below they are found as well."""
    drop(folder, "gone", "fresh")
    config = folder / "pyproject.toml"
    config.write_text(config.read_text().replace('price = "within 5%"', 'price = "within 6%"'), encoding="utf-8")
    assert compare(folder).code == 0
    (folder / "deep" / "down").mkdir(parents=True)
    below = dealsnap(folder / "deep" / "down", "compare", folder / "before", folder / "after")
    assert below.code == 0, below.err


@pytest.mark.parametrize(("side", "other"), [("before", "after"), ("after", "before")])
def test_an_incomplete_baseline_is_never_a_pass(folder: Path, side: str, other: str) -> None:
    """A capture that did not finish, on either side, is said, and is not green though every file is equal."""
    shutil.rmtree(folder / "after")
    shutil.copytree(folder / "before", folder / "after")
    manifest = folder / side / "manifest.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    assert document["complete"] is True
    manifest.write_text(json.dumps({**document, "complete": False, "resume": "all"}), encoding="utf-8")
    answer = compare(folder)
    assert answer.code != 0
    assert "PROCEED" not in answer.out
    assert "incomplete" in answer.out + answer.err


BAD = (b"", b'{"deal_id": "e1"', b"\xff\xfe", b'{"deal_id": "e1"}', b"[" * 9_999, b"<<<<<<< HEAD\n{}\n", b"null")


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_bad_snapshot_is_one_errored_deal(folder: Path, side: str) -> None:
    """A truncated, empty or foreign file on either side is an error of its deal, which names it; others go on."""
    drop(folder, "gone", "fresh", "d2")
    for number, data in enumerate(BAD, start=1):
        (folder / side / "deals" / f"e{number}.json").write_bytes(data)
    (folder / side / "deals" / "e8.json").unlink()
    (folder / side / "deals" / "e8.json").mkdir()
    answer = compare(folder)
    assert answer.code == 1
    assert answer.verdict.startswith("INCONCLUSIVE")
    statuses = read(folder)
    assert [statuses.pop(f"e{number}") for number in range(1, 8)] == ["errored"] * 7
    text = (folder / "compared.json").read_text(encoding="utf-8")
    assert all(f"{side}/deals/e{number}.json" in text for number in range(1, 8))
    assert all(status in ("matched", "changed") for deal_id, status in statuses.items() if deal_id != "e8")


@pytest.mark.parametrize(
    ("pre", "post", "words"),
    [
        ("nowhere", "after", "nowhere is no baseline"),
        ("before", "nowhere", "nowhere is no baseline"),
        ("pyproject.toml", "after", "pyproject.toml is no baseline"),
        ("before/deals", "after", "before/deals is no baseline"),
        ("empty", "after", "empty is no baseline: it has no snapshots in empty/deals"),
    ],
)
def test_what_is_no_baseline_is_refused(folder: Path, pre: str, post: str, words: str) -> None:
    """A folder that is none, a file, or a folder without snapshots is a usage error: exit 2, one line."""
    (folder / "empty" / "deals").mkdir(parents=True)
    answer = compare(folder, pre, post)
    assert answer.code == 2
    assert answer.out == ""
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (folder / "compared.json").exists()


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("before/manifest.json", '{"format": 99}', "format 99"),
        ("after/manifest.json", "{", "cannot be read"),
        ("before/accepted.toml", "[[accepted]]\nwho = 1", "accepted.toml"),
        ("before/accepted.toml", "[[", "accepted.toml"),
        ("pyproject.toml", '[tool.dealsnap]\ndatabas = "x"', 'Did you mean "database"?'),
        ("pyproject.toml", '[tool.dealsnap.rules.acquisition]\ncost_total = "withn 5%"', "withn 5%"),
    ],
)
def test_bad_files_are_told_apart(folder: Path, file: str, text: str, words: str) -> None:
    """A bad manifest, ledger or configuration is a usage error that names it."""
    (folder / file).write_text(text, encoding="utf-8")
    answer = compare(folder)
    assert answer.code == 2, answer.out
    assert words in answer.err
    assert "PROCEED" not in answer.out


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("report.json", "--report report.json: must be FORMAT:PATH, such as json:dealsnap.json"),
        ("jsn:report.json", '--report jsn:report.json: unknown format. Did you mean "json"?'),
        ("json:", "must be FORMAT:PATH"),
    ],
)
def test_a_report_must_say_format_and_path(folder: Path, target: str, words: str) -> None:
    """A report of no known format is refused before any work is done."""
    answer = dealsnap(folder, "compare", "before", "after", "--report", target)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_a_report_that_cannot_be_written(folder: Path) -> None:
    """A report into a place that cannot be written is one clear line, never a traceback or a pass."""
    answer = dealsnap(folder, "compare", "before", "before", "--report", "json:pyproject.toml/report.json")
    assert answer.code == 2
    assert "pyproject.toml/report.json" in answer.err


def test_hostile_names_stay_on_their_lines(tmp_path: Path) -> None:
    """Ids and names with escapes, newlines, quotes or markup reach the terminal harmless, in any encoding."""
    evil = "\x1b[31mred\n::error::boo '; rm -rf x\u202e<script>"
    project = Project(tmp_path).with_deals(deal(evil, title=evil), deal("d1", title=evil))
    project.capture("--dealsnap-snapshots", "before")
    project.with_deals(deal(evil, title=evil, amount=900), deal("d1", title=evil)).capture(
        "--dealsnap-snapshots", "after"
    )
    answer = compare(tmp_path)
    assert answer.code == 1, answer.err
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e]", answer.out)
    assert not re.search(r"^\s*::", answer.out, re.MULTILINE)
    assert "'; rm -rf x" not in answer.out.partition("next:")[2]
    assert read(tmp_path) == {evil: "regressed", "d1": "matched"}
    narrow = compare(tmp_path, PYTHONIOENCODING="ascii")
    assert narrow.code == 1, narrow.err
    assert "ROLL BACK" in narrow.out or "DISABLE THE FLAG" in narrow.out
