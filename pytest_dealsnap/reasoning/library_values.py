"""Values of libraries: what each holds, exactly. Nothing here imports a library; a value tells by its class.

What has no exact plain form stays as it is, and ``canonical`` refuses it by its path.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

__all__ = ["fields_of", "is_missing", "library_scalar", "pydantic_form"]

_UNSET = object()


def is_missing(value: Any) -> bool:
    """Whether *value* is the missing value of pandas or numpy: ``NaT``, ``NA``.

    pandas' ``NaT`` is an instance of ``datetime`` and reads like the year 1.
    """
    name = type(value).__name__
    if name in ("NaTType", "NAType"):
        return type(value).__module__.partition(".")[0] == "pandas"
    return name in ("datetime64", "timedelta64") and type(value).__module__ == "numpy" and bool(value != value)


def library_scalar(value: Any) -> Any:
    """Return the plain value of a missing value, a pandas Timestamp or a numpy scalar; anything else as it is."""
    if is_missing(value):
        return None
    if hasattr(type(value), "nanosecond") and hasattr(value, "isoformat"):
        return value.isoformat()  # its own: that of datetime, its base, cuts the nanoseconds
    if type(value).__module__ != "numpy" or getattr(value, "ndim", None) != 0 or not hasattr(value, "dtype"):
        return value
    kind = value.dtype.kind
    if kind in "mM":
        return None if str(value) == "NaT" else str(value)
    if kind == "f" and value.dtype.itemsize > 8:
        return Decimal(str(value))
    return value.item() if kind in "biufUS" else value


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """Return the fields of a mapping, or of a dataclass, attrs or msgspec object; ``None`` for others.

    Raises :class:`AttributeError` for an object that lacks one of its fields.
    """
    if isinstance(value, Mapping):
        # A dictionary of several values a key (Django's and Werkzeug's) shows only one of each.
        several = getattr(value, "getlist", None)
        return {key: several(key) for key in value} if callable(several) else value
    kind = type(value)
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(kind, "__attrs_attrs__"):
        return {attribute.name: getattr(value, attribute.name) for attribute in kind.__attrs_attrs__}
    if hasattr(kind, "__struct_fields__"):
        return _msgspec_fields(value)
    return None


def _msgspec_fields(value: Any) -> dict[str, Any]:
    """Return the fields that are set, and the tag that tells one structure of a union from another."""
    config = value.__struct_config__
    fields = {} if config.tag is None else {config.tag_field: config.tag}
    for name in value.__struct_fields__:
        item = getattr(value, name)
        if type(item).__name__ != "UnsetType":
            fields[name] = item
    return fields


def pydantic_form(value: Any) -> tuple[Any] | None:
    """Return what a pydantic model dumps, in a tuple: fields, a list, a text; ``None`` for anything else.

    A field annotated with a base class dumps only the base's fields of a subclass's object. The rest is put back.
    """
    if isinstance(value, type) or not (hasattr(type(value), "model_fields") and hasattr(value, "model_dump")):
        return None
    dumped = value.model_dump()
    if not isinstance(dumped, Mapping):
        return (dumped,)
    names = [name for name in dumped if name in type(value).model_fields]
    return ({**dumped, **{name: _in_full(getattr(value, name, _UNSET), dumped[name]) for name in names}},)


def _in_full(item: Any, dumped: Any) -> Any:
    """Return *dumped*, of which *item* is the object, with the fields that only the object's own class has."""
    if isinstance(dumped, Mapping) and hasattr(type(item), "model_fields"):
        if dumped.keys() < _names(type(item)):
            form = pydantic_form(item)
            own: Any = form[0] if form is not None else dumped
            return own if isinstance(own, Mapping) and _is_dumped_as_base(item, dumped, own) else dumped
        return {name: _in_full(getattr(item, name, _UNSET), part) for name, part in dumped.items()}
    if isinstance(dumped, Mapping) and isinstance(item, Mapping):
        return {name: _in_full(item.get(name, _UNSET), part) for name, part in dumped.items()}
    if isinstance(dumped, (list, tuple)) and isinstance(item, (list, tuple)) and len(item) == len(dumped):
        return [_in_full(*pair) for pair in zip(item, dumped, strict=True)]
    return dumped


def _is_dumped_as_base(item: Any, dumped: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether *dumped* has just the fields of a base class of *item*'s: not what a serializer or exclude left."""
    return any(_names(base) & own.keys() == dumped.keys() for base in type(item).__mro__[1:])


def _names(kind: Any) -> set[str]:
    names: Iterable[str] = (*getattr(kind, "model_fields", ()), *getattr(kind, "model_computed_fields", ()))
    return set(names)
