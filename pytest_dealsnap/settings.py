"""The table of settings: each key's place, kind, default, limits and meaning.

Configuration file, flags and environment variables are all made from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.secrets import redact

__all__ = ["SETTINGS", "Setting", "checked"]

_KINDS = {
    bool: "true or false",
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list of strings",
    dict: "a table",
}
_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration: where it stands, what it may be, what it means."""

    section: str
    key: str
    kind: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    may_be_empty: bool = True
    minimum: float | None = None
    maximum: float | None = None
    or_number: bool = False

    @property
    def name(self) -> str:
        """``deals.table``, or ``database`` at the top."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def flag(self) -> str:
        """The pytest flag, ``--dealsnap-deals-table``."""
        return "--dealsnap-" + self.name.replace(".", "-").replace("_", "-")

    @property
    def environment(self) -> str:
        """The environment variable, ``DEALSNAP_DEALS_TABLE``."""
        return "DEALSNAP_" + self.name.replace(".", "_").upper()

    @property
    def scalar(self) -> bool:
        """Whether the setting has a flag and an environment variable."""
        return self.kind in (bool, str, int, float) and self.section != "matrix"

    @property
    def of_rehearsal(self) -> bool:
        """Whether the flag is one of ``dealsnap rehearse``, not of pytest."""
        return self.section == "rehearsal"


SETTINGS: tuple[Setting, ...] = (
    Setting("", "database", str, None, "any SQLAlchemy URL; it is only ever read"),
    Setting("", "trust_source", bool, False, "read a database that dealsnap cannot keep from writing"),
    Setting("", "reasoner", str, None, "the callable that computes a deal's output, as module:callable"),
    Setting("", "snapshots", str, "snapshots", "the baseline's folder"),
    Setting("", "timeout", float, None, "seconds one call of the reasoner may take", minimum=0.001),
    Setting("", "workers", int, 1, "calls of the reasoner under way at once in one process", minimum=1),
    Setting("", "executor", str, None, "a factory of a concurrent.futures.Executor, as module:factory"),
    Setting("", "progress", float, 10.0, "seconds between two progress lines; 0 for none", minimum=0),
    Setting("deals", "source", str, None, "your own iterable of deals, as module:callable"),
    Setting(
        "deals",
        "table",
        str,
        "deals",
        "table or view that holds the deals, or schema.table; a part that holds a dot stands in double quotes",
        may_be_empty=False,
    ),
    Setting("deals", "id", str, "id", "column that identifies a deal", may_be_empty=False),
    Setting("deals", "name", str, "name", 'column with the deal\'s name; "" if there is none'),
    Setting("deals", "type", str, "deal_type", 'column with the deal\'s type; "" if there is none'),
    Setting("deals", "where", str, "", "SQL condition that selects the deals"),
    Setting("deals", "types", list, ("acquisition", "carveout", "divestiture"), "the valid deal types"),
    Setting("deals", "default_type", str, "acquisition", "what NULL, blank and unknown types count as"),
    Setting("deals", "aliases", dict, {}, "other spellings of a type, each with its target"),
    Setting("deals", "missing", str, "fail", "a deal of the baseline that the database lost", ("fail", "report")),
    Setting("deals", "new", str, "skip", "a deal that the baseline does not have", ("skip", "fail")),
    Setting("errors", "environment", list, (), "exceptions of the reasoner that are its environment's, by dotted name"),
    Setting("deals", "snapshot_seconds", float, 300.0, "how long one state of the database is kept; 0: not", minimum=0),
    Setting("output", "record", str, "full", "what a snapshot holds of the output", ("full", "metrics")),
    Setting("output", "drop", list, (), "paths of volatile values that are not recorded"),
    Setting("output", "max_bytes", int, 10_000_000, "the largest snapshot, in bytes", minimum=1_000),
    Setting(
        "capture",
        "check",
        int,
        3,
        "deals that a capture reasons twice, to see whether answers repeat; 0: none",
        minimum=0,
    ),
    Setting("calls", "cost", str, "", "what one call cost: a path into the output, or a number", or_number=True),
    Setting("calls", "currency", str, "USD", "the currency of cost and budget", may_be_empty=False),
    Setting("calls", "budget", float, None, "what a run, and what it resumes, may spend at most", minimum=0),
    Setting("calls", "reserve", float, None, "what is held back for each call under way", minimum=0),
    Setting("calls", "version", str, "", "names code and model: text or module:callable; default: the code's digest"),
    Setting("calls", "env", list, (), "environment variables that an answer depends on"),
    Setting("calls", "retries", int, 0, "how often a call that raised is made again; each is paid", minimum=0),
    Setting("calls", "retry_on", list, (), "exceptions after which a call is made again, by dotted name"),
    Setting("calls", "store", str, ".dealsnap", "the folder of the run store", may_be_empty=False),
    Setting(
        "noise", "confirm", int, 4, "fresh runs of each side for a deal beyond its floor of noise; 0: none", minimum=0
    ),
    Setting("replay", "calls", list, (), "functions whose calls are recorded and replayed, as module:function"),
    Setting("replay", "drop", list, (), "paths of the arguments that are no part of a request"),
    Setting(
        "replay", "cost", str, "", "what one of these calls cost: a path into its answer, or a number", or_number=True
    ),
    Setting("replay", "on_miss", str, "ask", "what a request that was not recorded does", ("ask", "stop")),
    Setting("against", "python", str, "", "the Python that runs the old code; default: the one that runs this"),
    Setting("verdict", "fix_forward_below", float, 10.0, "percent affected", minimum=0, maximum=100),
    Setting("verdict", "roll_back_above", float, 50.0, "percent affected", minimum=0, maximum=100),
    Setting(
        "verdict",
        "min_compared",
        float,
        100.0,
        "percent of the selected deals, new ones included",
        minimum=0,
        maximum=100,
    ),
    Setting(
        "verdict",
        "confidence",
        float,
        95.0,
        "percent; how sure the bounds of a sample are",
        minimum=50,
        maximum=99.9999,
    ),
    Setting(
        "verdict",
        "proceed_below",
        float,
        0.0,
        "percent; a sample proceeds only if its upper bound is below it",
        minimum=0,
        maximum=100,
    ),
    Setting("rehearsal", "alembic", str, None, "the Alembic configuration file"),
    Setting("rehearsal", "upgrade", str, None, "shell command or module:callable"),
    Setting("rehearsal", "downgrade", str, None, "shell command or module:callable"),
    Setting("rehearsal", "flag", str, None, "environment variable of the feature flag"),
    Setting("rehearsal", "flag_off", str, "false", "its value when off"),
    Setting("rehearsal", "flag_on", str, "true", "its value when on"),
    Setting("rehearsal", "database_env", str, "DATABASE_URL", "where the application reads its database"),
    Setting("rehearsal", "tests", str, "", "command that runs the application's own tests"),
    Setting(
        "rehearsal", "check", str, "", "shell command or module:callable that reads the database as the upgrade would"
    ),
    Setting("rehearsal", "may_change", list, (), "columns that the upgrade may change, as table.column; * for any"),
    Setting("matrix", "axes", dict, {}, "further axes beside the deal type"),
    Setting("matrix", "rules", dict, {}, "what must hold between the types"),
)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond any float
        return False


def checked(setting: Setting, value: Any, place: str) -> Any:
    """Return *value* as the setting's kind, or raise a ConfigError that shows it."""
    wrong = ConfigError(f"{place} = {redact(repr(value))}: must be {_KINDS[setting.kind]}")
    from_text = isinstance(value, str) and not place.endswith(f"] {setting.key}") and ", " not in place
    if setting.kind is bool and from_text:
        value = _TRUTH.get(value.strip().lower(), value)
    if setting.or_number and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if setting.kind in (int, float):
        if from_text:
            try:
                value = setting.kind(value)
            except ValueError:
                raise wrong from None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
            raise wrong
        if setting.kind is int and not isinstance(value, int):
            raise wrong
        low, high = setting.minimum, setting.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"from {low:g} to {high:g}" if high is not None else f"at least {low:g}"
            raise ConfigError(f"{place} = {value!r}: must be {bounds}")
        return setting.kind(value)
    if setting.kind is list:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise wrong
        return tuple(value)
    if not isinstance(value, setting.kind):
        raise wrong
    if value == "" and not setting.may_be_empty:
        raise ConfigError(f'{place} = "": must not be empty; {setting.help}')
    if setting.choices and value not in setting.choices:
        valid = ", ".join(f'"{choice}"' for choice in setting.choices)
        raise ConfigError(f"{place} = {value!r}: must be one of {valid}.{did_you_mean(str(value), setting.choices)}")
    return value
