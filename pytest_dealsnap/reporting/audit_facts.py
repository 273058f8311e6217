"""An audit as every report of it needs it: what was found, and what of that needs a person."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dealsnap.deals.log_counts import LogComparison
from pytest_dealsnap.deals.type_audit import Kind, TypeAudit
from pytest_dealsnap.reporting.checklist import CheckItem
from pytest_dealsnap.text import agree, cut, plural, printable, some

__all__ = ["AuditReport", "show_stored"]

SHOWN = 5
_BAD: dict[Kind, str] = {"null": "no type", "blank": "a blank type", "invalid": "an unknown type"}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was audited, and what was found; ``logs`` and ``checklist`` only where they were asked for."""

    source: str
    table: str
    where: str
    types: tuple[str, ...]
    default_type: str
    audit: TypeAudit
    logs: LogComparison | None = None
    checklist: tuple[CheckItem, ...] | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """What needs a person, one sentence each; none for a question, which the program cannot answer."""
        return (
            *_type_problems(self.audit, self.default_type),
            *(_log_problems(self.logs, self.audit) if self.logs is not None else ()),
            *(f"checklist: {item.check}: {item.evidence}" for item in self.checklist or () if item.status == "failed"),
        )


def show_stored(stored: str | None, width: int = 40) -> str:
    """Return a stored type as it is seen apart from others: ``NULL``, or in quotes, safe for a terminal."""
    return "NULL" if stored is None else f'"{cut(printable(stored), width)}"'


def _type_problems(audit: TypeAudit, default_type: str) -> list[str]:
    problems = []
    for kind, what in _BAD.items():
        if count := audit.of_kind(kind):
            values = some([show_stored(value.stored_type) for value in audit.stored if value.kind == kind], SHOWN)
            become = f"the backfill would make {agree(count, 'it', 'them')} {default_type}"
            problems.append(f"{plural(count, 'row')} with {what} ({values}); {become}: is that right?")
    if audit.duplicates:
        ids = some([f"{printable(deal_id)} in {count:,} rows" for deal_id, count in audit.duplicates.items()], SHOWN)
        problems.append(f"{plural(len(audit.duplicates), 'id')} shared by several deals ({ids})")
    if audit.nameless:
        problems.append(f"{plural(audit.nameless, 'deal')} without an id (NULL): no gate can judge them")
    return problems


def _log_problems(logs: LogComparison, audit: TypeAudit) -> list[str]:
    counts, problems = logs.counts, []
    if not counts.mentions:
        problems.append("the log names no deal type at all: does the type reach the code that logs?")
    elif counts.silent:
        problems.append(f"{plural(counts.silent, 'cost calculation')} in the log without a deal type")
    strangers = [word for word in logs.words if word.deal_type is None]
    if strangers or counts.other_words:
        lines = sum(word.lines for word in strangers) + counts.other_words
        shown = some([f"{show_stored(word.word)} {word.lines:,} times" for word in strangers], SHOWN)
        problems.append(f"{plural(lines, 'log line')} with an unknown deal type ({shown})")
    deals = audit.deals_by_type()
    problems += [
        f"{plural(deals[name], 'deal')} of {plural(audit.deals, 'deal')} count as {name}, "
        f"and none of the log's {plural(counts.mentions, 'mention')} says so: does the type reach the code?"
        for name in logs.unseen
    ]
    problems += [f"{printable(name)} is cut short; it was counted to there" for name in counts.cut_short]
    return problems
