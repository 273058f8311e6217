"""The registry of report formats: each has one writer, which is imported when it is first used.

A built-in format NAME is the module ``NAME_report`` of this folder, with its writer as ``WRITER``.
Extensions add others by a hook.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import pytest_dealsnap.reporting
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.extensions import answers
from pytest_dealsnap.reporting.json_reading import ReportError

if TYPE_CHECKING:
    from pytest_dealsnap.model.finished_run import FinishedRun
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["Announcing", "Writer", "formats", "is_format", "writer_of"]

HOOK = "pytest_dealsnap_report_writers"
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
    """Return the names of all formats, those of extensions last; no built-in writer is imported for that."""
    return (*_built_in(), *_added())


def is_format(name: str) -> bool:
    """Whether there is a format *name*; extensions are asked only for one that is not built in."""
    return name in _built_in() or name in _added()


def writer_of(name: str) -> Writer:
    """Return the writer of the format *name*, which is one of :func:`formats`."""
    if name in _built_in():
        return cast("Writer", import_module(f"{__package__}.{name}{SUFFIX}").WRITER)
    return _added()[name]


@dataclass(frozen=True, slots=True)
class _Added:
    """An extension's writer, whose faults are those of one report."""

    name: str
    extension: str
    writer: Writer

    def render(self, run: FinishedRun) -> str:
        return self._text(self.writer.render, run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        return self._text(self.writer.render_rehearsal, rehearsal)

    def _text(self, render: Callable[[Any], Any], what: Any) -> str:
        try:
            text = render(what)
        except Exception as error:
            raise ReportError(
                f"the report format {self.name} of {self.extension} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(text, str):
            raise ReportError(
                f"the report format {self.name} of {self.extension} returned {type(text).__name__}; it must return text"
            )
        return text


def _added() -> dict[str, _Added]:
    """Return the writers of extensions by name; raises :class:`ConfigError` for one that cannot be used."""
    found: dict[str, _Added] = {}
    for extension, writers in answers(HOOK):
        if not isinstance(writers, Iterable) or isinstance(writers, (str, Mapping)):
            raise ConfigError(f"{HOOK} of {extension} returned {type(writers).__name__}; it must return writers")
        for writer in tuple(writers):
            name = getattr(writer, "name", None)
            methods = (getattr(writer, method, None) for method in ("render", "render_rehearsal"))
            if not (isinstance(name, str) and re.fullmatch(r"[\w-]+", name) and all(map(callable, methods))):
                raise ConfigError(
                    f"{HOOK} of {extension}: {type(writer).__name__} is no writer: it needs a name, "
                    "render(run) and render_rehearsal(rehearsal)"
                )
            if name in found or name in _built_in():
                other = found[name].extension if name in found else "dealsnap itself"
                raise ConfigError(f"the report format {name} is added by {extension}, and is one of {other}")
            found[name] = _Added(name, extension, writer)
    return found
