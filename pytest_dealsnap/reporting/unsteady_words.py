"""What a capture says of deals whose second run gave another output."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.text import plural, some_ids

__all__ = ["unsteady_notes"]


def unsteady_notes(results: Sequence[DealResult]) -> list[str]:
    """Say where the same code gave another output for the same deal, and the command that looks further."""
    twice = [result for result in results if result.unsteady is not None]
    unsteady = [result for result in twice if result.unsteady]
    if not unsteady:
        return []
    places = sorted({place for result in unsteady for place in result.unsteady or ()})
    return [
        f"{len(unsteady):,} of {plural(len(twice), 'deal')} reasoned twice gave another output the second time "
        f"({some_ids(places, 200)}), so a gate would fail by itself. dealsnap calibrate says what to leave out"
    ]
