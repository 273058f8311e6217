"""The published JSON Schema: every report fits it, and it knows every key of a report."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.kept_files import Decision
from pytest_dealsnap.model.schemas import SCHEMAS, schema, schema_text
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.rehearsal_json import render_rehearsal_json
from tests.plugin.project import Project, deal
from tests.reporting.rehearsals import REHEARSAL
from tests.reporting.runs import finished, hostile_run, large_run, result, small_run

SCHEMA = json.loads(schema_text("gate"))
# Objects whose keys are the user's.
OPEN = ("baseline", "traits", "absent_metrics")


def closed(schema: Any) -> Any:
    """Return *schema* with every object closed: a key that it does not know is an error."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if "properties" in schema else inner


def strict(text: str) -> Any:
    """Read strict JSON: neither NaN nor Infinity, which only some readers know."""

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def problems(document: Any, schema: Any = SCHEMA) -> list[str]:
    """Return what does not fit."""
    checker = Draft202012Validator.FORMAT_CHECKER
    return [error.message for error in Draft202012Validator(schema, format_checker=checker).iter_errors(document)]


def test_the_schema_is_one() -> None:
    """It is a valid schema of the 2020-12 draft, and says which format it describes."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["Report"]["properties"]["format"]["enum"] == [1]


@pytest.mark.parametrize(
    "make",
    [
        small_run,
        hostile_run,
        lambda: large_run(300),
        lambda: finished([]),
        lambda: finished([result("1", "new")], mode="capture", baseline=None),
        lambda: finished([result("1")], shard="1/3", partial=True, not_judged=("2",), total=2, strangers=("x",)),
    ],
)
def test_every_report_fits_the_schema_and_holds_no_key_that_it_does_not_know(make: Callable[[], FinishedRun]) -> None:
    """Also with the schema closed: what the report says is published."""
    document = strict(render_json(make()))
    assert problems(document) == []
    assert problems(document, closed(SCHEMA)) == []


def test_a_real_gate_fits_the_schema(project: Project) -> None:
    """With NaN, infinity, a ledger, an error, details and traits, as a run writes it."""
    reasoner = (
        "def value(t):\n"
        "    if t['amount'] == 0: raise ArithmeticError('no price')\n"
        "    price = {7: float('nan'), 8: float('inf')}.get(t['amount'], t['amount'])\n"
        "    return {'offer': {'price': price}, 'risks': ['a'], 'memo': 'x' * t['amount']}\n"
    )
    before = (*(deal(f"d{n}") for n in range(6)), deal("nan"), deal("inf"), deal("error"), deal("gone"))
    project = project.with_reasoner(reasoner).with_deals(*before).captured()
    accepted = '[[accepted]]\ndeals = ["d0"]\nmetric = "price"\nvalue = 150\nreason = "so"\nwho = "Ana"\n'
    (project.folder / "snapshots" / "accepted.toml").write_text(accepted)
    after = (
        *(deal(f"d{n}", amount=150) for n in range(6)),
        deal("nan", amount=7),
        deal("inf", amount=8),
        deal("error", amount=0),
    )
    outcome = project.with_deals(*after).gate()
    document = strict((outcome.report_bytes or b"").decode())
    assert problems(document, closed(SCHEMA)) == []
    assert {entry["status"] for entry in document["deals"]} == {"accepted", "regressed", "errored", "missing"}
    assert sum("details" in entry for entry in document["deals"]) == 9
    assert document["ledger"][0]["matched"] is True


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict", "action"), "carry_on"),
        (("deals", 0, "status"), "fine"),
        (("summary", "regressed"), -1),
        (("run", "started_at"), "yesterday"),
        (("format",), 2),
    ],
)
def test_the_schema_refuses_what_is_no_report(path: tuple[str | int, ...], value: object) -> None:
    """It is not a schema that anything fits."""
    document = strict(render_json(small_run()))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert problems(document) != []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_published_schema_is_one(name: str) -> None:
    """Each is a valid schema of the 2020-12 draft, and is printed by its name."""
    Draft202012Validator.check_schema(schema(name))
    assert json.loads(schema_text(name)) == json.loads(json.dumps(schema(name)))


def test_a_rehearsals_report_fits_its_schema_and_its_gate_that_of_gates() -> None:
    """Also with the schemas closed; any report fits the schema of all reports."""
    document = strict(render_rehearsal_json(REHEARSAL))
    assert problems(document, closed(schema("rehearsal"))) == []
    assert problems(document["gate"], closed(SCHEMA)) == []
    for one in (document, document["gate"]):
        assert problems(one, schema("report")) == []
        assert problems({**one, "key of a later version": 1}, schema("report")) == []
    assert problems({**document, "phases": None}, schema("rehearsal")) != []


def test_a_matrix_fits_its_schema_and_a_gate_does_not() -> None:
    """The schema of matrices knows the mode."""
    document = strict(render_json(finished([result("1")], mode="matrix")))
    assert problems(document, schema("matrix")) == problems(document, closed(SCHEMA)) == []
    assert problems(strict(render_json(small_run())), schema("matrix")) != []


def test_a_real_baseline_fits_the_schemas_of_manifest_and_configuration(project: Project) -> None:
    """As a capture writes the one, and a project the other; a wrong value fits neither."""
    captured = project.with_deals(deal("d1")).captured()
    manifest = strict((captured.folder / "snapshots" / "manifest.json").read_text(encoding="utf-8"))
    assert problems(manifest, closed(schema("manifest"))) == []
    assert problems({**manifest, "ids": "d1"}, schema("manifest")) != []
    tool = tomllib.loads((captured.folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dealsnap"]
    assert problems(tool, closed(schema("configuration"))) == []
    assert problems({**tool, "workers": 0}, schema("configuration")) != []


def test_decisions_fit_their_schema(tmp_path: Path) -> None:
    """What review keeps beside a report; an unknown key of a decision could be a slip in expires."""
    run, changes = small_run(), Changes()
    decisions = Decisions(tmp_path / "dealsnap.json", run)
    decisions.stage(changes, [Decision(decision="accept", cause=run.causes[0].id, into="ledger", reason="so")])
    [text] = [change.after for change in changes.all() if change.after is not None]
    document = strict(text.decode())
    assert problems(document, schema("decisions")) == []
    document["decisions"][0]["expiry"] = "2027-01-31"
    assert problems(document, schema("decisions")) != []
