"""What the user asked for, from flags, environment and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import DEFAULT_METRICS, Config, MetricSpec
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.settings import SETTINGS, Setting

SCALARS = [setting for setting in SETTINGS if setting.scalar]


def load(root: Path, *, cwd: Path | None = None, environ: dict[str, str] | None = None, **flags: Any) -> Config:
    """Return the configuration of the project at *root*."""
    return load_config(root, flags=flags, environ=environ or {}, cwd=cwd)


def write(root: Path, text: str, name: str = "pyproject.toml") -> None:
    """Write a configuration file."""
    (root / name).write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """The defaults are the design's."""
    config = load(tmp_path)
    assert (config.database, config.reasoner, config.snapshots) == (None, None, tmp_path / "snapshots")
    assert (config.timeout, config.progress, config.metrics) == (None, 10.0, DEFAULT_METRICS)
    assert (config.deals.table, config.deals.id, config.deals.name, config.deals.type) == (
        "deals",
        "id",
        "name",
        "deal_type",
    )
    assert config.deals.types == ("acquisition", "carveout", "divestiture")
    assert (config.deals.default_type, config.deals.aliases, config.deals.where) == ("acquisition", {}, "")
    assert (config.deals.missing, config.deals.new, config.deals.source) == ("fail", "skip", None)
    assert (config.output.record, config.output.drop) == ("full", ())
    assert (config.verdict.fix_forward_below, config.verdict.roll_back_above, config.verdict.min_compared) == (
        10,
        50,
        100,
    )
    assert (config.rehearsal.flag_off, config.rehearsal.flag_on, config.rehearsal.database_env) == (
        "false",
        "true",
        "DATABASE_URL",
    )
    assert (config.rules, config.matrix_axes, config.matrix_rules, config.places) == ({}, {}, {}, {})
    assert config.place("database") == "default"


FULL = """
{0}database = "sqlite:///x.db"
[{1}deals]
table = "crm.deals"
types = ["acquisition", "merger"]
aliases = {{ takeover = "acquisition" }}
[{1}metrics]
margin = "margin"
text = {{ path = "narrative", max_chars = 9 }}
[{1}rules.merger]
margin = "within 5%"
[{1}rules."*"]
"*" = "ignore"
[{1}output]
drop = ["at"]
[{1}verdict]
min_compared = 95
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", FULL.format("[tool.dealsnap]\n", "tool.dealsnap.")),
        ("dealsnap.toml", FULL.format("", "")),
        ("dealsnap.toml", FULL.format("[tool.dealsnap]\n", "tool.dealsnap.")),
    ],
    ids=["pyproject", "plain", "tables"],
)
def test_both_files_in_both_forms(tmp_path: Path, name: str, text: str) -> None:
    """The same tables stand in pyproject.toml, or in dealsnap.toml with or without their prefix."""
    write(tmp_path, text, name)
    config = load(tmp_path)
    assert config.database == "sqlite:///x.db"
    assert config.deals.table == "crm.deals"
    assert config.deals.types == ("acquisition", "merger")
    assert config.deals.aliases == {"takeover": "acquisition"}
    assert [(m.name, m.path, m.max_chars) for m in config.metrics] == [
        ("margin", "margin", None),
        ("text", "narrative", 9),
    ]
    assert isinstance(config.metrics[0], MetricSpec)
    assert config.rules == {"merger": {"margin": "within 5%"}, "*": {"*": "ignore"}}
    assert config.output.drop == ("at",)
    assert config.verdict.min_compared == 95.0
    assert config.place("deals.table").startswith(f"{name}, [")
    assert config.place("deals.table").endswith("] table")


def test_a_pyproject_of_other_tools_is_no_configuration(tmp_path: Path) -> None:
    """A pyproject.toml without our table leaves the word to dealsnap.toml."""
    write(tmp_path, "[tool.other]\nx = 1\n")
    write(tmp_path, 'database = "sqlite:///x.db"\n', "dealsnap.toml")
    assert load(tmp_path).database == "sqlite:///x.db"


def test_two_configurations_are_one_too_many(tmp_path: Path) -> None:
    """Which of two files counts is not guessed."""
    write(tmp_path, "[tool.dealsnap]\n")
    write(tmp_path, "", "dealsnap.toml")
    with pytest.raises(
        ConfigError, match=r"configures dealsnap twice, in pyproject\.toml and in dealsnap\.toml: keep one"
    ):
        load(tmp_path)


def test_two_forms_in_one_file_are_refused(tmp_path: Path) -> None:
    """A key beside [tool.dealsnap] in dealsnap.toml would be passed over in silence."""
    write(tmp_path, 'database = "sqlite:///x.db"\n[tool.dealsnap]\ntimeout = 5\n', "dealsnap.toml")
    with pytest.raises(ConfigError, match="database"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[deals]\ntabel = 1\n", "dealsnap.toml, [deals] tabel: unknown key"),
        ("databse = 1\n", "dealsnap.toml, databse: unknown key"),
        ("[tool.dealsnap.deals]\ntabel = 1\n", "dealsnap.toml, [tool.dealsnap.deals] tabel: unknown key"),
        ("[tool.dealsnap]\ndatabse = 1\n", "dealsnap.toml, [tool.dealsnap] databse: unknown key"),
    ],
)
def test_a_place_is_written_as_it_stands_in_the_file(tmp_path: Path, text: str, place: str) -> None:
    """An error can be searched for in the file that it is about."""
    write(tmp_path, text, "dealsnap.toml")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(place)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are an error in words."""
    (tmp_path / "dealsnap.toml").write_bytes(b"database = '\xff'")
    with pytest.raises(ConfigError, match=r"dealsnap\.toml is not valid TOML"):
        load(tmp_path)


def sample(setting: Setting, number: int) -> tuple[Any, Any]:
    """Return a valid value for *setting* as a flag or a variable gives it, and as the configuration has it."""
    if setting.choices:
        choice = setting.choices[number % len(setting.choices)]
        return choice, choice
    if setting.kind is bool:
        return ("true", "false", "true")[number], number != 1
    if setting.kind is int:
        return str(5000 + number), 5000 + number
    if setting.kind is float:
        value = max(20.0, setting.minimum or 0) + number
        return f"{value:g}", value
    if setting.name == "deals.default_type":
        kind = ("acquisition", "carveout", "divestiture")[number]
        return kind, kind
    return f"v{number}", f"v{number}"


def value_of(config: Config, setting: Setting, root: Path) -> Any:
    """Return what the configuration has for *setting*."""
    value = getattr(getattr(config, setting.section) if setting.section else config, setting.key)
    return value.name if isinstance(value, Path) and value.parent == root else value


@pytest.mark.parametrize("setting", SCALARS, ids=lambda setting: setting.name)
def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path, setting: Setting) -> None:
    """For every scalar setting, with the place that its value came from."""
    assert value_of(load(tmp_path), setting, tmp_path) == setting.default
    header = f"[tool.dealsnap.{setting.section}]" if setting.section else "[tool.dealsnap]"
    in_file = sample(setting, 0)[1]
    write(tmp_path, f"{header}\n{setting.key} = {json.dumps(in_file)}\n")
    config = load(tmp_path, cwd=tmp_path)
    assert value_of(config, setting, tmp_path) == in_file
    assert config.place(setting.name) == f"pyproject.toml, {header} {setting.key}"
    variable, expected = sample(setting, 1)
    environ = {setting.environment: variable}
    config = load(tmp_path, cwd=tmp_path, environ=environ)
    assert value_of(config, setting, tmp_path) == expected
    assert config.place(setting.name) == setting.environment
    flag, expected = sample(setting, 2)
    config = load(tmp_path, cwd=tmp_path, environ=environ, **{setting.name: flag})
    assert value_of(config, setting, tmp_path) == expected
    assert config.place(setting.name) == setting.flag
    assert value_of(load(tmp_path, cwd=tmp_path, environ={setting.environment: ""}), setting, tmp_path) == in_file


@pytest.mark.parametrize(
    ("flags", "environ", "what"),
    [
        ({"timeout": "soon"}, {}, "--dealsnap-timeout = 'soon': must be a number"),
        ({"timeout": "0"}, {}, "--dealsnap-timeout = 0.0: must be at least 0.001"),
        ({"timeout": "nan"}, {}, "--dealsnap-timeout = 'nan': must be a number"),
        ({"timeout": "inf"}, {}, "--dealsnap-timeout = 'inf': must be a number"),
        ({"output.max_bytes": "1e6"}, {}, "--dealsnap-output-max-bytes = '1e6': must be a whole number"),
        (
            {"deals.new": "fial"},
            {},
            """--dealsnap-deals-new = 'fial': must be one of "skip", "fail". Did you mean "fail"?""",
        ),
        ({"deals.default_type": "merger"}, {}, "--dealsnap-deals-default-type = 'merger': not one of deals.types"),
        ({}, {"DEALSNAP_TIMEOUT": "soon"}, "DEALSNAP_TIMEOUT = 'soon': must be a number"),
        ({}, {"DEALSNAP_VERDICT_MIN_COMPARED": "200"}, "DEALSNAP_VERDICT_MIN_COMPARED = 200.0: must be from 0 to 100"),
        (
            {},
            {"DEALSNAP_DATABSE": "x"},
            'environment variable DEALSNAP_DATABSE: unknown. Did you mean "DEALSNAP_DATABASE"?',
        ),
        (
            {},
            {"DEALSNAP_DEAL_TABLE": "x"},
            'environment variable DEALSNAP_DEAL_TABLE: unknown. Did you mean "DEALSNAP_DEALS_TABLE"?',
        ),
    ],
)
def test_a_bad_flag_or_variable(tmp_path: Path, flags: dict[str, Any], environ: dict[str, str], what: str) -> None:
    """The error names the flag or the variable."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ=environ, **flags)
    assert str(caught.value).startswith(what)


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    """A variable that merely begins like ours, and resembles none, is somebody else's."""
    config = load(tmp_path, environ={"DEALSNAP_CI_JOB": "7", "PATH": "x", "DEALSNAP_": ""})
    assert not [place for place in config.places.values() if place.startswith("DEALSNAP_")]


def test_an_unknown_variable_is_told_without_its_value(tmp_path: Path) -> None:
    """With the nearest one that is known; one that lacks its section sets nothing, and is refused."""
    config = load(tmp_path, environ={"DEALSNAP_DATABASE_PASSWORD": "hunter2", "DEALSNAP_CI_JOB": "7"})
    assert config.unknown_variables == (
        "environment variable DEALSNAP_CI_JOB is unknown and has no effect.",
        "environment variable DEALSNAP_DATABASE_PASSWORD is unknown and has no effect. "
        'Did you mean "DEALSNAP_DATABASE"?',
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ={"DEALSNAP_TABLE": "hunter2"})
    assert str(caught.value) == 'environment variable DEALSNAP_TABLE: unknown. Did you mean "DEALSNAP_DEALS_TABLE"?'


def test_relative_paths_are_relative_to_where_they_were_written(tmp_path: Path) -> None:
    """Those of the file to the rootdir, those of flags and environment to the working directory."""
    here = tmp_path / "here"
    write(tmp_path, '[tool.dealsnap]\nsnapshots = "base"\ndatabase = "sqlite:///x.db"\n')
    config = load(tmp_path, cwd=here)
    assert (config.snapshots, config.database_folder) == (tmp_path / "base", tmp_path)
    config = load(tmp_path, cwd=here, environ={"DEALSNAP_SNAPSHOTS": "env"}, database="sqlite:///y.db")
    assert (config.snapshots, config.database_folder) == (here / "env", here)
    assert load(tmp_path, cwd=here, snapshots="/abs").snapshots == Path("/abs")
    assert load(tmp_path).root == tmp_path


def test_a_setting_has_a_flag_and_a_variable_named_after_it() -> None:
    """The names that people and CI jobs rely on."""
    named = {setting.name: (setting.flag, setting.environment) for setting in SCALARS}
    assert named["database"] == ("--dealsnap-database", "DEALSNAP_DATABASE")
    assert named["deals.default_type"] == ("--dealsnap-deals-default-type", "DEALSNAP_DEALS_DEFAULT_TYPE")
    assert named["verdict.min_compared"] == ("--dealsnap-verdict-min-compared", "DEALSNAP_VERDICT_MIN_COMPARED")
    assert len({flag for flag, _ in named.values()}) == len(named)
    assert "deals.types" not in named
    assert named["rehearsal.flag"] == ("--dealsnap-rehearsal-flag", "DEALSNAP_REHEARSAL_FLAG")
    assert "matrix.rules" not in named


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with modules to import from."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in {
        "own_good": "def run(): pass\nclass Engine:\n    def run(self): pass\nanswer = 42\n",
        "own_lacks": "import no_such_dependency\n",
        "own_raises": "raise OSError('postgresql://ana:s3cret@db/x is down')\n",
        "own_exits": "raise SystemExit(3)\n",
        "own_syntax": "def (\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize("spec", ["own_good:run", "own_good:Engine", "own_good:Engine.run"])
def test_a_callable_is_imported(project: Path, spec: str) -> None:
    """A function, a class, or an attribute of one."""
    assert callable(import_object(spec, root=project, place="reasoner"))


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("own_good", 'must name a callable as "package.module:name"'),
        (":run", 'must name a callable as "package.module:name"'),
        ("own_good:", 'must name a callable as "package.module:name"'),
        ("", 'must name a callable as "package.module:name"'),
        ("no_such_module:run", "no module named 'no_such_module' (looked from {root})"),
        ("own_good.below:run", "no module named 'own_good.below'"),
        ("own_lacks:run", "no module named 'no_such_dependency'"),
        ("own_raises:run", "importing own_raises raised OSError: postgresql://ana:***@db/x is down"),
        ("own_exits:run", "importing own_exits raised SystemExit: 3"),
        ("own_syntax:run", "importing own_syntax raised SyntaxError: "),
        ("own_good:rnu", "own_good has no 'rnu'. Did you mean \"run\"?"),
        ("own_good:Engine.rnu", "own_good has no 'Engine.rnu'. Did you mean \"run\"?"),
        ("own_good:answer", "is int, which cannot be called"),
        (".own_good:run", "importing .own_good raised TypeError"),
    ],
)
def test_what_cannot_be_imported(project: Path, spec: str, what: str) -> None:
    """The error shows the value, the setting's place, and what went wrong, without secrets."""
    with pytest.raises(ConfigError) as caught:
        import_object(spec, root=project, place="pyproject.toml, [tool.dealsnap] reasoner")
    assert str(caught.value).startswith(f"pyproject.toml, [tool.dealsnap] reasoner = {spec!r}: ")
    assert what.format(root=project) in str(caught.value)


def test_a_metric_has_a_rank(tmp_path: Path) -> None:
    """A rank is a whole number above 0."""
    write(tmp_path, '[metrics]\nfee = { path = "fee", rank = 1 }\n', "dealsnap.toml")
    assert [(metric.name, metric.rank, metric.max_chars) for metric in load(tmp_path).metrics] == [("fee", 1, None)]
    for wrong in ("0", "true", '"1"', "1.0"):
        write(tmp_path, f'[metrics]\nfee = {{ path = "fee", rank = {wrong} }}\n', "dealsnap.toml")
        with pytest.raises(ConfigError, match=r"metrics\] fee: rank = .* must be a whole number above 0"):
            load(tmp_path)
