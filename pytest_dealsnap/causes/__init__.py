"""Findings of many deals that look like one change (pure)."""
