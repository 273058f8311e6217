"""Where reports go: ``FORMAT:PATH``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dealsnap.baseline.files import is_special, why_unwritable, write_report
from pytest_dealsnap.baseline.journal import Changes, commit, writing
from pytest_dealsnap.errors import BaselineError, ConfigError, did_you_mean
from pytest_dealsnap.extensions import unseen
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.writers import Announcing, formats, is_format, writer_of

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["ReportTarget", "write_each", "write_together"]

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One report that was asked for: a format and the file it goes to; without one, the standard output."""

    format: str
    path: Path | None

    @classmethod
    def parse(cls, text: str, cwd: Path, *, flag: str = "--dealsnap-report") -> ReportTarget:
        """Read ``FORMAT:PATH``; raises :class:`ConfigError` that says which formats there are."""
        name, colon, path = text.partition(":")
        if not colon or not path:
            raise ConfigError(f"{flag} {text}: must be FORMAT:PATH, such as json:dealsnap.json")
        return cls.of(name, None if path == STANDARD_OUTPUT else cwd / path, given=f"{flag} {text}")

    @classmethod
    def of(cls, name: str, path: Path | None, *, given: str) -> ReportTarget:
        """Return the target of the format *name*; raises :class:`ConfigError`, in which *given* is what was asked."""
        if not is_format(name):
            known, more = formats(), unseen(Path.cwd())
            hint = did_you_mean(name, known)
            raise ConfigError(f"{given}: unknown format.{hint} Valid: {', '.join(known)}{more and '.'}{more}")
        return cls(name, path)

    def check(self) -> None:
        """Raise :class:`ConfigError` where the report could not be written: before any work is done for it."""
        why = "" if self.path is None else why_unwritable(self.path)
        if why:
            raise ConfigError(f"the report {self.path} cannot be written: {why}")

    def render(self, run: FinishedRun | Rehearsal) -> str:
        """Return the text of the report, and let its writer tell of it.

        Raises :class:`ReportError` where that cannot be done.
        """
        writer = writer_of(self.format)
        text = writer.render(run) if isinstance(run, FinishedRun) else writer.render_rehearsal(run)
        if isinstance(writer, Announcing):
            writer.announce(run)
        return text

    def write(self, run: FinishedRun | Rehearsal) -> str | None:
        """Write the report to its file; one for the standard output is returned, to be printed.

        Raises :class:`ReportError` where that cannot be done.
        """
        text = self.render(run)
        if self.path is None:
            return text
        self.put(text)
        return None

    def put(self, text: str) -> None:
        """Write *text* to the path; raises :class:`ReportError` where that cannot be done."""
        assert self.path is not None
        try:
            write_report(self.path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise ReportError(
                f"the report {self.path} cannot be written: {type(error).__name__}: {error.strerror}"
            ) from error


def write_each(
    run: FinishedRun | Rehearsal, targets: Sequence[ReportTarget]
) -> tuple[list[str], dict[ReportTarget, str]]:
    """Write every report of *run* that can be written.

    Returns the texts for the standard output, and why each other report could not be written.
    """
    printed: list[str] = []
    unwritten: dict[ReportTarget, str] = {}
    for target in targets:
        try:
            printed.append(target.write(run) or "")
        except ReportError as error:
            unwritten[target] = str(error)
    return printed, unwritten


def write_together(run: FinishedRun, targets: Sequence[ReportTarget]) -> list[str]:
    """Write the reports of *run*, in each folder all or none; return those for the standard output.

    Raises :class:`ReportError` where one cannot be written.
    """
    printed: list[str] = []
    folders: dict[Path, Changes] = {}
    first: dict[Path, Path] = {}
    for target in targets:
        text = target.render(run)
        if target.path is None:
            printed.append(text)
        elif is_special(target.path):
            target.put(text)
        else:
            folder = target.path.parent
            first.setdefault(folder, target.path)
            with _told(target.path):
                folders.setdefault(folder, Changes()).write(target.path, text.encode())
    for folder, changes in folders.items():
        with _told(first[folder]), writing(folder):
            commit(folder, changes.all())
    return printed


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except BaselineError as error:
        raise ReportError(f"the report {path} cannot be written: {error}") from error
