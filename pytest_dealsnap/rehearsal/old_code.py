"""The old code's answers: captures by a commit that is checked out, each in a pytest process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.reasoning.signals import signals_raise
from pytest_dealsnap.rehearsal.old_checkout import Checkout, checked_out
from pytest_dealsnap.rehearsal.old_orders import Orders
from pytest_dealsnap.rehearsal.owners import OWNER_VARIABLE, this_process
from pytest_dealsnap.rehearsal.steps import Done, Say, run_step
from pytest_dealsnap.secrets import redact

__all__ = ["Again", "OldAnswers", "OldCode", "for_single_deals", "open_old_code", "paths_in"]

# What would make the process a part of this run.
_FOREIGN = ("DEALSNAP_SNAPSHOTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
ANSWERS = "answers"
_FOREVER = 10.0**9  # seconds; each call has its own limit, --dealsnap-timeout
_IMPORTED_SHOWN = 3


@dataclass(frozen=True, slots=True)
class OldAnswers:
    """What the old code answered.

    Attributes:
        snapshots: An answer, or an error, for each deal that it was asked for.
        unanswered: Why a deal has none, by id.
        spent: What the calls cost, and those of a killed run that it resumed.
        calls: How many calls were paid.
        reused: How many answers an earlier run had paid.
        seconds: How long it took.
    """

    snapshots: DealSnapshots
    unanswered: Mapping[str, str]
    spent: Decimal
    calls: int
    reused: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Again:
    """Fresh answers of the old code to some deals, each by id in the order in which they were given; what they cost."""

    answers: Mapping[str, tuple[Snapshot, ...]]
    spent: Decimal
    calls: int


@dataclass(slots=True)
class OldCode:
    """A commit that answers deals.

    Attributes:
        checkout: Where its code is.
        config: The user's configuration, whose deals, metrics and limits hold for the old code, too.
        flags: Settings that the command line gave.
        cwd: Where that was typed.
        arguments: Further arguments for each pytest process.
        say: Shows a line.
    """

    checkout: Checkout
    config: Config
    flags: Mapping[str, Any]
    cwd: Path
    arguments: Sequence[str]
    say: Say
    _asked: int = 0

    @property
    def python(self) -> str:
        """The Python that runs the old code: the one of ``against.python``, or this one."""
        named = self.config.against.python
        return str(self.config.root / named) if named else sys.executable

    def answer(self, ids: Sequence[str] | None, *, state: str | None = None) -> OldAnswers:
        """Return the answers to the deals *ids*, or to all.

        Answers that the run store has of this commit are reused, and the configured budget holds.

        Args:
            ids: The deals.
            state: The state of the database that the caller reads, where it can be shared.

        Raises:
            ConfigError: The old code cannot be reasoned, its process died, or it imported the new code.
        """
        return self._captured("baseline", ids, state, self.flags)

    @property
    def baseline(self) -> Path:
        """The folder that :meth:`answer` fills."""
        return self.checkout.folder / "baseline" / ANSWERS

    def again(
        self, ids: Sequence[str], times: int, *, budget: Decimal | None = None, state: str | None = None
    ) -> Again:
        """Reason each of *ids* anew, *times* times, each time in a process of its own; nothing is reused.

        Args:
            ids: The deals.
            times: How often.
            budget: What these calls may cost; a deal has fewer answers where that did not suffice.
            state: As for :meth:`answer`.

        Raises:
            ConfigError: As for :meth:`answer`.
        """
        found: dict[str, list[Snapshot]] = {deal_id: [] for deal_id in ids}
        spent, calls = Decimal(0), 0
        for _ in range(times):
            self._asked += 1
            name = f"again-{os.getpid()}-{self._asked}"
            flags = {**self.flags, "calls.store": str(self.checkout.folder / name / "store")}
            if budget is not None:
                flags["calls.budget"] = str(max(budget - spent, Decimal(0)))
            answers = self._captured(name, ids, state, flags)
            spent, calls = spent + answers.spent, calls + answers.calls
            for deal_id, taken in found.items():
                data = answers.snapshots.recall(deal_id)
                if data is not None:
                    taken.append(answers.snapshots.decode(deal_id, data))
        return Again({deal_id: tuple(taken) for deal_id, taken in found.items()}, spent, calls)

    def _captured(
        self, name: str, ids: Sequence[str] | None, state: str | None, flags: Mapping[str, Any]
    ) -> OldAnswers:
        """Have a process of the old code write snapshots and its report into the folder *name*, and read them."""
        checkout, place = self.checkout, self.checkout.folder / name
        place.mkdir()
        orders = self.order(place, place / ANSWERS, ids=ids, state=state, flags=flags)
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        own = {"PYTHONPATH": os.pathsep.join(self.import_paths()), OWNER_VARIABLE: this_process()}
        done = run_step(
            [*self.command(orders), "--dealsnap-report", f"json:{place / 'report.json'}", *self.arguments],
            cwd=checkout.root,
            environment={**kept, **own},
            timeout=_FOREVER,
            title=f"the code of {checkout.words}",
            say=self.say,
        )
        return self._read(place, done)

    def order(
        self,
        place: Path,
        answers: Path,
        *,
        ids: Sequence[str] | None = None,
        state: str | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write into *place* what a process of the old code is told, and return the file; its *answers* go there."""
        checkout, orders = self.checkout, place / "orders.json"
        Orders(
            root=str(self.config.root),
            flags=dict(self.flags if flags is None else flags),
            cwd=str(self.cwd),
            toplevel=str(checkout.toplevel),
            tree=str(checkout.tree),
            words=checkout.words,
            answers=str(answers),
            snapshots=str(self.config.snapshots),
            imported=str(place / "imported"),
            ids=None if ids is None else tuple(ids),
            state=state,
        ).write(orders)
        return orders

    def command(self, orders: Path) -> list[str]:
        """Return the command line of a process that carries out the *orders* in the checkout."""
        return [
            *(self.python, "-m", "pytest", "--dealsnap-update", "--dealsnap-old-side", str(orders)),
            *("--dealsnap-allow-constant", "--dealsnap-allow-errors", "-q", "--no-header"),
            *(f"--rootdir={self.checkout.root}", "-o", f"cache_dir={self.checkout.folder / 'cache'}"),
        ]

    def import_paths(self) -> list[str]:
        """Return where such a process imports from, beside its folder: never from the user's own checkout."""
        beside = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        outside = [path for path in beside if not Path(path).resolve().is_relative_to(self.checkout.toplevel)]
        return [*paths_in(self.checkout, self.config.reasoner), *outside]

    def new_code_imported(self, place: Path) -> str:
        """Return what is wrong where the process that was told in *place* imported the new code; else nothing."""
        imported = place / "imported"
        if not imported.is_file():
            return ""
        names = sorted(set(imported.read_text(encoding="utf-8").splitlines()))
        return (
            f"the code of {self.checkout.words} imported the new code: {', '.join(names[:_IMPORTED_SHOWN])}. The "
            "project is installed there in development mode; name the Python of an environment with the old code: "
            'python = "…" in [tool.dealsnap.against]'
        )

    def _read(self, place: Path, done: Done) -> OldAnswers:
        """Return what the process left in *place*; raises :class:`ConfigError` for one that could not answer."""
        words = f"the code of {self.checkout.words}"
        if wrong := self.new_code_imported(place):
            raise ConfigError(wrong)
        try:
            report = json.loads((place / "report.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            raise ConfigError(f"{words} cannot be reasoned: {_reason(done, self.python)}") from None
        run = report["run"]
        spending = run.get("spending") or {}
        why = run.get("why_not_judged", {})
        return OldAnswers(
            DealSnapshots(place / ANSWERS),
            {deal_id: why.get(deal_id, "its process ended before") for deal_id in run["not_judged"]},
            Decimal(spending.get("spent", 0)),
            spending.get("calls", 0),
            spending.get("reused", 0),
            done.seconds,
        )


def for_single_deals(old: OldCode) -> OldCode:
    """Return *old* for fresh runs of single deals: in one process, asking anew what is recorded, without a word.

    It can be pickled, so that workers of xdist make such runs, too.
    """
    kept: list[str] = []
    words = iter(old.arguments)
    for word in words:
        if word in ("-n", "--dealsnap-replay"):
            next(words)  # its value
        else:
            kept.append(word)
    return replace(old, arguments=(*kept, "--dealsnap-replay", "off"), say=_silent)


def _silent(line: str) -> None:
    """Say nothing."""


def open_old_code(
    stack: ExitStack,
    config: Config,
    ref: str,
    *,
    flags: Mapping[str, Any],
    cwd: Path,
    arguments: Sequence[str],
    say: Say,
) -> OldCode:
    """Check *ref* out for as long as *stack* is open, also where a signal ends this process.

    Raises :class:`ConfigError` for no git, no such commit, or a Python that cannot run it.
    """
    stack.enter_context(signals_raise())
    checkout = stack.enter_context(checked_out(config.root, ref))
    old = OldCode(checkout, config, flags, cwd, arguments, say)
    if config.against.python:
        _check_python(old)
    return old


def paths_in(checkout: Checkout, reasoner: str | None) -> list[str]:
    """Return where the old checkout has what this process imports from the user's own: the project, and ``src``."""
    wanted = [Path(path) for path in sys.path]
    top = (reasoner or "").partition(":")[0].partition(".")[0]
    spec = getattr(sys.modules.get(top), "__spec__", None)
    if spec is not None:  # one that is installed in development mode may be on no path
        where = list(spec.submodule_search_locations or ([spec.origin] if spec.origin else []))
        wanted += [Path(path).parent for path in where]
    found = []
    for path in wanted:
        own = path.resolve()
        if own.is_relative_to(checkout.toplevel) and "site-packages" not in own.parts:
            counterpart = checkout.tree / own.relative_to(checkout.toplevel)
            found += [str(counterpart)] if counterpart.is_dir() else []
    return list(dict.fromkeys(found))


def _check_python(old: OldCode) -> None:
    """Raise :class:`ConfigError` for a Python that is not there, or has no dealsnap that knows such orders."""
    place, python = old.config.place("against.python"), old.python
    code = "import pytest_dealsnap.rehearsal.old_orders"
    command = [python, "-c", code]
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Python
            command, capture_output=True, encoding="utf-8", errors="replace", check=False, cwd=old.checkout.folder
        )
    except OSError as error:
        raise ConfigError(f"{place} = {old.config.against.python!r}: {python}: {error.strerror or error}") from None
    if done.returncode != 0:
        raise ConfigError(
            f"{place} = {old.config.against.python!r}: that Python has no pytest-dealsnap of this version: "
            "install it there, beside the old code"
        )


def _reason(done: Done, python: str) -> str:
    """Return why the process wrote no report: the error that it told, or how it ended."""
    lines = [redact(line.rstrip()) for line in done.output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if errors:
        return errors[-1]
    said = [line for line in lines if line.startswith("E ")][-1:] or lines[-1:]
    ending = "was killed" if done.code is not None and done.code < 0 else "ended"
    status = f"by signal {-done.code}" if done.code is not None and done.code < 0 else f"with status {done.code}"
    return f"{Path(python).name} {ending} {status}{': ' if said else ''}{' '.join(' '.join(said).split())}"
