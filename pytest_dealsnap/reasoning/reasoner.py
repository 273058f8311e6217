"""Calling conventions: what the user's reasoner is called with, decided by its parameter names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ReasonerError

__all__ = ["Reasoner", "bind_reasoner", "import_reasoner", "needs_row", "needs_type"]

Reasoner = Callable[[Deal], Any]
_Source = Callable[[Deal], Any]
_CONVENTION = (
    "A reasoner's parameters are deal_id (the id), deal_type (the effective type), "
    "or one other positional parameter (the whole deal); others need defaults"
)


def import_reasoner(config: Config) -> Callable[..., Any]:
    """Return the callable that the configuration names; raises an error that says how to name one."""
    if config.reasoner is None:
        raise ReasonerError(
            'no reasoner: set reasoner = "myapp.analysis:run_reasoning_phase" in [tool.dealsnap], give '
            "--dealsnap-reasoner or DEALSNAP_REASONER, or override the fixture deal_reasoner in the conftest.py "
            f"of the root folder {config.root}"
        )
    return import_object(config.reasoner, root=config.root, place=config.place("reasoner"))


def bind_reasoner(function: Callable[..., Any]) -> Reasoner:
    """Return *function* as a callable of one deal; what it returns may be awaitable.

    Raises :class:`ReasonerError` for a function that cannot be called with what a deal offers.
    """
    knows_deals = getattr(type(function), "bind_to_tapes", None)  # of the class: a mock has every attribute
    if knows_deals is not None:
        return cast("Reasoner", knows_deals(function))
    name = getattr(function, "__qualname__", None) or repr(function)
    if not callable(function):
        raise ReasonerError(f"the reasoner {name} is {type(function).__name__}, which cannot be called")
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return lambda deal: function(deal)
    positional, named = _plan(name, parameters)
    if not named and positional == [_whole]:
        return lambda deal: function(deal)
    if not named and positional == [_deal_id]:
        return lambda deal: function(deal.id)
    if not positional and list(named) == ["deal_id"]:
        return lambda deal: function(deal_id=deal.id)
    return lambda deal: function(
        *[source(deal) for source in positional], **{key: source(deal) for key, source in named.items()}
    )


def needs_row(function: Callable[..., Any]) -> bool:
    """Whether *function* is given the whole deal, so that its row must be at hand where it runs."""
    try:
        positional, named = _plan(repr(function), inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return True
    return _whole in (*positional, *named.values())


def needs_type(function: Callable[..., Any]) -> bool:
    """Whether *function* is given something that tells it the deal's type: that itself, or the whole deal."""
    try:
        positional, named = _plan(repr(function), inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return True
    return any(source in (_whole, _deal_type) for source in (*positional, *named.values()))


def _plan(name: str, parameters: Mapping[str, inspect.Parameter]) -> tuple[list[_Source], dict[str, _Source]]:
    """Return what fills the positional-only parameters, and what the named ones."""
    positional: list[_Source] = []
    named: dict[str, _Source] = {}
    whole = _whole_deal_parameter(parameters)
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        source = _BY_NAME.get(parameter.name) or (_whole if parameter is whole else None)
        if source is not None and parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(source)
        elif source is not None:
            named[parameter.name] = source
        elif parameter.kind is parameter.POSITIONAL_ONLY and parameter.default is not parameter.empty:
            positional.append(_constant(parameter.default))  # one after it may be the deal's
        elif parameter.default is parameter.empty:
            raise ReasonerError(f'the reasoner {name} needs "{parameter.name}", which no deal offers. {_CONVENTION}')
    if named or any(source in _SOURCES for source in positional):
        return positional, named
    kinds = {parameter.kind for parameter in parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return [], dict(_BY_NAME)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return [_whole], {}
    raise ReasonerError(f"the reasoner {name} takes no deal. {_CONVENTION}")


def _whole_deal_parameter(parameters: Mapping[str, inspect.Parameter]) -> inspect.Parameter | None:
    """Return the one parameter that gets the whole deal: a required one, or the only one there is."""
    others = [
        parameter
        for parameter in parameters.values()
        if parameter.name not in _BY_NAME
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    required = [parameter for parameter in others if parameter.default is parameter.empty]
    if len(required) == 1:
        return required[0]
    return others[0] if not required and others and "deal_id" not in parameters else None


def _constant(value: Any) -> _Source:
    return lambda deal: value


def _deal_id(deal: Deal) -> Any:
    return deal.id


def _deal_type(deal: Deal) -> str:
    return deal.deal_type


def _whole(deal: Deal) -> Deal:
    return deal


_BY_NAME: Mapping[str, _Source] = {"deal_id": _deal_id, "deal_type": _deal_type}
_SOURCES = (_deal_id, _deal_type, _whole)
