"""The published JSON Schema: every report fits it, and it knows every key of a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.report_schema import schema_text
from tests.plugin.project import Project, deal
from tests.reporting.runs import finished, hostile_run, large_run, result, small_run

SCHEMA = json.loads(schema_text())
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
    assert SCHEMA["properties"]["format"] == {"const": 1}


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


def test_the_schema_is_part_of_the_package() -> None:
    """It lies beside the writer, where the wheel takes it from."""
    import pytest_dealsnap

    assert (Path(pytest_dealsnap.__file__).parent / "reporting" / "report.schema.json").is_file()
