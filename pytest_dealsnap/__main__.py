"""``python -m pytest_dealsnap`` is ``dealsnap``."""

from __future__ import annotations

import sys

from pytest_dealsnap.cli import main

sys.exit(main())
