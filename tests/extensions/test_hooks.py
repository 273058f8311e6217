"""Hooks of a `conftest.py` and of plugins: each is called, and what cannot be used is a sentence."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from pytest_dealsnap import hookspecs
from tests.cli.console import dealsnap
from tests.extensions.installing import install
from tests.plugin.project import CONFIG, Project, deal

HOOKS = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("pytest_")]
RULES = """
from pytest_dealsnap import Finding, Rule


def pytest_dealsnap_rules():
    return {"never falls": never_falls, "at most {most} above": at_most, "holds": holds}


def never_falls():
    return lambda baseline, current, deal: current >= baseline


def at_most(most):
    def check(baseline, current, deal):
        return Finding("price", "too_high", baseline, current) if current > baseline + int(most) else True

    return check


def holds():
    return Rule("holds", lambda baseline, current, deal: "yes")
"""
WRITERS = """
class Ids:
    name = "ids"

    def render(self, run):
        return " ".join(result.id for result in run.results)

    def render_rehearsal(self, rehearsal):
        return rehearsal.database


class Broken(Ids):
    name = "broken"

    def render(self, run):
        raise OSError("no room")


class Odd(Ids):
    name = "odd"

    def render(self, run):
        return b"bytes"


def pytest_dealsnap_report_writers():
    yield from (Ids(), Broken(), Odd())
"""
SOURCE = """
def pytest_dealsnap_deal_source(config):
    assert config.deals.table == "transactions"
    return "records:every"
"""
RECORDS = """
def every():
    return [{"deal_no": "r1", "title": "Orion", "kind": "acquisition", "amount": 100}]
"""
CONVERTERS = """
from valuation import Money


def pytest_dealsnap_value_converters():
    return {Money: lambda money: [money.amount, "EUR"]}
"""
MONEY = """
class Money:
    def __init__(self, amount):
        self.amount = amount


class Rounded(Money):
    pass


def value(transaction):
    return {"offer": {"price": transaction["amount"]}, "risks": [], "fee": Money(5), "tax": {"due": Rounded(7)}}
"""


def ruled(rule: str) -> str:
    """Return the configuration with this rule of the price."""
    return CONFIG.replace('price = "within 5%"', f'price = "{rule}"')


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A captured project of two deals."""
    return Project(tmp_path / "firm").with_deals(deal("d1"), deal("d2")).captured()


def test_there_are_five_hooks() -> None:
    """Each is tested below, or in the tests of dialects: as many as are declared."""
    assert HOOKS == [
        "pytest_dealsnap_deal_source",
        "pytest_dealsnap_dialects",
        "pytest_dealsnap_report_writers",
        "pytest_dealsnap_rules",
        "pytest_dealsnap_value_converters",
    ]


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("never falls", {"d1": "regressed", "d2": "changed"}),
        ("at most 10 above", {"d1": "changed", "d2": "regressed"}),
    ],
)
def test_rules_of_a_conftest_judge_by_name(project: Project, rule: str, statuses: dict[str, str]) -> None:
    """Also under workers, and again from a report."""
    changed = project.with_deals(deal("d1", amount=90), deal("d2", amount=120)).with_file("conftest.py", RULES)
    outcome = changed.with_config(ruled(rule)).gate()
    assert outcome.statuses == statuses, outcome.text
    assert changed.with_config(ruled(rule)).gate("-n", "2").statuses == statuses


def test_a_rule_that_answers_something_else_fails_its_deals(project: Project) -> None:
    """As one of `module:callable` does; a metric that is lost fails before the rule is asked."""
    changed = project.with_deals(deal("d1", amount=None), deal("d2")).with_file("conftest.py", RULES)
    outcome = changed.with_config(ruled("holds")).gate()
    assert [finding["issue"] for finding in outcome.deal("d1")["findings"] if finding["gates"]] == ["price_lost"]
    moved = project.with_deals(deal("d1", amount=101), deal("d2")).with_file("conftest.py", RULES)
    outcome = moved.with_config(ruled("holds")).gate()
    [finding] = [finding for finding in outcome.deal("d1")["findings"] if finding["gates"]]
    assert "rule holds returned 'yes'; it must return True, False or a Finding" in finding["note"]


def test_formats_of_a_conftest_are_written_and_a_fault_costs_that_report_only(project: Project) -> None:
    """A report that is not written is exit 4; the verdict and the other reports are there."""
    wanted = [f"--dealsnap-report={name}:out.{name}" for name in ("ids", "broken", "odd", "markdown")]
    added = project.with_file("conftest.py", WRITERS)
    outcome = added.gate(*wanted)
    assert outcome.code == 4, outcome.text
    assert "the report format broken of" in outcome.text
    assert "raised OSError: no room" in outcome.text
    assert "returned bytes; it must return text" in outcome.text
    assert outcome.action == "proceed"
    assert (project.folder / "out.ids").read_text() == "d1 d2"
    assert (project.folder / "out.markdown").exists()
    assert not (project.folder / "out.odd").exists()
    assert added.gate("--dealsnap-report=ids:out.ids").code == 0


def test_the_command_line_says_that_it_imports_no_conftest(project: Project) -> None:
    """Beside a format or a rule that it does not know."""
    added = project.with_file("conftest.py", WRITERS + RULES).with_config(ruled("never falls"))
    assert added.gate().code == 0
    answer = dealsnap(project.folder, "report", "report.json", "--format", "ids")
    assert answer.code == 2
    said = "The command line does not import conftest.py: it finds entry points of the group dealsnap."
    assert said in answer.err
    answer = dealsnap(project.folder, "compare", "snapshots", "snapshots")
    assert answer.code == 2
    assert "unknown rule" in answer.err
    assert said in answer.err


def test_a_rehearsal_refuses_a_rule_that_it_does_not_know_before_any_work(project: Project) -> None:
    """The gate at its end judges in the command's process, which imports no conftest.py."""
    flagged = project.with_config(ruled("never falls")).with_settings('flag = "AWARE"', section="rehearsal")
    flagged.with_file("conftest.py", RULES).write()
    answer = dealsnap(project.folder, "rehearse")
    assert answer.code == 2, answer.out
    assert "unknown rule" in answer.err
    assert "The command line does not import conftest.py" in answer.err
    assert answer.out == ""


def test_deals_of_an_extension_where_the_configuration_names_none(tmp_path: Path) -> None:
    """Of a conftest.py for pytest; of an installed package for the command line, too."""
    config = CONFIG.replace('database = "sqlite:///book.db"\n', "")
    project = Project(tmp_path / "firm").with_config(config).with_file("records.py", RECORDS)
    assert "no database" in project.capture().text
    local = project.with_file("conftest.py", SOURCE)
    assert local.capture().code == 0
    assert local.gate().statuses == {"r1": "matched"}
    site = install(tmp_path / "site", "my_source", SOURCE)
    packaged = project.with_file("conftest.py", "").with_environment(PYTHONPATH=site)
    assert packaged.gate().statuses == {"r1": "matched"}
    assert dealsnap(project.folder, "prune", PYTHONPATH=site).code == 0
    assert "no database" in dealsnap(project.folder, "prune").err
    both = local.with_environment(PYTHONPATH=site).run("--dealsnap")
    assert both.code == 4
    assert "several sources of deals" in both.text
    odd = project.with_file("conftest.py", SOURCE.replace('"records:every"', "7")).run("--dealsnap")
    assert 'returned 7; it must return "package.module:callable" or None' in odd.text


def test_a_configured_database_is_never_replaced(project: Project) -> None:
    """The source of an extension is not even asked for."""
    raising = "def pytest_dealsnap_deal_source(config):\n    raise LookupError\n"
    assert project.with_file("conftest.py", raising).gate().code == 0


def test_values_are_converted_wherever_they_stand(tmp_path: Path) -> None:
    """Of a class and of its subclasses; without the converter the deal fails by the value's path."""
    project = Project(tmp_path).with_reasoner(MONEY).with_deals(deal("d1"))
    assert "at fee: valuation.Money has no canonical JSON form" in project.capture().text
    converted = project.with_file("conftest.py", CONVERTERS)
    assert converted.capture().code == 0
    output = project.snapshot("d1")["output"]
    assert (output["fee"], output["tax"]) == ([5, "EUR"], {"due": [7, "EUR"]})
    assert converted.gate().statuses == {"d1": "matched"}


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("def pytest_dealsnap_rules(): raise OSError('x')", "pytest_dealsnap_rules of bad raised OSError: x"),
        ("def pytest_dealsnap_rules(): return 7", "returned int; it must return a mapping"),
        ("def pytest_dealsnap_rules(): return {'2 up': 3}", "is no form and callable"),
        ("def pytest_dealsnap_rules(): return {'{x} up': print}", "is no form and callable"),
        ("def pytest_dealsnap_rules(): return {'odd': dict}", "unknown rule"),
        ("def pytest_dealsnap_rules(): return {'rare': lambda: 3}", "bad returned int, which cannot be called"),
        ("def pytest_dealsnap_rules(): return {'rare': lambda: 1 / 0}", "bad raised ZeroDivisionError"),
        ("def pytest_dealsnap_rules(): return {'{a}': 1}", "is no form and callable"),
        ("def pytest_dealsnap_rules(): return {'rare': dict, 'ra{x}': dict}", "is of several forms"),
        ("def pytest_dealsnap_rulez(): return {}", "unknown hook 'pytest_dealsnap_rulez'"),
        ("def pytest_dealsnap_rules(config): return {}", "pytest_dealsnap_rules"),
        (
            "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_dealsnap_rules(): return (yield)",
            "pytest_dealsnap_rules of bad is a wrapper",
        ),
        ("raise SystemExit(3)", "cannot be loaded: SystemExit: 3"),
    ],
)
def test_an_extension_that_cannot_be_used_is_a_usage_error(project: Project, hook: str, said: str) -> None:
    """It is named, and what is wrong with it; under pytest and for the command line alike."""
    site = install(project.folder / "site", "bad", hook + "\n")
    bad = project.with_config(ruled("rare")).with_environment(PYTHONPATH=site)
    outcome = bad.run("--dealsnap")
    assert outcome.code == 4, outcome.text
    assert said in outcome.text
    answer = dealsnap(project.folder, "compare", "snapshots", "snapshots", PYTHONPATH=site)
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("return 7", "returned int; it must return writers"),
        ("return [7]", "int is no writer: it needs a name, render(run) and render_rehearsal(rehearsal)"),
        (
            "from types import SimpleNamespace as S; return [S(name='json', render=id, render_rehearsal=id)]",
            "the report format json is added by bad, and is one of dealsnap itself",
        ),
    ],
)
def test_a_writer_that_cannot_be_used_is_a_usage_error(project: Project, hook: str, said: str) -> None:
    """Where a format is asked for that is not built in."""
    site = install(project.folder / "site", "bad", f"def pytest_dealsnap_report_writers(): {hook}\n")
    outcome = project.with_environment(PYTHONPATH=site).run("--dealsnap", "--dealsnap-report", "x:y")
    assert outcome.code == 4, outcome.text
    assert said in outcome.text


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("return 7", "returned int; it must return a mapping"),
        ("return {7: str}", "7: <class 'str'> is no class and callable"),
        ("return {dict: str}", "dict has a form of its own"),
        ("from valuation import Money; return {Money: lambda money: money.nothing}", "Money raised AttributeError"),
    ],
)
def test_a_converter_that_cannot_be_used_fails_the_deal(tmp_path: Path, hook: str, said: str) -> None:
    """No output is recorded by it."""
    text = f"def pytest_dealsnap_value_converters(): {hook}\n"
    project = Project(tmp_path).with_reasoner(MONEY).with_deals(deal("d1")).with_file("conftest.py", text)
    outcome = project.capture()
    assert outcome.code == 1, outcome.text
    assert said in outcome.text
    assert not any(b'"output"' in data for data in project.snapshots().values())


def test_an_entry_point_can_be_turned_off(project: Project) -> None:
    """`-p no:NAME` turns an extension off, as it does plugins."""
    site = install(project.folder / "site", "my_rules", RULES)
    ruled_by_name = project.with_config(ruled("never falls")).with_environment(PYTHONPATH=site)
    assert ruled_by_name.run("--dealsnap").code == 0
    assert "unknown rule" in ruled_by_name.run("--dealsnap", "-p", "no:my_rules").text


def test_a_plugin_that_is_both_is_asked_once(project: Project) -> None:
    """A module that is a pytest plugin and an entry point of dealsnap adds its rules once."""
    site = install(project.folder / "site", "my_rules", RULES)
    both = project.with_config(ruled("never falls")).with_environment(PYTHONPATH=site)
    assert both.run("--dealsnap", "-p", "my_rules").code == 0
    twice = both.with_file("conftest.py", RULES).run("--dealsnap")
    assert "is added twice: by" in twice.text
