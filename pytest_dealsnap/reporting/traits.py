"""The features of a run's deals, from which causes are explained, as a report holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pytest_dealsnap.model.cause import Features
from pytest_dealsnap.model.documents import Traits

__all__ = ["make_traits", "read_traits"]


def make_traits(features: Features) -> Traits:
    """Return *features* in as few characters as a report of many deals can afford."""
    return Traits(
        compared={str(name): count for name, count in features.compared.items()},
        values={str(name): [json.loads(text) for text in texts] for name, texts in features.values.items()},
        totals={
            str(name): {str(kind): " ".join(map(str, counts)) for kind, counts in by_type.items()}
            for name, by_type in features.totals.items()
        },
        deals=dict(features.deals),
        dropped=sorted(map(str, features.dropped)),  # a column's name is a kind of text of its own
    )


def read_traits(traits: Traits) -> Features:
    """Return the features that :func:`make_traits` wrote; raises ``ValueError`` where they do not fit together."""
    values = {name: tuple(map(_written, texts)) for name, texts in traits.values.items()}
    totals = {
        name: {kind: tuple(map(int, counts.split())) for kind, counts in by_type.items()}
        for name, by_type in traits.totals.items()
    }
    if totals.keys() != values.keys() or any(
        len(counts) != len(values[name]) for name, by_type in totals.items() for counts in by_type.values()
    ):
        raise ValueError("the traits' totals are not those of their values")
    if any(not _fits(marks, list(values.values())) for marks in traits.deals.values()):
        raise ValueError("a deal's traits are not those of their values")
    return Features(traits.compared, values, totals, traits.deals, frozenset(traits.dropped))


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fits(marks: str, values: Sequence[Sequence[str]]) -> bool:
    if len(marks) != len(values):
        return False
    return all(mark == "." or 0 <= ord(mark) - 48 < len(texts) for mark, texts in zip(marks, values, strict=True))
