"""Whatever is done to a file that dealsnap reads: one sentence, no traceback, no pass that it did not give."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_dealsnap.baseline.codec import Snapshot, decode, encode
from pytest_dealsnap.baseline.ledger import parse_ledger
from pytest_dealsnap.baseline.manifest import read_manifest
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.decisions import read_decisions
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.judging.matrix_rules import compile_matrix_rules
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.rehearsal_json import render_rehearsal_json
from tests.fuzz.mutations import TOML_VALUES, bytes_mutated, document_mutated, lines_mutated
from tests.plugin.project import CONFIG, Project, deals
from tests.profiles import scaled
from tests.reporting.rehearsals import REHEARSAL
from tests.reporting.runs import finding, result, small_run

bounded = settings(
    max_examples=scaled(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FULL = (
    CONFIG.replace("reasoner =", "workers = 2\ntimeout = 5.0\nreasoner =")
    + """
[tool.dealsnap.deals.aliases]
merger = "acquisition"
[tool.dealsnap.output]
drop = ["memo"]
max_bytes = 100000
[tool.dealsnap.verdict]
min_compared = 90
[tool.dealsnap.matrix.axes]
domain = ["network", "identity"]
[tool.dealsnap.matrix.rules]
"carveout/acquisition" = { price = "ratio 1.5..3.0" }
"""
)
LEDGER = """\
[[accepted]]
deals = ["12", "14"]
metric = "cost_total"
range = [1200000, 1400000]
reason = "twelve months of TSA"
who = "Ana Ruiz"
ticket = "DD-142"

[[accepted]]
type = "carveout"
metric = "synergy_count"
value = 3
reason = "one is gone"
who = "Bo"
"""
SNAPSHOT = Snapshot("12", "Orion", "acquisition", None, {"price": 100}, {"offer": {"price": 100}, "risks": ["a"]})
REPORT = json.loads(render_json(small_run()))
REHEARSED = json.loads(render_rehearsal_json(REHEARSAL))
MANIFEST = {"format": 1, "complete": True, "deals": {"acquisition": 3}, "metrics": {"price": "offer.price"}}


def said(action: Callable[[], Any]) -> str | None:
    """Return what is said of a file that is refused, which is one line; ``None`` where it is taken."""
    try:
        action()
    except DealsnapError as error:
        text = str(error)
        assert text
        assert "hunter2" not in text
        return text
    return None


def json_bytes(document: Any) -> bytes:
    """Return a mutated document as a file; a lone surrogate is written as JSON escapes it."""
    return json.dumps(document).encode()


def configured(root: Path, data: bytes) -> None:
    """Read a configuration as far as a run does before its first deal."""
    (root / "pyproject.toml").write_bytes(data)
    config = load_config(root, flags={}, environ={})
    recorder = Recorder(config)
    compile_matrix_rules(
        config.matrix_rules, types=config.deals.types, aliases=config.deals.aliases, metrics=recorder.metrics,
        root=root, place="matrix",
    )  # fmt: skip


@bounded
@given(data=lines_mutated(FULL).map(str.encode) | bytes_mutated(FULL.encode()))
def test_a_damaged_configuration_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    """Deep nesting, huge numbers, empty names, other kinds, half a file."""
    said(lambda: configured(tmp_path, data))


@pytest.mark.parametrize("value", TOML_VALUES)
@pytest.mark.parametrize("key", ["deals.id", "deals.table", "deals.types", "database", "timeout", "metrics.a", "rules"])
def test_every_kind_of_value_in_a_setting_is_one_sentence(tmp_path: Path, key: str, value: str) -> None:
    """An empty column name, a number of five thousand digits, a bomb of brackets."""
    said(lambda: configured(tmp_path, f"[tool.dealsnap]\n{key} = {value}\n".encode()))


@pytest.mark.parametrize("key", ["id", "table"])
def test_an_empty_name_of_column_or_table_is_refused(tmp_path: Path, key: str) -> None:
    """It was a KeyError."""
    text = said(lambda: configured(tmp_path, f'[tool.dealsnap.deals]\n{key} = ""\n'.encode()))
    assert text is not None
    assert f'[tool.dealsnap.deals] {key} = "": must not be empty' in text


@bounded
@given(data=lines_mutated(LEDGER).map(str.encode) | bytes_mutated(LEDGER.encode()))
def test_a_damaged_ledger_is_one_sentence(data: bytes) -> None:
    """And its entries are asked without a traceback."""

    def read() -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        ledger = parse_ledger(text, Path("accepted.toml"), today=date(2026, 1, 1), types=["acquisition", "carveout"])
        ledger.apply(result("12", "regressed", finding("cost_total", 1_000_000, 1_300_000, 30.0)))

    said(read)


@pytest.mark.parametrize("gone", range(len(LEDGER.splitlines())))
@pytest.mark.parametrize("kind", ["line", "rest", "value"])
def test_a_ledger_that_lost_a_line_accepts_nothing_more(gone: int, kind: str) -> None:
    """A lost range, type or list of deals does not make an entry one for everything."""
    lines = LEDGER.splitlines()
    kept = lines[:gone] + (lines[gone + 1 :] if kind == "line" else [])
    if kind == "value":
        kept = [*lines[:gone], f"{lines[gone].partition(' = ')[0]} = []", *lines[gone + 1 :]]
    text = "\n".join(kept)
    other = result("99", "regressed", finding("cost_total", 1_000_000, 9_000_000, 800.0))
    same = result("12", "regressed", finding("cost_total", 1_000_000, 9_000_000, 800.0))

    def read() -> None:
        ledger = parse_ledger(text, Path("accepted.toml"), today=date(2026, 1, 1), types=["acquisition", "carveout"])
        assert [ledger.apply(one)[0].status for one in (other, same)] == ["regressed", "regressed"]

    said(read)


@bounded
@given(data=document_mutated(MANIFEST).map(json_bytes) | bytes_mutated(json_bytes(MANIFEST)))
@example(data=b"[" * 100_000)
@example(data=b'{"format": ' + b"9" * 5_000 + b"}")
@example(data=b'{"format": 1e999999999999999999999}')
def test_a_damaged_manifest_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    """Of another format, cut off, or no JSON."""
    (tmp_path / "manifest.json").write_bytes(data)
    said(lambda: read_manifest(tmp_path))


@bounded
@given(data=document_mutated(json.loads(encode(SNAPSHOT))).map(json_bytes) | bytes_mutated(encode(SNAPSHOT)))
@example(data=b"[" * 100_000)
@example(data=encode(SNAPSHOT).replace(b"100", b"9" * 5_000))
@example(data=encode(SNAPSHOT).replace(b"100", b"1e999999999999999999999"))
@example(data=encode(replace(SNAPSHOT, metrics=None, output=None, error=Failure("E", "password=hunter2"))))
def test_a_damaged_snapshot_is_one_sentence(data: bytes) -> None:
    """And shows no secret."""
    said(lambda: decode(data, deal_id="12", path="12.json"))


@bounded
@given(data=document_mutated(REPORT).map(json_bytes) | bytes_mutated(json_bytes(REPORT)))
@example(data=b"[" * 100_000)
@example(data=b'{"format": 1, "deals": [' + b"9" * 5_000 + b"]}")
@example(data=b'{"format": 1, "deals": 1e999999999999999999999}')
def test_a_damaged_report_is_one_sentence_and_never_a_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    """As it is read, rendered in each format, merged: the report says roll back, and no damage makes that a pass."""
    path = tmp_path / "report.json"
    path.write_bytes(data)
    if said(lambda: read_json(path)) is None:
        for form in ("html", "markdown", "github", "openmetrics", "json"):
            main(["report", str(path), "--format", form])
    assert main(["merge", str(path)]) in (1, 2)
    assert main(["report", str(path)]) in (0, 2)
    out, err = capsys.readouterr()
    assert "Traceback (most" not in out + err  # the page has a heading of that name


@settings(bounded, max_examples=scaled(100))
@given(data=document_mutated(REHEARSED).map(json_bytes) | bytes_mutated(json_bytes(REHEARSED)))
def test_a_damaged_report_of_a_rehearsal_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    """In each format."""
    path = tmp_path / "rehearsal.json"
    path.write_bytes(data)
    for form in ("html", "markdown", "github", "openmetrics", "json"):
        assert main(["report", str(path), "--format", form]) in (0, 2)
    assert main(["report", str(path)]) in (0, 2)
    assert "Traceback" not in "".join(capsys.readouterr())


DECISIONS: Any = {
    "format": 1,
    "report": {"started_at": "2026-03-01T08:30:00+00:00", "database": "sqlite:///deals.db"},
    "decisions": [
        {"deal": "1", "decision": "accept", "into": "ledger", "note": "x", "reason": "y", "who": "Ana", "ticket": None,
         "expires": "2027-01-31"},
    ],
}  # fmt: skip


@bounded
@given(data=document_mutated(DECISIONS).map(json_bytes) | bytes_mutated(json_bytes(DECISIONS)))
@example(data=b"[" * 100_000)
@example(data=b'{"format": ' + b"9" * 5_000 + b"}")
def test_a_damaged_file_of_decisions_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    """Nor does it decide on what the report does not have."""
    path = tmp_path / "decisions.json"
    path.write_bytes(data)
    run = small_run()
    said(lambda: read_decisions(path, run))


def test_no_damaged_snapshot_passes_a_deal_that_changed(tmp_path: Path) -> None:
    """Sixty deals of another price, each with a snapshot damaged in its own way: none is matched."""
    count = 60
    project = Project(tmp_path).with_deals(*deals(count)).captured()
    documents = {path: json.loads(path.read_text()) for path in project.baseline.glob("*.json")}
    assert len(documents) == count
    seen: list[tuple[Path, bytes]] = []

    @settings(max_examples=1, database=None, derandomize=True, deadline=None)
    @given(st.data())
    def damage(draw: st.DataObject) -> None:
        seen.clear()
        for number, (path, document) in enumerate(sorted(documents.items())):
            kind = document_mutated(document).map(json_bytes) if number % 2 else bytes_mutated(path.read_bytes())
            seen.append((path, draw.draw(kind)))

    damage()
    for path, data in seen:
        path.write_bytes(data)
    outcome = project.with_deals(*deals(count, amount=987_654)).gate()
    assert outcome.code == 1
    assert "Traceback" not in outcome.text
    assert set(outcome.statuses.values()) <= {"regressed", "errored", "missing", "new"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('"\\u001b[31mred" = "a..b"', "\\x1b[31mred"),
        ('"postgresql://ana:hunter2hunter2@db/x" = 1', "postgresql://ana:***@db/x"),
        ("a = " + "[" * 3_000, "not valid TOML"),
        ("a = 0x" + "f" * 5_000, "not valid TOML"),
    ],
)
def test_a_usage_error_of_pytest_is_one_sentence_without_controls(tmp_path: Path, setting: str, words: str) -> None:
    """Exit status 4, no control character, no secret; pytest itself reads ``pyproject.toml``, and fails of a bomb."""
    text = CONFIG.replace("[tool.dealsnap.", "[").replace("[tool.dealsnap]", "")
    text = text.replace('price = "offer.price"', f'price = "offer.price"\n{setting}')
    outcome = Project(tmp_path, config="").with_file("dealsnap.toml", text).gate()
    assert outcome.code == 4
    assert words in outcome.text
    assert "Traceback" not in outcome.text
    assert "\x1b[31mred" not in outcome.text
    assert "hunter2" not in outcome.text
