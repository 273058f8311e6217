"""The one way from deals to a run: calls, judging, results."""
