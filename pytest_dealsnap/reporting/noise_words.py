"""What is said of noise: deals whose second run gave another output, and suspects that were reasoned anew."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.text import plural, some_ids

__all__ = ["confirmation_notes", "unsteady_notes"]


def unsteady_notes(results: Sequence[DealResult]) -> list[str]:
    """Say where the same code gave another output for the same deal, and the command that looks further."""
    twice = [result for result in results if result.unsteady is not None]
    unsteady = [result for result in twice if result.unsteady]
    if not unsteady:
        return []
    places = sorted({place for result in unsteady for place in result.unsteady or ()})
    return [
        f"{len(unsteady):,} of {plural(len(twice), 'deal')} reasoned twice gave another output the second time "
        f"({some_ids(places, 200)}): a gate would see that as a change. dealsnap calibrate says what settles it"
    ]


def confirmation_notes(results: Sequence[DealResult]) -> list[str]:
    """Say how many deals lay beyond rule and floor, and what fresh runs of both sides made of them."""
    suspects = [{finding.noise for finding in result.findings if finding.noise in _SUSPECT} for result in results]
    beyond = [words for words in suspects if words]
    if not beyond:
        return []
    confirmed = sum("confirmed" in words for words in beyond)
    cleared = sum(words == {"not confirmed"} for words in beyond)
    parts = [f"{confirmed:,} confirmed by fresh runs of both sides", f"{cleared:,} not confirmed: noise"]
    left = len(beyond) - confirmed - cleared
    if left:
        findings = (one for result in results for one in result.findings if one.noise == "beyond" and one.note)
        why = next((one.note for one in findings), "")
        parts.append(f"{left:,} red without fresh runs ({why or 'another rule is broken, too'})")
    return [f"{plural(len(beyond), 'deal')} beyond rule and floor of noise: {'; '.join(parts)}"]


_SUSPECT = ("beyond", "confirmed", "not confirmed")
