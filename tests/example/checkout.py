"""A checkout of this project, and the runs of pytest at its root."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from tests.plugin.project import Outcome, clean_environment, run_pytest

__all__ = ["Checkout", "git"]


def git(folder: Path, *arguments: str) -> str:
    """Run git in *folder* and return what it says."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


@dataclass(frozen=True, slots=True)
class Checkout:
    """The checkout in *folder*."""

    folder: Path

    def run(self, *arguments: str, **variables: str) -> Outcome:
        """Run pytest at the root with these variables; the JSON report goes outside of the work tree."""
        report = self.folder.with_name(f"{self.folder.name}-report.json")
        outcome = run_pytest(
            self.folder,
            *arguments,
            "--dealsnap-report",
            f"json:{report}",
            environment=clean_environment(PYTHONPATH=str(self.folder), **variables),
        )
        return replace(outcome, report_bytes=report.read_bytes())

    def changes(self) -> str:
        """What git sees changed in the work tree."""
        return git(self.folder, "status", "--porcelain")
