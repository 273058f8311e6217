"""The summary that closes a run in the terminal."""

from __future__ import annotations

import textwrap
from itertools import islice

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import STATUSES
from pytest_dealsnap.reporting.cause_text import company_text, deals_cell, remarks
from pytest_dealsnap.reporting.earlier import age_words, gone_line, since
from pytest_dealsnap.reporting.highlights import failed_results, weighed_causes, worst_results
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.spending_words import spending_line
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, worst_finding
from pytest_dealsnap.text import cut, plural, printable, table

__all__ = ["progress_text", "summary_lines"]

CAUSES_SHOWN = 8
MONEY_SHOWN = 2
DEALS_SHOWN = 5
TYPES_SHOWN = 5
NOTES_SHOWN = 4
# A screen of a terminal, less pytest's own last lines: what deals have in common is told while there is room.
SCREEN = 40
NOTE_WIDTH = 400
# What stands in front of a cause's title, and of what its deals have in common.
TITLE_COLUMN, REMARK_INDENT = 17, 12
_CAPTURE_WORDS = {"matched": "unchanged", "changed": "updated", "new": "added", "errored": "errors"}


def summary_lines(run: FinishedRun, *, width: int = 100) -> list[str]:
    """Return the closing summary: counts by status and type, causes, verdict, notes, what to run next."""
    lines = _worst(run, width) if run.judged else []
    lines += [cut(f"note: {printable(note)}", NOTE_WIDTH) for note in run.notes[:NOTES_SHOWN]]
    if len(run.notes) > NOTES_SHOWN:
        lines.append(f"… and {plural(len(run.notes) - NOTES_SHOWN, 'more note')}; reports hold them all")
    if run.verdict is not None:
        part = " (a part of the deals)" if run.facts.partial else ""
        lines += ["", f"verdict: {VERDICT_WORDS[run.verdict.action]}{part} - {printable(run.verdict.reason)}"]
    if run.part_outcome is not None:
        lines += ["", printable(run.part_outcome.words)]
    if spent := spending_line(run.facts):
        lines.append(printable(spent))
    if run.next_steps:
        lines += ["next:", *(f"  {printable(step)}" for step in run.next_steps)]
    counts = _counts(run)
    room = SCREEN - len(counts) - len(lines)
    money = _money(run, width, room - (4 + min(len(run.causes), CAUSES_SHOWN) if run.causes else 0))
    causes = _causes(run, width, room - len(money)) if run.judged else []
    return counts + money + causes + lines


def _money(run: FinishedRun, width: int, room: int) -> list[str]:
    """Return how far money moved, also where nothing fails: the totals, and more as long as *room* lines are enough."""
    told = [money_lines(money, run.facts.judging.unjudged) for money in run.money[:MONEY_SHOWN]]
    room -= 2 * len(told)
    lines: list[str] = []
    for headline, *more in told:
        first = _wrapped(headline, width)
        lines += ["", *first]
        room -= len(first) - 1
        for line in more:
            parts = [f"  {part}" for part in _wrapped(line, width - 2)]
            if len(parts) <= room:
                lines += parts
                room -= len(parts)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    whole = printable(text).replace(" %", "\N{NO-BREAK SPACE}%")  # a number and its sign stay together
    lines = textwrap.wrap(whole, width, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}%", " %") for line in lines]


def _counts(run: FinishedRun) -> list[str]:
    if not run.results:
        return ["no deal was run"]
    words = _CAPTURE_WORDS if run.facts.mode == "capture" else {status: status for status in STATUSES}
    totals = run.summary.counts
    shown = [status for status in STATUSES if status in words and (totals[status] or status == "matched")]
    by_type = run.by_type()
    rows = [
        [cut(printable(name), 40), *(f"{counts[s]:,}" for s in shown), f"{sum(counts.values()):,}"]
        for name, counts in islice(by_type.items(), TYPES_SHOWN)
    ]
    if len(by_type) > TYPES_SHOWN:
        others = [sum(counts[s] for counts in list(by_type.values())[TYPES_SHOWN:]) for s in shown]
        name = plural(len(by_type) - TYPES_SHOWN, "other type")
        rows.append([name, *(f"{count:,}" for count in others), f"{sum(others):,}"])
    if len(rows) != 1:
        rows.append(["all", *(f"{totals[s]:,}" for s in shown), f"{run.summary.deals:,}"])
    header = ["type", *(words[status] for status in shown), "deals"]
    return table(header, rows, right=range(1, len(header)))


def _causes(run: FinishedRun, width: int, room: int) -> list[str]:
    """Return the table of causes, with what deals have in common as long as *room* lines are enough."""
    told = since(run)
    gone = ["", cut(printable(gone_line(told)), 2 * width)] if told is not None else []
    if not run.causes:
        return gone
    shown = weighed_causes(run)[:CAUSES_SHOWN]
    widest = max(width - TITLE_COLUMN, 40)
    ages = [_age(age_words(told, cause.id), widest - len(cause.title)) for _, cause in shown]
    rows = [
        (weight, deals_cell(cause), cut(printable(cause.title), max(widest - len(age), 20)) + age)
        for (weight, cause), age in zip(shown, ages, strict=True)
    ]
    header, rule, *titles = table(("cause", "deals", "what changed"), rows, right=(1,))
    more = len(run.causes) - len(shown)
    room -= 3 + len(rows) + (more > 0) + len(gone)
    lines = ["", header, rule]
    for line, (weight, cause) in zip(titles, shown, strict=True):
        lines.append(line)
        known = remarks(cause)[:1] if weight == "fails" else []
        known += [company_text(cause)] if cause.also and company_text(cause) not in known else []
        for remark in known[: max(room, 0)]:
            lines.append(f"{' ' * REMARK_INDENT}{cut(printable(remark), width - REMARK_INDENT)}")
            room -= 1
    if more > 0:
        lines.append(f"… and {plural(more, 'more cause')}")
    return lines + gone[1:]


def _age(words: str, room: int) -> str:
    """Return the age of a cause; without its former title, where there is no room for it."""
    whole = f" [{printable(words)}]" if words else ""
    return whole if len(whole) <= room else f" [{printable(words.partition(',')[0])}]"


def _worst(run: FinishedRun, width: int) -> list[str]:
    failed = failed_results(run)
    if not failed:
        return []
    lines = ["", f"{plural(len(failed), 'failed deal')}, the worst two of each cause:"]
    for result in worst_results(run, DEALS_SHOWN):
        name = f" {cut(printable(result.name), 30)}" if result.name else ""
        kind, why = f" ({printable(result.deal_type)})", worst_finding(result)
        # The word in front keeps an id such as "::error::" from being a command to a CI that reads the output.
        known = [f"  deal {printable(result.id)}{more}: " for more in (name + kind, kind, "")]
        # Beside a long id there is no room for all, and how far what moved matters most.
        needed = len(why.partition(", allowed: ")[0])
        lines.append(cut(next((who for who in known if len(who) + needed <= width), known[-1]) + why, width))
    return lines


def progress_text(*, done: int, total: int, failed: int, errored: int, seconds: float, under_way: int = 0) -> str:
    """Return the line that says how far a long run is: done, under way, failed, rate, time left."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{(total - done) / rate:,.0f} s left" if rate > 0 else "time left unknown"
    parts = [f"{done:,} of {plural(total, 'deal')}"]
    if under_way:
        parts.append(f"{under_way:,} under way")
    if failed:
        parts.append(f"{failed:,} failed")
    if errored:
        parts.append(plural(errored, "error"))
    return f"dealsnap: {', '.join(parts)}, {rate:,.0f}/s, {left}"
