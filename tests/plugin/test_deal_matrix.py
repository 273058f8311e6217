"""The marker ``deal_matrix``: which tests a test becomes, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.plugin.project import BASE_ARGUMENTS, CONFIG, Project, deal

AXES = '[tool.dealsnap.matrix]\naxes = { domain = ["network", "identity"], size = [1, 2] }\n'
STRICT = '[tool.pytest.ini_options]\naddopts = ["--strict-markers", "--strict-config"]\n'
TESTS = """
import enum, pytest

class Side(enum.Enum):
    BUYER = "buyer"
    TWO = 2

@pytest.mark.deal_matrix
def test_types(deal_type):
    pass

@pytest.mark.deal_matrix
def test_configured(domain, deal_type):
    pass

@pytest.mark.deal_matrix(types=["divestiture", "spinoff"], domain=["<b>\\x1b", Side.BUYER, Side.TWO, len, None])
def test_own(deal_type, domain, tmp_path):
    pass

@pytest.mark.deal_matrix(types=["carveout"], size=[5])
class TestClass:
    @pytest.mark.deal_matrix(size=[7])
    def test_both(self, deal_type, size):
        pass

@pytest.fixture
def case(deal_type, domain):
    return deal_type, domain

@pytest.mark.deal_matrix(types=["carveout"])
def test_by_fixture(case):
    assert case[0] == "carveout"
"""
IDS = [
    *(f"test_types[{kind}]" for kind in ("acquisition", "carveout", "divestiture")),
    *(
        f"test_configured[{kind}-{domain}]"
        for kind in ("acquisition", "carveout", "divestiture")
        for domain in ("network", "identity")
    ),
    *(
        f"test_own[{kind}-{domain}]"
        for kind in ("divestiture", "carveout")
        for domain in ("<b>\\\\x1b", "buyer", "TWO", "len", "None")
    ),
    "test_both[carveout-7]",
    "test_by_fixture[carveout-network]",
    "test_by_fixture[carveout-identity]",
]


@pytest.fixture
def matrix(project: Project) -> Project:
    """A project with axes and an alias, markers strict."""
    config = CONFIG.replace('type = "kind"', 'type = "kind"\naliases = { spinoff = "carveout" }')
    return project.with_config(config + AXES + STRICT)


def ids(text: str) -> list[str]:
    """Return the tests' names in an output."""
    return re.findall(r"^test_own\.py::(?:\w+::)?(.+?)(?: PASSED.*)?$", text, re.MULTILINE)


def test_every_type_and_axis_with_ids_that_read_well(matrix: Project) -> None:
    """Types in order, then the axes that the test takes, from the configuration and from the marker."""
    matrix = matrix.with_file("test_own.py", TESTS)
    outcome = matrix.run("--collect-only", "-q")
    assert ids(outcome.text) == IDS
    assert matrix.run("-q").closing == f"{len(IDS)} passed"
    chosen = matrix.run("--collect-only", "-q", "-m", "carveout")
    assert ids(chosen.text) == [name for name in IDS if "[carveout" in name]


def test_a_plain_run_imports_nothing_for_it(matrix: Project) -> None:
    """The marker needs the configuration only: no database, no Hypothesis."""
    probe = "    import sys\n    assert not {'sqlalchemy', 'sqlglot', 'hypothesis', 'jmespath'} & set(sys.modules)\n"
    test = f"import pytest\n\n@pytest.mark.deal_matrix\ndef test_light(deal_type, domain):\n{probe}"
    matrix.with_file("test_own.py", test).write()
    command = [sys.executable, "-m", "pytest", *BASE_ARGUMENTS, "-q"]  # a process that has loaded nothing
    done = subprocess.run(command, cwd=matrix.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    listed = matrix.run("--markers").text
    assert "@pytest.mark.deal_matrix(types=..., **axes): run the test under every deal type" in listed


OVER_DEALS = """
import pytest

@pytest.mark.deal_matrix(size=["s"])
def test_all(deal, deal_type, deal_output, size):
    assert deal.deal_type == deal_type == deal_output["type"]
    assert deal["kind"] == deal_type or deal.stored_type is None

@pytest.mark.deal_matrix(types=["carveout"])
def test_again(deal, deal_output):
    assert deal.deal_type == "carveout" == deal_output["type"]
"""
COUNTING = """
from pathlib import Path

def value(transaction):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{transaction.id} {transaction.deal_type}\\n")
    return {"offer": {"price": transaction["amount"]}, "risks": [], "type": transaction.deal_type}
"""


def test_every_deal_under_every_type(matrix: Project) -> None:
    """The deal counts as the type, in its column too, and each output is computed once."""
    matrix = matrix.with_reasoner(COUNTING).with_deals(deal("a", kind=None), deal("b", kind="carveout"))
    matrix = matrix.captured().with_file("test_own.py", OVER_DEALS)
    (matrix.folder / "calls.txt").unlink()
    outcome = matrix.gate("test_own.py", "-v")
    assert outcome.code == 0, outcome.text
    kinds = ("acquisition", "carveout", "divestiture")
    expected = [f"test_all[{kind}-{key}-s]" for key in ("a", "b") for kind in kinds]
    assert ids(outcome.text) == [*expected, "test_again[carveout-a]", "test_again[carveout-b]"]
    calls = (matrix.folder / "calls.txt").read_text().splitlines()
    assert sorted(calls) == sorted(f"{key} {kind}" for key in ("a", "b") for kind in kinds)
    assert outcome.report["summary"]["matched"] == 2, "the baseline is that of the types stored"
    skipped = matrix.run("-rs")
    assert (skipped.code, skipped.closing) == (0, "2 skipped")
    assert "pytest --dealsnap" in skipped.text


def test_an_output_that_cannot_follow_the_type_is_an_error(matrix: Project) -> None:
    """A reasoner that is given only the id would say the same under each type: that must not pass."""
    blind = "def value(deal_id):\n    return {'offer': {'price': 1}, 'risks': [], 'type': 'acquisition'}\n"
    matrix = matrix.with_reasoner(blind).with_deals(deal("a")).captured().with_file("test_own.py", OVER_DEALS)
    outcome = matrix.gate("test_own.py")
    assert outcome.code == 1
    assert "the reasoner takes neither the deal nor its type" in outcome.text


REFUSED = [
    ('types=["carveot"]', "deal_type", "types has 'carveot': no such deal type. Did you mean \"carveout\"?"),
    ('domian=["a"]', "deal_type, domain", "unknown axis 'domian'"),
    ('domian=["a"]', "deal_type, domain", 'Did you mean "domain"? Valid: types, domain, size'),
    ('"carveout"', "deal_type", "'carveout' has no name: write types=[…], or an axis"),
    ('domain="network"', "deal_type, domain", "domain = 'network': must be a list of values"),
    ("domain=[]", "deal_type, domain", "domain = []: needs at least one value"),
    ("", "domain", "takes neither deal_type nor deal"),
    ("deal_type=['carveout']", "deal_type", "unknown axis 'deal_type'"),
]


@pytest.mark.parametrize(("marker", "arguments", "what"), REFUSED, ids=[f"{one[0]}" for one in REFUSED])
def test_what_is_wrong_with_a_marker_is_a_usage_error(matrix: Project, marker: str, arguments: str, what: str) -> None:
    """Exit status 4, naming the test, the value and what is valid."""
    source = f"import pytest\n\n@pytest.mark.deal_matrix({marker})\ndef test_it({arguments}):\n    pass\n"
    outcome = matrix.with_file("test_own.py", source).run()
    assert outcome.code == 4, outcome.text
    assert "test_own.py::test_it: @pytest.mark.deal_matrix: " in outcome.text
    assert what in outcome.text


def test_a_wrong_marker_is_red_in_workers_too(matrix: Project) -> None:
    """Under xdist, where a worker cannot end the run, its module fails to be collected."""
    source = "import pytest\n\n@pytest.mark.deal_matrix(types=['x'])\ndef test_it(deal_type):\n    pass\n"
    outcome = matrix.with_file("test_own.py", source).run("-n", "1")
    assert outcome.code not in (0, 3, 5)
    assert "types has 'x': no such deal type" in outcome.text
