"""A gate whose baseline is the answers of another commit's code, taken before its first deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_dealsnap.config import Config
from pytest_dealsnap.model.finished_run import OldSide
from pytest_dealsnap.plugin.options import given_settings
from pytest_dealsnap.rehearsal.old_checkout import not_there
from pytest_dealsnap.rehearsal.old_code import OldAnswers, OldCode, for_single_deals, open_old_code
from pytest_dealsnap.text import plural

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.plan import Plan

__all__ = ["Against", "AgainstFacts", "begin_against"]


@dataclass(frozen=True, slots=True)
class AgainstFacts:
    """What every process of the run knows of the old side, and why a deal has no answer of it."""

    side: OldSide
    unanswered: Mapping[str, str]


class Against:
    """The old code beside a gate, in the process that plans it.

    Attributes:
        old: The old code, which can be asked again: :meth:`OldCode.again`.
    """

    def __init__(self, stack: ExitStack, old: OldCode) -> None:
        self._stack = stack
        self.old = old
        self._answers: OldAnswers | None = None

    @property
    def spent(self) -> Decimal:
        """What the answers cost."""
        return Decimal(0) if self._answers is None else self._answers.spent

    @property
    def calls(self) -> int:
        """How many of its calls were paid, in a run that was killed, too."""
        return 0 if self._answers is None else self._answers.calls

    def ask(self, plan: Plan, state: str | None) -> AgainstFacts:
        """Let the old code answer the deals of *plan* in the *state* of the database that the gate reads.

        Raises :class:`ConfigError` where it cannot.
        """
        ids = [entry.ref.id for entry in plan.entries if entry.kind != "missing" and entry.ref.copies == 1]
        narrowed = plan.population is None or len(plan.entries) < plan.total
        checkout, say = self.old.checkout, self.old.say
        say(f"dealsnap: the code of {checkout.words} reasons {plural(len(ids), 'deal')} first")
        absent = not_there(checkout)
        if absent:
            say(f"dealsnap: git ignores {', '.join(absent)}, so the code of {checkout.words} runs without")
        self._answers = answers = self.old.answer(ids if narrowed else None, state=state)
        paid = (str(answers.spent), answers.calls, answers.reused)
        side = OldSide(checkout.ref, checkout.commit, round(answers.seconds, 3), *paid)
        return AgainstFacts(side, answers.unanswered)

    def for_single_deals(self) -> OldCode:
        """Return the old code for fresh runs of single deals, in any process of the run."""
        return for_single_deals(self.old)

    def close(self) -> None:
        """Remove the checkout."""
        self._stack.close()


def begin_against(config: pytest.Config, settings: Config, ref: str) -> Against:
    """Check out the code of *ref*; raises :class:`ConfigError` where that cannot be done."""
    stack = ExitStack()
    try:
        old = open_old_code(
            stack,
            settings,
            ref,
            flags=given_settings(config),
            cwd=config.invocation_params.dir,
            arguments=_arguments(config, settings),
            say=partial(_say, config),
        )
    except BaseException:
        stack.close()
        raise
    return Against(stack, old)


def _arguments(config: pytest.Config, settings: Config) -> Sequence[str]:
    """Return how the old code is run like this one: in as many processes, from the run store, by replay."""
    workers = len(config.getoption("tx", None) or ())
    spread = ("-n", str(workers)) if workers and not settings.against.python else ()
    flags = [f"--dealsnap-{name}" for name in ("store", "fresh") if config.getoption(f"dealsnap_{name}")]
    replay = config.getoption("dealsnap_replay")
    return (*spread, *flags, *(("--dealsnap-replay", replay) if replay else ()))


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(line, flush=True)
