"""The flags: one for every scalar setting, and those that select and steer a run."""

from __future__ import annotations

import argparse
from typing import Any, Literal

import pytest

from pytest_dealsnap.settings import SETTINGS, Setting

__all__ = ["Mode", "add_options", "given_settings", "wanted_mode"]

Mode = Literal["gate", "capture", "matrix"]


def add_options(parser: pytest.Parser) -> None:
    """Add all flags to *parser*."""
    group = parser.getgroup("dealsnap", "every deal of a database as a test against its snapshot")
    group.addoption("--dealsnap", action="store_true", help="gate: judge every deal against the baseline")
    group.addoption("--dealsnap-update", action="store_true", help="capture: record every deal into the baseline")
    group.addoption(
        "--dealsnap-matrix",
        action="store_true",
        help="with --dealsnap: reason every deal under each deal type, and judge between the types, without a baseline",
    )
    group.addoption(
        "--dealsnap-only",
        choices=("missing", "errors"),
        help="with --dealsnap-update: capture only deals without a snapshot, or those recorded as errors",
    )
    group.addoption(
        "--dealsnap-allow-errors",
        action="store_true",
        help="with --dealsnap-update: take the errors of deals into the baseline, also in place of an output",
    )
    group.addoption(
        "--dealsnap-type", action="append", default=[], metavar="TYPE", help="only deals of this type (repeatable)"
    )
    group.addoption(
        "--dealsnap-id", action="append", default=[], metavar="ID", help="only the deal with this id (repeatable)"
    )
    group.addoption(
        "--dealsnap-sample",
        type=_at_least_one,
        metavar="N",
        help="only N deals, drawn from every type in proportion; the same ones for the same seed",
    )
    group.addoption(
        "--dealsnap-seed", type=int, default=0, metavar="SEED", help="the seed of --dealsnap-sample (default: 0)"
    )
    group.addoption(
        "--dealsnap-until",
        choices=("decided",),
        help="with --dealsnap: begin deals in a random order, and stop once the verdict is decided",
    )
    group.addoption("--dealsnap-shard", metavar="I/N", help="only the I-th of N parts, for runs on several machines")
    group.addoption(
        "--dealsnap-allow-constant",
        action="store_true",
        help="with --dealsnap-update: accept a capture in which all outputs are the same, zero or empty",
    )
    group.addoption(
        "--dealsnap-allow-other-database",
        action="store_true",
        help="the reasoner may read another database than the deals', such as a replica",
    )
    group.addoption(
        "--dealsnap-store", action="store_true", help="keep outputs in the run store, so that a killed run goes on"
    )
    group.addoption(
        "--dealsnap-fresh", action="store_true", help="forget what the run store has of this run, and start anew"
    )
    group.addoption(
        "--dealsnap-budget", metavar="N", help="what this run, and what it resumes, may spend at most (calls.budget)"
    )
    group.addoption(
        "--dealsnap-replay",
        choices=("only", "off"),
        help="only: make no recorded call anew, a deal that would is not judged; off: neither record nor replay calls",
    )
    group.addoption(
        "--dealsnap-against",
        metavar="REF",
        help="with --dealsnap: the answers of the code of this commit, branch or tag are the baseline; it is checked "
        "out beside and reasons the deals first",
    )
    group.addoption("--dealsnap-old-side", help=argparse.SUPPRESS)  # given to the process of that code alone
    group.addoption(
        "--dealsnap-report",
        action="append",
        default=[],
        metavar="FORMAT:PATH",
        help="write a report, such as json:dealsnap.json (repeatable)",
    )
    group.addoption(
        "--dealsnap-compare-with",
        action="append",
        default=[],
        metavar="OLD.json",
        help="with --dealsnap: say which causes are new, persisting or gone since this JSON report (repeatable)",
    )
    for setting in SETTINGS:
        if setting.scalar and not setting.of_rehearsal:
            if setting.kind is bool:
                group.addoption(setting.flag, action="store_const", const=True, default=None, help=setting.help)
            else:
                group.addoption(setting.flag, default=None, metavar=_metavar(setting), help=_help(setting))


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, at least 1")
    return int(text)


def _metavar(setting: Setting) -> str:
    return "|".join(setting.choices) or {int: "N", float: "N"}.get(setting.kind, setting.key.upper())


def _help(setting: Setting) -> str:
    default = "" if setting.default in (None, "") else f" (default: {setting.default})"
    return f"{setting.help}{default}".replace("%", "%%")


def wanted_mode(config: pytest.Config) -> Mode | None:
    """Return what the run is asked to do with deals; an update wins, so a gate may stand in addopts."""
    if config.getoption("dealsnap_only") and not config.getoption("dealsnap_update"):
        raise pytest.UsageError("--dealsnap-only goes with --dealsnap-update")
    if config.getoption("dealsnap_allow_errors") and not config.getoption("dealsnap_update"):
        raise pytest.UsageError("--dealsnap-allow-errors goes with --dealsnap-update")
    if config.getoption("dealsnap_replay") == "only" and config.getoption("dealsnap_update"):
        raise pytest.UsageError("--dealsnap-replay only is for gates: a capture records the calls that it makes")
    if config.getoption("dealsnap_compare_with") and config.getoption("dealsnap_update"):
        raise pytest.UsageError("--dealsnap-compare-with is for gates: a capture has no causes")
    no_gate = config.getoption("dealsnap_update") or config.getoption("dealsnap_matrix")
    old_code = config.getoption("dealsnap_against") is not None and not config.getoption("dealsnap_old_side")
    if old_code and (no_gate or not config.getoption("dealsnap")):
        raise pytest.UsageError("--dealsnap-against is for gates: pytest --dealsnap --dealsnap-against REF")
    if config.getoption("dealsnap_until"):
        _check_until(config)
    if config.getoption("dealsnap_matrix"):
        if config.getoption("dealsnap_update") or not config.getoption("dealsnap"):
            raise pytest.UsageError("--dealsnap-matrix goes with --dealsnap, and not with --dealsnap-update")
        return "matrix"
    if config.getoption("dealsnap_update"):
        return "capture"
    return "gate" if config.getoption("dealsnap") else None


def _check_until(config: pytest.Config) -> None:
    """Refuse ``--dealsnap-until`` beside what leaves no verdict to be decided."""
    if config.getoption("dealsnap_update") or config.getoption("dealsnap_matrix") or not config.getoption("dealsnap"):
        raise pytest.UsageError("--dealsnap-until decided goes with --dealsnap, not with an update or a matrix")
    if config.getoption("dealsnap_against") is not None:
        raise pytest.UsageError(
            "--dealsnap-until decided needs a stored baseline: --dealsnap-against asks the old code for all deals"
        )
    for name in ("type", "id", "shard"):
        if config.getoption(f"dealsnap_{name}"):
            raise pytest.UsageError(
                f"--dealsnap-until decided draws from all deals: leave out --dealsnap-{name}, whose part has no verdict"
            )


def given_settings(config: pytest.Config) -> dict[str, Any]:
    """Return the settings that were given as flags, by setting name."""
    ours = [setting for setting in SETTINGS if setting.scalar and not setting.of_rehearsal]
    names = {setting.name: setting.flag[2:].replace("-", "_") for setting in ours}
    given = {name: config.getoption(dest) for name, dest in names.items() if config.getoption(dest) is not None}
    budget = config.getoption("dealsnap_budget")
    return given if budget is None else {**given, "calls.budget": budget}
