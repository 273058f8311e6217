"""What several rooms' tests start from: a configuration, and values that canonical JSON holds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config

__all__ = ["canonical_values", "configure", "json_values", "numbers"]


def configure(
    root: Path, text: str = "", *, flags: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> Config:
    """Return the configuration of a project at *root* whose ``dealsnap.toml`` is *text*."""
    (root / "dealsnap.toml").write_text(text, encoding="utf-8")
    return load_config(root, flags=flags or {}, environ=environ or {}, cwd=root)


def numbers() -> st.SearchStrategy[Any]:
    """Numbers of all three kinds, NaN and infinities among them."""
    return st.one_of(
        st.integers(),
        st.floats(),
        st.decimals(allow_nan=False),
        st.sampled_from(
            [Decimal("NaN"), Decimal("1E+40"), Decimal("-1E-40"), Decimal("0.00"), 0.1 + 0.2, -0.0, 5e-324]
        ),
    )


def _containers(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.text(max_size=4) | st.sampled_from(["a", "b", "type", "cost"])
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )


def canonical_values() -> st.SearchStrategy[Any]:
    """Any canonical value."""
    return _containers(st.none() | st.booleans() | numbers() | st.text(max_size=8))


def json_values() -> st.SearchStrategy[Any]:
    """What the standard library's ``json`` can write as well."""
    return _containers(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8))
