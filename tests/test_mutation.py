"""The sampler of mutants: its mutants compile and differ, a seed says which, and the checkout stays as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.__main__ import arguments, concluded, equivalents, main, sample
from tests.mutation.mutants import Mutant, difference, mutants_of
from tests.mutation.trials import Copy, Outcome, TrialError, all_mutants, files_for

ROOT = Path(__file__).parents[1]
SOURCE = '''\
"""Ünïcode before the code shifts bytes against characters."""

type_names: dict[str, int | None] = {}


def within(change: float, bound: float = 5, *, strict: bool = False) -> bool:
    """Say whether a change is within a bound."""
    größe, least = abs(change) * 100, f"{bound + 1}"
    type_names["least"] = len(least)
    if not strict and größe <= bound:
        return True
    return größe < bound
'''
MODULE = "def doubled(number: int) -> int:\n    if number > 3:\n        pass\n    return number * 2\n"
TEST = "from pytest_dealsnap.judging.doubling import doubled\n\n\ndef test_doubled():\n    assert doubled(3) == 6\n"


def changes(source: str) -> set[tuple[str, str, str]]:
    """Return the mutants of a source as kind, text before, text after."""
    return {(one.kind, one.before, one.after) for one in mutants_of("x.py", source)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of one module with one test."""
    checkout = tmp_path / "checkout"
    for name, text in {
        "pytest_dealsnap/__init__.py": "",
        "pytest_dealsnap/judging/__init__.py": "",
        "pytest_dealsnap/judging/doubling.py": MODULE,
        "tests/judging/test_doubling.py": TEST,
        "tests/judging/test_another.py": "def test_nothing():\n    pass\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['-p', 'no:dealsnap']\n",
    }.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, encoding="utf-8")
    return checkout


@pytest.fixture(scope="module")
def population() -> list[Mutant]:
    """All mutants of the rooms that are sampled; to enumerate them takes seconds."""
    return all_mutants(ROOT, ("judging", "causes", "baseline"))


def test_each_kind_of_change_is_made() -> None:
    """Comparisons, booleans, ``not``, constants by one either way, arithmetic, returns, statements."""
    assert changes(SOURCE) == {
        ("comparison", "größe <= bound", "(größe < bound)"),
        ("comparison", "größe < bound", "(größe <= bound)"),
        ("boolean", "not strict and größe <= bound", "(not strict or größe <= bound)"),
        ("not", "not strict", "(strict)"),
        ("constant", "5", "6"),
        ("constant", "5", "(4)"),
        ("constant", "100", "101"),
        ("constant", "100", "(99)"),
        ("constant", "False", "True"),
        ("constant", "True", "False"),
        ("arithmetic", "abs(change) * 100", "(abs(change) / 100)"),
        ("return", "return True", "return None"),
        ("return", "return größe < bound", "return None"),
        ("statement", 'größe, least = abs(change) * 100, f"{bound + 1}"', "pass"),
        ("statement", 'type_names["least"] = len(least)', "pass"),
    }


def test_what_no_run_evaluates_is_left_alone() -> None:
    """Annotations and docstrings: a mutant there would survive whatever the tests do."""
    assert changes('def f(x: int | None = None) -> "int | None":\n    """Not 1 < 2."""\n') == set()


@pytest.mark.slow
def test_every_mutant_of_the_package_compiles_and_differs(population: list[Mutant]) -> None:
    """Of a sample over all rooms; its difference is where it says."""
    for mutant in sample(population, 150, seed=1):
        compile(mutant.source, mutant.path, "exec")
        source = (ROOT / mutant.path).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(mutant.source)) != ast.dump(ast.parse(source))
        assert difference(source, mutant)[0] == f"-{source.splitlines()[mutant.line - 1]}"


def test_a_seed_says_which() -> None:
    """The same seed gives the same sample, another seed another; more than there are gives all."""
    population = mutants_of("x.py", SOURCE)
    assert sample(population, 5, seed=7) == sample(mutants_of("x.py", SOURCE), 5, seed=7)
    assert sample(population, 5, seed=7) != sample(population, 5, seed=8)
    assert sample(population, 1000, seed=7) == population


def test_tests_that_import_the_module_run_first(tree: Path) -> None:
    """They are the likeliest to kill it."""
    assert files_for(tree, "pytest_dealsnap/judging/doubling.py") == [
        "tests/judging/test_doubling.py",
        "tests/judging/test_another.py",
    ]


@pytest.mark.slow
def test_mutants_die_in_a_copy_and_the_checkout_stays(tree: Path, tmp_path: Path) -> None:
    """A wrong product is killed, a comparison that no test looks at survives, a loop runs into the time limit."""
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    (tmp_path / "copy").mkdir()
    copied = Copy.of(tree, tmp_path / "copy")
    assert copied.seconds_unmutated("judging") > 0
    outcomes = {
        one.after: copied.judge(one, 300)
        for one in all_mutants(tree, ("judging",))
        if one.after in ("(number / 2)", "(number >= 3)")
    }
    assert outcomes == {"(number >= 3)": Outcome.SURVIVED, "(number / 2)": Outcome.KILLED}
    path = "pytest_dealsnap/judging/doubling.py"
    assert copied.judge(Mutant(path, 1, "", "loop", "", "", "while True:\n    pass\n"), 3) is Outcome.TIMED_OUT
    assert (copied.root / path).read_text() == MODULE
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


def test_tests_that_fail_without_a_mutant_are_an_error(tree: Path, tmp_path: Path) -> None:
    """They would "kill" every mutant."""
    (tree / "tests/judging/test_doubling.py").write_text("def test_red():\n    assert False\n")
    (tmp_path / "copy").mkdir()
    with pytest.raises(TrialError, match="tests/judging ends with exit code 1 without any mutant"):
        Copy.of(tree, tmp_path / "copy").seconds_unmutated("judging")


def test_too_few_killed_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Survivors are listed with file and line, as a difference."""
    path = "pytest_dealsnap/judging/bounds.py"
    one, other = mutants_of(path, (ROOT / path).read_text(encoding="utf-8"))[:2]
    outcomes = [(one, Outcome.SURVIVED), (other, Outcome.TIMED_OUT)]
    assert concluded(outcomes, 50) == 0
    assert concluded(outcomes, 50.1) == 1
    out = capsys.readouterr().out
    assert f"{path}:{one.line}  {one.kind}\n-" in out
    assert "1 killed (1 by the time limit), 1 survived: 50.0 % killed" in out


def test_the_list_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """``--list`` shows which mutants a sample has."""
    assert main(["--list", "--sample", "3", "--folder", "causes"]) == 0
    assert capsys.readouterr().out.count("pytest_dealsnap/causes/") == 3
    assert arguments([]).sample == 40


@pytest.mark.slow
def test_equivalent_mutants_still_exist(population: list[Mutant]) -> None:
    """An entry whose code is gone says nothing; each gives a reason."""
    known = equivalents()
    existing = {one.key for one in population}
    assert set(known) - existing == set()
    assert all(known.values())
