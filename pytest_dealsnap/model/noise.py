"""How far two runs of the same code lie apart: what ``snapshots/noise.json`` holds, and what a run used of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pytest_dealsnap.model.exact_numbers import Number
from pytest_dealsnap.model.record import Record, always, described, field, one_of

__all__ = ["KINDS", "NOISE_FORMAT", "MetricNoise", "Noise", "NoiseFacts", "TypeNoise"]

NOISE_FORMAT = 1
KINDS = ("number", "text", "other")


class MetricNoise(Record, frozen=True):
    """One metric of one deal type in pairs of runs of the same code.

    ``floor`` is the largest difference: relative for numbers, 1 - similarity for texts, 0 or 1 for anything else. It is
    ``None`` where no number is large enough, such as from 0 to 5. ``ties`` are the pairs without a difference,
    ``reordered`` those whose lists hold the same items in another order. ``errors`` counts pairs whose first run had a
    value that the second had not; they are not in ``pairs``.
    """

    kind: Annotated[str, one_of(KINDS), described("What the values are.")]
    pairs: Annotated[int, described("Pairs that have a value on both sides.", ge=0)]
    floor: Annotated[Number | None, described("The largest difference; null where none is large enough.")]
    ties: Annotated[int, described("Pairs without a difference.", ge=0)]
    errors: Annotated[int, described("Pairs whose second run lost the value.", ge=0)] = always(0)
    reordered: Annotated[int, described("Pairs of lists with the same items in another order.", ge=0)] = always(0)


class TypeNoise(Record, frozen=True):
    """The pairs of one deal type: those whose first run had an output, and those whose second run had none."""

    pairs: Annotated[int, described("Pairs whose first run had an output.", ge=0)]
    errors: Annotated[int, described("Those of them whose second run had none.", ge=0)] = always(0)
    metrics: Mapping[str, MetricNoise] = field(default_factory=dict)


class Noise(Record, frozen=True):
    """What ``dealsnap calibrate`` measured: by deal type, of one version of the code, and the volatile paths."""

    format: Annotated[int, described("The number of the file's format.", ge=1)]
    calls_version: Annotated[str, described("The version of code and model that was measured (calls.version).")]
    types: Mapping[str, TypeNoise] = always({})
    volatile: Annotated[tuple[str, ...], described("Paths that differ between two runs of the same code.")] = always(())


class NoiseFacts(Record, frozen=True):
    """What a run took from ``noise.json``; ``stale`` says why it took nothing, where the file is of other code."""

    types: Mapping[str, TypeNoise] = field(default_factory=dict)
    stale: str = ""
