"""A reasoner by its name, in a process that was started with another database's URL."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.copies import NamedReasoner, copy_engine
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, needs_type

MODULE = """
import os

DATABASE = os.environ.get("DEALS_AT", "not set")

def value(deal_id):
    return {"deal": deal_id, "database": DATABASE}
"""


def test_a_process_reads_its_environment_before_it_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read at import is the copy's; this process's environment and import stay as they were."""
    (tmp_path / "reads_at_import.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    function = NamedReasoner("reads_at_import:value", tmp_path)
    assert not needs_type(function)
    deal = Deal(7, None, "carveout", None)
    assert bind_reasoner(function)(deal) == {"deal": 7, "database": "not set"}
    engine = copy_engine({"DEALS_AT": "the copy"}, timeout=60, window=1)
    try:
        reasoning = engine(function, deal)
    finally:
        engine.close()
    assert isinstance(reasoning, Reasoning)
    assert reasoning.output == {"deal": 7, "database": "the copy"}
    assert "DEALS_AT" not in os.environ


def test_an_interrupt_amid_the_start_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that nobody had noted would be waited for when Python ends: for ever."""

    def start(self: SpawnProcess) -> None:
        started(self)
        signal.raise_signal(signal.SIGINT)

    (tmp_path / "reads_at_import.py").write_text(MODULE)
    started = SpawnProcess.start
    monkeypatch.setattr(SpawnProcess, "start", start)
    function = NamedReasoner("reads_at_import:value", tmp_path)
    engine = copy_engine({}, timeout=60, window=1)
    with pytest.raises(KeyboardInterrupt):
        engine.begin(7, function, Deal(7, None, "carveout", None))
    engine.close()
    left = multiprocessing.active_children()
    for process in left:
        process.kill()
    assert left == []
