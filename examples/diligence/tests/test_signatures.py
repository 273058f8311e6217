"""Code written before deal types goes on working: a deal type is never a must."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from examples.diligence import analysis_runner, costs, findings, separation, synergies, transition_services
from examples.diligence.inventory import Inventory

from .test_deal_type_matrix import FILE

ENGINE = (analysis_runner, costs, findings, separation, synergies, transition_services)


def public_functions(module: ModuleType) -> list[Callable[..., Any]]:
    """What a module offers of its own."""
    found = [value for name, value in vars(module).items() if inspect.isfunction(value) and not name.startswith("_")]
    return [function for function in found if function.__module__ == module.__name__]


WITH_TYPE = [
    function
    for module in ENGINE
    for function in public_functions(module)
    if "deal_type" in inspect.signature(function).parameters
]


@pytest.mark.parametrize("function", WITH_TYPE, ids=lambda function: function.__qualname__)
def test_the_deal_type_is_optional(function: Callable[..., Any]) -> None:
    """Every function of the engine that takes a deal type has acquisition as its default, and takes it by name."""
    parameter = inspect.signature(function).parameters["deal_type"]
    assert parameter.default == "acquisition"
    assert parameter.kind is not inspect.Parameter.POSITIONAL_ONLY


def test_the_engine_has_functions_with_a_type() -> None:
    """The test above covers each part of the engine."""
    assert {function.__module__.rpartition(".")[2] for function in WITH_TYPE} == {
        module.__name__.rpartition(".")[2] for module in ENGINE
    }


def test_calls_without_a_type_equal_calls_for_an_acquisition() -> None:
    """Each function gives what it gave before there were types."""
    inventory: Inventory = FILE.inventory
    for function in (
        findings.find, separation.calculate_separation_costs, synergies.identify_synergies,
        transition_services.transition_service_cost,
    ):  # fmt: skip
        assert function(inventory) == function(inventory, deal_type="acquisition")
    assert costs.calculate_costs(FILE.work_items, inventory) == costs.calculate_costs(
        FILE.work_items, inventory, deal_type="acquisition"
    )
    assert analysis_runner.reason(FILE) == analysis_runner.reason(FILE, FILE.deal_type)
