"""What accepting something would change: shown first, applied after, and undone where that was a slip."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_dealsnap.baseline.journal import Change, Changes, commit, inverse, writing
from pytest_dealsnap.baseline.ledger import LEDGER, parse_ledger, read_ledger
from pytest_dealsnap.baseline.ledger_writing import add_entries, ledger_text, twin
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.cli.chosen import Chosen
from pytest_dealsnap.cli.ledger_entries import Terms
from pytest_dealsnap.cli.pinning import proposed_entries
from pytest_dealsnap.cli.recompute import Recomputed, Recomputer, Refused, stage_all
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.policy import Policy
from pytest_dealsnap.model.cause import Cause, Features
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult, Finding
from pytest_dealsnap.pipeline.gate import Gate
from pytest_dealsnap.reasoning.canonical import loads
from pytest_dealsnap.reporting.wording import finding_cells
from pytest_dealsnap.text import agree, cut, plural, printable, shell_quoted, some

__all__ = ["Proposal", "apply_all", "left_to_deals", "propose_baseline", "propose_ledger", "take_back"]

SHOWN_DEALS = 20
SHOWN_RED = 5
SHOWN_REFUSED = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would change, in ``lines`` for a person; ``refused`` says what would not, and why.

    ``stage`` has it among the changes that are made together; there is nothing to stage where ``count`` is 0.
    """

    lines: tuple[str, ...]
    refused: tuple[str, ...]
    count: int
    stage: Callable[[Changes], None] = field(repr=False)
    folder: Path = field(repr=False, default=Path())

    def apply(self) -> Callable[[], None]:
        """Make this change alone, and return what undoes it."""
        done = apply_all(self.folder, [self.stage])
        return lambda: take_back(self.folder, done)

    @property
    def refusals(self) -> list[str]:
        """What would not change, in lines for a person."""
        more = len(self.refused) - SHOWN_REFUSED
        lines = [f"not taken: {line}" for line in self.refused[:SHOWN_REFUSED]]
        return [*lines, f"not taken: and {more:,} more"] if more > 0 else lines


def apply_all(folder: Path, stages: Iterable[Callable[[Changes], None]]) -> tuple[Change, ...]:
    """Make the changes of all *stages* in the baseline's *folder* together, or none; return them."""
    with writing(folder):
        changes = Changes()
        for stage in stages:
            stage(changes)
        commit(folder, changes.all())
        return changes.all()


def take_back(folder: Path, done: Sequence[Change]) -> None:
    """Undo the changes *done*, all or none; raises :class:`DealsnapError` where a file was edited since."""
    with writing(folder):
        commit(folder, inverse(done), otherwise="nothing was undone")


def propose_baseline(
    config: Config, run: FinishedRun, chosen: Chosen, *, taken_before: Collection[str] = ()
) -> Proposal:
    """Compute the chosen deals anew, and return what taking their outputs into the baseline would change.

    The whole output goes into the baseline, so of a cause only those deals are taken that fail by nothing
    else, but for causes *taken_before*.
    """
    wanted, refused = _wanted(run, chosen, taken_before)
    if config.reasoner is None:
        ids = " ".join(f"--dealsnap-id {shell_quoted(result.id)}" for result in wanted[:SHOWN_DEALS])
        more = f" (and {len(wanted) - SHOWN_DEALS:,} more)" if len(wanted) > SHOWN_DEALS else ""
        raise ConfigError(
            "the outputs have to be computed anew, and no reasoner is configured: that of the deal_reasoner fixture "
            f"can be called by pytest only. Take them as they are: pytest --dealsnap-update {ids}{more}"
        )
    taken: list[Recomputed] = []
    there = 0
    stopped: dict[str, list[str]] = {}
    with Recomputer(config, run) as retaker:
        snapshots = retaker.snapshots
        for result in wanted:
            one = retaker.recompute(result)
            if isinstance(one, Refused):
                stopped.setdefault(one.why, []).append(one.deal_id)
            elif one.before == one.after:
                there += 1
            else:
                taken.append(one)
    lines = [f"into the baseline {config.snapshots.name}/, the new output of {plural(len(taken), 'deal')}:"]
    lines += _deal_lines([one.result for one in taken]) if taken else ["  nothing"]
    if there:
        lines.append(f"  {plural(there, 'deal was', 'deals were')} taken before")
    refused += [f"{_deals(ids)}: {why}" for why, ids in stopped.items()]

    def stage(changes: Changes) -> None:
        stage_all(changes, snapshots, taken)

    return Proposal(tuple(lines), tuple(map(printable, refused)), len(taken), stage, config.snapshots)


def _wanted(run: FinishedRun, chosen: Chosen, taken_before: Collection[str]) -> tuple[list[DealResult], list[str]]:
    """Return the deals to be taken, and why some of a cause are not."""
    results = {result.id: result for result in run.results}
    wanted = {result.id for result in chosen.deals}
    settled = {cause.id for cause in chosen.causes} | set(taken_before)
    others: dict[str, list[Cause]] = {}
    for cause in run.causes:
        if cause.gates and cause.id not in settled:
            for deal_id in cause.deals:
                others.setdefault(deal_id, []).append(cause)
    refused: dict[str, dict[str, None]] = {}
    for cause in chosen.causes:
        for deal_id in cause.deals:
            failing = {finding.metric for finding in results[deal_id].gating}
            beside = next((other for other in others.get(deal_id, ()) if other.metric in failing), None)
            if beside is None or deal_id in wanted:
                wanted.add(deal_id)
            else:
                why = f"by {beside.title} ({beside.id}), too: decide on both, or take them by --deal"
                refused.setdefault(why, {})[deal_id] = None
    lines = [
        f"{plural(len(ids), 'deal')} that {agree(len(ids), 'fails', 'fail')} {why}: {some(ids, SHOWN_RED)}"
        for why, ids in refused.items()
    ]
    return [result for result in run.results if result.id in wanted], lines


def _deals(ids: Sequence[str]) -> str:
    return f"deal {ids[0]}" if len(ids) == 1 else f"{plural(len(ids), 'deal')} ({some(ids, SHOWN_RED)})"


def _deal_lines(results: Sequence[DealResult]) -> list[str]:
    lines = []
    for result in results[:SHOWN_DEALS]:
        name = f" {cut(printable(result.name), 40)}" if result.name else ""
        lines.append(f"  deal {printable(result.id)}{name} ({printable(result.deal_type)})")
        lines += [f"    {_finding_line(finding)}" for finding in result.findings]
    more = results[SHOWN_DEALS:]
    if more:
        lines.append(f"  and {plural(len(more), 'more deal')}: {cut(', '.join(printable(r.id) for r in more), 400)}")
    return lines


def _finding_line(finding: Finding) -> str:
    cells = finding_cells(finding)
    sides = [side for side in (cells.baseline, cells.current) if side]
    arrow = f" {' → '.join(sides)}" if cells.current else ""
    return f"{cells.metric}{arrow}{f' ({cells.change})' if cells.change else ''}"


def propose_ledger(config: Config, run: FinishedRun, chosen: Chosen, terms: Terms, *, standing: str = "") -> Proposal:
    """Return the entries that would be added to the ledger, and which deals they cover; the rest stays red.

    They pin each deal with its value; *standing* ``range`` takes what moved as far, and ``type`` takes that in all
    deals of the types.
    """
    folder, today = config.snapshots, datetime.now(UTC).date()
    if terms.expires is not None and terms.expires < today:
        raise ConfigError(f"expires {terms.expires.isoformat()}: that day is over, so the entry would never count")
    if not terms.reason.strip():
        raise ConfigError("an entry of the ledger needs a reason: --reason TEXT")
    texts, files, refused = proposed_entries(run, chosen, terms, standing)
    texts, there = _without_twins(config, texts, today)
    refused += there
    if not texts:
        return Proposal((), tuple(map(printable, refused)), 0, lambda changes: None, folder)
    files = {name: data for name, data in files.items() if any(name in text for text in texts)}
    covered, red = _coverage(config, run, chosen, texts, today, files)
    lines = [f"into the ledger {folder.name}/{LEDGER}:"]
    lines += [f"  {line}".rstrip() for text in texts for line in [*text.splitlines(), ""]]
    lines += [f"  with {plural(_values_in(data), 'value')} in {folder.name}/{name}" for name, data in files.items()]
    lines.append(f"{plural(len(covered), 'deal is', 'deals are')} accepted by it{_red(red)}")
    lines += [f"  deal {printable(result.id)}: {_why_red(result, findings)}" for result, findings in red[:SHOWN_RED]]
    if len(red) > SHOWN_RED:
        lines.append(f"  and {len(red) - SHOWN_RED:,} more")
    types = config.deals.types

    def stage(changes: Changes) -> None:
        add_entries(folder, texts, today=today, types=types, files=files, changes=changes)

    return Proposal(tuple(lines), tuple(map(printable, refused)), len(texts), stage, folder)


def _policy(config: Config) -> Policy:
    """Return the rules in which an accepted value stands in the baseline's place."""
    return Gate(config, Recorder(config), None).policy


def _values_in(data: bytes) -> int:
    return len(loads(data.decode("utf-8"))["values"])


def _without_twins(config: Config, texts: Sequence[str], today: date) -> tuple[list[str], list[str]]:
    """Return the entries that the ledger does not have yet, and words for the others; terms make no difference."""
    old = ledger_text(config.snapshots)
    numbers = [twin(old, text, today=today) for text in texts]
    left = [text for text, number in zip(texts, numbers, strict=True) if number is None]
    words = "{}/{}, entry {} accepts exactly this already; to change its reason or its end, edit it there"
    return left, [words.format(config.snapshots.name, LEDGER, number) for number in numbers if number is not None]


def _coverage(
    config: Config,
    run: FinishedRun,
    chosen: Chosen,
    texts: Sequence[str],
    today: date,
    files: Mapping[str, bytes],
) -> tuple[list[DealResult], list[tuple[DealResult, tuple[Finding, ...]]]]:
    """Return the failing deals that the ledger with its new entries accepts, and the chosen ones that it does not."""
    folder = config.snapshots
    path, types, old = folder / LEDGER, config.deals.types, ledger_text(folder)
    parse_ledger(old, path, today=today, types=types)
    book = parse_ledger("\n".join([old, *texts]), path, today=today, types=types, pending=files)
    book = book.judged_by(_policy(config))
    asked = {deal_id for cause in chosen.causes for deal_id in cause.deals} | {result.id for result in chosen.deals}
    traits = run.facts.traits or Features()
    covered, red = [], []
    for result in run.results:
        if result.status != "regressed":
            continue
        left = book.uncovered(result, traits.of(result.id).get)
        if not left and not result.corrupt:
            covered.append(result)
        elif result.id in asked or result.deal_type in chosen.types:
            red.append((result, left))
    return covered, red


def _red(red: Sequence[object]) -> str:
    return f"; {plural(len(red), 'stays', 'stay')} red, because of" if red else ""


def left_to_deals(config: Config, run: FinishedRun, causes: Sequence[Cause]) -> list[DealResult]:
    """Return the deals of *causes*, accepted into the ledger, that its entries do not cover: they show more on top."""
    book = read_ledger(config.snapshots, today=datetime.now(UTC).date(), types=config.deals.types)
    book = book.judged_by(_policy(config))
    traits = run.facts.traits or Features()
    metrics: dict[str, set[str]] = {}
    for cause in causes:
        for deal_id in cause.deals:
            metrics.setdefault(deal_id, set()).add(cause.metric)
    return [
        result
        for result in run.results
        if result.status == "regressed"
        and any(f.metric in metrics.get(result.id, ()) for f in book.uncovered(result, traits.of(result.id).get))
    ]


def _why_red(result: DealResult, findings: Sequence[Finding]) -> str:
    rows = [_finding_line(finding) for finding in findings]
    return printable(result.corrupt) if result.corrupt else cut("; ".join(rows), 160)
