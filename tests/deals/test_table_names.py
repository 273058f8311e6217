"""Names of tables: dots, capitals and schemas mean the same to audit, capture, gate and rehearsal, on every server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.table_names import place_of, shown_place
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.constraint_probe import probe_types
from pytest_dealsnap.rehearsal.load import under_load
from pytest_dealsnap.rehearsal.states import State, connected
from pytest_dealsnap.rehearsal.type_mentions import speaks_of
from tests.builders import configure
from tests.cli.console import dealsnap
from tests.deals.conftest import Open
from tests.plugin.project import Project
from tests.rehearsal.sample_project import run_statements

REASONER = "def value(transaction):\n    return {'offer': {'price': transaction['Fee']}, 'risks': []}\n"
ROWS = "(1, 'Acme', 'acquisition', 10), (2, 'Zeta', 'carveout', 20), (3, 'Nova', NULL, 30)"
COLUMNS = "({q}Ref{q} INTEGER PRIMARY KEY, {q}Title{q} VARCHAR(20), {q}Kind{q} VARCHAR(30), {q}Fee{q} INTEGER)"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("deals", (None, "deals")),
        ("crm.deals", ("crm", "deals")),
        ('"Deals.v2"', (None, "Deals.v2")),
        ('crm."Deals.v2"', ("crm", "Deals.v2")),
        ('"my.schema".deals', ("my.schema", "deals")),
        ('say "yes"', (None, 'say "yes"')),
        ('"""no"""', (None, '"no"')),
    ],
)
def test_a_quoted_part_may_hold_dots(text: str, place: tuple[str | None, str]) -> None:
    """And a name is shown as it must be written."""
    assert place_of(text) == place
    assert shown_place(*place) == text


def test_where_no_quotes_are_the_last_dot_parts() -> None:
    """Also where a quote stands in the middle of a name."""
    assert place_of("other.crm.deals") == ("other.crm", "deals")
    assert place_of('other.de"als') == ("other", 'de"als')


def test_a_statement_on_a_table_with_a_dot_is_about_the_deals(tmp_path: Path) -> None:
    """A migration writes the name in its database's quotes."""
    deals = configure(tmp_path, '[deals]\ntable = \'"Deals.v2"\'\ntype = "kind"\n').deals
    for name in ('"Deals.v2"', "`Deals.v2`", '"crm"."Deals.v2"'):
        note = {"kind": "statement", "table": None, "name": None, "text": f"UPDATE {name} SET kind = 'carveout'"}
        assert speaks_of([note], deals)


def works(folder: Path, url: str, table: str, written: str, quote: str) -> None:
    """Audit, capture, gate, and read what a rehearsal reads, of a table that is *written* so in SQL."""
    columns = COLUMNS.format(q=quote)
    run_statements(url, f"CREATE TABLE {written} {columns}", f"INSERT INTO {written} VALUES {ROWS}")
    settings = {"database": url, "deals.table": table, "deals.id": "Ref", "deals.name": "Title", "deals.type": "Kind"}
    top = '[tool.dealsnap]\nreasoner = "valuation:value"\n'
    deals = "".join(
        f"{name.removeprefix('deals.')} = {json.dumps(value)}\n" for name, value in settings.items() if "." in name
    )
    text = (
        f"{top}database = {json.dumps(url)}\n[tool.dealsnap.deals]\n{deals}"
        f'[tool.dealsnap.metrics]\nprice = "offer.price"\n[tool.dealsnap.rules.acquisition]\nprice = "within 5%"\n'
    )
    project = Project(folder).with_config(text).with_reasoner(REASONER)
    project.write()
    audit = dealsnap(folder, "audit")
    assert "The backfill would change 1 row of 3" in audit.out, audit
    assert project.capture().code == 0
    listed = load_config(folder, flags={}, environ={}).deals
    before = State.take(url, listed, folder / "before.rows")
    name = before.schema.name_of(table, folds_case=False)
    assert before.types == {"1": "acquisition", "2": "carveout", "3": None}
    with under_load(url, listed) as end:
        fact = end()
    assert (fact.failed_reads, fact.failed_writes, fact.reasons) == (0, 0, {})
    with connected(url) as connection:
        assert "no such type" in probe_types(connection, listed).accepted
    run_statements(url, f"UPDATE {written} SET {quote}Fee{quote} = 11 WHERE {quote}Ref{quote} = 1")
    assert project.gate().statuses["1"] == "regressed"
    [changed] = before.rows.compare(State.take(url, listed, folder / "after.rows", since=before).rows).tables
    assert (changed.name, changed.changed) == (name, {"Fee": 1})


NAMES = [
    pytest.param("Deals", "{q}Deals{q}", id="mixed case"),
    pytest.param('"Deals.v2"', "{q}Deals.v2{q}", id="a dot"),
    pytest.param('crm."Deals.v2"', "crm.{q}Deals.v2{q}", id="a schema"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "written"), [NAMES[0], NAMES[2]])
def test_names_work_alike_on_postgresql(postgresql: str, tmp_path: Path, table: str, written: str) -> None:
    """A schema of its own, capitals, and a dot."""
    run_statements(postgresql, "CREATE SCHEMA crm")
    works(tmp_path, postgresql, table, written.format(q='"'), '"')


@pytest.mark.slow
@pytest.mark.parametrize(("table", "written"), NAMES[1:2])
def test_names_work_alike_on_mariadb(mariadb: str, tmp_path: Path, table: str, written: str) -> None:
    """A schema is the database itself there."""
    works(tmp_path, mariadb, table, written.format(q="`"), "`")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "written"),
    [NAMES[0], pytest.param('main."Deals.v2"', 'main."Deals.v2"', id="a schema")],
)
def test_names_work_alike_on_sqlite(tmp_path: Path, table: str, written: str) -> None:
    """The schema is ``main``."""
    works(tmp_path, f"sqlite:///{tmp_path / 'alike.db'}", table, written.format(q='"'), '"')


def test_a_name_with_a_dot_and_no_quotes_is_explained(opened: Open, tmp_path: Path) -> None:
    """The message says how to write it."""
    url = f"sqlite:///{tmp_path / 'book.db'}"
    run_statements(url, 'CREATE TABLE "Deals.v2" (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)')
    with pytest.raises(SourceError, match=r"write deals\.table = '\"Deals\.v2\"'"):
        opened(url, 'table = "Deals.v2"').refs()
