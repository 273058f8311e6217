"""A stand-in for a slow, noisy, paid model: the same figures, late, in other words, and not every time.

`DILIGENCE_DELAY_SECONDS` (default 0.05) is how long a call takes, `DILIGENCE_FAILURE_RATE` (default 0, at
most 1) which part of the calls fails as a remote model does.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

from .analysis_runner import run_reasoning_phase

# Each pair means the same; the report's own word comes first.
SYNONYMS = (
    ("The question for this report is", "This report asks"),
    ("is estimated at", "comes to about"),
    ("The largest share", "The biggest part"),
    ("falls to", "goes to"),
    ("and must stand alone", "and has to stand alone"),
    ("is best run as", "should be run as"),
    ("Nothing that bills, ships or pays", "Nothing that ships, bills or pays"),
    ("are within reach in", "can be had in"),
    ("deserves a plan of its own", "needs a plan of its own"),
)


class TransientModelError(ConnectionError):
    """The model did not answer this time; the next call may well succeed."""


def run_noisy_reasoner(deal_id: int) -> dict[str, object]:
    """The report of a deal, its narrative worded anew; `TransientModelError` now and then, if asked for."""
    time.sleep(_number("DILIGENCE_DELAY_SECONDS", 0.05))
    return _answer(deal_id, random.Random())


async def run_noisy_reasoner_async(deal_id: int) -> dict[str, object]:
    """The same, without blocking the event loop while it waits."""
    await asyncio.sleep(_number("DILIGENCE_DELAY_SECONDS", 0.05))
    return await asyncio.to_thread(_answer, deal_id, random.Random())


def _answer(deal_id: int, noise: random.Random) -> dict[str, object]:
    if noise.random() < _number("DILIGENCE_FAILURE_RATE", 0.0):
        raise TransientModelError(f"the model is overloaded; deal {deal_id} was not answered")
    report = run_reasoning_phase(deal_id)
    return report | {"narrative": _reword(str(report["narrative"]), noise)}


def _reword(narrative: str, noise: random.Random) -> str:
    for usual, other in SYNONYMS:
        if noise.random() < 0.5:
            narrative = narrative.replace(usual, other)
    return f"{narrative}\n\nDraft {noise.randrange(16**6):06x}."


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable) or str(default)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{variable}={text!r} is not a number") from None
