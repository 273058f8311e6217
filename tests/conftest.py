"""What all tests share: Hypothesis without a deadline, because no test may depend on timing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("dealsnap", deadline=None, max_examples=60)
settings.load_profile("dealsnap")
