"""What a review shows: an item in brief, in full, a decision in words, and the commands where nobody can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.cli.word_diff import Colors, difference_lines
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.kept_files import Decision
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Kind
from pytest_dealsnap.reporting.cause_text import remarks
from pytest_dealsnap.reporting.deal_text import deal_text
from pytest_dealsnap.reporting.wording import worst_finding
from pytest_dealsnap.text import cut, plural, printable, shell_quoted

__all__ = ["decided_text", "item_details", "item_lines", "usable_commands"]

Item = Cause | DealResult
SHOWN_DEALS = 5
DEALS_IN_FULL = 8
COMMANDS_SHOWN = 20


def item_lines(
    item: Item,
    finished: FinishedRun,
    decisions: Decisions,
    *,
    left: int,
    results: Mapping[str, DealResult],
    width: int | None = None,
) -> list[str]:
    """Return *item* in brief: what it is, what its deals have in common, the first of them.

    Args:
        item: A cause, or a deal.
        finished: The run.
        decisions: What was decided at this report and at earlier ones.
        left: How many items are left to decide.
        results: The run's results, by the deal's id.
        width: The columns of the terminal: in the first line, a long title makes room for the counts.
    """
    if isinstance(item, DealResult):
        title, counts = f"deal {_deal(item)}: {cut(worst_finding(item), 200)}", f"   ({left} left)"
    else:
        title, counts = (
            printable(item.title),
            f": {plural(len(item.deals), 'deal')}, {item.failing:,} fail   ({left} left)",
        )
    lines = [(title if width is None else cut(title, max(width - len(counts), 20))) + counts]
    if isinstance(item, Cause):
        lines += [f"  {printable(line)}" for line in remarks(item)]
        lines += [f"  deal {_deal(r)}: {cut(_change(item, r), 120)}" for r in _worst_first(item, results)[:SHOWN_DEALS]]
        if len(item.deals) > SHOWN_DEALS:
            lines.append(f"  and {len(item.deals) - SHOWN_DEALS:,} more")
    earlier = decisions.earlier.get(("cause" if isinstance(item, Cause) else "deal", item.id))
    if earlier is not None:
        lines.append(f"  rejected at an earlier report{_by(earlier)}")
    return lines


def _worst_first(cause: Cause, results: Mapping[str, DealResult]) -> list[DealResult]:
    """Return the deals of *cause*, those first that it fails, and of these those that it moved most."""

    def rank(result: DealResult) -> tuple[bool, float]:
        own = [f for f in result.findings if f.metric == cause.metric and f.issue == cause.issue]
        return not any(f.gates for f in own), -max((abs(f.change_percent or 0.0) for f in own), default=0.0)

    return sorted((results[deal_id] for deal_id in cause.deals), key=rank)


def _deal(result: DealResult) -> str:
    name = f" {cut(printable(result.name), 40)}" if result.name else ""
    return f"{printable(result.id)}{name} ({printable(result.deal_type)})"


def _change(cause: Cause, result: DealResult) -> str:
    """Return what *cause* did to one deal; the deal's worst finding may be another cause's."""
    own = tuple(f for f in result.findings if f.metric == cause.metric and f.issue == cause.issue)
    return worst_finding(replace(result, findings=own)) if any(f.gates for f in own) else "only reported"


def item_details(item: Item, results: Mapping[str, DealResult], colors: Colors, width: int) -> list[str]:
    """Return *item* in full: each deal with its findings, its error, and the differences of its output."""
    if isinstance(item, DealResult):
        return _in_full(item, colors, width)
    lines = []
    for result in _worst_first(item, results)[:DEALS_IN_FULL]:
        lines += [*_in_full(result, colors, width)[2:], ""]
    if len(item.deals) > DEALS_IN_FULL:
        lines.append(f"and {len(item.deals) - DEALS_IN_FULL:,} more; dealsnap report --format html shows all of them")
    return lines


def _in_full(result: DealResult, colors: Colors, width: int) -> list[str]:
    lines = [*deal_text(result).splitlines(), *difference_lines(result, colors, width)]
    known = result.details is not None and result.details.traceback
    if result.status == "errored" and not known and printable(result.id) == result.id:
        lines += ["", f"its traceback: pytest --dealsnap --dealsnap-id {shell_quoted(result.id)}"]
    return lines


def decided_text(decision: Decision, finished: FinishedRun) -> str:
    """Return a decision in words."""
    kind, name = decision.target
    titles = {cause.id: cause.title for cause in finished.causes}
    what = printable(titles.get(name, f"cause {name}") if kind == "cause" else f"deal {name}")
    if decision.decision == "reject":
        return f"rejected: {what}{_by(decision)}"
    return f"accepted into the {decision.into}: {what}"


def _by(decision: Decision) -> str:
    who = f" by {printable(decision.who)}" if decision.who else ""
    return f"{who}: {printable(decision.note)}" if decision.note else who


def usable_commands(finished: FinishedRun, report: Path, decisions: Decisions, open_items: Sequence[Item]) -> list[str]:
    """Return what a person without a terminal can run for each item that is left to decide."""
    lines = [decided_text(decision, finished) for decision in decisions.all()]
    if not open_items:
        return [*lines, "nothing left to decide"]
    path = shell_quoted(printable(str(report)))
    results = {result.id: result for result in finished.results}
    lines += ["Not an interactive terminal. Run one of:"]
    for item in open_items[:COMMANDS_SHOWN]:
        lines += ["", *_commands(item, path, baseline=_has_baseline(finished)), *_crash(item, results)]
    more = len(open_items) - COMMANDS_SHOWN
    return [*lines, "", f"and {more:,} more"] if more > 0 else lines


def _has_baseline(run: FinishedRun) -> bool:
    """Whether an output of *run* can be taken into a stored baseline."""
    return run.facts.mode == "gate" and run.facts.against is None


def _crash(item: Item, results: Mapping[str, DealResult]) -> list[str]:
    """Return the error, and the traceback where the report holds one, of the first deal that failed by *item*."""
    deals = [results[deal] for deal in item.deals] if isinstance(item, Cause) else [item]
    if isinstance(item, Cause) and item.issue != "reasoning_failed":
        return []
    first = next((one for one in deals if one.details is not None and one.details.traceback), None)
    if first is None or first.details is None:
        return []
    trace = [f"  {printable(line)}" for line in first.details.traceback.rstrip().splitlines()]
    return [f"  the traceback of deal {printable(first.id)}:", *trace, f"    {cut(printable(str(first.error)), 200)}"]


def _commands(item: Item, path: str, *, baseline: bool) -> list[str]:
    """Return what can be done with one item; what has no value can only be mended, or its deal dropped.

    Only what a gate computed can be computed anew, and so go into the *baseline*.
    """
    name, kind = ("cause", item.kind) if isinstance(item, Cause) else ("deal", _KINDS.get(item.status, Kind.METRIC))
    title = f"{item.title}, {plural(len(item.deals), 'deal')}" if isinstance(item, Cause) else f"deal {item.id}"
    what = f"{path} --{name} {shell_quoted(printable(item.id))}"
    lines = [printable(title)]
    if kind is Kind.GONE:
        lines.append("  dealsnap prune   # if the deals were meant to go")
    elif kind is not Kind.FAILED:
        lines += [f"  dealsnap accept {what} --into baseline --yes"] if baseline else []
        lines.append(f"  dealsnap accept {what} --into ledger --reason TEXT --yes")
    return [*lines, f"  dealsnap reject {what} --note TEXT"]


_KINDS = {"errored": Kind.FAILED, "missing": Kind.GONE}
