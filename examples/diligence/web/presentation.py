"""How values look on the page: money, titles, and the bars of the chart."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask

from examples.diligence.deal_types import DealType, effective_deal_type
from examples.diligence.findings import DOMAIN_TITLES
from examples.diligence.inventory import Domain

from .type_help import TYPE_HELP

TSA_LABEL = "Transition services (TSA)"
TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the chart: dollars, per cent of the longest bar, and the multiplier, if one was applied."""

    label: str
    cost: int
    length: float
    multiplier: float | None


def register(app: Flask) -> None:
    """Give an application's templates these filters and names."""
    app.add_template_filter(money)
    app.add_template_filter(spread)
    app.add_template_filter(readable)
    app.add_template_filter(title_of_domain)
    app.add_template_filter(title_of_type)
    app.context_processor(lambda: {"type_help": TYPE_HELP})


def money(dollars: float) -> str:
    """Whole US dollars, such as $1,234,567."""
    return f"${dollars:,.0f}"


def spread(low: float, high: float) -> str:
    """A range of dollars, or the one amount if it is none."""
    return money(low) if low == high else f"{money(low)} – {money(high)}"  # noqa: RUF001  # a range has an en dash


def title_of_domain(domain: str) -> str:
    """A domain as a heading."""
    return DOMAIN_TITLES[Domain(domain)].capitalize()


def title_of_type(deal_type: str | None) -> str:
    """A deal type as a heading; a stored value that is none shows as what it counts as."""
    return TYPE_HELP[effective_deal_type(deal_type)].title


def readable(prose: str) -> str:
    """A text without marks that turn the direction of all that follows: a name may bring one along."""
    return "".join(mark for mark in prose if unicodedata.bidirectional(mark) not in TURNING)


def bars(estimate: Mapping[str, Any]) -> list[Bar]:
    """The chart of a cost estimate: its domains, dearest first, and the TSA of a carve-out."""
    lines = sorted(estimate["by_domain"].items(), key=lambda line: (-line[1], line[0]))
    amounts = [*(cost for _, cost in lines), estimate["tsa_costs"]]
    longest = max(amounts) or 1
    drawn = [
        Bar(title_of_domain(domain), cost, round(100 * cost / longest, 1), estimate["multipliers"][domain])
        for domain, cost in lines
    ]
    if estimate["deal_type"] == DealType.CARVEOUT:
        tsa = estimate["tsa_costs"]
        drawn.append(Bar(TSA_LABEL, tsa, round(100 * tsa / longest, 1), None))
    return drawn


def total(entries: Sequence[Mapping[str, Any]], key: str) -> int:
    """One amount of all synergies or separation costs together."""
    return sum(entry[key] for entry in entries)
