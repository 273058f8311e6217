"""The rollout in any order: deals made and changed, migration up and down, flag on and off, captures and gates."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from examples.diligence import database, flags
from examples.diligence.analysis_runner import run_reasoning_phase
from examples.diligence.deal_types import ALIASES, VALID_DEAL_TYPES, effective_deal_type
from examples.diligence.web import build_app
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.recording import Capture, Recorder
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.pipeline.gate import Gate, Judged
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.reasoner import bind_reasoner
from pytest_dealsnap.testing import load_config, stored_deal_types

CONFIG = """
[output]
drop = ["generated_at"]

[rules."*"]
"*" = "equal"
"""
SPELT = st.sampled_from([*VALID_DEAL_TYPES, *ALIASES])
STORED = stored_deal_types(types=VALID_DEAL_TYPES, aliases=list(ALIASES), max_length=50)
REASONER = bind_reasoner(run_reasoning_phase)


class Rollout(RuleBasedStateMachine):
    """One system, and a model of what it holds: stored types, the flag, the revision, the baseline."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[int, str | None] = {}
        self.aware = True
        self.migrated = False
        self.replaced: dict[int, str | None] = {}  # what the backfill remembers
        self.captured: dict[int, tuple[str | None, bool]] = {}  # the stored type, and the flag

    @initialize()
    def build(self) -> None:
        """Build the schema of before the migration, with no deals."""
        self.folder = tempfile.TemporaryDirectory(prefix="rollout-", ignore_cleanup_errors=True)
        self.url = f"sqlite:///{Path(self.folder.name) / 'deals.db'}"
        self.environment = pytest.MonkeyPatch()
        self.environment.setenv(database.VARIABLE, self.url)
        self.environment.setenv(flags.DEAL_TYPE_AWARENESS, "true")
        database.migrate(self.url, database.REVISION_BEFORE)
        self.engine = create_engine(self.url, poolclass=NullPool)
        self.client = build_app(self.url).test_client()
        root = Path(self.folder.name)
        (root / "dealsnap.toml").write_text(CONFIG)
        self.config = load_config(root, flags={}, environ={})
        self.recorder, self.snapshots = Recorder(self.config), DealSnapshots(self.config.snapshots)

    def teardown(self) -> None:
        """Let go of everything."""
        if hasattr(self, "folder"):
            self.engine.dispose()
            self.environment.undo()
            self.folder.cleanup()

    @rule(spelt=st.none() | SPELT)
    def create(self, spelt: str | None) -> None:
        """Make a deal through the API; without a type it is an acquisition."""
        body: dict[str, Any] = {"name": "Deal", "target_name": "Target"}
        answer = self.client.post("/api/v1/deals", json=body if spelt is None else {**body, "deal_type": spelt})
        assert answer.status_code == 201, answer.text
        expected = ALIASES.get(spelt or "acquisition", spelt or "acquisition")
        assert answer.json is not None
        assert answer.json["deal_type"] == expected
        self.types[answer.json["id"]] = str(expected)

    @rule(stored=STORED)
    def store(self, stored: str | None) -> None:
        """Write a row past the application, which only the migrated schema can refuse."""
        insert = text("INSERT INTO deals (name, target_name, deal_type) VALUES ('Import', 'Target', :stored)")
        refused = self.migrated and stored not in VALID_DEAL_TYPES
        with self.engine.connect() as connection:
            if refused:
                with pytest.raises(IntegrityError):
                    connection.execute(insert, {"stored": stored})
                return
            row = connection.execute(insert, {"stored": stored}).lastrowid
            connection.commit()
        self.types[int(row)] = stored

    @precondition(lambda self: self.types)
    @rule(data=st.data(), spelt=SPELT | st.sampled_from(["merger", "Carveout", ""]))
    def edit(self, data: st.DataObject, spelt: str) -> None:
        """Change a deal's type; what is no type changes nothing."""
        deal_id = data.draw(st.sampled_from(sorted(self.types)))
        answer = self.client.patch(f"/api/v1/deals/{deal_id}", json={"deal_type": spelt})
        if spelt in VALID_DEAL_TYPES or spelt in ALIASES:
            assert answer.status_code == 200, answer.text
            self.types[deal_id] = str(ALIASES.get(spelt, spelt))
        else:
            assert answer.status_code == 422, answer.text

    @rule()
    def turn_the_flag(self) -> None:
        """Switch awareness of types on or off."""
        self.aware = not self.aware
        self.environment.setenv(flags.DEAL_TYPE_AWARENESS, "true" if self.aware else "false")

    @precondition(lambda self: not self.migrated)
    @rule()
    def upgrade(self) -> None:
        """Backfill and constrain: each type becomes what it counted as."""
        database.migrate(self.url, "head")
        self.replaced = {key: stored for key, stored in self.types.items() if stored not in VALID_DEAL_TYPES}
        self.types = {deal_id: effective_deal_type(stored).value for deal_id, stored in self.types.items()}
        self.migrated = True

    @precondition(lambda self: self.migrated)
    @rule()
    def downgrade(self) -> None:
        """Take the constraints away; what was backfilled comes back, unless it was edited since."""
        database.migrate(self.url, "-1")
        self.types |= {key: old for key, old in self.replaced.items() if self.types[key] == "acquisition"}
        self.migrated = False

    @precondition(lambda self: self.types)
    @rule()
    def capture(self) -> None:
        """Record every deal."""
        assert set(self._run(Capture(self.recorder, self.snapshots)).values()) <= {"new", "matched", "changed"}
        self.captured = {deal_id: (stored, self.aware) for deal_id, stored in self.types.items()}

    @precondition(lambda self: self.captured)
    @rule()
    def gate(self) -> None:
        """Judge every deal: it regresses by an edit, by the flag where its type matters, by a type that was spoilt."""
        statuses = self._run(Gate(self.config, self.recorder, self.snapshots))
        for deal_id, status in statuses.items():
            if deal_id not in self.captured:
                assert status == "new"
                continue
            stored, aware = self.captured[deal_id]
            kind = effective_deal_type(stored).value
            spoilt = stored in VALID_DEAL_TYPES and self.types[deal_id] not in VALID_DEAL_TYPES
            flagged = aware is not self.aware and kind != "acquisition"
            regresses = spoilt or flagged or kind != self._effective(deal_id)
            assert (status == "regressed") is regresses, (deal_id, status, self.captured[deal_id])

    @invariant()
    def the_database_is_the_models(self) -> None:
        """What is stored is what was put there, through whichever way."""
        if hasattr(self, "engine"):
            with self.engine.connect() as connection:
                rows = connection.execute(text("SELECT id, deal_type FROM deals")).all()
            assert {row.id: row.deal_type for row in rows} == self.types

    @precondition(lambda self: self.types)
    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        """A report follows the type while the flag is on, and is an acquisition's while it is off."""
        deal_id = data.draw(st.sampled_from(sorted(self.types)))
        answer = self.client.get(f"/api/v1/deals/{deal_id}/report")
        assert answer.status_code == 200
        assert answer.json is not None
        estimate = answer.json["cost_estimate"]
        assert estimate["deal_type"] == (self._effective(deal_id) if self.aware else "acquisition")
        assert bool(estimate["tsa_costs"]) is (estimate["deal_type"] == "carveout")

    def _effective(self, deal_id: int) -> str:
        return effective_deal_type(self.types[deal_id]).value

    def _run(self, take: Capture | Gate) -> dict[int, str]:
        """Take every deal of the database to its result, as a run does."""
        source, engine = SQLSource(self.config, database=self.url), Engine()
        try:
            statuses = {}
            for ref in source.refs():
                deal = source.fetch(ref)
                taken = take(ref, deal, engine(REASONER, deal))
                statuses[int(ref.id)] = (taken.result if isinstance(taken, Judged) else taken).status
            return statuses
        finally:
            engine.close()
            source.close()
            self.snapshots.flush()


TestRollout = Rollout.TestCase
TestRollout.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
