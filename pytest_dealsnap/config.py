"""What the user asked for, checked: ``[tool.dealsnap]``, the environment and the flags as one :class:`Config`.

Only the standard library is used here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "DEFAULT_METRICS",
    "RESERVED_METRICS",
    "AgainstConfig",
    "CallsConfig",
    "CaptureConfig",
    "Config",
    "DealsConfig",
    "MetricSpec",
    "NoiseConfig",
    "OutputConfig",
    "RehearsalConfig",
    "ReplayConfig",
    "VerdictConfig",
]

# What findings and the ledger call what is no metric.
RESERVED_METRICS = ("output", "deal_type", "deal", "metrics")


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A named value of the output: a JMESPath expression and how much of a text is kept.

    ``rank`` says how early reports tell of it, 1 first; metrics without one follow in the order of the file.
    """

    name: str
    path: str
    max_chars: int | None = None
    place: str = "the default metrics"
    rank: int | None = None


DEFAULT_METRICS = (
    MetricSpec("cost_total", "cost_estimate.total_cost"),
    MetricSpec("synergy_count", "length(synergies)"),
    MetricSpec("synergy_types", "synergies[].type"),
    MetricSpec("narrative_excerpt", "narrative", max_chars=500),
)


@dataclass(frozen=True, slots=True)
class DealsConfig:
    """Where the deals are and what their types mean."""

    source: str | None
    table: str
    id: str
    name: str
    type: str
    where: str
    types: tuple[str, ...]
    default_type: str
    aliases: Mapping[str, str]
    missing: Literal["fail", "report"]
    new: Literal["skip", "fail"]
    snapshot_seconds: float


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """What a snapshot holds of the output."""

    record: Literal["full", "metrics"]
    drop: tuple[str, ...]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """How many deals a capture reasons twice, where calls cost nothing."""

    check: int


@dataclass(frozen=True, slots=True)
class VerdictConfig:
    """The thresholds of the decision tree, in percent; and of a sample, how sure it is and when it may proceed."""

    fix_forward_below: float
    roll_back_above: float
    min_compared: float
    confidence: float = 95.0
    proceed_below: float = 0.0


@dataclass(frozen=True, slots=True)
class CallsConfig:
    """What a call costs, what a run may spend, and where its outputs are kept.

    ``given`` says that the file has the table, which turns the run store on.
    """

    cost: str
    currency: str
    budget: float | None
    reserve: float | None
    version: str
    env: tuple[str, ...]
    retries: int
    retry_on: tuple[str, ...]
    store: str
    given: bool = False


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """How many fresh runs of each side confirm a deal beyond its floor of noise."""

    confirm: int


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """Which calls of the reasoner are recorded by captures and replayed by gates."""

    calls: tuple[str, ...]
    drop: tuple[str, ...]
    cost: str
    on_miss: Literal["ask", "stop"]


@dataclass(frozen=True, slots=True)
class AgainstConfig:
    """What runs the old code of ``--dealsnap-against``; empty: the Python that runs the gate."""

    python: str


@dataclass(frozen=True, slots=True)
class RehearsalConfig:
    """How the rollout is carried out on a scratch copy."""

    alembic: str | None
    upgrade: str | None
    downgrade: str | None
    flag: str | None
    flag_off: str
    flag_on: str
    database_env: str
    tests: str
    check: str
    may_change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, checked.

    ``rules`` holds what the user wrote, per deal type (or ``"*"``) and metric; the built-in rules
    stand behind it (``judging.policy``). ``places`` says for each setting that was given where its value is from.
    """

    root: Path
    database: str | None
    database_folder: Path
    trust_source: bool
    reasoner: str | None
    snapshots: Path
    timeout: float | None
    workers: int
    executor: str | None
    progress: float
    deals: DealsConfig
    environment_errors: tuple[str, ...]
    metrics: tuple[MetricSpec, ...]
    rules: Mapping[str, Mapping[str, str]]
    output: OutputConfig
    capture: CaptureConfig
    verdict: VerdictConfig
    rehearsal: RehearsalConfig
    matrix_axes: Mapping[str, Any]
    matrix_rules: Mapping[str, Any]
    calls: CallsConfig
    noise: NoiseConfig
    replay: ReplayConfig
    portfolio: Mapping[str, Any]
    against: AgainstConfig
    places: Mapping[str, str] = field(default_factory=dict)
    # What to say of environment variables that begin with DEALSNAP_ and have no meaning.
    unknown_variables: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)  # each setting's, by its name

    def place(self, name: str) -> str:
        """Where the value of setting *name* stands, or ``default``."""
        return self.places.get(name, "default")
