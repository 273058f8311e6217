"""The published JSON Schemas, made from the records and from the table of settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from pytest_dealsnap.model.documents import RehearsalReport, Report
from pytest_dealsnap.model.kept_files import DecisionsFile, ManifestFile
from pytest_dealsnap.model.record import Record
from pytest_dealsnap.settings import SETTINGS, Setting

__all__ = ["SCHEMAS", "pyproject_schema", "schema", "schema_text"]

SCHEMAS = ("report", "gate", "matrix", "rehearsal", "decisions", "manifest", "configuration")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"
_KINDS: Mapping[str, tuple[type[Record], ...]] = {
    "report": (Report, RehearsalReport),
    "gate": (Report,),
    "matrix": (Report,),
    "rehearsal": (RehearsalReport,),
    "decisions": (DecisionsFile,),
    "manifest": (ManifestFile,),
}
_OF_SETTING = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}


def schema_text(name: str = "report") -> str:
    """Return the JSON Schema *name*, one of ``SCHEMAS``, as text."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def pyproject_schema(tool: str) -> dict[str, Any]:
    """Return the schema of ``[tool.dealsnap]`` for ``validate-pyproject``, which checks draft 7.

    Args:
        tool: The table's name below ``tool``; there is one.
    """
    return {**schema("configuration"), "$schema": "http://json-schema.org/draft-07/schema#", "title": f"tool.{tool}"}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema *name*, one of ``SCHEMAS``. It allows keys that it does not know."""
    head = {"$schema": _DRAFT, "$id": f"urn:pytest-dealsnap:{name}:1", "title": f"pytest-dealsnap {name}"}
    if name == "configuration":
        return {**head, **_configuration()}
    kinds = _KINDS[name]
    references, definitions = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    known = {kind.__name__: kind for kind in _records(Record)}
    parts = {key: _definition(part, known.get(key)) for key, part in definitions.items()}
    body: dict[str, Any] = {"anyOf": list(references)} if len(references) > 1 else dict(references[0])
    if name == "matrix":
        body["properties"] = {"run": {"properties": {"mode": {"const": "matrix"}}}}
    return {**head, **body, "$defs": parts}


def _records(kind: type[Record]) -> list[type[Record]]:
    return [one for child in kind.__subclasses__() for one in (child, *_records(child))]


def _definition(part: dict[str, Any], kind: type[Record] | None) -> Any:
    """Return one definition: the fields that stand in every file are required, and Decimals are numbers."""
    if kind is None:
        return _with_numbers(part)
    always = [field.encode_name for field in msgspec.structs.fields(kind) if _is_always_there(field)]
    return {**_with_numbers(part), "required": sorted(always)}


def _is_always_there(field: msgspec.structs.FieldInfo) -> bool:
    made = field.default_factory
    return field.required or (made is not msgspec.NODEFAULT and made not in (list, dict, set))


def _with_numbers(part: Any) -> Any:
    if isinstance(part, (list, tuple)):
        return [_with_numbers(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "decimal":
        return {**{key: value for key, value in part.items() if key != "format"}, "type": "number"}
    return {
        key: _with_numbers(value) for key, value in part.items() if key != "default" or not isinstance(value, tuple)
    }


def _configuration() -> dict[str, Any]:
    """Return the schema of ``[tool.dealsnap]``."""
    sections: dict[str, dict[str, Any]] = {}
    for setting in SETTINGS:
        sections.setdefault(setting.section, {})[setting.key] = _of_setting(setting)
    properties: dict[str, Any] = sections.pop("", {})
    for section, keys in sections.items():
        properties[section] = {"type": "object", "properties": keys}
    properties["metrics"] = {
        "type": "object",
        "description": "What is judged: a name, and the JMESPath of its value.",
        "additionalProperties": {"type": ["string", "object"]},
    }
    properties["rules"] = {
        "type": "object",
        "description": "By deal type and metric, the rule that judges it.",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    return {"description": "The table [tool.dealsnap] of pyproject.toml.", "type": "object", "properties": properties}


def _of_setting(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _OF_SETTING[setting.kind], "description": setting.help}
    if setting.kind is list:
        found["items"] = {"type": "string"}
    if setting.choices:
        found["enum"] = list(setting.choices)
    if setting.kind is str and not setting.may_be_empty:
        found["minLength"] = 1
    bounds = {"minimum": setting.minimum, "maximum": setting.maximum}
    return {**found, **{key: bound for key, bound in bounds.items() if bound is not None}}
