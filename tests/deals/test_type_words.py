"""What stored words suggest for types and aliases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.deals.type_words import MOST_TYPES, TypeSuggestion, means, suggest_types, usable_as_type

PLAN = ("acquisition", "carveout", "divestiture")


@pytest.mark.parametrize(
    ("word", "deal_type"),
    [
        ("acquisition", "acquisition"), ("bolt_on", "acquisition"), ("Bolt-On", "acquisition"),
        ("platform", "acquisition"),
        ("carve-out", "carveout"), ("carve_out", "carveout"), ("CARVE OUT ", "carveout"), ("spin-off", "carveout"),
        ("sale", "divestiture"), ("disposal", "divestiture"), ("merger", None), ("", None), ("carve", None),
    ],
)  # fmt: skip
def test_words_of_the_field(word: str, deal_type: str | None) -> None:
    """Case, blanks, hyphens and underscores do not matter; a word that is none means nothing."""
    assert means(word) == deal_type


def test_other_spellings_become_aliases_and_slips_are_told_apart() -> None:
    """An alias is another word in use; a slip stands beside the better spelling, or ends in a blank."""
    stored = {"acquisition": 9, "Acquisition": 1, "spinoff": 3, "carve-out ": 2, "DIVESTITURE": 4, "merger": 2, " ": 1}
    assert suggest_types(stored) == TypeSuggestion(
        PLAN,
        "acquisition",
        aliases={"spinoff": "carveout", "DIVESTITURE": "divestiture"},
        slips={"Acquisition": "acquisition", "carve-out ": "carveout"},
        unknown=("merger",),
    )


def test_words_that_the_database_insists_on_are_types() -> None:
    """Where a constraint refuses others, a stranger is a type; where nothing is known, all strangers are."""
    assert suggest_types({"acquisition": 1, "joint venture": 2}, constrained=True).types == (*PLAN, "joint venture")
    loans = suggest_types({"loan": 2, "equity": 5, "_odd": 9, "a[b]": 1})
    assert (loans.types, loans.default_type, loans.unknown) == (("loan", "equity"), "equity", ("_odd", "a[b]"))


def test_too_many_words_are_no_types() -> None:
    """A column of names, or of nothing, suggests the plan's types."""
    names = {f"Company {number}": 1 for number in range(MOST_TYPES + 1)}
    for stored in (names, {}, {"": 3}):
        suggestion = suggest_types(stored)
        assert (suggestion.types, suggestion.default_type, suggestion.aliases) == (PLAN, "acquisition", {})


@given(
    st.dictionaries(
        st.text(max_size=8) | st.sampled_from(["sale", "Sale ", "SPIN-OFF"]), st.integers(1, 9), max_size=9
    ),
    st.booleans(),
)
def test_each_stored_word_has_one_place(stored: dict[str, int], constrained: bool) -> None:
    """A type, an alias of one, a slip, or unknown: never two of them, and the default is a type."""
    suggestion = suggest_types(stored, constrained=constrained)
    places = [*suggestion.types, *suggestion.aliases, *suggestion.slips, *suggestion.unknown]
    assert len(places) == len(set(places))
    assert {word for word in stored if word.strip()} <= set(places)
    assert suggestion.default_type in suggestion.types
    assert all(usable_as_type(name) for name in suggestion.types)
    assert {*suggestion.aliases.values(), *suggestion.slips.values()} <= set(suggestion.types)
