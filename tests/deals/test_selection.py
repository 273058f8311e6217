"""Which deals a run is about, and how their rows are read ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.selection import Entry, Population, Selection, Shard, order_entries, stratified_sample
from pytest_dealsnap.deals.source import CallableSource
from pytest_dealsnap.deals.window import WIDEST, ReadAhead
from pytest_dealsnap.errors import ConfigError, DealNotFoundError
from tests.builders import configure

TYPES = ("acquisition", "carveout", "divestiture")


def entries(*kinds: str) -> list[Entry]:
    """Return one entry for each deal type given, numbered from 0."""
    return [Entry(DealRef(i, str(i), kind, kind), "present") for i, kind in enumerate(kinds)]


populations = st.lists(st.sampled_from(TYPES), max_size=60).map(lambda kinds: entries(*kinds))


LOPSIDED = entries(*["acquisition"] * 98, "carveout", "divestiture")


@given(population=populations, size=st.integers(1, 70), seed=st.integers(0, 5))
@example(population=LOPSIDED, size=3, seed=0)
@example(population=LOPSIDED, size=2, seed=0)
@example(population=LOPSIDED, size=50, seed=0)
def test_a_sample_is_stratified(population: list[Entry], size: int, seed: int) -> None:
    """Its size is kept, every type is there where that is possible, in proportion, in order, and again the same."""
    sample = stratified_sample(population, size, seed=seed)
    assert len(sample) == min(size, len(population))
    assert [entry for entry in population if entry in sample] == sample
    assert sample == stratified_sample(population, size, seed=seed)
    counts = Counter(entry.ref.deal_type for entry in population)
    drawn = Counter(entry.ref.deal_type for entry in sample)
    if size >= len(counts):
        assert set(drawn) == set(counts)
    for kind, count in counts.items():
        share = min(size, len(population)) * count / len(population)
        assert drawn[kind] <= count
        assert share - len(counts) <= drawn[kind] <= share + len(counts)


def test_another_seed_draws_other_deals() -> None:
    """A sample is random in its seed, and does not depend on how other types grew."""
    population = entries(*["acquisition"] * 100, *["carveout"] * 50)
    one, two = (stratified_sample(population, 30, seed=seed) for seed in (0, 1))
    assert one != two
    assert Counter(entry.ref.deal_type for entry in one) == {"acquisition": 20, "carveout": 10}


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(), ["0", "1", "2", "3"]),
        (Selection(types=("carveout",)), ["1", "3"]),
        (Selection(types=("carveout", "divestiture")), ["1", "2", "3"]),
        (Selection(types=("merger",)), []),
        (Selection(types=("carveout",), sample=5), ["1", "3"]),
    ],
)
def test_a_selection_narrows_the_run(selection: Selection, ids: list[str]) -> None:
    """By type, and by a sample of what is left."""
    population = entries("acquisition", "carveout", "divestiture", "carveout")
    assert [entry.ref.id for entry in selection.choose(population)] == ids


@given(population=populations, count=st.integers(1, 7))
def test_shards_share_all_deals_without_overlap(population: list[Entry], count: int) -> None:
    """Every deal is in exactly one shard, and stays in it when other deals come and go."""
    shards = [Selection(shard=Shard(number, count)).choose(population) for number in range(1, count + 1)]
    assert sorted((entry.ref.id for shard in shards for entry in shard), key=int) == [e.ref.id for e in population]
    half = Selection(shard=Shard(1, count)).choose(population[::2])
    assert half == [entry for entry in shards[0] if entry in population[::2]]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3", "1.0/2", "/", " 1/2"])
def test_a_bad_shard_is_refused(text: str) -> None:
    """The error shows the value and the form."""
    with pytest.raises(ConfigError, match="must be I/N with I from 1 to N, such as 2/8"):
        Shard.parse(text)


def test_a_shard_is_read_and_shown() -> None:
    """``2/8`` is the second of eight."""
    assert Shard.parse("2/8") == Shard(2, 8)
    assert str(Shard(2, 8)) == "2/8"
    assert Shard(1, 1).holds("\ud800")


def test_entries_are_ordered_by_type_and_id() -> None:
    """Types as configured, an unknown one last; ids by value."""
    population = [
        Entry(DealRef(i, i, k, k), "present")
        for i, k in [("10", "carveout"), ("9", "carveout"), ("x", "gone"), ("a", "acquisition")]
    ]
    assert [entry.ref.id for entry in order_entries(population, TYPES)] == ["a", "9", "10", "x"]


def test_a_population_is_counted_by_type() -> None:
    """The manifest remembers how many deals of each type there were."""
    refs = [entry.ref for entry in entries("carveout", "acquisition", "carveout")]
    assert list(Population.of(refs).by_type.items()) == [("acquisition", 1), ("carveout", 2)]


class Counted(CallableSource):
    """A source that remembers how many rows each question asked for, and may lose some."""

    asked: list[int]
    gone: tuple[str, ...] = ()

    def fetch_many(self, refs: Sequence[DealRef]) -> list[Deal | DealNotFoundError]:
        self.asked.append(len(refs))
        found = zip(refs, super().fetch_many(refs), strict=True)
        return [DealNotFoundError(f"deal {ref.id}") if ref.id in self.gone else deal for ref, deal in found]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """A source of a thousand deals."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_thousand.py").write_text("def deals(): return [{'id': i} for i in range(1000)]\n")
    config = configure(tmp_path, '[deals]\nsource = "own_thousand:deals"\nname = ""\ntype = ""\n')
    counted = Counted(config)
    counted.asked = []
    return counted


def test_rows_are_read_ahead_in_growing_windows(source: Counted) -> None:
    """One deal costs one row; many in order few questions, each for at most so many rows."""
    population = entries(*["carveout"] * 1000)
    ahead = ReadAhead(source, population)
    assert ahead.fetch(population[0].ref).id == 0
    assert source.asked == [1]
    assert [ahead.fetch(entry.ref).id for entry in population[1:]] == list(range(1, 1000))
    assert source.asked == [1, 2, 4, 8, 16, 32, 64, 128, WIDEST, WIDEST, 233]


def test_a_run_that_jumps_falls_back_to_small_windows(source: Counted) -> None:
    """Deals taken here and there cost a row each, and a window left half read is let go."""
    population = entries(*["carveout"] * 100)
    ahead = ReadAhead(source, population)
    for index in (50, 10, 90, 20):
        assert ahead.fetch(population[index].ref).id == index
    assert source.asked == [1, 1, 1, 1]
    for index in (21, 22, 5, 22):
        assert ahead.fetch(population[index].ref).id == index
    assert source.asked == [1, 1, 1, 1, 2, 1, 1]
    assert ahead.fetch(population[22].ref).id == 22  # read again, as a repeated test does


def test_a_deal_that_went_away_is_told_when_its_turn_comes(source: Counted) -> None:
    """The others of its window are served."""
    population = entries(*["carveout"] * 5)
    source.gone = ("2",)
    ahead = ReadAhead(source, population)
    for entry in population:
        if entry.ref.id == "2":
            with pytest.raises(DealNotFoundError, match="deal 2"):
                ahead.fetch(entry.ref)
        else:
            assert ahead.fetch(entry.ref).id == entry.ref.key


def test_missing_and_duplicated_deals_are_not_read(source: Counted) -> None:
    """A deal that is not in the database, or there twice, has no row to be read ahead."""
    population = entries("carveout", "carveout", "carveout")
    population[1] = Entry(population[1].ref, "missing")
    population.append(Entry(DealRef(9, "9", None, "carveout", copies=2), "present"))
    ahead = ReadAhead(source, population)
    assert [ahead.fetch(population[index].ref).id for index in (0, 2)] == [0, 2]
    assert sum(source.asked) == 2
