"""Where reports go: ``FORMAT:PATH``, and the writer of each format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.reporting.json_report import ReportError, write_json
from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["ReportTarget"]

WRITERS = {"json": write_json}


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One report that was asked for: a format and where it goes."""

    format: str
    path: Path

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
        return cls(name, cwd / path)

    def write(self, run: FinishedRun) -> None:
        """Write the report of *run*; raises :class:`ReportError` where that cannot be done."""
        try:
            WRITERS[self.format](run, self.path)
        except OSError as error:
            raise ReportError(
                f"the report {self.path} cannot be written: {type(error).__name__}: {error.strerror}"
            ) from error
