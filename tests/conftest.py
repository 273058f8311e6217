"""What all tests share: Hypothesis without a deadline, because no test may depend on timing."""

from __future__ import annotations

import os

from hypothesis import settings

# Meant for this run, not for the pytest runs that tests start.
os.environ.pop("PYTEST_ADDOPTS", None)

settings.register_profile("dealsnap", deadline=None, max_examples=60)
settings.load_profile("dealsnap")
