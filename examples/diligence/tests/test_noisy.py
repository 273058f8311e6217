"""The stand-in for a slow, noisy, paid model."""

from __future__ import annotations

import asyncio
import time

import pytest
from rapidfuzz.fuzz import ratio

from examples.diligence import database
from examples.diligence.analysis_runner import run_reasoning_phase
from examples.diligence.noisy import TransientModelError, run_noisy_reasoner, run_noisy_reasoner_async


@pytest.fixture(autouse=True)
def quick_model(after_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that answers from the test's database without delay."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    monkeypatch.setenv("DILIGENCE_DELAY_SECONDS", "0")
    monkeypatch.delenv("DILIGENCE_FAILURE_RATE", raising=False)


def test_only_the_wording_varies() -> None:
    """Figures are the reasoner's own; the narrative differs from call to call, but not by much."""
    sober = run_reasoning_phase(7)
    answers = [run_noisy_reasoner(7) for _ in range(5)]
    assert len({str(answer["narrative"]) for answer in answers}) == 5
    for answer in answers:
        assert ratio(str(answer["narrative"]), str(sober["narrative"])) > 90
        assert _figures(answer) == _figures(sober)


def test_the_async_reasoner_answers_the_same() -> None:
    """Several calls under way at once take about as long as one."""

    async def answers() -> list[dict[str, object]]:
        return await asyncio.gather(*(run_noisy_reasoner_async(7) for _ in range(5)))

    figures = _figures(run_reasoning_phase(7))
    assert all(_figures(answer) == figures for answer in asyncio.run(answers()))


def test_the_delay_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call takes at least as long as the environment says."""
    monkeypatch.setenv("DILIGENCE_DELAY_SECONDS", "0.2")
    start = time.perf_counter()
    run_noisy_reasoner(7)
    assert time.perf_counter() - start >= 0.2


def test_failures_are_as_frequent_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a rate of one, every call fails, with an error that says it may pass."""
    monkeypatch.setenv("DILIGENCE_FAILURE_RATE", "1")
    with pytest.raises(TransientModelError, match="deal 7 was not answered"):
        run_noisy_reasoner(7)


def test_a_bad_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and its value."""
    monkeypatch.setenv("DILIGENCE_DELAY_SECONDS", "soon")
    with pytest.raises(ValueError, match="DILIGENCE_DELAY_SECONDS='soon' is not a number"):
        run_noisy_reasoner(7)


def _figures(answer: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in answer.items() if key not in ("narrative", "generated_at")}
