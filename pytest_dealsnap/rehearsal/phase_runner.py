"""The rehearsal from the copy to the verdict: which phase follows which, and when one must be left out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pytest_dealsnap.baseline.manifest import git_state
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import check_enforced, parse_url, public_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import Rehearsal, share_of
from pytest_dealsnap.reasoning.signals import signals_raise, signals_wait
from pytest_dealsnap.rehearsal.capture_gate import check_rules, exposures
from pytest_dealsnap.rehearsal.old_code import OldCode, open_old_code
from pytest_dealsnap.rehearsal.original import Original
from pytest_dealsnap.rehearsal.owners import mark
from pytest_dealsnap.rehearsal.phases import Phases
from pytest_dealsnap.rehearsal.rehearsal_verdict import decide_rehearsal, next_steps
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.scratch import ScratchDatabase, scratch_copy
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import OriginalReachedError, Say
from pytest_dealsnap.rehearsal.timeline import Timeline
from pytest_dealsnap.reporting.parts import sample_bounds
from pytest_dealsnap.secrets import redact

__all__ = ["Options", "rehearse"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to rehearse: ``timeout`` bounds one step, in seconds; ``sample`` the deals of each capture.

    ``each`` takes Alembic's revisions one by one. ``against`` is the commit of the code that runs today.
    """

    keep: bool = False
    scratch_url: str | None = None
    sample: int | None = None
    seed: int = 0
    timeout: float = 3_600.0
    load: bool = True
    each: bool = False
    against: str | None = None


def rehearse(config: Config, options: Options, say: Say) -> Rehearsal:
    """Go through the whole rollout on a scratch copy, and return what that showed.

    Raises :class:`ConfigError`, and ``SourceError``, for what keeps it from beginning.
    """
    rollout, original = Rollout.of(config), _original(config)
    if options.each and not rollout.by_alembic:
        raise ConfigError("--each takes Alembic's revisions one by one: it needs rehearsal.alembic, not upgrade")
    check_rules(config)
    began, clock = datetime.now(UTC), time.monotonic()
    timeline = Timeline(say)
    with ExitStack() as stack:
        stack.enter_context(signals_raise())
        old = None if options.against is None else _old_code(stack, config, options.against, say)
        folder = stack.enter_context(_working_folder())
        own_copy = options.scratch_url is not None
        as_it_was = Original.look(config, folder / "original-before.rows" if own_copy else None)
        scratch = _copied(config, options, timeline, stack, say)
        text = original.render_as_string(hide_password=False)
        if as_it_was.schema is not None and config.deals.source is None:
            known = dialect_of(original.get_backend_name())
            table = as_it_was.schema.name_of(config.deals.table, folds_case=known.folds_case)
            config = replace(config, deals=replace(config.deals, table=table))
        step_environment = StepEnvironment(config, text, scratch.url, folder, options.timeout, say)
        selection = ("--dealsnap-sample", str(options.sample), "--dealsnap-seed", str(options.seed))
        phases = Phases(step_environment, rollout, timeline, selection if options.sample else (), old)
        try:
            phases.go(load=options.load, copies=not scratch.own, each=options.each)
        except OriginalReachedError:
            say("      the rehearsal stops here")  # its phase tells how it came to that
        except SQLAlchemyError as error:
            with timeline.phase("database", "the scratch copy") as entry:
                reason = redact(" ".join(str(getattr(error, "orig", None) or error).split()))
                entry.find("database_unreadable", f"the scratch copy cannot be read: {reason}", weight="unfinished")
        with timeline.phase("original", "the original database") as entry:
            as_it_was.check(entry, phases.start if not scratch.own else None, folder)
            entry.lines += step_environment.remarks
        return _concluded(config, rollout, phases, began, clock, scratch, kept=options.keep)


def _old_code(stack: ExitStack, config: Config, ref: str, say: Say) -> OldCode:
    return open_old_code(stack, config, ref, flags={}, cwd=Path.cwd(), arguments=(), say=say)


@contextmanager
def _working_folder() -> Iterator[Path]:
    """Make a folder for captures and digests; it goes undisturbed, since it holds what the deals' answers say."""
    folder = tempfile.TemporaryDirectory(prefix="dealsnap-rehearsal-")
    mark(Path(folder.name))
    try:
        yield Path(folder.name)
    finally:
        with signals_wait():
            folder.cleanup()


def _original(config: Config) -> URL:
    """Return the database's URL, with the path of a file made absolute."""
    if config.database is None:
        raise ConfigError(
            "rehearse needs a database to copy: set database in [tool.dealsnap], or give --database URL "
            "(any SQLAlchemy URL, such as sqlite:///deals.db)"
        )
    url = parse_url(config.database, config.place("database"))
    check_enforced(url, config.place("database"), trust=config.trust_source)
    return dialect_of(url.get_backend_name()).absolute(url, config.database_folder)


def _copied(config: Config, options: Options, timeline: Timeline, stack: ExitStack, say: Say) -> ScratchDatabase:
    assert config.database is not None
    with timeline.phase("copy", "copy the database") as entry:
        scratch = stack.enter_context(
            scratch_copy(
                config.database,
                keep=options.keep,
                folder=config.database_folder,
                place=config.place("database"),
                scratch_url=options.scratch_url,
                say=say,
            )
        )
        entry.headline = f"{scratch.shown}, by {scratch.means}"
    return scratch


def _concluded(
    config: Config,
    rollout: Rollout,
    phases: Phases,
    began: datetime,
    clock: float,
    scratch: ScratchDatabase,
    *,
    kept: bool,
) -> Rehearsal:
    problems, gate, flag = phases.timeline.problems, phases.gate, config.rehearsal.flag
    verdict = decide_rehearsal(problems, gate, flag=flag)
    assert config.database is not None
    share = None
    if gate is not None:
        bounds = sample_bounds(gate.facts, gate.results) if gate.facts.partial else None
        share = share_of(
            gate.summary.affected, gate.summary.compared, bounds=bounds, confidence=config.verdict.confidence
        )
    return Rehearsal(
        started_at=began,
        seconds=round(time.monotonic() - clock, 3),
        database=public_url(_original(config)),
        scratch=scratch.shown,
        means=scratch.means,
        kept=kept or scratch.own,
        flag=flag,
        git_commit=git_state(config.root)["commit"],
        phases=tuple(phases.timeline.phases),
        problems=tuple(problems),
        attributed=phases.attributed,
        share=share,
        exposures=exposures(gate.results) if gate is not None else (),
        locks=phases.locks,
        load=phases.load,
        gate=gate,
        verdict=verdict,
        next_steps=next_steps(
            verdict, problems, rollout, flag=flag, flag_off=config.rehearsal.flag_off, revision=phases.revision
        ),
    )
