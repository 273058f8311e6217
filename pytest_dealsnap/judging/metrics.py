"""Metrics: named values taken out of an output by JMESPath (https://jmespath.org)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, cast

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from pytest_dealsnap._compat import DecimalNumbers
from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.judging.paths import PathPattern, selecting_path
from pytest_dealsnap.judging.recorded_form import compact_text, recorded_form, recorded_number
from pytest_dealsnap.judging.values import exact, working_context

__all__ = ["Metric", "compile_metrics", "measure"]

signature = cast("Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]", functions.signature)
_Functions: Any = functions.Functions  # its stubs leave out the methods that say what a number is


class _ExactFunctions(DecimalNumbers, _Functions):  # type: ignore[misc]  # for the same reason
    """JMESPath's functions, taught that a Decimal is a number and that sums of money are exact."""

    @signature({"types": ["array-number"]})
    def _func_sum(self, numbers: list[Any]) -> Any:
        if any(isinstance(number, (float, Decimal)) for number in numbers):
            addends = [exact(number) for number in numbers]
            with localcontext(working_context(*addends)):  # the application's own may round
                return sum(addends, Decimal(0))
        return sum(numbers)

    @signature({"types": ["array-number"]})
    def _func_avg(self, numbers: list[Any]) -> Any:
        if not numbers:
            return None
        total = self._func_sum(numbers)
        if isinstance(total, Decimal):
            with localcontext(working_context(total)):
                return total / len(numbers)
        return total / len(numbers)

    @signature({"types": []})
    def _func_type(self, value: Any) -> Any:
        return "number" if isinstance(value, Decimal) else super()._func_type(value)

    @signature({"types": []})
    def _func_to_number(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return value
        number = super()._func_to_number(value)
        if isinstance(value, str) and isinstance(number, float) and _DECIMAL.fullmatch(value.strip()):
            return recorded_number(Decimal(value.strip()))  # a float would cut the digits
        return number

    @signature({"types": []})
    def _func_to_string(self, value: Any) -> Any:
        return value if isinstance(value, str) else compact_text(value)


_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]{1,4})?")
_OPTIONS = jmespath.Options(custom_functions=_ExactFunctions())


@dataclass(frozen=True, slots=True)
class Metric:
    """A compiled metric. ``pattern`` is the path it selects, where it does no more than that.

    ``interpreted``: its value may depend on the order of keys and on the kind of numbers, so that it is searched in
    the output's recorded form.
    """

    name: str
    spec: MetricSpec
    search: Callable[[Any], Any]
    pattern: PathPattern | None
    interpreted: bool

    def __call__(self, output: Any) -> Any:
        """Return the metric's value in a canonical *output*; ``None`` where it is absent."""
        return self.in_recorded(recorded_form(output) if self.interpreted else output)

    def in_recorded(self, output: Any) -> Any:
        """Return the metric's value in an output that has its recorded form; ``None`` where it is absent.

        A JMESPath type error, such as ``length`` of null, means that what is measured is absent; so
        does arithmetic that has no result, such as ``ceil`` of NaN.
        """
        try:
            value = self.search(output)
        except (JMESPathError, ArithmeticError, ValueError):
            return None
        if self.spec.max_chars is not None and isinstance(value, str):
            return value[: self.spec.max_chars]
        return value


def measure(metrics: Iterable[Metric], output: Any) -> dict[str, Any]:
    """Return the value of each metric in a canonical *output*, by name; ``None`` for those that are absent."""
    recorded: Any = None
    values = {}
    for metric in metrics:
        if metric.interpreted and recorded is None:
            recorded = recorded_form(output)
        values[metric.name] = metric.in_recorded(recorded if metric.interpreted else output)
    return values


def compile_metrics(specs: Iterable[MetricSpec]) -> tuple[Metric, ...]:
    """Compile *specs*, in name order; raises :class:`ConfigError` for an invalid expression."""
    return tuple(_compile(spec) for spec in sorted(specs, key=lambda spec: spec.name))


def _compile(spec: MetricSpec) -> Metric:
    try:
        expression = jmespath.compile(spec.path)
    except (JMESPathError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{spec.place} = {spec.path!r}: not a JMESPath expression: {reason}") from None
    _check_functions({"type": "expression", "children": [expression.parsed]}, spec)
    quick = _quick_search(spec.path.strip())
    search = quick or (lambda output: expression.search(output, options=_OPTIONS))
    return Metric(spec.name, spec, search, selecting_path(spec.path), interpreted=quick is None)


def _check_functions(node: Any, spec: MetricSpec) -> None:
    """Refuse what could never find a value, or finds one that is no JSON: at run time it would look absent."""
    if not isinstance(node, dict):
        return
    children = node.get("children", ())
    taken = _expressions_taken(node, spec) if node.get("type") == "function_expression" else ()
    for place, child in enumerate(children):
        if isinstance(child, dict) and child.get("type") == "expref" and place not in taken:
            raise ConfigError(
                f"{spec.place} = {spec.path!r}: an expression reference (&) is no value. It stands only where "
                "map(), sort_by(), min_by() or max_by() take one"
            )
        _check_functions(child, spec)


def _expressions_taken(node: Any, spec: MetricSpec) -> set[int]:
    """Return the places of a call's arguments that are expressions; refuse an unknown function or a wrong number."""
    name, given = node["value"], len(node["children"])
    table: Any = _ExactFunctions.FUNCTION_TABLE
    if name not in table:
        raise ConfigError(
            f"{spec.place} = {spec.path!r}: JMESPath has no function {name}().{did_you_mean(name, table)}"
        )
    parameters = table[name]["signature"]
    variadic = bool(parameters) and parameters[-1].get("variadic", False)
    if given < len(parameters) or (given > len(parameters) and not variadic):
        many = f"at least {len(parameters)}" if variadic else str(len(parameters))
        raise ConfigError(f"{spec.place} = {spec.path!r}: {name}() takes {many} argument(s), not {given}")
    return {place for place, parameter in enumerate(parameters) if parameter["types"] == ["expref"]}


_NAMES = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_LENGTH = re.compile(rf"length\(({_NAMES})\)")
_PROJECTION = re.compile(rf"({_NAMES})\[\]\.({_NAMES})")


def _quick_search(text: str) -> Callable[[Any], Any] | None:
    """Return how the three commonest forms are searched without an interpreter; ``None`` for any other.

    ``a.b``, ``length(a.b)`` and ``a[].b`` take a twentieth of the interpreter's time; a property test
    holds that they find the same.
    """
    if re.fullmatch(_NAMES, text):
        names = tuple(text.split("."))
        return lambda output: _follow(output, names)
    if match := _LENGTH.fullmatch(text):
        names = tuple(match[1].split("."))
        return lambda output: _length(_follow(output, names))
    if match := _PROJECTION.fullmatch(text):
        names, inner = tuple(match[1].split(".")), tuple(match[2].split("."))
        return lambda output: _project(_follow(output, names), inner)
    return None


def _follow(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, (str, list, dict)) else None


def _project(value: Any, names: tuple[str, ...]) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    flat: list[Any] = []
    for item in value:
        if type(item) is list:
            flat.extend(item)
        else:
            flat.append(item)
    return [found for item in flat if (found := _follow(item, names)) is not None]
