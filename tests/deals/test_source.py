"""Deals from the user's own code, and which source a configuration opens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.source import CallableSource
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.errors import ConfigError, DealNotFoundError, SourceError
from tests.builders import configure

MODULE = """
import enum
from dataclasses import dataclass
from typing import NamedTuple
class Kind(enum.Enum):
    CARVEOUT = "carveout"
class Named(str, enum.Enum):
    CARVEOUT = "carveout"
@dataclass
class Row:
    id: object
    name: object
    deal_type: object
    value: int = 5
@dataclass(slots=True)
class Slotted:
    id: object
    name: object
    deal_type: object
    value: int = 5
class Tuple(NamedTuple):
    id: object
    name: object
    deal_type: object
    value: int = 5
ROWS = [(10, "Ten", "carveout"), (2, None, None), (1, 77, "odd")]
def mappings(): return [dict(zip(("id", "name", "deal_type"), row), value=5) for row in ROWS]
def objects(): return [Row(*row) for row in ROWS]
def slotted(): return [Slotted(*row) for row in ROWS]
def tuples(): return tuple(Tuple(*row) for row in ROWS)
def generator(): yield from objects()
def enums(): return [Row(1, "a", Kind.CARVEOUT), Row(2, "b", Named.CARVEOUT)]
def twice(): return [Row(1, "a", None), Row(1, "b", None), Row(2, "c", None)]
def nameless(): return [{"key": 1}]
def lacking(): return [{"id": 1, "name": "x", "type": "carveout"}]
def lacking_object(): return [Row(1, "x", None), object()]
def without_id(): return [Row(1, "x", None), Row(None, "y", None)]
def raises(): raise OSError("postgresql://ana:s3cret@db/x is down")
def nothing(): return None
def needs(argument): return []
calls = []
def counted():
    calls.append(1)
    return objects()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a module of records."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_records.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("own_records", None)


def source(project: Path, name: str, settings: str = "") -> CallableSource:
    """Return the source over one of the module's functions."""
    return CallableSource(configure(project, f'[deals]\nsource = "own_records:{name}"\n{settings}\n'))


@pytest.mark.parametrize("name", ["mappings", "objects", "slotted", "tuples", "generator"])
def test_records_of_any_form(project: Path, name: str) -> None:
    """Mappings or objects of whatever class, in any iterable, with all their fields."""
    records = source(project, name)
    refs = records.refs()
    assert refs == [
        DealRef(1, "1", "odd", "acquisition"),
        DealRef(2, "2", None, "acquisition"),
        DealRef(10, "10", "carveout", "carveout"),
    ]
    deal = records.fetch(refs[2])
    assert (deal.id, deal.name, deal.deal_type, deal["value"]) == (10, "Ten", "carveout", 5)
    assert [one.name for one in records.fetch_many(refs) if isinstance(one, Deal)] == ["77", None, "Ten"]
    assert [ref.id for ref in records.refs(["10", "x"])] == ["10"]
    assert records.description == f"own_records:{name}"
    assert records.facts == {"dialect": None, "alembic_revision": None}
    records.close()


def test_an_enumeration_is_taken_by_its_value(project: Path) -> None:
    """A type given as an Enum is the value that a column would hold, not Python's name for it."""
    assert [ref.deal_type for ref in source(project, "enums").refs()] == ["carveout", "carveout"]


def test_records_are_loaded_once(project: Path) -> None:
    """The user's callable is asked once a run, and first when deals are wanted."""
    records = source(project, "counted")
    import own_records  # type: ignore[import-not-found]  # written by the fixture

    assert own_records.calls == []
    records.fetch(records.refs()[0])
    records.refs(["1"])
    assert own_records.calls == [1]


def test_duplicated_ids_are_counted(project: Path) -> None:
    """Which of two records is the deal is not guessed."""
    assert [(ref.id, ref.copies) for ref in source(project, "twice").refs()] == [("1", 2), ("2", 1)]


def test_other_names_and_none(project: Path) -> None:
    """The fields' names are the configuration's; there need be no name and no type."""
    refs = source(project, "nameless", 'id = "key"\nname = ""\ntype = ""').refs()
    assert refs == [DealRef(1, "1", None, "acquisition")]
    assert source(project, "nameless", 'id = "key"\nname = ""\ntype = ""').fetch(refs[0]).name is None


def test_a_record_that_is_not_there(project: Path) -> None:
    """A reference to no record is a deal that has gone."""
    gone = DealRef(99, "99", None, "acquisition")
    with pytest.raises(DealNotFoundError, match="deal 99 is not in own_records:objects any more"):
        source(project, "objects").fetch(gone)
    [error] = source(project, "objects").fetch_many([gone])
    assert isinstance(error, DealNotFoundError)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (
            "lacking",
            "record 0 has no 'deal_type'. Did you mean \"type\"? Name its fields in deals.id, deals.name, deals.type",
        ),
        ("lacking_object", "record 1 has no 'id'."),
        (
            "without_id",
            "record 1 of own_records:without_id: None cannot identify a deal; every deal needs an id of its own",
        ),
        ("raises", "deals.source = 'own_records:raises' raised OSError: postgresql://ana:***@db/x is down"),
        ("nothing", "deals.source = 'own_records:nothing' returned nothing (None); it must return an iterable"),
        ("needs", "raised TypeError: needs() missing 1 required positional argument"),
    ],
)
def test_what_is_wrong_with_the_records(project: Path, name: str, what: str) -> None:
    """The error names the source, the record and what is missing, without secrets."""
    with pytest.raises(SourceError) as caught:
        source(project, name).refs()
    assert what in str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("dealsnap.toml", ""), ("pyproject.toml", "[tool.dealsnap]\n")])
def test_a_run_in_a_folder_below_names_the_configuration_above(tmp_path: Path, name: str, text: str) -> None:
    """Pytest took the folder for the root; a configuration without a database of its own needs no such hint."""
    below = tmp_path / "tests"
    below.mkdir()
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        open_source(load_config(below, flags={}, environ={}))
    assert f"{tmp_path / name} configures dealsnap: run pytest in {tmp_path}" in str(caught.value)
    (below / "dealsnap.toml").write_text("workers = 2\n")
    with pytest.raises(SourceError) as caught:
        open_source(load_config(below, flags={}, environ={}))
    assert str(caught.value).endswith("or DEALSNAP_DATABASE")


def test_which_source_is_opened(project: Path) -> None:
    """The user's own before the database; neither is an error that says how to name one."""
    own = open_source(configure(project, 'database = "sqlite:///x.db"\n[deals]\nsource = "own_records:objects"\n'))
    assert isinstance(own, CallableSource)
    assert isinstance(open_source(configure(project, 'database = "sqlite:///x.db"')), SQLSource)
    with pytest.raises(
        SourceError, match=r"no database: set database = .*--dealsnap-database URL, or DEALSNAP_DATABASE"
    ):
        open_source(configure(project))
    with pytest.raises(ConfigError, match=r"dealsnap\.toml, \[deals\] source = 'own_records:objcts'.*Did you mean"):
        open_source(configure(project, '[deals]\nsource = "own_records:objcts"\n'))
