"""What every step of the rehearsal runs in: the project's folder, the scratch copy, the flag, a bound in time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pytest_dealsnap.config import Config
from pytest_dealsnap.rehearsal.migration_worker import SCRATCH
from pytest_dealsnap.rehearsal.old_code import OldCode
from pytest_dealsnap.rehearsal.owners import OWNER_VARIABLE, this_process
from pytest_dealsnap.rehearsal.placeholders import fill, placeholders, tool_variables
from pytest_dealsnap.rehearsal.protection import Notes, protect, read_notes
from pytest_dealsnap.rehearsal.sessions import SessionWatch
from pytest_dealsnap.rehearsal.steps import Done, OriginalReachedError, Say, run_step

__all__ = ["FlagState", "StepEnvironment"]

FlagState = Literal["off", "on"]
STEP = "_DEALSNAP_REHEARSAL_STEP"
NOTHING: Mapping[str, str] = MappingProxyType({})
# What would lead a step back to the original, or make it report as a part of somebody else's run.
_FOREIGN = (
    "PGSERVICE", "PGHOSTADDR", "DEALSNAP_DATABASE", "DEALSNAP_SNAPSHOTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepEnvironment:
    """The project, the original's URL (absolute), the scratch copy's, a folder for files, and the time-out."""

    config: Config
    original: str
    scratch: str
    folder: Path
    timeout: float
    say: Say
    remarks: list[str] = field(default_factory=list)  # what could not be guarded or watched, for the report

    def environment(self, flag: FlagState, *, url: str | None = None, **more: str) -> dict[str, str]:
        """Return the environment of a step: database (by default the scratch copy), flag, and *more*."""
        rehearsal, target = self.config.rehearsal, url or self.scratch
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        flags = {rehearsal.flag: rehearsal.flag_off if flag == "off" else rehearsal.flag_on} if rehearsal.flag else {}
        return {
            **kept,
            **tool_variables(target),
            "DEALSNAP_DATABASE": target,
            **({"DEALSNAP_TRUST_SOURCE": "true"} if self.config.trust_source else {}),
            rehearsal.database_env: _in_dialect_of(target, os.environ.get(rehearsal.database_env)),
            **flags,
            SCRATCH: target,
            OWNER_VARIABLE: this_process(),
            **more,
        }

    def python(self, title: str, flag: FlagState, *arguments: str, **more: str) -> Done:
        """Run this Python with *arguments*."""
        return self._run([sys.executable, *arguments], title, self.environment(flag, **more))

    def old_code(self, title: str, flag: FlagState, old: OldCode, *arguments: str) -> Done:
        """Run a process of the *old* code with *arguments*, in its checkout."""
        environment = self.environment(flag)
        return self._run([*arguments], title, environment, cwd=old.checkout.root, paths=old.import_paths())

    def shell(
        self, title: str, command: str, flag: FlagState, *, url: str | None = None, more: Mapping[str, str] = NOTHING
    ) -> Done:
        """Run a command of the user's, with its placeholders filled; *more* are further ones."""
        filled = fill(command, {**placeholders(url or self.scratch), **more})
        return self._run(filled, title, self.environment(flag, url=url))

    def move(self, title: str, orders: Mapping[str, Any], flag: FlagState = "off") -> tuple[Done, dict[str, Any]]:
        """Have :mod:`pytest_dealsnap.rehearsal.migration_worker` carry out *orders*; return its end, and its notes."""
        file = self.folder / "orders.json"
        file.write_text(json.dumps(dict(orders)), encoding="utf-8")
        done = self.python(title, flag, "-m", "pytest_dealsnap.rehearsal.migration_worker", str(file))
        return done, json.loads(file.read_text(encoding="utf-8") or "{}")

    def _run(
        self,
        command: list[str] | str,
        title: str,
        environment: dict[str, str],
        *,
        cwd: Path | None = None,
        paths: Sequence[str] | None = None,
    ) -> Done:
        """Run a step, guarded and watched; raises :class:`OriginalReachedError` where it asked for the original."""
        token = f"rehearsal-{uuid4().hex[:12]}"
        record = self.folder / f"{token}.notes"
        guard = protect(self.folder / "guard", self.original, environment[SCRATCH], record)
        if paths is not None:
            own = guard["PYTHONPATH"].split(os.pathsep)[0]
            guard = {**guard, "PYTHONPATH": os.pathsep.join([own, *paths])}
        watch = SessionWatch(self.original, token)
        with watch.before():
            done = run_step(
                command, cwd=cwd or self.config.root, timeout=self.timeout, title=title, say=self.say, watch=watch.over,
                environment={**environment, **guard, STEP: token, "PGAPPNAME": token},
            )  # fmt: skip
        notes = read_notes(record)
        self._remark(watch, notes)
        if watch.found or notes.original:
            raise self._reached(title, [*(f"opened by {name}" for name in notes.original), *watch.found], done)
        return replace(done, reached=notes.copy, errors=notes.errors)

    def _remark(self, watch: SessionWatch, notes: Notes) -> None:
        found = [watch.blind] if watch.blind else []
        for pid, program in watch.unguarded.items():
            if pid not in notes.guarded:
                found.append(
                    f"{program} ran without the guard (-I, -S, -E, another PYTHONPATH, or older than 3.9): only watched"
                )
        self.remarks.extend(line for line in dict.fromkeys(found) if line not in self.remarks)

    def _reached(self, title: str, evidence: list[str], done: Done) -> OriginalReachedError:
        env, original = self.config.rehearsal.database_env, make_url(self.original)
        names = [name for name, value in os.environ.items() if name not in _FOREIGN and _is_url_of(value, original)]
        hint = f' (rehearsal.database_env = "{names[0]}": that variable names the original)' if names else ""
        return OriginalReachedError(
            f"{title}: the step opened the ORIGINAL database, and was stopped",
            [*evidence, *done.tail(4)],
            f"the step does not read its database from the variable {env}: set rehearsal.database_env to the variable "
            f"that the application reads{hint}, and read it in the application's settings; give a command its database "
            "by {url}, {plain_url}, {host}, {port}, {name}, {user} or {path}",
        )


def _is_url_of(value: str, original: URL) -> bool:
    try:
        url = make_url(value)
    except ArgumentError:
        return False
    return (url.host, url.port, url.database) == (original.host, original.port, original.database)


def _in_dialect_of(target: str, current: str | None) -> str:
    """Return *target* with the driver that the application's own URL names, such as an asynchronous one."""
    try:
        url, own = make_url(target), make_url(current or "")
    except ArgumentError:
        return target
    if own.get_backend_name() != url.get_backend_name():
        return target
    return url.set(drivername=own.drivername).render_as_string(hide_password=False)
