"""The user's upgrade and downgrade: Alembic, a shell command, or ``module:callable``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.rehearsal.alembic_ini import has_scripts
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done
from pytest_dealsnap.text import shell_quoted

__all__ = ["Rollout", "carry_out"]

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Rollout:
    """How the schema goes up and down: by Alembic, or by ``upgrade``; ``downgrade`` outranks Alembic."""

    alembic: Path | None
    upgrade: str | None
    downgrade: str | None
    named: str = "alembic.ini"

    @classmethod
    def of(cls, config: Config) -> Rollout:
        """Return what *config* says; raises :class:`ConfigError` where there is nothing to rehearse."""
        rehearsal = config.rehearsal
        alembic = config.root / rehearsal.alembic if rehearsal.alembic else None
        if alembic is None and not rehearsal.upgrade and (config.root / "alembic.ini").is_file():
            alembic = config.root / "alembic.ini"
        if alembic is not None and not alembic.is_file():
            raise ConfigError(
                f'{config.place("rehearsal.alembic")} = "{rehearsal.alembic}": no such file: {alembic}. '
                "It is Alembic's configuration file, relative to the project's root folder"
            )
        if alembic is not None and rehearsal.upgrade:
            raise ConfigError(
                f'{config.place("rehearsal.alembic")} = "{rehearsal.alembic}" and '
                f'{config.place("rehearsal.upgrade")} = "{rehearsal.upgrade}": both say how to '
                "upgrade. Leave one of them out"
            )
        if alembic is not None and not has_scripts(alembic):
            raise ConfigError(
                f"{config.place('rehearsal.alembic')}: {alembic} says no script_location. Where it is "
                'Flask-Migrate\'s, set upgrade = "flask db upgrade" and downgrade = "flask db downgrade" in its place'
            )
        if alembic is None and not rehearsal.upgrade and not rehearsal.flag:
            raise ConfigError(
                "there is nothing to rehearse: set alembic, or upgrade (a shell command or module:callable), or flag, "
                "in [tool.dealsnap.rehearsal]; or give --alembic FILE, --upgrade COMMAND or --flag NAME"
            )
        return cls(alembic, rehearsal.upgrade or None, rehearsal.downgrade or None, rehearsal.alembic or "alembic.ini")

    @property
    def migrates(self) -> bool:
        """Whether there is an upgrade at all."""
        return self.alembic is not None or self.upgrade is not None

    @property
    def by_alembic(self) -> bool:
        """Whether Alembic carries the upgrade out."""
        return self.alembic is not None and self.upgrade is None

    @property
    def can_return(self) -> bool:
        """Whether there is a downgrade."""
        return self.downgrade is not None or self.by_alembic

    def up(self, step_environment: StepEnvironment, revision: str = "head") -> tuple[Done, dict[str, Any]]:
        """Upgrade the scratch copy, by Alembic to *revision*; the notes hold what Alembic was asked for."""
        if self.upgrade is not None:
            return carry_out(step_environment, "upgrade", self.upgrade)
        orders = {"action": "upgrade", "target": str(self.alembic), "revision": revision}
        return step_environment.move("upgrade", orders)

    def down(self, step_environment: StepEnvironment, revisions: tuple[str, ...]) -> Done:
        """Take the scratch copy back to *revisions*, at which it was."""
        if self.downgrade is not None:
            return carry_out(step_environment, "downgrade", self.downgrade)[0]
        revision = revisions[0] if revisions else "base"
        return step_environment.move(
            "downgrade", {"action": "downgrade", "target": str(self.alembic), "revision": revision}
        )[0]

    def current(self, step_environment: StepEnvironment) -> Done:
        """Have Alembic read the revision, through the connection that the upgrade will use."""
        return step_environment.move("alembic current", {"action": "current", "target": str(self.alembic)})[0]

    def chain(
        self, step_environment: StepEnvironment, revisions: tuple[str, ...], *, shared: bool = False
    ) -> tuple[Done, dict[str, Any]]:
        """Read the chain of revisions, without touching a database.

        Args:
            step_environment: what the step runs in.
            revisions: those that the database records.
            shared: some of them may belong to another application, which has a version table of its own.

        Returns:
            How the step ended, and its notes: heads, bases, pending revisions, problems, and the known of *revisions*.
        """
        orders: Mapping[str, Any] = {
            "action": "chain", "target": str(self.alembic), "current": list(revisions), "shared": shared,
        }  # fmt: skip
        return step_environment.move("revision chain", orders)

    def words(self, way: Literal["up", "down"], revision: str = "base") -> str:
        """Return the command that a person would type to go *way*, down to *revision*."""
        own = self.upgrade if way == "up" else self.downgrade
        if own is not None or not self.by_alembic:
            return f"call {own}" if own and _CALLABLE.fullmatch(own) else own or ""
        config = "" if self.named == "alembic.ini" else f" -c {shell_quoted(self.named)}"
        return f"alembic{config} {'upgrade head' if way == 'up' else f'downgrade {revision}'}"


def carry_out(step_environment: StepEnvironment, title: str, command: str) -> tuple[Done, dict[str, Any]]:
    """Run *command*, a shell command or ``module:callable``, on the scratch copy."""
    if _CALLABLE.fullmatch(command):
        return step_environment.move(title, {"action": "call", "target": command})
    return step_environment.shell(title, command, "off"), {}
