"""The shape of the code: which room may import which, and what a plain pytest run imports."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_dealsnap.deals import dialects

ROOT = Path(__file__).parents[1]
PACKAGE = "pytest_dealsnap"
# One way: a room may import those of lower rank, and rooms of its own rank.
RANKS = {
    "_compat": 0,
    "secrets": 0,
    "text": 0,
    "model": 0,
    "toml_text": 0,
    "errors": 0,
    "settings": 0,
    "config": 0,
    "config_reading": 0,
    "callables": 0,
    "hookspecs": 0,
    "extensions": 0,
    "judging": 1,
    "causes": 2,
    "deals": 2,
    "reasoning": 2,
    "baseline": 2,
    "pipeline": 3,
    "reporting": 4,
    "rehearsal": 5,
    "plugin": 6,
    "cli": 6,
}
# What users import may use any room below the rehearsal; the package itself, and its -m, are glue.
OTHER_ROOMS = {"testing": 5, "__init__": 0, "__main__": 7}
GATES = {
    "pytest": {"plugin"},
    "_pytest": {"_compat"},
    "xdist": {"plugin"},
    "syrupy": {"baseline.extension"},
    "sqlalchemy": {"deals", "rehearsal"},
    "alembic": {"rehearsal"},
    "hypothesis": {"testing"},
    "deepdiff": {"judging"},
    "jinja2": {"reporting.html_report"},
    "jmespath": {"judging"},
    "msgspec": {"model"},
    "orjson": {"reasoning.quick_json"},
    "rapidfuzz": {"judging"},
    "shtab": {"cli.completion"},
    "tomlkit": {"baseline.ledger_writing", "cli.configuration_file"},
    "sqlglot": {"deals.check_constraints", "deals.conditions"},
    "pluggy": {"extensions"},
    "psycopg": {"deals.dialects.postgresql_values"},
    "psycopg2": {"deals.dialects.postgresql_values"},
    "pg8000": {"deals.dialects.postgresql_values"},
    "django": {"deals.reasoner_database"},  # imported only where the application has done so
}
STANDARD_ONLY = ("secrets", "text", "toml_text", "errors", "settings", "config", "config_reading", "callables")
SINGLE_MODULES = ("_compat", *STANDARD_ONLY, "hookspecs", "extensions")


@dataclass(frozen=True, slots=True)
class Import:
    """One import: who imports what, whether when the module is loaded, and whether for type checking only."""

    importer: str
    imported: str
    at_load: bool
    typing_only: bool


def module_name(path: Path) -> str:
    """Return the dotted name of a module below the package, ``""`` for the package itself."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in (ROOT / PACKAGE).rglob("*.py")}


def is_typing_guard(node: ast.If) -> bool:
    """Whether *node* is ``if TYPE_CHECKING:``."""
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports_of(importer: str, tree: ast.AST, *, at_load: bool = True, typing_only: bool = False) -> Iterator[Import]:
    """Yield every import below *tree*."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, at_load, typing_only)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer} imports relatively"
            base = str(node.module)
            for alias in node.names:
                dotted = f"{base}.{alias.name}"
                yield Import(
                    importer, dotted if dotted.removeprefix(f"{PACKAGE}.") in MODULES else base, at_load, typing_only
                )
        elif not isinstance(node, ast.expr):
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            guarded = isinstance(node, ast.If) and is_typing_guard(node)
            yield from imports_of(importer, node, at_load=at_load and not inside, typing_only=typing_only or guarded)


def all_imports() -> list[Import]:
    """Return every import of the package."""
    return [
        one
        for name, path in MODULES.items()
        for one in imports_of(name, ast.parse(path.read_text(encoding="utf-8"), str(path)))
    ]


IMPORTS = all_imports()
OWN = [one for one in IMPORTS if one.imported.split(".")[0] == PACKAGE]


def room(module: str) -> str:
    """Return the room that a module of ours is in."""
    return module.removeprefix(PACKAGE).removeprefix(".").split(".")[0] or "__init__"


def test_the_imports_were_found() -> None:
    """The tests below look at something."""
    assert len(MODULES) > 35
    assert Import("judging.verdict", f"{PACKAGE}.model.results", True, False) in IMPORTS
    assert any(not one.at_load for one in OWN)
    assert any(one.typing_only for one in OWN)


def test_every_module_is_in_a_room() -> None:
    """A new room needs a place in the order."""
    assert {room(name) for name in MODULES} <= {*RANKS, *OTHER_ROOMS}


def test_rooms_import_one_way() -> None:
    """Errors ← judging ← causes, deals, reasoning, baseline ← pipeline ← reporting ← rehearsal ← plugin, cli."""
    ranks = {**RANKS, **OTHER_ROOMS}
    upward = [
        f"{one.importer} imports {one.imported}"
        for one in OWN
        if not one.typing_only and ranks[room(one.imported)] > ranks[room(one.importer)]
    ]
    assert upward == []


@pytest.mark.parametrize(
    ("who", "never"), [("cli", "plugin"), ("plugin", "cli"), ("plugin", "testing"), ("cli", "testing")]
)
def test_rooms_that_never_import_each_other(who: str, never: str) -> None:
    """The console script does without pytest's side, and the other way round."""
    assert [one for one in OWN if room(one.importer) == who and room(one.imported) == never] == []


def test_one_gate_for_each_third_party_package() -> None:
    """Syrupy in one module, pytest in plugin, SQLAlchemy where databases are, and so on."""
    outside = []
    for one in IMPORTS:
        top = one.imported.split(".")[0]
        allowed = GATES.get(top)
        if allowed is None or one.typing_only:
            continue
        if not any(one.importer == gate or one.importer.startswith(f"{gate}.") for gate in allowed):
            outside.append(f"{one.importer} imports {one.imported}")
    assert outside == []


# Private names of packages that `_compat` is not for, and of the standard library.
PRIVATE_NAMES_KNOWN = {
    "deals.columns": {"_type_bound"},  # SQLAlchemy: whether a CHECK came with a type
    "deals.exact_values": {"_json_deserializer"},  # SQLAlchemy: the one place to give a driver's JSON its reader
    "deals.value_kinds": {"_has_bind_processor", "_has_result_processor"},  # SQLAlchemy: what a type converts
    "deals.dialects.postgresql": {"_backend_key_data"},  # pg8000: the session's key
    "deals.dialects.postgresql_values": {"_array_in", "_multirange_in", "_range_in"},  # pg8000: its own readers
    "reasoning.copies": {"_processes"},  # concurrent.futures
    "plugin.hooks": {"_getframe"},  # sys
    "rehearsal.guard": {"_getframe"},
    "reasoning.process_guard": {"_getframe"},  # sys
    "rehearsal.guard_drivers": {"_connect", "_database", "_db", "_host", "_port", "_unix_socket"},  # drivers of others
}


def private_names(tree: ast.AST) -> set[str]:
    """Return the private names that *tree* uses of others: it does not define them itself."""
    own: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute):
            mine = isinstance(node.ctx, ast.Store) and ast.unparse(node.value) in ("self", "cls")
            (own if mine else used).add(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr"):
            used |= {str(one.value) for one in node.args[1:2] if isinstance(one, ast.Constant)}
    return {name for name in used - own if re.match(r"_[a-z]", name)}


def test_private_names_of_others_stand_in_one_module() -> None:
    """A release of pytest, syrupy, xdist or jmespath that changes a private name is met in ``_compat``."""
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items() if name != "_compat"}
    found = {name: private_names(tree) for name, tree in trees.items()}
    assert {name: names for name, names in found.items() if names} == PRIVATE_NAMES_KNOWN
    constants = [
        (name, node.value)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [(name, text) for name, text in constants if text.startswith("_pytest")] == []


def test_no_class_overrides_a_private_name_of_a_library() -> None:
    """Only ``_compat`` does, and classes inherit from it; ``_func_…`` is how JMESPath documents functions."""
    overridden = []
    libraries = {"pytest", "syrupy", "jmespath"}
    for name in {one.importer for one in IMPORTS if one.imported.split(".")[0] in libraries and not one.typing_only}:
        module = importlib.import_module(f"{PACKAGE}.{name}")
        for made in vars(module).values():
            if isinstance(made, type) and made.__module__ == module.__name__:
                others = [base for base in made.__mro__[1:] if not base.__module__.startswith(PACKAGE)]
                private = [attribute for attribute in vars(made) if re.match(r"_(?!_|func_|abc_impl)", attribute)]
                overridden += [
                    f"{name}.{made.__name__}.{attribute}"
                    for attribute in private
                    if any(attribute in vars(base) for base in others)
                ]
    assert overridden == []


def test_every_third_party_package_has_a_gate() -> None:
    """Nothing else is imported than the standard library and what pyproject.toml names."""
    known = {*sys.stdlib_module_names, *GATES, PACKAGE}
    assert sorted({one.imported for one in IMPORTS if one.imported.split(".")[0] not in known}) == []


@pytest.mark.parametrize("module", STANDARD_ONLY)
def test_the_lowest_modules_need_the_standard_library_only(module: str) -> None:
    """Every room may import them, and plain pytest does."""
    own = {f"{PACKAGE}.{name}" for name in STANDARD_ONLY}
    used = {one.imported for one in IMPORTS if one.importer == module}
    assert {name for name in used if name not in own and name.split(".")[0] not in sys.stdlib_module_names} == set()


def test_there_are_no_import_cycles() -> None:
    """No module is loaded while it is loading, whichever is imported first."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for one in OWN:
        target = one.imported.removeprefix(PACKAGE).removeprefix(".")
        if one.at_load and not one.typing_only and target in graph and target != one.importer:
            graph[one.importer].add(target)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path[path.index(name) :], name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


HEAVY = (
    "sqlalchemy",
    "sqlglot",
    "jinja2",
    "jmespath",
    "msgspec",
    "deepdiff",
    "orjson",
    "rapidfuzz",
    "hypothesis",
    "syrupy",
    "xdist.scheduler",
    "alembic",
    "numpy",
)
LIGHT = {
    "",
    ".errors",
    ".extensions",
    ".hookspecs",
    ".secrets",
    ".settings",
    ".text",
    ".plugin",
    ".plugin.options",
    ".plugin.fixtures",
}
PROBE = """
import sys
def pytest_unconfigure(config):
    print("\\nLOADED", *sorted(sys.modules))
"""


def test_plain_pytest_pays_for_nothing(tmp_path: Path) -> None:
    """With the plugin installed and unused, only its flags and fixtures are imported."""
    (tmp_path / "test_empty.py").write_text("def test_nothing(): pass\n")
    (tmp_path / "conftest.py").write_text(PROBE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:hypothesispytest",
            "-p",
            "no:syrupy",
            "-p",
            "no:cacheprovider",
            "-q",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    [line] = [line for line in run.stdout.splitlines() if line.startswith("LOADED ")]
    loaded = line.split()[1:]
    assert {name.removeprefix(PACKAGE) for name in loaded if name.split(".")[0] == PACKAGE} == LIGHT
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_no_module_name_stands_twice() -> None:
    """A name says one room: `plugin/calls.py` beside `reasoning/calls.py` would be looked for in both."""
    names = [name.rpartition(".")[2] for name, path in MODULES.items() if path.name != "__init__.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


@pytest.mark.parametrize("side", ["plugin.hooks", "cli"])
def test_no_writer_is_imported_before_its_format_is_asked_for(side: str) -> None:
    """Nor by the list of formats; a writer that is used brings no other format's rehearsal."""
    code = (
        f"import sys; import {PACKAGE}.{side}; from {PACKAGE}.reporting.writers import formats, writer_of; "
        "assert 'html' in formats(); "
        "wanted = lambda: {n for n in sys.modules if n.startswith('pytest_dealsnap.reporting.')"
        " and (n.endswith('_report') or n.rpartition('.')[2] in {'rehearsal_' + f for f in formats()})}; "
        "print(*sorted(wanted())); writer_of('openmetrics'); print(*sorted(wanted()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["", f"{PACKAGE}.reporting.openmetrics_report"]


# The guard runs in interpreters of the user's that have no package of ours, and these speak with it in its names.
GUARD = {
    "rehearsal.clients",
    "rehearsal.guard",
    "rehearsal.guard_drivers",
    "rehearsal.guard_targets",
    "rehearsal.protection",
    "rehearsal.sessions",
}
NAMES_DIALECT = {
    "reasoning.environment": "modules of drivers, recognized by their exceptions where SQLAlchemy may not be loaded",
    "rehearsal.mysql_copy": "the client programs, which have the names of their databases",
    "cli.migration_tools": "the command line of each database, beginning with its name",
    "cli.clean": "whether a server is to be asked at all; else SQLAlchemy is not loaded",
}
KNOWN = re.compile(rf"({'|'.join(sorted(dialects._BY_NAME))})(\+\w*|:[/\w:.]*)?")


def names_of_dialects(tree: ast.AST) -> set[str]:
    """Return the names of databases that *tree* holds as strings or imports SQLAlchemy's parts of."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    imported = [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return {text for text in texts if KNOWN.fullmatch(text)} | {
        name for name in imported if name.startswith("sqlalchemy.dialects")
    }


@pytest.mark.parametrize(
    "branch",
    [
        'if connection.dialect.name == "postgresql": ...',
        'url.startswith("sqlite:")',
        'QUESTIONS = {"mariadb": 1}',
        "from sqlalchemy.dialects.mysql import YEAR",
    ],
)
def test_a_branch_on_a_dialect_is_seen(branch: str) -> None:
    """The test below looks at something."""
    assert names_of_dialects(ast.parse(branch))


def test_only_a_dialects_module_names_it() -> None:
    """Whoever must know what a database can do asks its ``Dialect``: a new database is one module."""
    naming = {
        name
        for name, path in MODULES.items()
        if names_of_dialects(ast.parse(path.read_text(encoding="utf-8"))) and not name.startswith("deals.dialects")
    }
    assert naming == GUARD | NAMES_DIALECT.keys()


def test_no_other_databases_part_of_sqlalchemy_is_loaded() -> None:
    """SQLAlchemy's package for MySQL alone takes 80 ms; it is for those who read MySQL."""
    probe = (
        "import sys, pytest_dealsnap.deals.sql, pytest_dealsnap.deals.columns, pytest_dealsnap.rehearsal.phase_runner\n"
        "print(*sorted(name for name in sys.modules if name.startswith('sqlalchemy.dialects.')))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
