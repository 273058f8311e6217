"""Before the first step that may write: proof that a step reaches the scratch copy, and not the original."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.rehearsal.captures import run_capture
from pytest_dealsnap.rehearsal.rollout import Rollout, carry_out
from pytest_dealsnap.rehearsal.states import State
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done
from pytest_dealsnap.rehearsal.timeline import Entry, Timeline

__all__ = ["check_reach"]

NAME, TITLE = "preflight", "does a step reach the scratch copy"


def check_reach(step_environment: StepEnvironment, rollout: Rollout, timeline: Timeline, start: State) -> bool:
    """Run what only reads in a step's environment; return whether the rehearsal may go on.

    That is ``rehearsal.check``, or else ``alembic current`` and the reasoner, on one deal. On a server, a rollout that
    migrates needs the proof; a file is protected by the guard, and looked after by its checksum.

    Raises :class:`OriginalReachedError` where a step asked for the original.
    """
    check = step_environment.config.rehearsal.check
    is_file = dialect_of(make_url(step_environment.original).get_backend_name()).is_file
    if is_file and not check:
        timeline.skip(
            NAME,
            TITLE,
            "the original is a file: guard and checksum look after it, and rehearsal.check names no command",
        )
        return True
    with timeline.phase(NAME, TITLE) as entry:
        if check:
            done = carry_out(step_environment, entry.title, check)[0]
            if not done.ok:
                entry.find(
                    "check_failed", f"rehearsal.check {done.ending()}", weight="unfinished", evidence=done.tail(),
                    advice="run it by hand with the variables that the rehearsal sets; it has to end with status 0",
                )  # fmt: skip
                return False
            steps = {"rehearsal.check": done}
        else:
            steps = _reading_steps(step_environment, rollout, start)
        return _judged(entry, step_environment, rollout, steps, needed=rollout.migrates and not is_file)


def _reading_steps(step_environment: StepEnvironment, rollout: Rollout, start: State) -> dict[str, Done]:
    steps = {}
    if rollout.by_alembic:
        steps["alembic current"] = rollout.current(step_environment)
    selection = ("--dealsnap-id", next(iter(start.keys))) if start.keys else ("--dealsnap-sample", "1")
    folder = step_environment.folder / "preflight"
    steps["the reasoner"] = run_capture(step_environment, TITLE, folder, "off", selection)
    return steps


def _judged(
    entry: Entry, step_environment: StepEnvironment, rollout: Rollout, steps: dict[str, Done], *, needed: bool
) -> bool:
    reached = {name: done.reached for name, done in steps.items() if done.reached}
    entry.lines += [f"{name} opened the scratch copy by {', '.join(drivers)}" for name, drivers in reached.items()]
    if reached:
        entry.headline = f"{' and '.join(reached)} reached the scratch copy, nothing the original"
        return True
    tried = " and ".join(steps)
    entry.headline = f"{tried} opened no database that the guard can see"
    if not needed:
        return True
    entry.find(
        "preflight_unproved",
        f"nothing shows that a step reaches the scratch copy: {tried} did not open it",
        weight="unfinished",
        evidence=[line for done in steps.values() for line in done.tail(4)],
        advice="name a command in rehearsal.check that reads the database by the settings that the upgrade has, as in "
        '"python manage.py showmigrations" or "psql {plain_url} -c \'SELECT 1\'"; the application has to read '
        f"{step_environment.config.rehearsal.database_env}, or the variable that rehearsal.database_env names",
    )
    return False
