"""How likely it is that chance brought deals together: the two tests that causes are made by."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, lgamma, log

__all__ = ["UNLIKELY", "agreement", "fisher_exact"]

# What chance brings about more often than this is no group, and explains nothing.
UNLIKELY = 0.01


def agreement(shares: Iterable[float], count: int, *, tests: int) -> float:
    """Return how many groups like this one chance alone makes among *count* changes: over 1, it makes several.

    Args:
        shares: For each member, the part of all places at which it would agree with the others. The member that
            agrees most exactly only says where the place is, so its share does not count.
        count: How many changes the group was chosen from.
        tests: How many places were looked at (Bonferroni's correction).
    """
    exactness = sorted(log(share) for share in shares)
    evidence = sum(exactness[1:])
    return _exp(log(tests) + _choices(count, len(exactness)) + evidence)


def fisher_exact(deals: int, others: int, *, tests: int) -> float:
    """Return Fisher's exact test for a feature that all of some *deals* and none of the *others* have.

    Args:
        deals: How many deals have it.
        others: How many have it not.
        tests: How many features were looked at (Bonferroni's correction).
    """
    return min(_exp(log(tests) - _choices(deals + others, deals)), 1.0)


def _choices(count: int, chosen: int) -> float:
    """Return the logarithm of the number of ways to choose."""
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)


def _exp(power: float) -> float:
    return exp(power) if power < 700 else inf
