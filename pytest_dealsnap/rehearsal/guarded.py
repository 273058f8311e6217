"""Importing this puts up the guard, before anything of the user's is imported: ``pytest -p`` does so first.

As a plugin of a capture it also takes away the reports that the project's ``addopts`` ask for: a rehearsal
does not write over the report of the last gate.
"""

from __future__ import annotations

from pytest_dealsnap.rehearsal.guard import guard_original

guard_original()

REPORTS = ("--dealsnap-report", "--junitxml", "--junit-xml")


def pytest_load_initial_conftests(args: list[str]) -> None:
    """Take reports out of the arguments, which are those of ``addopts`` too."""
    kept: list[str] = []
    given = iter(args)
    for argument in given:
        if argument in REPORTS:
            next(given, None)
        elif not argument.startswith(tuple(f"{name}=" for name in REPORTS)):
            kept.append(argument)
    args[:] = kept
