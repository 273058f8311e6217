"""Importing this puts up the guard, before anything of the user's is imported: ``pytest -p`` does so first."""

from __future__ import annotations

import os

from pytest_dealsnap.rehearsal.guard import ORIGINAL, guard_original

if original := os.environ.get(ORIGINAL):
    guard_original(original)
