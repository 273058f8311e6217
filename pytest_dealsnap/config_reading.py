"""Reading the configuration: ``[tool.dealsnap]``, the environment and the flags, checked once.

Precedence is flag, environment, file, default. A value remembers where it came from, so that an
error can show it. Only the standard library is used here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import (
    DEFAULT_METRICS,
    RESERVED_METRICS,
    AgainstConfig,
    CallsConfig,
    CaptureConfig,
    Config,
    DealsConfig,
    MetricSpec,
    NoiseConfig,
    OutputConfig,
    RehearsalConfig,
    ReplayConfig,
    VerdictConfig,
)
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.secrets import remember_environment, remember_url
from pytest_dealsnap.settings import SETTINGS, Setting, checked
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["load_config", "reasoner_in", "with_tables"]

_METRIC_KEYS = ("path", "max_chars", "rank")
_FREE_TABLES = ("metrics", "rules", "portfolio")  # whose keys are the user's
_SECTIONS = ("output", "capture", "rehearsal", "matrix", "calls", "noise", "portfolio", "replay", "against", "verdict")
_TABLES = ("deals", "errors", "metrics", "rules", *_SECTIONS)


def load_config(root: Path, *, flags: Mapping[str, Any], environ: Mapping[str, str], cwd: Path | None = None) -> Config:
    """Read the configuration of the project at *root*.

    *flags* maps setting names (``deals.table``) to values given on the command line. Relative
    paths of the file are relative to *root*, those of flags and environment to *cwd*.

    Raises :class:`ConfigError`, naming value, place and what is valid.
    """
    remember_environment(environ)
    file, table = _read_file(root)
    unknown = _unknown_variables(environ)
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    _check_keys(table, file)
    for setting in SETTINGS:
        for value, place in _candidates(setting, flags, environ, table, file):
            if setting.name == "database" and isinstance(value, str):
                remember_url(value)
            values[setting.name] = checked(setting, value, place)
            places[setting.name] = place
            break
        else:
            values[setting.name] = setting.default
    return replace(
        _assemble(root, cwd or Path.cwd(), file, table, values, places), values=values, unknown_variables=unknown
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A configuration file by its name, and what its headers begin with."""

    name: str
    prefix: str


def _read_file(root: Path) -> tuple[_File, dict[str, Any]]:
    """Return the configuration file and its dealsnap table."""
    found: list[tuple[_File, dict[str, Any]]] = []
    for name in ("pyproject.toml", "dealsnap.toml"):
        path = root / name
        if not path.is_file():
            continue
        try:
            document = parse_toml(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from None
        tool = document.get("tool", {})
        if not isinstance(tool, dict):
            raise ConfigError(f"{path}: tool must be a table, not {tool!r}")
        table, prefix = tool.get("dealsnap"), "tool.dealsnap"
        if name == "dealsnap.toml" and table is None:
            table, prefix = document, ""
        if table is not None:
            if not isinstance(table, dict):
                raise ConfigError(f"{path}: tool.dealsnap must be a table, not {table!r}")
            beside = [key for key in document if key != "tool"]
            if name == "dealsnap.toml" and prefix and beside:
                raise ConfigError(f"{path}: {beside[0]} stands beside [tool.dealsnap]: write all keys in one form")
            found.append((_File(name, prefix), table))
    if len(found) == 2:
        raise ConfigError(f"{root} configures dealsnap twice, in pyproject.toml and in dealsnap.toml: keep one of them")
    return found[0] if found else (_File("pyproject.toml", "tool.dealsnap"), {})


def reasoner_in(root: Path) -> tuple[str, str] | None:
    """Return the reasoner that the configuration file at *root* names, and where; ``None`` where it names none."""
    file, table = _read_file(root)
    named = table.get("reasoner")
    return (named, _where(file, "", "reasoner")) if isinstance(named, str) and named else None


def _where(file: _File, section: str, key: str) -> str:
    header = ".".join(part for part in (file.prefix, section) if part)
    return f"{file.name}, [{header}] {key}" if header else f"{file.name}, {key}"


def _check_keys(table: Mapping[str, Any], file: _File) -> None:
    tops = [setting.key for setting in SETTINGS if not setting.section]
    for key, value in table.items():
        if key in _TABLES:
            if not isinstance(value, dict):
                raise ConfigError(f"{_where(file, '', key)} = {value!r}: must be a table")
            if key not in _FREE_TABLES:
                _check_known(value, [s.key for s in SETTINGS if s.section == key], file, key)
        else:
            _check_known({key: value}, [*tops, *_TABLES], file, "")


def _check_known(table: Mapping[str, Any], valid: list[str], file: _File, section: str) -> None:
    for key in table:
        if key not in valid:
            raise ConfigError(
                f"{_where(file, section, key)}: unknown key.{did_you_mean(key, valid)} Valid: {', '.join(valid)}"
            )


def _unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what to say of unknown variables; their values, which may be secrets, are not shown.

    Raises :class:`ConfigError` for one that is nearly one of ours, or is named by the last part of one: what it
    sets would have no effect.
    """
    valid = {setting.environment: setting for setting in SETTINGS if setting.scalar}
    said = []
    for name in sorted(environ):
        if not name.startswith("DEALSNAP_") or name in valid:
            continue
        short = [long for long, one in valid.items() if name == f"DEALSNAP_{one.key.upper()}"]
        hint = f' Did you mean "{short[0]}"?' if short else did_you_mean(name, valid, cutoff=0.87)
        if hint:
            raise ConfigError(f"environment variable {name}: unknown.{hint}")
        hint = did_you_mean(name, valid, cutoff=0.75)
        said.append(f"environment variable {name} is unknown and has no effect.{hint}")
    return tuple(said)


def _candidates(
    setting: Setting, flags: Mapping[str, Any], environ: Mapping[str, str], table: Mapping[str, Any], file: _File
) -> Iterator[tuple[Any, str]]:
    if setting.scalar:
        if flags.get(setting.name) is not None:
            yield flags[setting.name], setting.flag
        if environ.get(setting.environment):
            yield environ[setting.environment], setting.environment
    section = table.get(setting.section, {}) if setting.section else table
    if setting.key in section:
        yield section[setting.key], _where(file, setting.section, setting.key)


def _assemble(
    root: Path, cwd: Path, file: _File, table: Mapping[str, Any], values: dict[str, Any], places: dict[str, str]
) -> Config:
    def section(name: str) -> dict[str, Any]:
        return {s.key: values[s.name] for s in SETTINGS if s.section == name}

    def base(name: str) -> Path:
        return cwd if places.get(name, "").startswith(("--", "DEALSNAP_")) else root

    deals = DealsConfig(**section("deals"))
    _check_types(deals, places)
    metrics = _metrics(table.get("metrics"), file, deals.types)
    rules = _rules(table.get("rules", {}), file, deals.types, [metric.name for metric in metrics])
    portfolio = _where(file, "portfolio", "").strip()
    verdict = VerdictConfig(**section("verdict"))
    if verdict.fix_forward_below > verdict.roll_back_above:
        raise ConfigError(
            f"verdict.fix_forward_below = {verdict.fix_forward_below:g} must not be above "
            f"verdict.roll_back_above = {verdict.roll_back_above:g}"
        )
    return Config(
        root=root,
        database=values["database"],
        database_folder=base("database"),
        trust_source=values["trust_source"],
        reasoner=values["reasoner"],
        snapshots=base("snapshots") / values["snapshots"],
        timeout=values["timeout"],
        workers=values["workers"],
        executor=values["executor"],
        progress=values["progress"],
        deals=deals,
        environment_errors=_exception_names(values["errors.environment"], places),
        metrics=metrics,
        rules=rules,
        output=OutputConfig(**section("output")),
        capture=CaptureConfig(**section("capture")),
        verdict=verdict,
        rehearsal=RehearsalConfig(**section("rehearsal")),
        matrix_axes=values["matrix.axes"],
        matrix_rules=values["matrix.rules"],
        calls=CallsConfig(**section("calls"), given="calls" in table),
        noise=NoiseConfig(**section("noise")),
        replay=ReplayConfig(**section("replay")),
        portfolio=dict(table.get("portfolio", {})),
        against=AgainstConfig(**section("against")),
        places=places | _rule_places(rules, file) | ({"portfolio": portfolio} if "portfolio" in table else {}),
    )


def _check_types(deals: DealsConfig, places: Mapping[str, str]) -> None:
    place = places.get("deals.types", "deals.types")
    valid = ", ".join(deals.types)
    if not deals.types:
        raise ConfigError(f"{place} = []: at least one deal type is needed")
    for name in deals.types:
        if not name.strip() or name == "*" or name.startswith("_") or not name.isprintable() or "[" in name:
            raise ConfigError(f"{place}: {name!r} cannot be a deal type")
    if len(set(deals.types)) != len(deals.types):
        raise ConfigError(f"{place} = {list(deals.types)!r}: a type stands there twice")
    if deals.default_type not in deals.types:
        where = places.get("deals.default_type", "deals.default_type (the default)")
        raise ConfigError(
            f"{where} = {deals.default_type!r}: not one of deals.types ({valid})."
            f"{did_you_mean(deals.default_type, deals.types)}"
        )
    for alias, target in deals.aliases.items():
        where = f"{places['deals.aliases']}.{alias}"
        if target not in deals.types:
            hint = did_you_mean(str(target), deals.types)
            raise ConfigError(f"{where} = {target!r}: not one of deals.types ({valid}).{hint}")
        if alias in deals.types:
            raise ConfigError(f"{where}: {alias!r} is a deal type itself and cannot be an alias")


def _exception_names(names: tuple[str, ...], places: Mapping[str, str]) -> tuple[str, ...]:
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigError(
                f"{places['errors.environment']}: {name!r} names no exception; write its dotted name, "
                'such as "httpx.ConnectError"'
            )
    return names


def _metrics(table: Mapping[str, Any] | None, file: _File, types: tuple[str, ...]) -> tuple[MetricSpec, ...]:
    if table is None:
        return DEFAULT_METRICS
    for name in table:
        _refuse_reserved(name, _where(file, "metrics", name), types)
    return tuple(_metric(name, value, _where(file, "metrics", name)) for name, value in table.items())


def _refuse_reserved(name: str, place: str, types: tuple[str, ...]) -> None:
    """Refuse a metric's name by which reports and the ledger would take it for something else."""
    if name in RESERVED_METRICS:
        raise ConfigError(f"{place}: {name!r} is a reserved name. Reserved: {', '.join(RESERVED_METRICS)}")
    ends = name.rpartition(": ")[2].split(" / ") if ": " in name else []
    if ends and all(end in types for end in ends):
        raise ConfigError(f"{place}: a name that ends in a deal type belongs to a rule between types. Give it another")


def with_tables(
    config: Config,
    *,
    place: str,
    metrics: Mapping[str, Any] | None,
    rules: Mapping[str, Mapping[str, str]] | None,
) -> Config:
    """Return *config* with a caller's own metrics and rules, checked as the file's are; ``None`` keeps what it has."""
    caller = _File(place, "")
    specs = config.metrics if metrics is None else _metrics(metrics, caller, config.deals.types)
    names = [metric.name for metric in specs]
    if rules is None:
        return replace(config, metrics=specs)
    checked_rules = _rules(rules, caller, config.deals.types, names)
    places = {**config.places, **_rule_places(checked_rules, caller)}
    return replace(config, metrics=specs, rules=checked_rules, places=places)


def _metric(name: str, value: Any, place: str) -> MetricSpec:
    if name == "*" or not name.strip():
        raise ConfigError(f"{place}: a metric needs a name of its own")
    if isinstance(value, str):
        return MetricSpec(name, value, place=place)
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        unknown = [key for key in value if key not in _METRIC_KEYS]
        if unknown:
            hint = did_you_mean(unknown[0], _METRIC_KEYS)
            raise ConfigError(f"{place}: unknown key {unknown[0]!r}.{hint} Valid: {', '.join(_METRIC_KEYS)}")
        limit, rank = (_above_zero(value.get(key), key, place) for key in ("max_chars", "rank"))
        return MetricSpec(name, value["path"], limit, place, rank)
    raise ConfigError(f'{place} = {value!r}: must be a JMESPath expression or {{ path = "…", max_chars = 500 }}')


def _above_zero(value: Any, key: str, place: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ConfigError(f"{place}: {key} = {value!r} must be a whole number above 0")


def _rules(
    tables: Mapping[str, Any], file: _File, types: tuple[str, ...], metrics: list[str]
) -> dict[str, dict[str, str]]:
    for deal_type, table in tables.items():
        header = _where(file, f"rules.{_quoted(deal_type)}", "")
        if deal_type != "*" and deal_type not in types:
            raise ConfigError(
                f"{header.strip()}: unknown deal type.{did_you_mean(deal_type, types)} Valid: {', '.join(types)}, *"
            )
        if not isinstance(table, dict):
            raise ConfigError(f"{header.strip()} must be a table of metric = rule, not {table!r}")
        for metric, rule in table.items():
            place = _rule_place(file, deal_type, metric)
            if metric != "*" and metric not in metrics:
                raise ConfigError(
                    f"{place}: unknown metric.{did_you_mean(metric, metrics)} Valid: {', '.join([*metrics, '*'])}"
                )
            if not isinstance(rule, str):
                raise ConfigError(f'{place} = {rule!r}: a rule is a string, such as "within 5%" or "equal"')
    return {deal_type: dict(table) for deal_type, table in tables.items()}


def _rule_places(rules: Mapping[str, Mapping[str, str]], file: _File) -> dict[str, str]:
    return {f"rules.{name}.{key}": _rule_place(file, name, key) for name, table in rules.items() for key in table}


def _rule_place(file: _File, deal_type: str, metric: str) -> str:
    return _where(file, f"rules.{_quoted(deal_type)}", _quoted(metric))


def _quoted(key: str) -> str:
    """Return *key* as TOML has it."""
    return key if re.fullmatch(r"[\w-]+", key) else json.dumps(key, ensure_ascii=False)
