"""What a rehearsal would begin with, in seconds: a copy, and on it the steps that only read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import parse_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.rehearsal.captures import run_capture
from pytest_dealsnap.rehearsal.owners import mark
from pytest_dealsnap.rehearsal.rollout import Rollout, carry_out
from pytest_dealsnap.rehearsal.scratch import scratch_copy
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done

__all__ = ["Checkup", "check_up"]

REASONER = "the reasoner"


@dataclass(frozen=True, slots=True)
class Checkup:
    """How the copy was made, how each step on it ended, by its name, and the deal that was reasoned, if one was."""

    means: str
    steps: Mapping[str, Done]
    deal: Snapshot | None

    @property
    def reasoner(self) -> Done:
        """The capture of one deal."""
        return self.steps[REASONER]

    @property
    def reached(self) -> tuple[str, ...]:
        """The steps that were seen to open the copy."""
        return tuple(name for name, done in self.steps.items() if done.reached)


def check_up(config: Config, rollout: Rollout | None, *, timeout: float) -> Checkup:
    """Copy the database, and run on the copy what only reads: ``rehearsal.check`` or ``alembic current``, and one deal.

    The steps are guarded as a rehearsal's are; the project's own fixtures and plugins take part.

    Args:
        config: the project's configuration, with a database.
        rollout: how the schema goes up; ``None`` where that is not known.
        timeout: seconds that one step may take.

    Raises:
        SourceError: where the database cannot be copied.
        OriginalReachedError: where a step asked for the original.
    """
    assert config.database is not None
    place = config.place("database")
    url = parse_url(config.database, place)
    original = dialect_of(url.get_backend_name()).absolute(url, config.database_folder)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dealsnap-checkup-")))
        mark(folder)
        copy = stack.enter_context(scratch_copy(config.database, folder=config.database_folder, place=place))
        text = original.render_as_string(hide_password=False)
        environment = StepEnvironment(config, text, copy.url, folder, timeout, lambda line: None)
        steps: dict[str, Done] = {}
        if config.rehearsal.check:
            steps["rehearsal.check"] = carry_out(environment, "rehearsal.check", config.rehearsal.check)[0]
        elif rollout is not None and rollout.by_alembic:
            steps["alembic current"] = rollout.current(environment)
        captured = folder / "capture"
        steps[REASONER] = run_capture(environment, REASONER, captured, "off", ("--dealsnap-sample", "1"))
        snapshots = DealSnapshots(captured)
        found = [snapshots.decode(i, snapshots.recall(i) or b"") for i in sorted(snapshots.ids())[:1]]
    return Checkup(copy.means, steps, found[0] if found else None)
