"""Each invariant: what it lets be, what breaks it, and how that is told."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from pytest_dealsnap.errors import ConfigError, ReasonerError
from pytest_dealsnap.testing import (
    Deal,
    NothingComparedWarning,
    assert_aliases_equal_targets,
    assert_cost_monotone,
    assert_flag_off_ignores_type,
    assert_invalid_types_refused,
    assert_no_consolidation_outside_acquisitions,
    assert_no_tsa_outside_carveouts,
    assert_omitted_type_is_default,
    assert_order_irrelevant,
    assert_repeatable,
    deals,
    load_config,
)

TARGETS = {"acquisition": "acquisition", "carveout": "carveout", "divestiture": "divestiture", "spinoff": "carveout"}
DEALS = deals(aliases={"spinoff": "carveout"}, fields={"inventory": st.lists(st.integers(0, 9), max_size=4)})
FEW: dict[str, Any] = {"deals": DEALS, "max_examples": 40}


class UnknownTypeError(ValueError):
    """A type that is none."""


def sound(deal: Deal, deal_type: str = "acquisition") -> dict[str, Any]:
    """A reasoner that keeps every promise."""
    if deal_type not in TARGETS:
        raise UnknownTypeError(deal_type)
    known = TARGETS[deal_type] if os.environ.get("TYPES_ON", "yes") == "yes" else "acquisition"
    kinds = [{"type": "consolidation"}] if known == "acquisition" else []
    tsa = 100 if known == "carveout" else 0
    cost = {"total_cost": sum(deal["inventory"]) + tsa, "tsa_costs": tsa}
    return {"cost_estimate": cost, "synergies": kinds, "items": sorted(deal["inventory"])}


def test_a_sound_reasoner_keeps_every_promise() -> None:
    """One line each, and nothing is said."""
    assert_repeatable(sound, **FEW)
    assert_omitted_type_is_default(sound, **FEW)
    assert_flag_off_ignores_type(sound, flag="TYPES_ON", off="no", **FEW)
    assert_no_tsa_outside_carveouts(sound, **FEW)
    assert_no_consolidation_outside_acquisitions(sound, **FEW)
    assert_cost_monotone(sound, **FEW)
    assert_order_irrelevant(sound, **FEW)
    assert_aliases_equal_targets(sound, aliases={"spinoff": "carveout"}, **FEW)
    assert_invalid_types_refused(sound, aliases={"spinoff": "carveout"}, error=UnknownTypeError, **FEW)
    assert "TYPES_ON" not in os.environ


def broken(change: Callable[[dict[str, Any], Deal, str], object]) -> Callable[..., dict[str, Any]]:
    """Return the sound reasoner with its output changed."""

    def reason(deal: Deal, deal_type: str = "acquisition") -> dict[str, Any]:
        output = sound(deal, deal_type if deal_type in TARGETS else "acquisition")
        change(output, deal, deal_type)
        return output

    return reason


CALLS = iter(range(10**6))


def says_flag(output: dict[str, Any], deal: Deal, deal_type: str) -> None:
    """Let the type show whatever the flag says."""
    output["kind"] = deal_type


BREAKS: dict[str, tuple[Callable[..., None], Callable[[dict[str, Any], Deal, str], object], dict[str, Any], str]] = {
    "repeatable": (
        assert_repeatable,
        lambda output, deal, deal_type: output.update(n=next(CALLS)),
        {},
        "the first run and the second run disagree",
    ),
    "tsa": (
        assert_no_tsa_outside_carveouts,
        lambda output, deal, deal_type: output["cost_estimate"].update(tsa_costs=len(deal["inventory"])),
        {},
        "cost_estimate.tsa_costs is 1 for the type acquisition, allowed: only for carveout",
    ),
    "synergies": (
        assert_no_consolidation_outside_acquisitions,
        lambda output, deal, deal_type: output.update(synergies=[{"type": "consolidation"}]),
        {},
        "synergies[].type has consolidation for the type carveout, allowed: only for acquisition",
    ),
    "monotone": (
        assert_cost_monotone,
        lambda output, deal, deal_type: output["cost_estimate"].update(total_cost=-sum(deal["inventory"])),
        {},
        "with one item more cost_estimate.total_cost falls from 0 to -1 (",
    ),
    "lost cost": (
        assert_cost_monotone,
        lambda output, deal, deal_type: deal["inventory"] and output["cost_estimate"].pop("total_cost"),
        {},
        "with one item more cost_estimate.total_cost is lost (",
    ),
    "crash": (
        assert_cost_monotone,
        lambda output, deal, deal_type: deal["inventory"] and 1 / 0,
        {},
        "with one item more the reasoner fails: ZeroDivisionError",
    ),
    "order": (
        assert_order_irrelevant,
        lambda output, deal, deal_type: output.update(items=deal["inventory"]),
        {},
        "the order given and the order reversed disagree",
    ),
    "rotated order": (
        assert_order_irrelevant,
        lambda output, deal, deal_type: output.update(
            ends=sorted((deal["inventory"] or [0])[:: max(len(deal["inventory"]) - 1, 1)])
        ),
        {},
        "the order given and the order rotated disagree",
    ),
    "omitted": (
        assert_omitted_type_is_default,
        lambda output, deal, deal_type: output.update(stored=deal.stored_type),
        {},
        "the type acquisition and no type disagree on an acquisition deal: rest of the output differs in stored",
    ),
    "flag": (
        assert_flag_off_ignores_type,
        says_flag,
        {"flag": "TYPES_ON", "off": "no"},
        "acquisition and carveout (flag off) disagree on a carveout deal: rest of the output differs in kind",
    ),
    "alias": (
        assert_aliases_equal_targets,
        says_flag,
        {"aliases": {"spinoff": "carveout"}},
        "carveout and alias spinoff disagree on a carveout deal: rest of the output differs in kind",
    ),
    "invalid": (
        assert_invalid_types_refused,
        says_flag,
        {"aliases": {"spinoff": "carveout"}},
        "'' is no deal type and was taken for one; valid are acquisition, carveout, divestiture",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_promise_is_told_with_the_smallest_deal(name: str) -> None:
    """What broke comes first, then a test that fails for the same reason when it is pasted."""
    invariant, change, options, sentence = BREAKS[name]
    reason = broken(change)
    with pytest.raises(AssertionError) as caught:
        invariant(reason, **options, **FEW)
    text = str(caught.value)
    assert text.startswith(sentence), text
    assert "ready to paste" in text
    namespace: dict[str, Any] = {"reason": reason}
    exec(text.partition("ready to paste")[2].partition("\n\n")[2], namespace)
    [test] = [value for key, value in namespace.items() if key.startswith("test_")]
    with pytest.raises(AssertionError) as again:
        test()
    if name != "repeatable":
        assert str(again.value).splitlines()[0] == text.splitlines()[0]


def test_an_omitted_type_without_a_default_is_told() -> None:
    """A parameter that must be given breaks the callers from before."""

    def required(deal_id: int, deal_type: str) -> dict[str, Any]:
        return {"type": deal_type}

    with pytest.raises(AssertionError, match=r"no type raises TypeError: .*missing 1 required positional argument"):
        assert_omitted_type_is_default(required)


def test_whole_deals_carry_their_type_in_the_column() -> None:
    """A reasoner that reads the row sees the alias, the NULL and the invalid type there."""

    def by_row(deal: Deal) -> dict[str, Any]:
        stored = deal["deal_type"]
        if stored is not None and stored not in TARGETS:
            raise UnknownTypeError(stored)
        return {"type": TARGETS.get(stored, "acquisition")}

    assert_aliases_equal_targets(by_row, aliases={"spinoff": "carveout"}, **FEW)
    assert_omitted_type_is_default(by_row, **FEW)
    assert_invalid_types_refused(by_row, aliases={"spinoff": "carveout"}, invalid=["merger", "x"], **FEW)
    with pytest.raises(AssertionError, match="carveout and alias disposal disagree"):
        assert_aliases_equal_targets(by_row, aliases={"disposal": "carveout"}, **FEW)


def test_a_flag_may_be_a_context_manager() -> None:
    """For flags that no environment variable holds."""
    state = {"on": True}

    @contextmanager
    def switched_off() -> Iterator[None]:
        state["on"] = False
        yield
        state["on"] = True

    def reason(deal_id: int, deal_type: str) -> dict[str, Any]:
        return {"type": deal_type if state["on"] else "any"}

    assert_flag_off_ignores_type(reason, flag=switched_off, max_examples=20)
    assert state == {"on": True}


def test_records_and_invalid_types_of_ones_own() -> None:
    """Deals may be records, and an error of another kind is no refusal."""
    records = [{"id": 1, "name": "A", "deal_type": "carveout", "inventory": []}]
    assert_invalid_types_refused(sound, deals=records, error=UnknownTypeError)
    with pytest.raises(AssertionError, match="is no deal type and raised UnknownTypeError, which is no KeyError"):
        assert_invalid_types_refused(sound, deals=records, error=KeyError)
    assert_invalid_types_refused(sound, deals=records, invalid=st.sampled_from(["a", "b"]))
    with pytest.raises(AssertionError, match="'b' is no deal type and raised UnknownTypeError"):
        assert_invalid_types_refused(sound, deals=records, invalid=st.just("b"), error=KeyError)


LENIENT: dict[str, Callable[[str], str]] = {
    "padding": str.strip,
    "case": str.lower,
    "hyphens": lambda text: text.replace("-", ""),
    "plurals": lambda text: text.rstrip("s"),
    "look-alikes": lambda text: text.translate({0x430: "a", 0x441: "c", 0x435: "e", 0x43E: "o"}),
}


@pytest.mark.parametrize("drawn", [True, False], ids=["drawn", "records"])
@pytest.mark.parametrize("kind", LENIENT)
def test_every_kind_of_misspelling_is_tried(kind: str, drawn: bool) -> None:
    """That one spelling of one type is forgiven is found whatever the seed: none is left to chance."""
    lenient = LENIENT[kind]

    def reason(deal: Deal, deal_type: str) -> dict[str, Any]:
        return sound(deal, "carveout" if lenient(deal_type) == "carveout" else deal_type)

    given = DEALS if drawn else [{"id": 1, "name": "A", "deal_type": "carveout", "inventory": []}]
    for seed in range(3):
        with pytest.raises(AssertionError, match="is no deal type and was taken for one") as caught:
            assert_invalid_types_refused(
                reason, aliases={"spinoff": "carveout"}, deals=given, max_examples=5, seed=seed
            )
        assert lenient(ast.literal_eval(str(caught.value).partition(" is no deal type")[0])) == "carveout"


def test_a_printed_test_names_the_configuration(tmp_path: Path) -> None:
    """Types and columns that came as settings are read from their folder when the test is pasted."""
    (tmp_path / "dealsnap.toml").write_text('[deals]\ntypes = ["buy", "sale"]\ndefault_type = "buy"\n')
    config = load_config(tmp_path, flags={}, environ={})

    def costly(deal: Deal) -> dict[str, Any]:
        return {"cost_estimate": {"tsa_costs": int(deal.deal_type == "sale")}}

    with pytest.raises(AssertionError, match="tsa_costs is 1 for the type sale") as caught:
        assert_no_tsa_outside_carveouts(costly, types=["buy"], config=config)
    code = str(caught.value).partition("ready to paste")[2].partition("\n\n")[2]
    assert f'config=Path("{tmp_path.as_posix()}")' in code
    namespace: dict[str, Any] = {"costly": costly}
    exec(code, namespace)
    with pytest.raises(AssertionError, match="tsa_costs is 1 for the type sale"):
        namespace["test_no_tsa_outside_carveouts"]()


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: assert_cost_monotone(sound, deals=deals()), "the field 'inventory' of a deal is not there."),
        (lambda: assert_order_irrelevant(sound, inventory="name", **FEW), "the field 'name' of a deal is no list."),
        (lambda: assert_aliases_equal_targets(sound), "needs aliases={spelling: type}, or deals.aliases"),
        (lambda: assert_repeatable(sound, deals=[5]), "needs deals or records of deals, not int"),
        (lambda: assert_omitted_type_is_default(lambda deal_id: {}), "takes neither the deal nor its type"),
    ],
)
def test_what_would_say_nothing_is_refused(call: Callable[[], None], what: str) -> None:
    """A condition that could not fail is an error, which says what to do."""
    with pytest.raises((ConfigError, ReasonerError)) as caught:
        call()
    assert what in str(caught.value)


def test_a_reasoner_that_always_fails_is_told_of() -> None:
    """Nothing was judged, which is said."""
    with pytest.warns(NothingComparedWarning, match="failed for each of 3 deals, so that no output was judged"):
        assert_repeatable(lambda deal: 1 / 0, max_examples=3)
    for invariant in (assert_repeatable, assert_invalid_types_refused):
        with pytest.warns(NothingComparedWarning, match="sound was asked about no deal: there was none"):
            invariant(sound, deals=[])
