"""``assert_same_outputs``: the smallest deal on which two reasoners disagree."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import Config
from pytest_dealsnap.testing.deals import deals as any_deals
from pytest_dealsnap.testing.failure_message import difference_text, name_of, paste, regression_test, shown_options
from pytest_dealsnap.testing.given_deal import as_deal, told
from pytest_dealsnap.testing.reasoner_pair import Comparison, Disagreement, Rules, asking, settings_for
from pytest_dealsnap.testing.search import Deals, Found, fresh, search

__all__ = ["NothingComparedWarning", "assert_same_outputs"]

MAX_EXAMPLES = 2_000


class NothingComparedWarning(UserWarning):
    """Both reasoners failed for every deal, or there was no deal: that they agree in that says little."""


def assert_same_outputs(
    old: Callable[..., Any],
    new: Callable[..., Any],
    *,
    deals: Deals | None = None,
    rules: Rules | None = None,
    metrics: Mapping[str, Any] | None = None,
    types: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    max_examples: int = MAX_EXAMPLES,
    seed: int = 0,
    config: Config | Path | None = None,
) -> None:
    """Search for a deal on which two reasoners disagree, and fail with the smallest.

    *old* and *new* are called by their parameter names, sync or async, as any reasoner is. *deals* is a
    strategy such as :func:`deals` (the default), of which up to *max_examples* are drawn from *seed* until one
    differs, which is made as small as may be; or an iterable of deals or records, of which all are tried. A deal
    that is no :class:`Deal` and no mapping is handed over as it is.

    Everything must be equal, unless *rules* say otherwise: by metric (``{"cost_total": "within 5%"}``) or by deal
    type and metric, as in ``[tool.dealsnap.rules]``; what they do not name must be equal. *metrics* are as in
    ``[tool.dealsnap.metrics]``, *drop* as in ``output.drop``. *config* (or the folder of a project) stands in for
    all of them. Where both raise the same type of error, they agree.

    Raises :class:`AssertionError` with the deal, the findings, and a regression test that is ready to be pasted.
    """
    __tracebackhide__ = True
    settings = settings_for(config, place="assert_same_outputs()", rules=rules, metrics=metrics, types=types, drop=drop)
    comparison, columns = Comparison(settings), settings.deals
    if deals is None:
        deals = any_deals(config=settings)
    answered = False
    with asking() as ask:

        def disagreement(item: Any) -> Disagreement | None:
            nonlocal answered
            deal = as_deal(item, columns)
            before, after = ask(old, fresh(deal)), ask(new, fresh(deal))
            answered = answered or before.output is not None or after.output is not None
            return comparison(deal, before, after)

        found, tried = search(deals, disagreement, max_examples=max_examples, seed=seed)
    if found is not None:
        given = {"rules": rules, "metrics": metrics, "types": types, "drop": drop or None, "config": config}
        raise AssertionError(
            _text(found, (old, new), comparison, told(found.deal, columns), given, tried=tried, seed=seed)
        )
    if not answered:
        reason = f"both failed for each of {tried} deals" if tried else "were asked about no deal: there was none"
        text = f"{name_of(old)} and {name_of(new)} {reason}: no output was compared"
        warnings.warn(text, NothingComparedWarning, stacklevel=2)


def _text(
    found: Found[Disagreement],
    reasoners: tuple[Callable[..., Any], Callable[..., Any]],
    comparison: Comparison,
    deal: Any,
    given: Mapping[str, Any],
    *,
    tried: int,
    seed: int,
) -> str:
    old, new = reasoners
    problem = found.problem
    parts = [difference_text(problem, comparison, name_of(old), name_of(new), deal)]
    if not found.steady:
        parts.append("A reasoner answered differently when it was asked about this deal again.")
    word = re.sub(r"\W+", "_", f"{problem.deal_type}_{problem.findings[0].metric}").strip("_").lower()
    code = regression_test("assert_same_outputs", reasoners, deal, shown_options(given), name=f"test_same_{word}")
    parts.append(paste(code, tried=tried, seed=seed))
    return "\n\n".join(parts)
