"""What can go wrong, and how it is said.

::

    DealsnapError                 base of everything raised on purpose
    ├── ConfigError               a setting is wrong: what, where, what is valid
    ├── SourceError               the deals cannot be read
    │   ├── DealNotFoundError     one deal's row has gone
    │   │   └── DealChangedError  or is of another type than when the list of deals was read
    │   ├── ColumnError           one value of a deal's row cannot be read
    │   └── SourceAwayError       the source as a whole gives no answer
    │       └── WrongDatabaseError     the reasoner reads another one
    ├── ReasonerError             the reasoner cannot be used at all
    │   └── ReasonerTimeoutError     one call took longer than it may
    ├── EventLoopError            an async reasoner cannot be awaited where its fixture ran
    ├── ExecutorError             the executor did not do its part
    ├── ReplayError               a call cannot be recorded or replayed
    │   └── ReplayMissError       a request was never recorded, and must not be made
    ├── BudgetStopError           one more call might go beyond the budget
    ├── OutputError               an output cannot be put into canonical JSON
    └── BaselineError             the baseline as a whole cannot be used
        ├── SnapshotError         one deal's snapshot file is bad
        │   └── MissingSnapshotError     the manifest lists the deal, the folder has no file of it
        ├── CassetteError         one deal's recorded calls cannot be used
        ├── StoreError            the run store cannot be used
        ├── LockedError           another process writes the baseline
        ├── UnwritableError       the disk is full or read-only
        ├── ManifestError         the manifest is bad
        └── LedgerError           the ledger of accepted changes is bad

Only the standard library is used here, so that every other room may import it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pytest_dealsnap.secrets import redact

__all__ = [
    "BaselineError",
    "BudgetStopError",
    "CassetteError",
    "ColumnError",
    "ConfigError",
    "DealChangedError",
    "DealNotFoundError",
    "DealsnapError",
    "EventLoopError",
    "ExecutorError",
    "LedgerError",
    "LockedError",
    "ManifestError",
    "MissingSnapshotError",
    "OutputError",
    "ReasonerError",
    "ReasonerTimeoutError",
    "ReplayError",
    "ReplayMissError",
    "SnapshotError",
    "SourceAwayError",
    "SourceError",
    "StoreError",
    "UnwritableError",
    "WrongDatabaseError",
    "did_you_mean",
]


class DealsnapError(Exception):
    """Base of every error that dealsnap raises on purpose; its text is ready to be shown, without secrets."""

    def __str__(self) -> str:
        return redact(super().__str__())


class ConfigError(DealsnapError):
    """A setting is wrong. A usage error: pytest ends with exit code 4."""


class SourceError(DealsnapError):
    """The deals cannot be read: no database, no table, no such column."""


class DealNotFoundError(SourceError):
    """A deal that was listed is not there any more when its test runs."""


class ColumnError(SourceError):
    """One value of a deal's row cannot be read; the deal's other columns can. The text names the column."""


class DealChangedError(DealNotFoundError):
    """A deal is of another type than when the list of deals was read."""


class SourceAwayError(SourceError):
    """The source gives no answer, on a fresh connection either: no other deal can be read now."""


class WrongDatabaseError(SourceAwayError):
    """The reasoner reads another database than the deals', so that no answer of it is an answer for a deal."""


class ReasonerError(DealsnapError):
    """The reasoner cannot be imported or cannot be called with what a deal offers."""


class ReasonerTimeoutError(ReasonerError):
    """One call of the reasoner took longer than ``--dealsnap-timeout``."""


class EventLoopError(DealsnapError):
    """An async reasoner cannot be awaited where its fixture ran."""


class ExecutorError(DealsnapError):
    """The executor did not do its part: it took no call, or answered with something else."""


class ReplayError(DealsnapError):
    """A call of ``replay.calls`` cannot be recorded or replayed; the text names it."""


class ReplayMissError(ReplayError):
    """A request was never recorded, and must not be made: the text shows what differs."""


class BudgetStopError(DealsnapError):
    """One more call might go beyond the budget: it is not begun, and its deal is not judged."""


class OutputError(DealsnapError):
    """An output holds a value that canonical JSON cannot; the text names its path."""


class BaselineError(DealsnapError):
    """The baseline cannot be used."""


class SnapshotError(BaselineError):
    """One snapshot file is truncated, empty, of another deal or of an unknown format."""


class MissingSnapshotError(SnapshotError):
    """The manifest lists a deal whose snapshot file is gone."""


class ManifestError(BaselineError):
    """``manifest.json`` cannot be read or is of an unknown format."""


class NoiseError(BaselineError):
    """``noise.json`` cannot be read or written, or is of an unknown format."""


class CassetteError(BaselineError):
    """The file of one deal's recorded calls is truncated, edited, of another deal or of an unknown format."""


class StoreError(BaselineError):
    """The run store cannot be read or written, or is not as a run left it."""


class LockedError(BaselineError):
    """Another process writes the baseline."""


class UnwritableError(BaselineError):
    """The disk of the baseline takes nothing more: no other deal can be recorded."""


class LedgerError(BaselineError):
    """``accepted.toml`` cannot be read or has an entry that says nothing."""


def did_you_mean(given: str, valid: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ``' Did you mean "x"?'`` for the valid word nearest to *given*, in any case, or ``''``."""
    words: dict[str, str] = {}
    for word in valid:
        words.setdefault(word.casefold(), word)
    near = difflib.get_close_matches(given.casefold(), list(words), n=1, cutoff=cutoff)
    return f' Did you mean "{words[near[0]]}"?' if near else ""
