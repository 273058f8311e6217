"""pytest-dealsnap: prove, deal by deal, that a migration changed only what it was meant to change.

Importing this package is free: pytest loads it in every run, also in those that ask for no deals.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
