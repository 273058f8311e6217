"""What to run next: commands that follow from the verdict and from how deals failed.

No step takes a failure into the baseline. A new output is approved by ``dealsnap review`` alone, and a capture is
offered only where nothing failed, or where the baseline was never finished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_dealsnap.errors import MissingSnapshotError, SnapshotError
from pytest_dealsnap.model.finished_run import RunFacts
from pytest_dealsnap.model.results import AFFECTED, DealResult, alike_outputs
from pytest_dealsnap.model.verdicts import Verdict
from pytest_dealsnap.reasoning.spending import BUDGET_ENDED
from pytest_dealsnap.reporting.matrix_notes import matrix_steps
from pytest_dealsnap.text import cut, plural, printable, shell_quoted, some_ids

__all__ = ["capture_steps", "gate_steps", "incomplete", "lost_snapshots", "report_path"]

IDS_WIDTH = 60
# Where nobody asked for a report that review could read.
DEFAULT_REPORT = "dealsnap.json"


def report_path(facts: RunFacts) -> str:
    """Return where the JSON report of the run is, or where its next steps would have it."""
    return facts.report if facts.report and _typable(facts.report) else DEFAULT_REPORT


def lost_snapshots(results: Sequence[DealResult]) -> int:
    """Count the deals whose snapshot the manifest lists and the folder lacks."""
    return sum(r.error is not None and r.error.type == MissingSnapshotError.__name__ for r in results)


def incomplete(facts: RunFacts) -> bool:
    """Whether the capture of the baseline did not finish."""
    return facts.baseline is not None and facts.baseline.get("complete") is False


def gate_steps(facts: RunFacts, results: Sequence[DealResult], verdict: Verdict | None) -> list[str]:
    """Return what to run next, as :func:`_gate_steps` does; a gate that follows has the same old code beside it."""
    steps = _gate_steps(facts, results, verdict)
    if facts.against is None:
        return steps
    gate = f"pytest --dealsnap --dealsnap-against {shell_quoted(facts.against.ref)}"
    return [step.replace("pytest --dealsnap ", f"{gate} ", 1) for step in steps]


def _gate_steps(facts: RunFacts, results: Sequence[DealResult], verdict: Verdict | None) -> list[str]:
    """Return what to run next, most useful first.

    Args:
        facts: the run's facts; ``report`` is where its JSON report is, ``judging.flag`` how the flag is disabled.
        results: the results, in deal order.
        verdict: the verdict, ``None`` for a part that claims nothing about the rollout.
    """
    failed = [result for result in results if result.status in AFFECTED]
    review = _review(facts, failed)
    if facts.mode == "matrix":
        return [*matrix_steps(results), *review]
    if facts.mode == "compare":  # nothing was run, so there is nothing to run again
        return review
    lost = lost_snapshots(results)
    if lost:  # nothing that records would help: it would approve whatever the reasoner says now
        return [f"git checkout -- {shell_quoted(facts.snapshots)}   # restore {plural(lost, 'missing snapshot')}"]
    steps = [
        *_flag_step(facts, verdict),
        *_unreadable(facts, failed),
        *_crashes(failed),
        *_data_steps(facts, results, failed),
        *review,
    ]
    if any(result.status in ("regressed", "errored") for result in results):
        steps.append("pytest --dealsnap --lf   # after a fix, only the deals that failed")
    if not failed and facts.against is None:
        steps += _unapproved(facts, results)
    return [*steps, *_whole(facts, verdict)]


def _flag_step(facts: RunFacts, verdict: Verdict | None) -> list[str]:
    if verdict is None or verdict.action not in ("disable_flag", "roll_back") or not facts.judging.flag:
        return []
    return [f"export {facts.judging.flag}   # disable the flag where it is on, until the causes are fixed"]


def _unreadable(facts: RunFacts, failed: Sequence[DealResult]) -> list[str]:
    bad = sum(result.error is not None and result.error.type == SnapshotError.__name__ for result in failed)
    if not bad:
        return []
    return [f"git checkout -- {shell_quoted(facts.snapshots)}   # restore {plural(bad, 'bad snapshot')}"]


def _crashes(failed: Sequence[DealResult]) -> list[str]:
    """Return how to see the traceback of the commonest error; a deal whose id no terminal shows cannot be typed."""
    crashed = [r for r in failed if r.status == "errored" and r.error is not None and r.compared and _typable(r.id)]
    if not crashed:
        return []
    kinds = Counter(result.error.type for result in crashed if result.error is not None)
    kind, count = kinds.most_common(1)[0]
    first = next(result for result in crashed if result.error is not None and result.error.type == kind)
    others = f", and {plural(len(crashed) - count, 'other error')}" if len(crashed) > count else ""
    told = f"{cut(kind, IDS_WIDTH)} in {plural(count, 'deal')}{others}"
    return [f"pytest --dealsnap --dealsnap-id {shell_quoted(first.id)}   # the traceback of {told}"]


def _data_steps(facts: RunFacts, results: Sequence[DealResult], failed: Sequence[DealResult]) -> list[str]:
    """Return where to look for what is wrong in the database."""
    steps = []
    missing = [result.id for result in failed if result.status == "missing"]
    if missing:
        these = f"{plural(len(missing), 'missing deal')}: {some_ids(missing, IDS_WIDTH)}"
        steps.append(f"look in {facts.database} for {these}")
    if any(result.corrupt and result.status != "missing" for result in results):
        steps.append("dealsnap audit   # which deals have a NULL or invalid type now")
    return steps


def _review(facts: RunFacts, failed: Sequence[DealResult]) -> list[str]:
    """Return how to go through the causes; the shards' reports are merged first."""
    if not failed or facts.shard:
        return []
    if facts.report and _typable(facts.report):
        return [f"dealsnap review {shell_quoted(facts.report)}   # accept or reject each cause"]
    if facts.report or facts.mode != "gate" or facts.part == "chosen":
        return []
    asked = f"pytest --dealsnap --dealsnap-report json:{DEFAULT_REPORT}"
    return [f"{asked}   # then: dealsnap review {DEFAULT_REPORT}"]


def _unapproved(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    """Return how outputs that nobody has approved get a snapshot, where nothing failed."""
    steps = []
    recovered = [result for result in results if result.status == "new" and result.findings]
    if recovered:
        steps.append("pytest --dealsnap-update --dealsnap-only errors   # approve what failed and works now")
    if sum(result.status == "new" for result in results) > len(recovered) and not _resumes(facts):
        steps.append("pytest --dealsnap-update --dealsnap-only missing   # record the new deals")
    return steps


def _resumes(facts: RunFacts) -> bool:
    return bool(facts.baseline and facts.baseline.get("resume") == "missing" and incomplete(facts))


def _whole(facts: RunFacts, verdict: Verdict | None) -> list[str]:
    """Return how the whole gets its verdict."""
    if incomplete(facts):
        resume = " --dealsnap-only missing" if _resumes(facts) else ""
        return [f"pytest --dealsnap-update{resume}   # before the migration: finish the capture"]
    if facts.part == "shard":
        return ["dealsnap merge SHARD.json …   # the verdict, once every shard has its JSON report"]
    if verdict is None:
        return ["pytest --dealsnap   # every deal, for the verdict"]
    if verdict.action == "inconclusive":
        if any(why.startswith(BUDGET_ENDED) for why in facts.why_not_judged.values()):
            return ["pytest --dealsnap --dealsnap-budget MORE   # a larger budget: it goes on where this run ended"]
        return ["pytest --dealsnap   # the whole run, without narrowing it or stopping early"]
    return []


def _typable(text: str) -> bool:
    return printable(text) == text


def capture_steps(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    """Return what to run after a capture, most useful first."""
    if alike_outputs(results) and not facts.allow_constant:
        return [f"look at a few files of {facts.snapshots}: are these the deals' answers?"]
    if facts.idle_rules and not facts.partial:
        return ["pytest --dealsnap-update   # once the metric's path, or its rule, is right"]
    steps = []
    failed = [result for result in results if result.status == "errored"]
    if facts.not_judged:
        steps.append("pytest --dealsnap-update --dealsnap-only missing   # finish this capture")
    if any(result.compared for result in failed):
        steps.append("pytest --dealsnap-update --dealsnap-only errors   # after a fix, only the deals that failed")
    if any(not result.compared for result in failed):
        steps.append("pytest --dealsnap-update   # after a fix: some deals kept their former snapshots")
    if facts.not_judged or any(not (facts.allow_errors and result.compared) for result in failed):
        return steps  # a baseline of failures, or an unfinished one, is nothing to approve
    if any(result.unsteady for result in results):
        steps.append("dealsnap calibrate   # what differs by itself, and the lines that settle it; then capture again")
    return [*steps, f"git add {facts.snapshots} && git commit   # approve the baseline"]
