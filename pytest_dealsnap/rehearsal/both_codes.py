"""The window of a rolling deployment: the new code on the old schema, and the old code on the upgraded one."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.rehearsal.capture_differences import Difference, common_lines, differences, example_lines
from pytest_dealsnap.rehearsal.captures import capture
from pytest_dealsnap.rehearsal.flag_checks import FlagChecks
from pytest_dealsnap.rehearsal.old_code import OldCode
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Entry, Timeline
from pytest_dealsnap.text import plural

__all__ = ["BothCodes"]

UPGRADE_FIRST = (
    "instances of the new code start before the upgrade, or beside it, in a rolling deployment: let the code work "
    "without what the upgrade adds, or upgrade first"
)
EXPAND_FIRST = (
    "instances of the old code still run after the upgrade in a rolling deployment: upgrade in two steps, first what "
    "both codes can live with, and the rest once no old code runs"
)


class BothCodes:
    """Two phases of a rehearsal whose old code is at hand; each code must give the answers of before the upgrade."""

    def __init__(
        self,
        step_environment: StepEnvironment,
        timeline: Timeline,
        selection: Sequence[str],
        answers: FlagChecks,
        old: OldCode,
    ) -> None:
        self._environment = step_environment
        self._timeline = timeline
        self._selection = selection
        self._answers = answers
        self._old = old
        self._flag = step_environment.config.rehearsal.flag

    def new_on_old(self) -> DealSnapshots | None:
        """Capture the new code, its flag off, on the old schema; return what it answered."""
        flag = ", flag off" if self._flag is not None else ""
        with self._timeline.phase("new_on_old", f"the new code on the old schema{flag}") as entry:
            found = capture(self._environment, entry, "new-on-old", "off", self._selection)
            self._judge(entry, found, "the new code", "the old schema", UPGRADE_FIRST)
            return found

    def old_on_new(self) -> None:
        """Capture the old code on the upgraded schema."""
        words = f"the old code ({self._old.checkout.words})"
        with self._timeline.phase("old_on_new", f"{words} on the upgraded schema") as entry:
            found = capture(self._environment, entry, "old-on-new", "off", self._selection, old=self._old)
            self._judge(entry, found, words, "the upgraded schema", EXPAND_FIRST)

    def _judge(self, entry: Entry, found: DealSnapshots | None, who: str, where: str, advice: str) -> None:
        """Hold the answers against those of the old code on the old schema."""
        code = f"{entry.name}_fails"
        if found is None:  # here that is a finding, not the end of the rehearsal
            entry.problems[:] = [
                replace(
                    problem, code=code, title=f"{who} cannot answer on {where}: {problem.title}", weight="fails",
                    advice=advice,
                )
                for problem in entry.problems
            ]  # fmt: skip
            return
        changed = list(differences(self._answers.captures["before", "off"], found))
        entry.headline += f", {len(changed):,} with another answer than the old code on the old schema"
        if not changed:
            return
        failed = [deal for deal in changed if _fails(found, deal)]
        many = plural(len(changed), "deal")
        errors = f", {plural(len(failed), 'error')} among them" if failed else ""
        entry.find(
            code,
            f"on {where}, {who} gives {many} another answer{errors}",
            evidence=[*common_lines(changed), *example_lines(changed)],
            deals=[deal.id for deal in changed],
            advice=advice,
        )


def _fails(found: DealSnapshots, deal: Difference) -> bool:
    data = found.recall(deal.id)
    return data is not None and found.decode(deal.id, data).error is not None
