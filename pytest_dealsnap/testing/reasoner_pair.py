"""Two reasoners beside each other: each is asked about a deal, and the rules say whether they agree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config, with_tables
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Failure, Finding, Kind
from pytest_dealsnap.pipeline.gate import Gate
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.engine import Engine

__all__ = ["Comparison", "Disagreement", "Rules", "asking", "settings_for"]

Rules = Mapping[str, str] | Mapping[str, Mapping[str, str]]
# One call may take so long where it runs in a thread of its own, beside a test's event loop.
SECONDS = 600.0
STRICT = {"*": {"*": "equal"}}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two reasonings of one deal differ in, and the reasonings themselves."""

    deal_type: str
    findings: tuple[Finding, ...]
    old: Reasoning
    new: Reasoning


def settings_for(
    config: Config | Path | None,
    *,
    place: str,
    rules: Rules | None = None,
    metrics: Mapping[str, Any] | None = None,
    types: Sequence[str] | None = None,
    drop: Sequence[str] = (),
) -> Config:
    """Return the settings of a comparison: those of *config* (or of the project in that folder) with what was given.

    Without *config*: the plan's types and metrics, and everything must be equal. Rules that are given stand by
    metric, or by deal type and metric; what they do not name must be equal.
    """
    if isinstance(config, Path):
        config = load_config(config, flags={}, environ={})
    own = config is not None
    if config is None:  # the defaults: no file of that name lies in this folder
        config = replace(load_config(Path(__file__).parent, flags={}, environ={}), root=Path.cwd())
    if types is not None:
        default = config.deals.default_type if config.deals.default_type in types else types[0]
        config = replace(config, deals=replace(config.deals, types=tuple(types), default_type=default))
    tables = None if rules is None and own else _tables(rules or {}, place)
    if drop:
        config = replace(config, output=replace(config.output, drop=(*config.output.drop, *drop)))
    return with_tables(config, place=place, metrics=metrics, rules=tables)


def _tables(rules: Rules, place: str) -> dict[str, dict[str, str]]:
    """Return *rules* by type and metric; anything that they do not name must be equal."""
    flat = {key: rule for key, rule in rules.items() if isinstance(rule, str)}
    nested = {key: dict(table) for key, table in rules.items() if isinstance(table, Mapping)}
    if flat and nested:
        raise ConfigError(
            f"{place}: rules stand by metric ({next(iter(flat))!r}) and by deal type ({next(iter(nested))!r}): "
            "write all in one form"
        )
    wrong = next((key for key in rules if key not in flat and key not in nested), None)
    if wrong is not None:
        raise ConfigError(f"{place}: rules[{wrong!r}] = {rules[wrong]!r}: must be a rule, or rules by metric")
    tables = {"*": flat} if flat else nested
    tables["*"] = {**STRICT["*"], **tables.get("*", {})}
    return tables


Ask = Callable[[Callable[..., Any], Any], Reasoning]


@contextmanager
def asking() -> Iterator[Ask]:
    """Lend a way to call reasoners, sync or async, also from inside a running event loop."""
    try:
        asyncio.get_running_loop()
        engine = Engine(timeout=SECONDS)
    except RuntimeError:
        engine = Engine()

    def ask(function: Callable[..., Any], deal: Any) -> Reasoning:
        return engine(function if isinstance(deal, Deal) else lambda _: function(deal), deal)

    try:
        yield ask
    finally:
        engine.close()


class Comparison:
    """Judges what two reasoners said of one deal."""

    def __init__(self, config: Config) -> None:
        self._recorder = Recorder(config)
        self._gate = Gate(config, self._recorder, None)
        self._default = config.deals.default_type

    def __call__(self, deal: Any, old: Reasoning, new: Reasoning) -> Disagreement | None:
        """Return what gates, or ``None``. Both may fail, if by the same type of error."""
        deal_type = str(getattr(deal, "deal_type", self._default))
        ref = DealRef(deal, str(getattr(deal, "key", "")), getattr(deal, "stored_type", None), deal_type)
        before, after = (self._recorder.draft(ref, None, one, whole=True) for one in (old, new))
        if before.error is not None and after.error is None:
            return Disagreement(deal_type, (_answers_now(before.error),), old, new)
        result = self._gate.judge(before, after, deal)
        if result.status not in ("regressed", "errored"):
            return None
        return Disagreement(deal_type, result.findings, old, new)

    def recorded(self, reasoning: Reasoning) -> dict[str, Any] | None:
        """Return the output without what is dropped."""
        return None if reasoning.output is None else self._recorder.recorded_output(reasoning.output)


def _answers_now(error: Failure) -> Finding:
    return Finding("output", "reasoning_failed", str(error), "an output", allowed="the same error", kind=Kind.FAILED)
