"""The same small book gated under other pytest plugins: ``python -m tests.compatibility``.

It needs the package registry, so it is a job of its own and no part of ``pytest``.
"""
