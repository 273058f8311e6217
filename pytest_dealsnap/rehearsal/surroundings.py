"""What every step of the rehearsal runs in: the project's folder, the scratch copy, the flag, a bound in time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pytest_dealsnap.config import Config
from pytest_dealsnap.rehearsal.guard import ORIGINAL
from pytest_dealsnap.rehearsal.moving import SCRATCH
from pytest_dealsnap.rehearsal.owners import OWNER_VARIABLE, this_process
from pytest_dealsnap.rehearsal.steps import Done, Say, run_step

__all__ = ["FlagState", "Surroundings"]

FlagState = Literal["off", "on"]
# What would lead a step back to the original, or make it report as a part of somebody else's run.
_FOREIGN = ("DEALSNAP_DATABASE", "DEALSNAP_SNAPSHOTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")

# Python imports a module of this name as it starts; one of the user's own still has its turn.
SITE = """\
import os, sys
sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)]
try:
    import pytest_dealsnap.rehearsal.guarded
except ImportError:
    pass
sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize
except ImportError:
    pass
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The project, the original's URL (absolute), the scratch copy's, a folder for files, and the time-out."""

    config: Config
    original: str
    scratch: str
    folder: Path
    timeout: float
    say: Say

    def environment(self, flag: FlagState, *, url: str | None = None, **more: str) -> dict[str, str]:
        """Return the environment of a step: database (by default the scratch copy), flag, and *more*."""
        rehearsal, target = self.config.rehearsal, url or self.scratch
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        flags = {rehearsal.flag: rehearsal.flag_off if flag == "off" else rehearsal.flag_on} if rehearsal.flag else {}
        return {
            **kept,
            "DEALSNAP_DATABASE": target,
            **({"DEALSNAP_TRUST_SOURCE": "true"} if self.config.trust_source else {}),
            rehearsal.database_env: _in_dialect_of(target, os.environ.get(rehearsal.database_env)),
            **flags,
            ORIGINAL: self.original,
            SCRATCH: target,
            OWNER_VARIABLE: this_process(),
            **more,
        }

    def python(self, title: str, flag: FlagState, *arguments: str, **more: str) -> Done:
        """Run this Python with *arguments*."""
        return self._run([sys.executable, *arguments], title, self.environment(flag, **more))

    def shell(self, title: str, command: str, flag: FlagState, *, url: str | None = None) -> Done:
        """Run a command of the user's; every Python that it starts, and that has dealsnap, is guarded as ours are."""
        guard = self.folder / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        path = os.pathsep.join(filter(None, [str(guard), os.environ.get("PYTHONPATH")]))
        return self._run(command, title, self.environment(flag, url=url, PYTHONPATH=path))

    def move(self, title: str, orders: Mapping[str, Any], flag: FlagState = "off") -> tuple[Done, dict[str, Any]]:
        """Have :mod:`pytest_dealsnap.rehearsal.moving` carry out *orders*; return its end, and its notes."""
        file = self.folder / "orders.json"
        file.write_text(json.dumps(dict(orders)), encoding="utf-8")
        done = self.python(title, flag, "-m", "pytest_dealsnap.rehearsal.moving", str(file))
        return done, json.loads(file.read_text(encoding="utf-8") or "{}")

    def _run(self, command: list[str] | str, title: str, environment: dict[str, str]) -> Done:
        return run_step(
            command, cwd=self.config.root, environment=environment, timeout=self.timeout, title=title, say=self.say
        )


def _in_dialect_of(target: str, current: str | None) -> str:
    """Return *target* with the driver that the application's own URL names, such as an asynchronous one."""
    try:
        url, own = make_url(target), make_url(current or "")
    except ArgumentError:
        return target
    if own.get_backend_name() != url.get_backend_name():
        return target
    return url.set(drivername=own.drivername).render_as_string(hide_password=False)
