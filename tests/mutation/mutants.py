"""Mutants of one source text: each differs from it in one expression or one statement, and still compiles."""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# What no run evaluates; and within an f-string Python 3.11 gives no true positions.
SKIPPED_FIELDS = {"annotation", "returns", "type_params", "decorator_list"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one source text.

    Attributes:
        path: the file, relative to the root, with forward slashes.
        line: the number of the first line that differs.
        code: that line, without its indent.
        kind: what was changed, e.g. ``comparison``.
        before: the text that was replaced.
        after: the text in its place.
        source: the whole mutated source.
    """

    path: str
    line: int
    code: str
    kind: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it whichever line it stands in: path, line of code, text before, text after."""
        return self.path, self.code, self.before, self.after


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Return every mutant of *source*, in the order of its text; the same source gives the same list."""
    data = source.encode()
    lines = data.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    found: dict[str, Mutant] = {}
    for top in ast.parse(source).body:
        first, last = starts[top.lineno - 1], starts[top.end_lineno or top.lineno]
        for node, kind, after in _changes(top):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            # Whether a module compiles is a matter of each of its statements.
            if _compiles((data[first:start] + after.encode() + data[end:last]).decode()):
                mutated = (data[:start] + after.encode() + data[end:]).decode()
                before, code = data[start:end].decode(), lines[node.lineno - 1].decode().strip()
                found.setdefault(mutated, Mutant(path, node.lineno, code, kind, before, after, mutated))
    found.pop(source, None)
    return sorted(found.values(), key=lambda one: (one.line, one.kind, one.before, one.after))


def difference(source: str, mutant: Mutant) -> list[str]:
    """Return the lines that *mutant* takes away (``-``) and those it puts in their place (``+``)."""
    lines = difflib.unified_diff(source.splitlines(), mutant.source.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def _compiles(source: str) -> bool:
    try:
        compile(source, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _changes(node: ast.AST, *, in_function: bool = False) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """Yield the node to replace, the kind of the change, and the text to put there, for all below *node*."""
    if isinstance(node, ast.expr):
        yield from ((node, kind, after) for kind, after in _of_expression(node, in_function=in_function))
    elif isinstance(node, ast.stmt) and in_function:
        yield from ((node, kind, after) for kind, after in _of_statement(node))
    inside = in_function or isinstance(node, FUNCTIONS)
    for field, value in ast.iter_fields(node):
        if field in SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _changes(child, in_function=inside)


def _of_expression(node: ast.expr, *, in_function: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[index] = COMPARISONS[type(operator)]()
            yield "comparison", f"({ast.unparse(changed)})"
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "boolean", f"({ast.unparse(ast.BoolOp(other, node.values))})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        # `A | B` outside a function is a type.
        if in_function or not isinstance(node.op, ast.BitOr):
            changed_operation = ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
            yield "arithmetic", f"({ast.unparse(changed_operation)})"
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "constant", str(not node.value)
        elif isinstance(node.value, (int, float)):
            yield "constant", repr(node.value + 1)
            yield "constant", f"({node.value - 1!r})"


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "return", "return None"
    elif _has_an_effect_of_its_own(node):
        yield "statement", "pass"


def _has_an_effect_of_its_own(node: ast.stmt) -> bool:
    """Whether a statement can be left out and the names that follow still exist."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return not all(isinstance(target, ast.Name) for target in node.targets)
    return isinstance(node, (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete, ast.Assert))
