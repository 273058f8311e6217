"""The registry of report formats: each has one writer, which is imported when it is first used.

A built-in format NAME is the module ``NAME_report`` of this folder, with its writer as ``WRITER``.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import pytest_dealsnap.reporting

if TYPE_CHECKING:
    from pytest_dealsnap.reporting.rehearsal_facts import Rehearsal
    from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["Announcing", "Writer", "formats", "writer_of"]

SUFFIX = "_report"


class Writer(Protocol):
    """Renders one format, for a run and for a rehearsal."""

    @property
    def name(self) -> str:
        """The format's name, as in ``--dealsnap-report NAME:PATH``."""

    def render(self, run: FinishedRun) -> str:
        """Return the report of a gate, a capture, a matrix, a comparison or a merge."""

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        """Return the report of a rehearsal."""


@runtime_checkable
class Announcing(Protocol):
    """A writer that also tells somebody of a report that is written."""

    def announce(self, run: FinishedRun | Rehearsal) -> None:
        """Tell of it; raises :class:`ReportError` where that fails."""


@cache
def _built_in() -> tuple[str, ...]:
    found = (module.name for module in pkgutil.iter_modules(pytest_dealsnap.reporting.__path__))
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def formats() -> tuple[str, ...]:
    """Return the names of all formats; no writer is imported for that."""
    return _built_in()


def writer_of(name: str) -> Writer:
    """Return the writer of the format *name*, which is one of :func:`formats`."""
    return cast("Writer", import_module(f"{__package__}.{name}{SUFFIX}").WRITER)
