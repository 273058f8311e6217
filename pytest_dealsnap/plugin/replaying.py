"""Replay in a pytest run: whether calls are caught, and from where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_dealsnap.baseline.cassettes import Cassettes
from pytest_dealsnap.config import Config
from pytest_dealsnap.reasoning.replay import Replay, ReplaySettings
from pytest_dealsnap.reasoning.replay_points import registered

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.options import Mode

__all__ = ["begin_replay"]


def begin_replay(config: Config, mode: Mode, *, choice: str | None, recorded: Path | None = None) -> Replay | None:
    """Catch the calls that a run records or replays, and return what does; ``None`` where there are none.

    Args:
        config: The configuration; ``replay.calls`` are imported.
        mode: What the run does. Under other types there is nothing recorded, so that a matrix replays nothing.
        choice: The value of ``--dealsnap-replay``.
        recorded: The baseline whose recorded calls are replayed; the configured one where it is not given.

    Raises:
        ConfigError: A name in ``replay.calls`` is no function, or ``only`` was asked for and none is named.
    """
    named = bool(config.replay.calls or registered())
    if choice == "only" and (not named or mode == "matrix"):
        why = "a matrix replays no calls" if mode == "matrix" else "no calls are named in [tool.dealsnap.replay]"
        raise pytest.UsageError(f"--dealsnap-replay only: {why}")
    if not named or choice == "off" or mode == "matrix":
        return None
    settings = ReplaySettings.of(config, capture=mode == "capture", only=choice == "only")
    replay = Replay(settings, Cassettes(recorded or config.snapshots).read)
    replay.begin()
    return replay
