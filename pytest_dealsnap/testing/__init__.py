"""For tests of your own: strategies of deals, rows and databases, a differential search, and invariants.

::

    from pytest_dealsnap.testing import assert_same_outputs, deals

    def test_the_new_engine_computes_what_the_old_one_did():
        assert_same_outputs(old_engine, new_engine, deals=deals(), rules={"cost_total": "within 5%"})

The marker ``@pytest.mark.deal_matrix``, which gives a test every deal type and axis, needs no import.
"""

from __future__ import annotations

from importlib.util import find_spec

_ABSENT = [name for name in ("hypothesis", "sqlglot") if find_spec(name) is None]
if _ABSENT:
    raise ModuleNotFoundError(
        f"pytest_dealsnap.testing needs {' and '.join(_ABSENT)}: python -m pip install 'pytest-dealsnap[testing]'",
        name=_ABSENT[0],
    )

from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.testing.databases import Database, databases
from pytest_dealsnap.testing.deals import deal_names, deal_types, deals, stored_deal_types
from pytest_dealsnap.testing.differential import NothingComparedWarning, assert_same_outputs
from pytest_dealsnap.testing.invariants import (
    assert_cost_monotone,
    assert_no_consolidation_outside_acquisitions,
    assert_no_tsa_outside_carveouts,
    assert_order_irrelevant,
    assert_repeatable,
)
from pytest_dealsnap.testing.rows import UnreadCheckWarning, rows
from pytest_dealsnap.testing.type_invariants import (
    assert_aliases_equal_targets,
    assert_flag_off_ignores_type,
    assert_invalid_types_refused,
    assert_omitted_type_is_default,
)

__all__ = [
    "Config",
    "Database",
    "Deal",
    "NothingComparedWarning",
    "UnreadCheckWarning",
    "assert_aliases_equal_targets",
    "assert_cost_monotone",
    "assert_flag_off_ignores_type",
    "assert_invalid_types_refused",
    "assert_no_consolidation_outside_acquisitions",
    "assert_no_tsa_outside_carveouts",
    "assert_omitted_type_is_default",
    "assert_order_irrelevant",
    "assert_repeatable",
    "assert_same_outputs",
    "databases",
    "deal_names",
    "deal_types",
    "deals",
    "load_config",
    "rows",
    "stored_deal_types",
]
