"""The rehearsal from the copy to the verdict: which phase follows which, and when one must be left out."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pytest_dealsnap.baseline.manifest import git_state
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import open_read_only, parse_url, public_url
from pytest_dealsnap.errors import ConfigError, SourceError, redact
from pytest_dealsnap.rehearsal.conclusion import decide_rehearsal, next_steps
from pytest_dealsnap.rehearsal.journal import Journal
from pytest_dealsnap.rehearsal.judging import exposures
from pytest_dealsnap.rehearsal.phases import Phases
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.schema import Schema, read_schema
from pytest_dealsnap.rehearsal.scratch import ScratchDatabase, scratch_copy
from pytest_dealsnap.rehearsal.steps import Say
from pytest_dealsnap.rehearsal.surroundings import Surroundings
from pytest_dealsnap.reporting.rehearsal_facts import Rehearsal, share_of

__all__ = ["Options", "rehearse"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to rehearse: ``timeout`` bounds one step, in seconds; ``sample`` the deals of each capture."""

    keep: bool = False
    scratch_url: str | None = None
    sample: int | None = None
    seed: int = 0
    timeout: float = 3_600.0
    load: bool = True


def rehearse(config: Config, options: Options, say: Say) -> Rehearsal:
    """Go through the whole rollout on a scratch copy, and return what that showed.

    Raises :class:`ConfigError` and :class:`SourceError` for what keeps it from beginning.
    """
    rollout, original = Rollout.of(config), _original(config)
    began, clock = datetime.now(UTC), time.monotonic()
    journal = Journal(say)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dealsnap-rehearsal-")))
        schema = _schema_of(config)
        scratch = _copied(config, options, journal, stack, say)
        text = original.render_as_string(hide_password=False)
        surroundings = Surroundings(config, text, scratch.url, folder, options.timeout, say)
        selection = ("--dealsnap-sample", str(options.sample), "--dealsnap-seed", str(options.seed))
        phases = Phases(surroundings, rollout, journal, selection if options.sample else ())
        try:
            phases.go(load=options.load)
        except SQLAlchemyError as error:
            with journal.phase("database", "the scratch copy") as entry:
                reason = redact(" ".join(str(getattr(error, "orig", None) or error).split()))
                entry.find("database_unreadable", f"the scratch copy cannot be read: {reason}", weight="unfinished")
        _check_original(config, schema, journal)
        return _concluded(config, rollout, phases, began, clock, scratch, kept=options.keep)


def _original(config: Config) -> URL:
    """Return the database's URL, with the path of a file made absolute."""
    if config.database is None:
        raise ConfigError(
            "rehearse needs a database to copy: set database in [tool.dealsnap], or give --database URL "
            "(any SQLAlchemy URL, such as sqlite:///deals.db)"
        )
    url = parse_url(config.database, config.place("database"))
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        return url.set(database=str((config.database_folder / url.database).absolute()))
    return url


def _copied(config: Config, options: Options, journal: Journal, stack: ExitStack, say: Say) -> ScratchDatabase:
    assert config.database is not None
    with journal.phase("copy", "copy the database") as entry:
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


def _schema_of(config: Config) -> Schema | None:
    """Return the original's schema, read-only; ``None`` where it cannot be read."""
    assert config.database is not None
    try:
        engine = open_read_only(config.database, folder=config.database_folder, place=config.place("database"))
        try:
            with engine.connect() as connection:
                return read_schema(connection)
        finally:
            engine.dispose()
    except (SourceError, SQLAlchemyError):
        return None  # copying it says why


def _check_original(config: Config, before: Schema | None, journal: Journal) -> None:
    """Look whether a step went round the scratch copy and migrated the original."""
    with journal.phase("original", "the original database") as entry:
        after = _schema_of(config)
        if before is None or after is None:
            entry.headline = "could not be looked at again"
            return
        lines = before.differences(after)
        if before.revisions != after.revisions:
            lines.append(f"revision {', '.join(before.revisions) or 'none'} → {', '.join(after.revisions) or 'none'}")
        entry.headline = "its schema is what it was"
        if lines:
            entry.headline = ""
            entry.find(
                "original_changed",
                "the ORIGINAL database's schema changed during the rehearsal",
                weight="corrupts",
                evidence=lines,
                advice=f"make the upgrade read its database from {config.rehearsal.database_env}, which names the "
                "scratch copy; look at once at what happened to the original",
            )


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
    problems, gate, flag = phases.journal.problems, phases.gate, config.rehearsal.flag
    verdict = decide_rehearsal(problems, gate, flag=flag)
    assert config.database is not None
    share = None
    if gate is not None:
        share = share_of(gate.summary.affected, gate.summary.compared, sampled=gate.facts.partial)
    return Rehearsal(
        started_at=began,
        seconds=time.monotonic() - clock,
        database=public_url(_original(config)),
        scratch=scratch.shown,
        means=scratch.means,
        kept=kept or scratch.own,
        flag=flag,
        git_commit=git_state(config.root)["commit"],
        phases=tuple(phases.journal.phases),
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
