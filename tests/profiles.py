"""How much the tests try where more is better: examples of Hypothesis, moments at which a process is killed.

``TESTS_PROFILE`` chooses: ``fast`` (the default), ``ci`` or ``nightly``.
"""

from __future__ import annotations

import os

__all__ = ["scaled"]

_FACTORS = {"fast": 0.4, "ci": 1, "nightly": 10}


def scaled(count: int) -> int:
    """Return how often to try what CI tries *count* times."""
    return max(1, round(count * _FACTORS[os.environ.get("TESTS_PROFILE", "fast")]))
