"""How outputs are compared: metrics, rules, findings, causes, verdict.

Everything here is pure: values in, values out, no files, no clock, no pytest.
"""
