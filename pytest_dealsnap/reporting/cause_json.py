"""Causes, and the traits that explain them, as plain values of the JSON report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_dealsnap.causes.clustering import Cause
from pytest_dealsnap.causes.features import Features
from pytest_dealsnap.reporting.cause_text import common_text

__all__ = ["cause_document", "features_document", "read_features"]


def cause_document(cause: Cause) -> dict[str, Any]:
    """Return *cause* as the report holds it."""
    document: dict[str, Any] = {
        "id": cause.id,
        "title": cause.title,
        "metric": cause.metric,
        "issue": cause.issue,
        "deal_types": list(cause.deal_types),
        "deals": list(cause.deals),
        "gates": cause.gates,
        "failing": cause.failing,
        "size": None,
        "common": [
            {
                "field": common.field,
                "values": list(common.values),
                "deals": common.deals,
                "failed": common.failed,
                "within": list(common.within),
                "chance": common.chance,
                "text": common_text(common),
            }
            for common in cause.common
        ],
    }
    if cause.size is not None:
        size = cause.size
        document["size"] = {
            "kind": size.kind,
            "text": size.text,
            "value": size.value,
            "percent": None if size.percent is None else list(size.percent),
            "amount": None if size.amount is None else list(size.amount),
        }
    for name in ("also", "paths"):
        if getattr(cause, name):
            document[name] = list(getattr(cause, name))
    if cause.reordered:
        document["reordered"] = True
    return document


def features_document(traits: Features) -> dict[str, Any]:
    """Return *traits* in as few characters as a report of many deals can afford."""
    return {
        "compared": dict(traits.compared),
        "values": {name: [json.loads(text) for text in texts] for name, texts in traits.values.items()},
        "totals": {
            name: {kind: " ".join(map(str, counts)) for kind, counts in by_type.items()}
            for name, by_type in traits.totals.items()
        },
        "deals": dict(traits.deals),
        "dropped": sorted(map(str, traits.dropped)),  # a column's name is a kind of text of its own
    }


def read_features(document: Mapping[str, Any]) -> Features:
    """Return the traits that :func:`features_document` wrote; raises ``ValueError`` where they do not fit together."""
    values = {name: tuple(map(_written, texts)) for name, texts in document["values"].items()}
    totals = {
        name: {kind: tuple(map(int, counts.split())) for kind, counts in by_type.items()}
        for name, by_type in document["totals"].items()
    }
    if totals.keys() != values.keys() or any(
        len(counts) != len(values[name]) for name, by_type in totals.items() for counts in by_type.values()
    ):
        raise ValueError("the traits' totals are not those of their values")
    deals = document["deals"]
    if any(not _fits(marks, list(values.values())) for marks in deals.values()):
        raise ValueError("a deal's traits are not those of their values")
    compared = {kind: int(count) for kind, count in document["compared"].items()}
    return Features(compared, values, totals, dict(deals), frozenset(document["dropped"]))


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fits(marks: Any, values: Sequence[Sequence[str]]) -> bool:
    if not isinstance(marks, str) or len(marks) != len(values):
        return False
    return all(mark == "." or 0 <= ord(mark) - 48 < len(texts) for mark, texts in zip(marks, values, strict=True))
