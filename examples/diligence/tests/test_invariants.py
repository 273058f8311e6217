"""The plan's guarantees as one line each, for any deal that can be made up."""

from __future__ import annotations

import pytest

from examples.diligence import faults
from examples.diligence.deal_types import ALIASES, UnknownDealTypeError
from pytest_dealsnap.testing import (
    assert_aliases_equal_targets,
    assert_cost_monotone,
    assert_flag_off_ignores_type,
    assert_invalid_types_refused,
    assert_no_consolidation_outside_acquisitions,
    assert_no_tsa_outside_carveouts,
    assert_omitted_type_is_default,
    assert_order_irrelevant,
    assert_repeatable,
)

from .engine import engine, flagged_engine, made_up_deals

DEALS = made_up_deals()
FEW = 30


def test_a_type_that_is_omitted_is_an_acquisition() -> None:
    """Callers from before the types still get what they got."""
    assert_omitted_type_is_default(engine, deals=DEALS, max_examples=FEW)


def test_with_the_flag_off_the_type_does_not_matter() -> None:
    """Turning the flag off undoes the rollout, whatever types were entered meanwhile."""
    assert_flag_off_ignores_type(flagged_engine, deals=DEALS, max_examples=FEW)


def test_only_carveouts_pay_a_tsa() -> None:
    """No other type has transition services."""
    assert_no_tsa_outside_carveouts(engine, deals=DEALS, max_examples=FEW)


def test_only_acquisitions_consolidate() -> None:
    """No other type has synergies of any kind."""
    kinds = ("consolidation", "license_optimization", "renegotiation")
    assert_no_consolidation_outside_acquisitions(engine, kinds=kinds, deals=DEALS, max_examples=FEW)


def test_more_inventory_never_costs_less() -> None:
    """Each item adds to the cost, or nothing."""
    assert_cost_monotone(engine, deals=DEALS, max_examples=FEW)


def test_the_order_of_the_inventory_does_not_matter() -> None:
    """Rows come in any order out of a database."""
    assert_order_irrelevant(engine, deals=DEALS, max_examples=FEW)


def test_the_engine_is_repeatable() -> None:
    """The same deal gives the same report."""
    assert_repeatable(engine, deals=DEALS, max_examples=FEW)


def test_aliases_are_their_types() -> None:
    """A spin-off is a carve-out, by every name."""
    aliases = {alias: target.value for alias, target in ALIASES.items()}
    assert_aliases_equal_targets(engine, aliases=aliases, deals=DEALS, max_examples=FEW)


def test_invalid_types_are_refused() -> None:
    """What is neither a type nor an alias is an error, not an acquisition."""
    assert_invalid_types_refused(
        engine,
        aliases={alias: target.value for alias, target in ALIASES.items()},
        error=UnknownDealTypeError,
        deals=DEALS,
        max_examples=FEW,
    )


def test_a_fault_breaks_its_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A TSA on acquisitions is found, and shown on an empty deal."""
    monkeypatch.setenv(faults.VARIABLE, faults.Fault.TSA_ON_ACQUISITIONS.value)
    with pytest.raises(AssertionError, match=r"tsa_costs is 300,000 for the type acquisition") as caught:
        assert_no_tsa_outside_carveouts(engine, deals=DEALS, max_examples=FEW)
    assert '"inventory": []' in str(caught.value)
