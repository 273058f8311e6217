"""What every invariant is made of: a condition on one deal, searched for a deal that breaks it."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_dealsnap.config import Config, DealsConfig
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError, ReasonerError, did_you_mean
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.reasoner import needs_type
from pytest_dealsnap.testing.deals import deals as any_deals
from pytest_dealsnap.testing.differential import NothingComparedWarning
from pytest_dealsnap.testing.failure_message import difference_text, name_of, paste, regression_test, shown_options
from pytest_dealsnap.testing.given_deal import as_deal, told
from pytest_dealsnap.testing.reasoner_pair import Ask, Comparison, asking
from pytest_dealsnap.testing.search import Deals, fresh, search

__all__ = ["Broken", "Held", "hold", "listed", "need_type", "omitting_type", "with_field", "with_raw_type"]

Reasoner = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """How a deal breaks an invariant: a sentence, and what stands below it."""

    sentence: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a condition asks with: the reasoner, a way to call it, and a comparison by the rules."""

    reasoner: Reasoner
    ask: Ask
    comparison: Comparison
    columns: DealsConfig

    @property
    def types(self) -> DealTypes:
        """The deal types."""
        return DealTypes.of(self.columns)

    def reason(self, deal: Deal, reasoner: Reasoner | None = None) -> Reasoning:
        """Return what the reasoner makes of a copy of *deal*."""
        return self.ask(reasoner or self.reasoner, fresh(deal))

    def differ(self, deal: Deal, sides: tuple[str, str], one: Reasoning, other: Reasoning) -> Broken | None:
        """Return how two reasonings of *deal*, told by *sides*, break the rules."""
        problem = self.comparison(replace(deal, stored_type=deal.deal_type), one, other)
        if problem is None:
            return None
        text = difference_text(problem, self.comparison, *sides, deal)
        sentence, _, details = text.partition("\n")
        return Broken(sentence, details.strip("\n"))

    def variants(self, deal: Deal) -> list[Deal]:
        """Return *deal* under every type, its own first; only that where the reasoner is not told the type."""
        if not needs_type(self.reasoner):
            return [deal]
        others = [name for name in self.types.valid if name != deal.deal_type]
        return [deal, *(deal.as_type(name, column=self.columns.type) for name in others)]

    def value(self, reasoning: Reasoning, path: Callable[[Any], Any]) -> Any:
        """Return a value of the output, ``None`` where there is none."""
        return None if reasoning.output is None else path(reasoning.output)


def hold(
    name: str,
    reasoner: Reasoner,
    breaks: Callable[[Held, Any], Broken | None],
    *,
    deals: Deals | None,
    settings: Config,
    options: Mapping[str, Any],
    max_examples: int,
    seed: int,
    compares: bool = True,
) -> None:
    """Search *deals* for one that *breaks* an invariant; raises :class:`AssertionError` for the smallest."""
    __tracebackhide__ = True
    if deals is None:
        deals = any_deals(config=settings)
    answered = not compares
    with asking() as ask:

        def noticing(function: Reasoner, deal: Any) -> Reasoning:
            nonlocal answered
            reasoning = ask(function, deal)
            answered = answered or reasoning.output is not None
            return reasoning

        held = Held(reasoner, noticing, Comparison(settings), settings.deals)

        def broken(item: Any) -> Broken | None:
            deal = as_deal(item, settings.deals)
            if not isinstance(deal, Deal):
                raise ConfigError(f"{name}() needs deals or records of deals, not {type(item).__name__}: see deals()")
            return breaks(held, deal)

        found, tried = search(deals, broken, max_examples=max_examples, seed=seed)
    if found is not None:
        deal = told(found.deal, settings.deals)
        code = regression_test(
            name, (reasoner,), deal, shown_options(options), name=f"test_{name.removeprefix('assert_')}"
        )
        steady = () if found.steady else ("The reasoner answered differently when it was asked about this deal again.",)
        problem = found.problem
        parts = (problem.sentence, problem.details, *steady, paste(code, tried=tried, seed=seed))
        raise AssertionError("\n\n".join(part for part in parts if part))
    if not tried or not answered:
        reason = f"failed for each of {tried} deals" if tried else "was asked about no deal: there was none"
        text = f"{name}: {name_of(reasoner)} {reason}, so that no output was judged"
        warnings.warn(text, NothingComparedWarning, stacklevel=3)


def takes_type(reasoner: Reasoner) -> bool:
    """Whether *reasoner* has a parameter ``deal_type``."""
    try:
        return "deal_type" in inspect.signature(reasoner).parameters
    except (TypeError, ValueError):
        return False


def need_type(name: str, reasoner: Reasoner) -> None:
    """Refuse a reasoner that is told no type: every such condition would hold."""
    if not needs_type(reasoner):
        raise ReasonerError(
            f"{name}() says nothing of {name_of(reasoner)}, which takes neither the deal nor its type: "
            "let it take deal_type or the whole deal"
        )


def omitting_type(reasoner: Reasoner) -> Reasoner:
    """Return *reasoner* as callers know it who give no ``deal_type``."""
    if not takes_type(reasoner):
        return reasoner
    signature = inspect.signature(reasoner)
    others = [parameter for key, parameter in signature.parameters.items() if key != "deal_type"]

    @functools.wraps(reasoner)
    def without_type(*positional: Any, **named: Any) -> Any:
        return reasoner(*positional, **named)

    without_type.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
    return without_type


def with_raw_type(deal: Deal, held: Held, spelt: str, *, effective: str) -> Deal:
    """Return *deal* with a type as a caller may spell it: as is for ``deal_type``, else in its column."""
    typed = deal.as_type(spelt, column=held.columns.type)
    return typed if takes_type(held.reasoner) else replace(typed, deal_type=effective)


def with_field(deal: Deal, field: str, value: Any) -> Deal:
    """Return *deal* with another value in a field."""
    return replace(deal, fields={**deal.fields, field: value})


def listed(deal: Deal, field: str) -> Sequence[Any]:
    """Return the deal's list *field*; raises :class:`ConfigError` for a deal without one."""
    value = deal.fields.get(field)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return value
    what = "is no list" if field in deal.fields else "is not there"
    hint = did_you_mean(field, map(str, deal.fields))
    raise ConfigError(
        f"the field {field!r} of a deal {what}.{hint} Give deals that have it, such as "
        f'deals(fields={{"{field}": st.lists(…)}}), or name another: inventory="…"'
    )
