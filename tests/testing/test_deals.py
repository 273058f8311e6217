"""Deals and their types: sound ones of every type, and those that people and imports leave behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.testing import Deal, deal_names, deal_types, deals, load_config, rows, stored_deal_types

FIND = settings(database=None, max_examples=400, phases=(Phase.generate, Phase.shrink), derandomize=True)
ALIASES = {"spinoff": "carveout"}


@pytest.mark.parametrize("types", [("acquisition", "carveout", "divestiture"), ("buyout", "merger")])
def test_deal_types_are_the_valid_ones(types: tuple[str, ...]) -> None:
    """Every type is drawn, the plan's or one's own, and nothing else."""
    seen: set[str] = set()

    @settings(FIND, max_examples=40)
    @given(deal_types(types=types))
    def collect(drawn: str) -> None:
        seen.add(drawn)

    collect()
    assert seen == set(types)
    with pytest.raises(ConfigError, match="at least one type"):
        deal_types(types=[])


@pytest.mark.parametrize(
    "kind",
    [
        lambda stored: stored is None,
        lambda stored: stored == "spinoff",
        lambda stored: stored == "divestiture",
        lambda stored: stored is not None and stored.strip() == "",
        lambda stored: stored in ("ACQUISITION", "Carveout", "spinoff "),
        lambda stored: stored is not None and not stored.isascii() and len(stored) == len("carveout"),
        lambda stored: stored == "merger",
        lambda stored: stored is not None and len(stored) == 255,
    ],
    ids=["null", "alias", "valid", "blank", "misspelt", "look-alike", "unknown", "long"],
)
def test_stored_types_are_of_every_kind(kind: Any) -> None:
    """Valid, alias, NULL, blank and hostile: each is drawn, and soon."""
    assert kind(find(stored_deal_types(aliases=ALIASES), kind, settings=FIND))


@settings(FIND, max_examples=150)
@given(stored_deal_types(nullable=False, max_length=20))
def test_stored_types_fit_their_column(stored: str | None) -> None:
    """No NULL where there may be none, and nothing that a text column refuses."""
    assert stored is not None
    assert len(stored) <= 20
    assert "\0" not in stored
    stored.encode()


@settings(FIND, max_examples=100)
@given(deals(aliases=ALIASES))
def test_a_deal_counts_as_what_its_stored_type_counts_as(deal: Deal) -> None:
    """The effective type follows the rules of the gate, and the fields hold what the row would."""
    expected = {
        "acquisition": "acquisition",
        "carveout": "carveout",
        "divestiture": "divestiture",
        "spinoff": "carveout",
    }
    assert deal.deal_type == expected.get(str(deal.stored_type), "acquisition")
    assert (deal["id"], deal["name"], deal["deal_type"]) == (deal.id, deal.name, deal.stored_type)


def test_every_type_is_met_often() -> None:
    """Most deals have a valid stored type, so that what only one type shows is found; hostile ones are among them."""
    drawn: list[Deal] = []

    @settings(FIND, max_examples=200)
    @given(deals())
    def collect(deal: Deal) -> None:
        drawn.append(deal)

    collect()
    stored = Counter(deal.stored_type for deal in drawn)
    assert min(stored[name] for name in ("acquisition", "carveout", "divestiture")) > 20
    assert sum(count for spelt, count in stored.items() if spelt not in ("acquisition", "carveout", "divestiture")) > 20


def test_names_are_hostile_and_deals_simple_in_the_end() -> None:
    """Markup, control characters, emoji and 255 characters are names; a deal shrinks to a plain one."""
    for kind in (lambda n: "<script>" in n, lambda n: "\x1b" in n, lambda n: "🚀" in n, lambda n: len(n) == 255):
        find(deal_names(), kind, settings=FIND)
    simplest = find(deals(fields={"n": st.integers()}), lambda deal: deal["n"] > 4, settings=FIND)
    assert simplest == Deal(1, "Deal", "acquisition", "acquisition")
    assert simplest.fields == {"id": 1, "name": "Deal", "deal_type": "acquisition", "n": 5}


def test_deals_of_a_table_and_of_a_project(tmp_path: Path) -> None:
    """Fields may be a table's rows; types, aliases and columns those of a project."""
    (tmp_path / "dealsnap.toml").write_text(
        '[deals]\nid = "no"\nname = "title"\ntype = "kind"\ntypes = ["buy", "sell"]\ndefault_type = "sell"\n'
        'aliases = { purchase = "buy" }\n'
    )
    config = load_config(tmp_path, flags={}, environ={})
    table = Table(
        "book",
        MetaData(),
        Column("no", Integer, primary_key=True),
        Column("title", String(9)),
        Column("kind", String(9)),
    )
    kind = stored_deal_types(types=["buy", "sell"], aliases=["purchase"], max_length=9)
    made = deals(config=config, fields=rows(table, kind=kind))
    found = find(made, lambda deal: deal.stored_type == "purchase", settings=FIND)
    assert (found.id, found.name, found.deal_type, found.fields["kind"]) == (1, None, "buy", "purchase")
    assert find(made, lambda deal: deal.stored_type is None, settings=FIND).deal_type == "sell"
    with pytest.raises(ConfigError, match=r"'sel' is no valid deal type. Did you mean \"sell\"\?"):
        deals(config=config, default_type="sel")
