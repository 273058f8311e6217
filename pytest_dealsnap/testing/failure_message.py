"""How a found deal is told: what differs, the deal itself, and a test that can be pasted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.judging.differences import explain
from pytest_dealsnap.model.results import Finding
from pytest_dealsnap.reporting.wording import finding_cells, show_both, show_value
from pytest_dealsnap.testing.reasoner_pair import Comparison, Disagreement
from pytest_dealsnap.testing.regression_snippet import WIDTH, Source
from pytest_dealsnap.text import plural, printable, table

__all__ = ["difference_text", "findings_table", "name_of", "paste", "regression_test", "shown_options"]

MODULE = "pytest_dealsnap.testing"


def name_of(function: Callable[..., Any]) -> str:
    """Return what a function is called."""
    name = str(getattr(function, "__qualname__", None) or type(function).__qualname__)
    return name.rpartition("<locals>.")[2]


def findings_table(findings: Sequence[Finding], sides: tuple[str, str]) -> list[str]:
    """Return the lines of a table of what gates, under the two sides' names."""
    rows = [finding_cells(finding).row() for finding in findings if finding.gates]
    return table(("metric", *sides, "change", "allowed"), rows, right=(1, 2, 3)) if rows else []


def difference_text(problem: Disagreement, comparison: Comparison, old: str, new: str, deal: Any) -> str:
    """Return what two reasoners disagree in: the sentence, the findings, and the outputs' differences."""
    old, new = printable(old), printable(new)
    sides = (old[-28:], new[-28:]) if old != new else ("old", "new")
    lines = [f"{old} and {new} disagree on {_deal_words(deal)}: {_sentence(problem, sides)}"]
    if problem.old.failure is None and problem.new.failure is None:
        lines += ["", *findings_table(problem.findings, sides)]
    before, after = comparison.recorded(problem.old), comparison.recorded(problem.new)
    if before is not None and after is not None:
        lines += differences(before, after)
    for side, reasoning in zip(sides, (problem.old, problem.new), strict=True):
        if reasoning.trace:
            lines += ["", f"where {side} raised:"]
            lines += [printable(line) for line in reasoning.trace.rstrip().splitlines()]
    return "\n".join(lines)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the differences between two outputs, path by path."""
    rows, total = explain(before, after)
    lines = ["", f"{plural(total, 'difference')} in the output:"] if rows else []
    for path, move, old, new in rows:
        arrow = {"added": f"+ {show_value(new, 60)}", "removed": f"- {show_value(old, 60)}"}
        lines.append(f"  {printable(path)}: {arrow.get(move, ' → '.join(show_both(old, new, 40)))}")
    return [*lines, f"  … and {total - len(rows)} more"] if total > len(rows) else lines


def _deal_words(deal: Any) -> str:
    if not isinstance(deal, Deal):
        return f"a {type(deal).__name__}"
    article = "an" if deal.deal_type[:1] in "aeiou" else "a"
    return printable(f"{article} {deal.deal_type} deal")


def _sentence(problem: Disagreement, sides: tuple[str, str]) -> str:
    if problem.old.failure is not None or problem.new.failure is not None:
        said = zip(sides, (problem.old.failure, problem.new.failure), strict=True)
        return ", ".join(f"{side} raises {printable(str(why))}" if why else f"{side} answers" for side, why in said)
    finding = next(finding for finding in problem.findings if finding.gates)
    cells = finding_cells(finding)
    if finding.count is not None:
        return f"{cells.metric} differs in {cells.current} ({cells.change}), allowed: {cells.allowed}"
    size = f" ({cells.change})" if cells.change else ""
    return f"{cells.metric} {cells.baseline} → {cells.current}{size}, allowed: {cells.allowed}"


def regression_test(
    function: str,
    reasoners: Sequence[Callable[..., Any]],
    deal: Any,
    options: Mapping[str, Any],
    *,
    name: str,
) -> str:
    """Return a test that calls *function* of ``pytest_dealsnap.testing`` with one deal.

    A reasoner that a module has by its name is imported; another is left by its name to where the test is pasted.
    """
    source = Source()
    source.need(MODULE, function)
    names, loose = [], []
    for position, reasoner in enumerate(reasoners):
        module, qualified = _importable(reasoner)
        plain = getattr(reasoner, "__name__", "")
        if module:
            names.append(source.need(module, qualified))
        else:
            stand_in = ("old", "new")[position] if len(reasoners) == 2 else "reasoner"
            names.append(plain if plain.isidentifier() and plain not in names else stand_in)
            loose.append(names[-1])
    if len(set(names)) < len(names):  # two of one name, from two modules
        names = _apart(source, reasoners)
    shown = source.of(deal, 4)
    written = {key: _option(source, value) for key, value in options.items()}
    if isinstance(deal, Deal):  # re-exported, so that a test needs one module
        shown = _reexported(source, shown)
    arguments = [*names, "deals=[deal]", *(f"{key}={value}" for key, value in written.items())]
    lines = [*source.imports(), "", ""]
    if loose:
        lines.append(f"# {', '.join(loose)}: as in the test that found this")
    call = f"    {function}({', '.join(arguments)})"
    if len(call) > WIDTH:
        call = "\n".join([f"    {function}(", *(f"        {argument}," for argument in arguments), "    )"])
    return "\n".join([*lines, f"def {name}():", f"    deal = {shown}", call])


def shown_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *options* that a test is printed with: those given; a configuration by its folder."""
    given = {key: value for key, value in options.items() if value is not None}
    return {key: value.root if isinstance(value, Config) else value for key, value in given.items()}


def _reexported(source: Source, shown: str) -> str:
    source.move(Deal.__module__, "Deal", MODULE)
    return shown


def _option(source: Source, value: Any) -> str:
    if isinstance(value, Path):
        source.need("pathlib", "Path")
        return f'Path("{value.as_posix()}")'
    return source.of(value, 8)


def _importable(function: Callable[..., Any]) -> tuple[str, str]:
    """Return module and name under which *function* can be imported; two blanks where it cannot."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(str(module))
    for part in name.split("."):
        found = getattr(found, part, None)
    if found != function or module == "__main__":  # equal: a class method is made anew each time it is asked for
        return "", ""
    return str(module), str(name)


def _apart(source: Source, reasoners: Sequence[Callable[..., Any]]) -> list[str]:
    """Import the reasoners' modules under names of their own."""
    names = []
    for stand_in, reasoner in zip(("old", "new"), reasoners, strict=False):
        module, qualified = _importable(reasoner)
        if not module:
            names.append(stand_in)
            continue
        source.drop(module, qualified.split(".")[0])
        names.append(source.need_as(module, qualified, stand_in))
    return names


def paste(code: str, *, tried: int, seed: int) -> str:
    """Return *code* under a line that says what it is, and how it was found."""
    found = f"the smallest of {plural(tried, 'deal')} tried, seed {seed}"
    return f"A regression test, ready to paste ({found}):\n\n{code}\n"
