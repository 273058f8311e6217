"""`--dealsnap-shard I/N`: every deal in exactly one part, which other deals never move."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.cli import COMMANDS
from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.deals.selection import Entry, Selection, Shard

CI = Path(__file__).parents[2] / "examples" / "ci"
ANY_ID = st.text(max_size=12)


def entries(ids: set[str]) -> list[Entry]:
    """Return one present deal for each id."""
    return [Entry(DealRef(deal_id, deal_id, None, "acquisition"), "present") for deal_id in sorted(ids)]


def part(ids: set[str], number: int, count: int) -> set[str]:
    """Return the ids that one shard chooses."""
    return {entry.ref.id for entry in Selection(shard=Shard(number, count)).choose(entries(ids))}


@given(ids=st.sets(ANY_ID), count=st.integers(1, 40))
def test_every_deal_is_in_exactly_one_shard(ids: set[str], count: int) -> None:
    """The shards of any deals are disjoint and together they are all deals."""
    seen = Counter(deal_id for number in range(1, count + 1) for deal_id in part(ids, number, count))
    assert seen == Counter(ids)


@given(ids=st.sets(ANY_ID), more=st.sets(ANY_ID), count=st.integers(1, 40), data=st.data())
def test_inserting_deals_moves_none(ids: set[str], more: set[str], count: int, data: st.DataObject) -> None:
    """Deals that come or go change no other deal's shard."""
    number = data.draw(st.integers(1, count))
    assert part(ids | more, number, count) & ids == part(ids, number, count)


def test_shards_do_not_change_between_versions() -> None:
    """The part of an id is fixed for good: shards run by two versions still make one whole."""
    known = {"1": 3, "2": 4, "acme-1": 6, "Ünïcode/42": 2, "": 2}
    assert {deal_id: next(n for n in range(1, 8) if Shard(n, 7).holds(deal_id)) for deal_id in known} == known


def test_shards_are_of_like_size() -> None:
    """Ten thousand deals in eight shards: none is a tenth larger or smaller than an eighth."""
    sizes = [sum(Shard(number, 8).holds(str(n)) for n in range(10_000)) for number in range(1, 9)]
    assert sum(sizes) == 10_000
    assert all(1_125 <= size <= 1_375 for size in sizes)


def workflow(name: str) -> Any:
    """Return one of the CI examples as plain values."""
    return yaml.safe_load((CI / name).read_text(encoding="utf-8"))


def commands_of(name: str) -> list[list[str]]:
    """Return the command lines of an example that are ours, as words."""
    found: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for item in value.values():
                collect(item)
        elif isinstance(value, list):
            for item in value:
                collect(item)
        elif isinstance(value, str):
            found.extend(line for line in value.splitlines() if re.match(r"(?:pytest|dealsnap)\s", line))

    collect(workflow(name))
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize("name", ["github-shards.yml", "gitlab-shards.yml"])
def test_the_ci_examples_use_flags_that_exist(name: str, pytestconfig: pytest.Config) -> None:
    """Every command of a CI example is one of ours, with flags that there are; shards are gated, then merged."""
    lines = commands_of(name)
    known = {option for group in pytestconfig._parser._groups for parsed in group.options for option in parsed.names()}
    for words in lines:
        flags = {word.split("=")[0] for word in words if word.startswith("--")}
        if words[0] == "pytest":
            assert flags <= known
        else:
            assert words[1] in COMMANDS
            assert flags <= {"--report"}
    gates = [words for words in lines if "--dealsnap" in words]
    merges = [words for words in lines if words[:2] == ["dealsnap", "merge"]]
    assert len(gates) == len(merges) == 1
    assert "--dealsnap-shard" in gates[0]
    assert "--dealsnap-report" in gates[0]


def test_github_runs_four_shards_and_merges_always() -> None:
    """The GitHub matrix has four shards, all of which end; a job that needs them merges also after a failure."""
    jobs = workflow("github-shards.yml")["jobs"]
    gate, merge = jobs["gate"], jobs["verdict"]
    assert gate["strategy"]["matrix"]["shard"] == [1, 2, 3, 4]
    assert gate["strategy"]["fail-fast"] is False
    assert merge["needs"] == "gate"
    assert merge["if"] == "always()"
    uploads = [step for step in gate["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [step["if"] for step in uploads] == ["always()"]
    assert "${{ matrix.shard }}/4" in str(gate["steps"])


def test_gitlab_runs_four_shards_and_merges_always() -> None:
    """The GitLab job runs four times in parallel, keeps its report always, and a job that needs them merges."""
    jobs = workflow("gitlab-shards.yml")
    gate, verdict = jobs["dealsnap-gate"], jobs["dealsnap-verdict"]
    assert gate["parallel"] == 4
    assert gate["artifacts"]["when"] == "always"
    assert verdict["when"] == "always"
    assert verdict["needs"] == ["dealsnap-gate"]
    assert "$CI_NODE_INDEX/$CI_NODE_TOTAL" in str(gate["script"])
    assert {"stages", "default", "image"}.isdisjoint(jobs)  # an included file that sets these changes all jobs'
