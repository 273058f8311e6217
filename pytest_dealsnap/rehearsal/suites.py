"""The user's own tests before and after, held against each other test by test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pytest_dealsnap.errors import DealsnapError

__all__ = ["SuiteChanges", "SuiteError", "compare_suites", "read_junit"]

# The worst first: a test that is listed twice counts as the worse of the two.
_ORDER = ("failed", "skipped", "passed")


class SuiteError(DealsnapError):
    """The user's test command left no JUnit XML that can be read."""


@dataclass(frozen=True, slots=True)
class SuiteChanges:
    """Tests by what became of them; a regression passed before and fails now, is skipped now, or is gone."""

    before: int
    after: int
    failing: tuple[str, ...]
    skipped: tuple[str, ...]
    gone: tuple[str, ...]
    known: tuple[str, ...]
    mended: tuple[str, ...]

    @property
    def regressions(self) -> tuple[str, ...]:
        """All tests that passed before and do not pass now."""
        return (*self.failing, *self.skipped, *self.gone)


def read_junit(path: Path) -> dict[str, str]:
    """Return every test's outcome (``passed``, ``failed``, ``skipped``) by its name.

    Raises :class:`SuiteError` for a file that is not there or is no JUnit XML, and for one without tests.
    """
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314  # written by the user's own tests a moment ago
    except FileNotFoundError:
        raise SuiteError("it wrote no JUnit XML: does rehearsal.tests say {junit}, as in --junitxml={junit}?") from None
    except (OSError, ElementTree.ParseError) as error:
        raise SuiteError(f"what it wrote to {{junit}} is no JUnit XML: {error}") from None
    outcomes: dict[str, str] = {}
    for case in root.iter("testcase"):
        name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
        outcome = _outcome(case)
        outcomes[name] = min(outcome, outcomes.get(name, outcome), key=_ORDER.index)
    if not outcomes:
        raise SuiteError("its JUnit XML holds no test")
    return outcomes


def _outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def compare_suites(before: Mapping[str, str], after: Mapping[str, str]) -> SuiteChanges:
    """Compare test by test."""
    passed = [name for name, outcome in before.items() if outcome == "passed"]

    def now(outcome: str | None) -> tuple[str, ...]:
        return tuple(sorted(name for name in passed if after.get(name) == outcome))

    failed = [name for name, outcome in before.items() if outcome == "failed"]
    return SuiteChanges(
        before=len(before),
        after=len(after),
        failing=now("failed"),
        skipped=now("skipped"),
        gone=now(None),
        known=tuple(sorted(name for name in failed if after.get(name) == "failed")),
        mended=tuple(sorted(name for name in failed if after.get(name) == "passed")),
    )
