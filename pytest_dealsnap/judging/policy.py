"""Which rule judges which metric of which deal type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pytest_dealsnap.judging.metrics import Metric
from pytest_dealsnap.judging.noise_rules import with_floor, without_noise
from pytest_dealsnap.judging.rules import OR_NOISE, Rule, parse_rule
from pytest_dealsnap.model.noise import NoiseFacts, TypeNoise
from pytest_dealsnap.model.record import replace

__all__ = ["BUILT_IN", "REST", "Policy", "TypePolicy", "compile_policy"]

# The rollout plan's own: acquisitions must stay as they were, the other types are meant to change.
# A deal type that the plan does not know is judged like an acquisition: strict unless told otherwise.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "acquisition": {"cost_total": "within 5%", "synergy_count": "equal", "*": "report"},
    "carveout": {"*": "report"},
    "divestiture": {"*": "report"},
    "*": {"cost_total": "within 5%", "synergy_count": "equal", "*": "report"},
}
REST = "*"


class TypePolicy:
    """The rules of one deal type: one for each metric, and one for the rest of the output."""

    def __init__(self, rules: Mapping[str, Rule], noise: TypeNoise | None = None) -> None:
        self.rules = dict(rules)
        self.noise = noise
        self.rest = rules[REST]
        self.holds_when_unchanged = all(rule.holds_when_unchanged for rule in rules.values())
        self.gates_values = any(rule.gates for rule in rules.values())

    def __getitem__(self, metric: str) -> Rule:
        return self.rules[metric]

    @cached_property
    def without_noise(self) -> TypePolicy:
        """The same rules for an output that has no noise, because all calls of its reasoner were replayed."""
        return TypePolicy({name: without_noise(rule) for name, rule in self.rules.items()})


class Policy:
    """The rules of all deal types; an unknown type (a baseline's from before a rename) has ``"*"``'s."""

    def __init__(self, by_type: Mapping[str, TypePolicy], fallback: TypePolicy) -> None:
        self.by_type = dict(by_type)
        self.fallback = fallback

    def __getitem__(self, deal_type: str) -> TypePolicy:
        return self.by_type.get(deal_type, self.fallback)

    def as_text(self) -> dict[str, dict[str, str]]:
        """Return the rules as text, by type and metric: what the manifest remembers."""
        return {
            deal_type: {metric: rule.as_written for metric, rule in sorted(policy.rules.items())}
            for deal_type, policy in sorted(self.by_type.items())
        }


def compile_policy(
    rules: Mapping[str, Mapping[str, str]],
    *,
    types: Iterable[str],
    metrics: Iterable[Metric],
    root: Path,
    places: Mapping[str, str] | None = None,
    noise: NoiseFacts | None = None,
) -> Policy:
    """Compile the user's *rules* over the built-in ones.

    For a metric of a type, the first of these is in force: the user's rule for the metric, then for
    ``"*"``, of the type; the same of ``rules."*"``; then the built-in ones in the same order. *places* says where
    ``rules.TYPE.METRIC`` was written; *noise* gives the floors of rules ``… or noise``.

    Raises :class:`pytest_dealsnap.errors.ConfigError` for a rule that is none.
    """
    names = [metric.name for metric in metrics]
    stands, floors = places or {}, noise or NoiseFacts()
    compiled: dict[tuple[str, str], Rule] = {}

    def place_of(table: str, key: str) -> str:
        return stands.get(f"rules.{table}.{key}", f"rules.{table}.{key}")

    def rule_for(deal_type: str, metric: str) -> Rule:
        text, table, key = _chosen(rules, deal_type, metric)
        if (table, key) not in compiled:
            compiled[table, key] = parse_rule(text, place=place_of(table, key), root=root)
        return compiled[table, key]

    def policy_for(deal_type: str) -> TypePolicy:
        measured = floors.types.get(deal_type)
        found = {name: rule_for(deal_type, name) for name in names}
        for name, rule in found.items():
            if rule.or_noise:
                floor = None if measured is None else measured.metrics.get(name)
                found[name] = with_floor(rule, floor, stale=floors.stale)
        rest = rule_for(deal_type, REST)
        if rest.or_noise:  # outside of every metric nothing is measured
            rest = replace(rest, text=rest.as_written.removesuffix(OR_NOISE))
        return TypePolicy({**found, REST: rest}, measured)

    for table, entries in rules.items():
        for key, text in entries.items():
            compiled[table, key] = parse_rule(text, place=place_of(table, key), root=root)
    return Policy({deal_type: policy_for(deal_type) for deal_type in types}, policy_for("*"))


def _chosen(rules: Mapping[str, Mapping[str, str]], deal_type: str, metric: str) -> tuple[str, str, str]:
    for layer in (rules, BUILT_IN):
        for table in (deal_type, "*"):
            entries = layer.get(table, {})
            for key in (metric, REST):
                if key in entries:
                    return entries[key], table if layer is rules else f"built-in {table}", key
    raise AssertionError("the built-in rules judge every metric")
