"""A cause in words: what its deals have in common, and what else is to be known of it."""

from __future__ import annotations

from typing import Any

from pytest_dealsnap.causes.features import TYPE_FIELD
from pytest_dealsnap.model.cause import Cause, Common
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.text import agree, plural

__all__ = ["common_text", "company_text", "deals_cell", "reach", "remarks"]


def common_text(common: Common) -> str:
    """Return ``all 41 have region = "EMEA", no other deal has (Fisher p = 2e-09)``.

    Values stand as they are, to be escaped where they are shown.
    """
    return f"{_common_text(common)} (Fisher p = {common.chance:.1g})"


def _common_text(common: Common) -> str:
    but = f" but {common.failed:,} that failed" if common.failed else ""
    if common.field == TYPE_FIELD:
        return f"every {' and every '.join(map(str, common.values))}{but}, no other deal"
    has = f"all {common.deals:,} have {common.field} = {' or '.join(map(_value, common.values))}"
    if common.within:
        return f"{has}, no other {' or '.join(common.within)} has{but}"
    return f"{has}, no other deal has{but}"


def _value(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else show_value(value)


def reach(cause: Cause) -> str:
    """Return how many deals show the cause, and how many of them break a rule by it."""
    deals = plural(len(cause.deals), "deal")
    if cause.failing in (0, len(cause.deals)):
        return deals
    breaks, others = agree(cause.failing, "breaks", "break"), len(cause.deals) - cause.failing
    return f"{cause.failing:,} of {deals} {breaks} a rule; {others:,} {agree(others, 'is', 'are')} within tolerance"


def deals_cell(cause: Cause) -> str:
    """Return the number of a cause's deals for a table: ``13 of 260`` where only some break a rule."""
    some = cause.failing not in (0, len(cause.deals))
    return f"{cause.failing:,} of {len(cause.deals):,}" if some else f"{len(cause.deals):,}"


def remarks(cause: Cause) -> list[str]:
    """Return, a line each, what the cause's deals have in common, and what changed with it or on top of it."""
    lines = [common_text(common) for common in cause.common]
    if cause.failing and cause.failing < len(cause.deals):
        lines.append(reach(cause))
    if cause.reordered:
        lines.append('the rule "same items" allows another order')
    if cause.also:
        lines.append(company_text(cause))
    return lines


def company_text(cause: Cause) -> str:
    """Return what else changed in the cause's deals."""
    return f"with it, in the same deals: {'; '.join(cause.also)}"
