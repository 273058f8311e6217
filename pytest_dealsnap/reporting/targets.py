"""Where reports go: ``FORMAT:PATH``, and the writer of each format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_dealsnap.baseline.files import is_special, why_unwritable, write_report
from pytest_dealsnap.baseline.journal import Changes, commit, writing
from pytest_dealsnap.errors import BaselineError, ConfigError, did_you_mean
from pytest_dealsnap.reporting.github_report import append_step_summary, render_github
from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.markdown_report import render_markdown
from pytest_dealsnap.reporting.openmetrics_report import render_openmetrics
from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["FORMATS", "ReportTarget", "write_together"]

WRITERS: dict[str, Callable[[FinishedRun], str]] = {
    "json": render_json,
    "html": render_html,
    "markdown": render_markdown,
    "github": render_github,
    "openmetrics": render_openmetrics,
}
FORMATS = tuple(WRITERS)
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
        if name not in WRITERS:
            raise ConfigError(
                f"{flag} {text}: unknown format.{did_you_mean(name, WRITERS)} Valid: {', '.join(WRITERS)}"
            )
        return cls(name, None if path == STANDARD_OUTPUT else cwd / path)

    def check(self) -> None:
        """Raise :class:`ConfigError` where the report could not be written: before any work is done for it."""
        why = "" if self.path is None else why_unwritable(self.path)
        if why:
            raise ConfigError(f"the report {self.path} cannot be written: {why}")

    def render(self, run: FinishedRun) -> str:
        """Return the text of the report; a ``github`` one also adds to the step's summary."""
        text = WRITERS[self.format](run)
        if self.format == "github":
            append_step_summary(run)
        return text

    def write(self, run: FinishedRun) -> str | None:
        """Write the report of *run* to its file; one for the standard output is returned, to be printed.

        A ``github`` report also adds to the step's summary, in a workflow of GitHub's. Raises
        :class:`ReportError` where that cannot be done.
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
